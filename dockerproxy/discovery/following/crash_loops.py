"""Turns: who comes and goes again and again, so that the log tells it in few lines. `now` is seconds of any clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from typing import Generic, NamedTuple, TypeVar

# Who deploys, finds a mistake and deploys again has made two turns; what crashes at its start makes them in seconds.
MANY = 4  # turns
WITHIN = 60.0  # seconds
# Longer than the longest pause of Docker between two restarts, which is a minute.
QUIET = 180.0  # seconds

_Key = TypeVar("_Key", bound=Hashable)


class Turn(NamedTuple):
    """One turn, and those before it.

    number:   of turns in `seconds`, this one included
    restless: whether they were many in a short time, and none has been far from the next since then
    news:     whether it is the one that made it restless, or their number has doubled since that was told
    """

    number: int
    seconds: float
    restless: bool
    news: bool


class _Series:
    """Turns of one key, none far from the next."""

    __slots__ = ("count", "first", "last", "recent", "restless")

    def __init__(self) -> None:
        self.recent: deque[float] = deque(maxlen=MANY)
        self.first = self.last = 0.0
        self.count = 0
        self.restless = False

    def add(self, now: float) -> Turn:
        self.recent.append(now)
        self.last = now
        if self.restless:
            self.count += 1
        else:
            self.count, self.first = len(self.recent), self.recent[0]
            self.restless = self.count == MANY and now - self.first <= WITHIN
        news = self.restless and self.count & (self.count - 1) == 0
        return Turn(self.count, now - self.first, self.restless, news)


class Turns(Generic[_Key]):
    """The turns of each key."""

    def __init__(self) -> None:
        self._series: dict[_Key, _Series] = {}  # whose last turn is the longest ago comes first

    def __repr__(self) -> str:
        return f"<Turns of {len(self)}>"

    def __len__(self) -> int:
        return len(self._series)

    def add(self, key: _Key, now: float) -> Turn:
        """Another turn."""
        series = self._series.pop(key, None)
        if series is None or now - series.last >= QUIET:
            series = _Series()
        self._series[key] = series
        return series.add(now)

    def restless(self) -> set[_Key]:
        """Those that turn again and again, until `settled` names them."""
        return {key for key, series in self._series.items() if series.restless}

    def settled(self, now: float) -> list[_Key]:
        """Those that were restless, and have not turned for a while; all quiet ones are forgotten."""
        quiet = list(self._quiet(now))
        restless = [key for key in quiet if self._series[key].restless]
        for key in quiet:
            del self._series[key]
        return restless

    def next_end(self) -> float | None:
        """When `settled` may name somebody, or None."""
        return next((series.last + QUIET for series in self._series.values() if series.restless), None)

    def _quiet(self, now: float) -> Iterator[_Key]:
        for key, series in self._series.items():
            if now - series.last < QUIET:
                return
            yield key
