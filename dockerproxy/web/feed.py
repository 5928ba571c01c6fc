"""Feed: what open dashboards are told: the report, each second in which it differs, and the history of a minute.

One report is made for all listeners, and none when nobody listens. A listener that is slower than the reports misses
some of them; nothing is queued for it. The feed knows neither requests nor what a report says.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from typing import Any

from dockerproxy.stats import ProxyStats
from dockerproxy.tasks import Tasks
from dockerproxy.web.history import History

INTERVAL = 1.0  # seconds between two looks
# More than a team has open; each costs a connection and what is sent to it.
MOST_LISTENERS = 32
_IN_ONE_GO = 500  # routes that are looked at before requests have their turn again: about a millisecond
# A report of thousands of routes takes long to make; it may cost this part of the time.
_MOST_OF_THE_TIME = 0.05
_FORGET_EVERY = 60  # looks
_LAST_WORDS = 0.5  # seconds that listeners get at the end; one that does not read is cut

Report = Callable[[], Mapping[str, Any]]


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
        self._compared: dict[str, str] = {}
        self._next_report = 0.0
        self._stats: ProxyStats
        self._report: Report
        self._uncounted: Callable[[], Collection[str]]

    def __repr__(self) -> str:
        return f"<Feed: {len(self._listeners)} listeners, {self._history!r}>"

    @property
    def full(self) -> bool:
        """Whether there may be no further listener."""
        return len(self._listeners) >= self._most

    def start(self, stats: ProxyStats, report: Report, uncounted: Callable[[], Collection[str]]) -> None:
        """Look at the counters each second from now on.

        report:    makes the report; `rates` is added to it
        uncounted: names of routes that do not count in the rates of the proxy
        """
        self._stats, self._report, self._uncounted = stats, report, uncounted
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
            yield _event("history", self._whole_history()) + self._latest()
            while not self.closed:
                yield await self._next(heartbeat)
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

    async def _next(self, heartbeat: float) -> bytes:
        try:
            async with asyncio.timeout(heartbeat):
                await self._news.wait()
        except TimeoutError:
            return b":\n\n"  # a comment, by which proxies on the way see that the stream lives
        return b"" if self.closed else self._event

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(self._interval)
            now = loop.time()
            await self._look(now - last)
            last = now
            if self._listeners and now >= self._next_report:
                self._publish()

    async def _look(self, seconds: float) -> None:
        moments = {}
        routes = list(self._stats.routes.items())
        for start in range(0, len(routes), _IN_ONE_GO):
            moments.update(self._history.look(routes[start : start + _IN_ONE_GO], seconds))
            await asyncio.sleep(0)
        self._history.append(moments, seconds, self._uncounted())
        if self._history.tick % _FORGET_EVERY == 0:
            self._history.forget(self._stats.routes)

    def _publish(self) -> None:
        """Make a report, and wake up all listeners if it says anything new."""
        if not self._made():
            return
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _latest(self) -> bytes:
        """The report as it is now, for a new listener; others are told as well if it differs."""
        self._publish()
        return self._event

    def _made(self) -> bool:
        """Make the event; whether it differs from the last one in anything but the time."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        report = {**self._report(), "rates": self._rates()}
        texts = {key: json.dumps(value, separators=(",", ":")) for key, value in report.items()}
        # While anything moves, the curves do, too.
        moves = self._history.tick if self._history.trails else 0
        compared = {**texts, **{key: _without_time(report[key]) for key in ("proxy", "rates")}, "moves": str(moves)}
        differs, self._compared = compared != self._compared, compared
        if differs:
            body = ",".join(f"{json.dumps(key)}:{text}" for key, text in texts.items())
            self._event = f"event: report\ndata: {{{body}}}\n\n".encode()
        end = loop.time()
        self._next_report = end + (end - begin) / _MOST_OF_THE_TIME - self._interval / 2
        return differs

    def _rates(self) -> dict[str, Any]:
        history = self._history
        if not history.tick:
            return {"tick": 0, "interval": self._interval, "proxy": None, "routes": {}}
        routes = {name: trail.rates() for name, trail in history.trails.items()}
        return {"tick": history.tick, "interval": self._interval, "proxy": history.total.rates(), "routes": routes}

    def _whole_history(self) -> dict[str, Any]:
        routes = {name: trail.history() for name, trail in self._history.trails.items()}
        return {"tick": self._history.tick, "proxy": self._history.total.history(), "routes": routes}


def _without_time(part: Mapping[str, Any]) -> str:
    return json.dumps({key: value for key, value in part.items() if key not in ("uptime_seconds", "tick")})


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    """Server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html; JSON has no line breaks."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
