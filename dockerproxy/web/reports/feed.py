"""Feed: what open dashboards are told: the report, each second in which it differs, and the history of a minute.

One report is made for all listeners, and none when nobody listens. A listener that is slower than the reports misses
some of them; nothing is queued for it. The feed knows neither requests nor what a report says.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from dockerproxy.stats import ProxyStats
from dockerproxy.tasks import Tasks
from dockerproxy.web.reports.history import History, Trail
from dockerproxy.web.reports.parts import JsonParts, TimeSlice, chunks_of, pairs_of

log = logging.getLogger("dockerproxy.web")

INTERVAL = 1.0  # seconds between two looks
# More than a team has open; each costs a connection and what is sent to it.
MOST_LISTENERS = 32
_IN_ONE_GO = 500  # routes that are looked at before requests have their turn again: about a millisecond
# A report of thousands of routes takes long to make; it may cost this part of the time.
_MOST_OF_THE_TIME = 0.1
_FORGET_EVERY = 60  # looks
_COMMENT = b":\n\n"  # by which proxies on the way see that the stream lives
_TIGHT = (",", ":")  # JSON without spaces
_LAST_WORDS = 0.5  # seconds that listeners get at the end; one that does not read is cut

Report = Callable[[], Iterator[tuple[str, Any]]]


class Feed:
    """The listeners, and the task that serves them.

    closed: whether it has ended for good
    """

    def __init__(self, most: int = MOST_LISTENERS, interval: float = INTERVAL) -> None:
        self.closed = False
        self._most = most
        self._interval = interval
        self._history = History()
        self._tasks = Tasks("dashboard")
        self._listeners: dict[asyncio.Task[Any], None] = {}
        self._news = asyncio.Event()
        self._event = b""
        self._told: tuple[object, ...] = ()  # what the event says, without what only tells the time
        self._made_at = -1  # tick
        self._making = asyncio.Lock()
        self._next_report = 0.0
        self._stumbled_over = ""
        self._stats: ProxyStats
        self._report: Report
        self._counts: Callable[[str], bool]
        self._lists: Sequence[str]

    def __repr__(self) -> str:
        return f"<Feed: {len(self._listeners)} listeners, {self._history!r}>"

    @property
    def full(self) -> bool:
        """Whether there may be no further listener."""
        return len(self._listeners) >= self._most

    def start(
        self, stats: ProxyStats, report: Report, counts: Callable[[str], bool], lists: Sequence[str] = ()
    ) -> None:
        """Look at the counters each second from now on.

        report: gives the parts of the report; `rates` is added to them
        counts: whether the route of this name counts in the rates of the proxy
        lists:  keys of the parts that come one by one, see `parts`
        """
        self._stats, self._report, self._counts, self._lists = stats, report, counts, lists
        self._history.begin(stats.routes.items())
        self._tasks.start(self._run(), name="look at the counters")

    async def listen(self, heartbeat: float) -> AsyncGenerator[bytes]:
        """Events as they are sent, until the feed is closed: the history, the report, and each that differs.

        heartbeat: seconds after which a comment is sent when there is no report
        """
        task = asyncio.current_task()
        assert task is not None
        self._listeners[task] = None
        try:
            await self._make()
            history, told = await self._whole_history(), self._event
            yield history + told
            while not self.closed:
                await self._wait(told, heartbeat)
                if self._event is not told:
                    told = self._event
                    yield told
                elif not self.closed:
                    yield _COMMENT
        finally:
            del self._listeners[task]

    async def close(self) -> None:
        """End all listeners, at once."""
        self.closed = True
        self._news.set()
        if self._listeners:
            await asyncio.wait(self._listeners, timeout=_LAST_WORDS)
        for task in list(self._listeners):
            task.cancel()
        await self._tasks.cancel_all()

    async def _wait(self, told: bytes, seconds: float) -> None:
        """Wait for another event than `told`; one that was made while that was being sent is not waited for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._event is told and not self.closed:
                    await self._news.wait()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(self._interval)
            now = loop.time()
            try:
                await self._look(now - last)
                if self._listeners and now >= self._next_report:
                    await self._make()
            except Exception as error:  # a fault of ours in one report must not end all further ones
                self._stumbled(error)
            last = now

    def _stumbled(self, error: Exception) -> None:
        what = f"{type(error).__name__}: {error}"
        if what != self._stumbled_over:  # it may well be the same each second
            log.error("dashboard: a report could not be made; trying again", exc_info=error)
        self._stumbled_over = what

    async def _look(self, seconds: float) -> None:
        samples = {}
        routes = self._stats.take_active()
        for start in range(0, len(routes), _IN_ONE_GO):
            samples.update(self._history.look(routes[start : start + _IN_ONE_GO]))
            await asyncio.sleep(0)
        self._history.append(samples, seconds, [name for name in samples if not self._counts(name)])
        if self._history.tick % _FORGET_EVERY == 0:
            self._history.forget(self._stats.routes)

    async def _make(self) -> None:
        """Make the event of this tick, and wake up all listeners if it says anything new."""
        async with self._making:
            if self._made_at == self._history.tick:
                return
            self._made_at = self._history.tick
            begin, time_slice = asyncio.get_running_loop().time(), TimeSlice()
            total = json.dumps(self._total_rates(), separators=_TIGHT)
            parts = JsonParts(self._lists, tight=True)
            await parts.take(self._report(), time_slice)
            rates = await pairs_of(((name, trail.rates()) for name, trail in self._trails()), time_slice)
            proxy = json.loads(parts.single["proxy"])
            proxy.pop("uptime_seconds", None)
            # While anything moves, the curves do, too.
            moves = self._made_at if self._history.trails else 0
            told = (proxy, {**parts.single, "proxy": ""}, parts.items, moves)
            if told != self._told:
                self._told = told
                first = f'{{"rates":{total[:-1]},"routes":{{'
                pieces = chain([first], rates, ["}},"], islice(parts.pieces(), 1, None))
                self._event = b"".join(await chunks_of(_event("report", pieces), time_slice))
                news, self._news = self._news, asyncio.Event()
                news.set()
            self._next_report = begin + time_slice.spent / _MOST_OF_THE_TIME - self._interval / 2

    def _total_rates(self) -> dict[str, Any]:
        total = self._history.total.rates() if self._history.tick else None
        return {"tick": self._history.tick, "interval": self._interval, "proxy": total}

    async def _whole_history(self) -> bytes:
        time_slice, total = TimeSlice(), json.dumps(self._history.total.history(), separators=_TIGHT)
        begin = f'{{"tick":{self._history.tick},"proxy":{total},"routes":{{'
        routes = await pairs_of(((name, trail.history()) for name, trail in self._trails()), time_slice)
        return b"".join(await chunks_of(_event("history", chain([begin], routes, ["}}"])), time_slice))

    def _trails(self) -> list[tuple[str, Trail]]:
        """Those of this moment; others may come meanwhile."""
        return list(self._history.trails.items())


def _event(name: str, data: Iterable[str]) -> Iterator[str]:
    """Server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html; JSON has no line breaks."""
    return chain([f"event: {name}\ndata: "], data, ["\n\n"])
