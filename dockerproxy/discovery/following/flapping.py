"""Flaps: who comes and goes again and again, so that the log tells it in few lines. `now` is seconds of any clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from typing import Generic, NamedTuple, TypeVar

# Who deploys, finds a mistake and deploys again has made two flaps; what crashes at its start makes them in seconds.
MANY = 4  # flaps
WITHIN = 60.0  # seconds
# Longer than the longest pause of Docker between two restarts, which is a minute.
QUIET = 180.0  # seconds

_Key = TypeVar("_Key", bound=Hashable)


class Flap(NamedTuple):
    """One flap, and those before it.

    number:   of flaps in `seconds`, this one included
    flapping: whether they were many in a short time, and none has been far from the next since then
    news:     whether it is the one that made it flapping, or their number has doubled since that was told
    """

    number: int
    seconds: float
    flapping: bool
    news: bool


class _Series:
    """Flaps of one key, none far from the next."""

    __slots__ = ("count", "first", "last", "recent", "flapping")

    def __init__(self) -> None:
        self.recent: deque[float] = deque(maxlen=MANY)
        self.first = self.last = 0.0
        self.count = 0
        self.flapping = False

    def add(self, now: float) -> Flap:
        self.recent.append(now)
        self.last = now
        if self.flapping:
            self.count += 1
        else:
            self.count, self.first = len(self.recent), self.recent[0]
            self.flapping = self.count == MANY and now - self.first <= WITHIN
        news = self.flapping and self.count & (self.count - 1) == 0
        return Flap(self.count, now - self.first, self.flapping, news)


class Flaps(Generic[_Key]):
    """The flaps of each key."""

    def __init__(self) -> None:
        self._series: dict[_Key, _Series] = {}  # whose last flap is the longest ago comes first

    def __repr__(self) -> str:
        return f"<Flaps of {len(self)}>"

    def __len__(self) -> int:
        return len(self._series)

    def add(self, key: _Key, now: float) -> Flap:
        """Another flap."""
        series = self._series.pop(key, None)
        if series is None or now - series.last >= QUIET:
            series = _Series()
        self._series[key] = series
        return series.add(now)

    def flapping(self) -> set[_Key]:
        """Those that flap again and again, until `settled` names them."""
        return {key for key, series in self._series.items() if series.flapping}

    def settled(self, now: float) -> list[_Key]:
        """Those that were flapping, and have not flapped for a while; all quiet ones are forgotten."""
        quiet = list(self._quiet(now))
        flapping = [key for key in quiet if self._series[key].flapping]
        for key in quiet:
            del self._series[key]
        return flapping

    def next_end(self) -> float | None:
        """When `settled` may name somebody, or None."""
        return next((series.last + QUIET for series in self._series.values() if series.flapping), None)

    def _quiet(self, now: float) -> Iterator[_Key]:
        for key, series in self._series.items():
            if now - series.last < QUIET:
                return
            yield key
