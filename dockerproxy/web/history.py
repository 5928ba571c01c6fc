"""History: what happened on each route in each second of the last minute; pure, it only reads counters.

Counters only grow, so a second is the difference of two looks at them. A route is kept here only while something
happened on it within the window: thousands of quiet ones cost nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

from dockerproxy.stats import LATENCY_BOUNDS, Latency, RouteStats

WINDOW = 60  # looks; a minute, which is what a person remembers of the sites that he watches
_RATE_OVER = 10  # looks; a rate over one second jumps too much to be read
_SERVER_ERROR = 5  # first digit of the status, RFC 9110 section 15.6
_PERCENTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))
_SPARKLINE = 0.95  # the percentile that is drawn: a mean hides what hurts


class Moment(NamedTuple):
    """What happened between two looks.

    seconds:   between the looks
    errors:    requests that were answered with a 5xx status, ours included, or broken off
    latencies: bucket of Latency -> durations
    """

    seconds: float
    requests: int
    errors: int
    latencies: tuple[tuple[int, int], ...] = ()


class Trail:
    """The last moments of one route, or of all together."""

    __slots__ = ("_counts", "_moments")

    def __init__(self) -> None:
        self._moments: deque[Moment] = deque()
        self._counts = [0] * (len(LATENCY_BOUNDS) + 1)

    def __repr__(self) -> str:
        return f"<Trail: {len(self._moments)} moments>"

    @property
    def quiet(self) -> bool:
        """Whether nothing happened in the whole window."""
        return not any(moment.requests or moment.errors or moment.latencies for moment in self._moments)

    def add(self, moment: Moment) -> None:
        """Append a moment; the one that leaves the window is forgotten."""
        self._moments.append(moment)
        for bucket, count in moment.latencies:
            self._counts[bucket] += count
        if len(self._moments) > WINDOW:
            for bucket, count in self._moments.popleft().latencies:
                self._counts[bucket] -= count

    def rates(self) -> dict[str, float | None]:
        """The last moment as `history` shows it, the requests per second, and of the window the rest."""
        last = _shown(self._moments[-1])
        recent = list(islice(reversed(self._moments), _RATE_OVER))
        requests = sum(moment.requests for moment in self._moments)
        errors = sum(moment.errors for moment in self._moments)
        latency = Latency.of(self._counts)
        return {
            "requests": last[0],
            "errors": last[1],
            "latency": last[2],
            "requests_per_second": _rate(sum(moment.requests for moment in recent), recent),
            "error_rate": round(min(1.0, errors / max(requests, errors, 1)), 4),
            **{name: _rounded(latency.percentile(fraction)) for name, fraction in _PERCENTILES},
        }

    def history(self) -> dict[str, list[Any]]:
        """Requests and errors per second, and the latency (p95, or None), of each moment, the oldest first."""
        shown = [_shown(moment) for moment in self._moments]
        return {name: [each[index] for each in shown] for index, name in enumerate(("requests", "errors", "latency"))}


class _Seen(NamedTuple):
    """The counters of a route at the last look; `total` tells cheaply whether there are new durations."""

    requests: int
    errors: int
    total: float
    counts: tuple[int, ...]


_NOTHING_SEEN = _Seen(0, 0, 0.0, (0,) * (len(LATENCY_BOUNDS) + 1))


class History:
    """The trails of all routes on which something happened within the window; `tick` counts the looks."""

    def __init__(self) -> None:
        self.tick = 0
        self.total = Trail()
        self.trails: dict[str, Trail] = {}
        self._seen: dict[str, _Seen] = {}

    def __repr__(self) -> str:
        return f"<History: {self.tick} looks, {len(self.trails)} of {len(self._seen)} routes>"

    def begin(self, routes: Iterable[tuple[str, RouteStats]]) -> None:
        """Take the counters as they are: what was counted before is not news."""
        self._seen = {name: _look(stats, _NOTHING_SEEN) for name, stats in routes}

    def look(self, routes: Iterable[tuple[str, RouteStats]], seconds: float) -> dict[str, Moment]:
        """What happened on each of these routes since the last look, `seconds` ago; quiet ones are left out."""
        moments = {}
        for name, stats in routes:
            before = self._seen.get(name, _NOTHING_SEEN)
            seen = _look(stats, before)
            if seen is not before:
                self._seen[name] = seen
                moments[name] = _difference(before, seen, seconds)
        return moments

    def append(self, moments: dict[str, Moment], seconds: float, uncounted: Iterable[str] = ()) -> None:
        """Add a look at all routes to the trails.

        uncounted: routes that do not count in the total
        """
        self.tick += 1
        for name in moments.keys() - self.trails.keys():
            self.trails[name] = Trail()
        for name, trail in list(self.trails.items()):
            trail.add(moments.get(name) or Moment(seconds, 0, 0))
            if trail.quiet:
                del self.trails[name]
        left_out = frozenset(uncounted)
        self.total.add(_sum([moment for name, moment in moments.items() if name not in left_out], seconds))

    def forget(self, present: Iterable[str]) -> None:
        """Drop the routes that are not among `present`."""
        for name in self._seen.keys() - set(present):
            del self._seen[name]
            self.trails.pop(name, None)


def _look(stats: RouteStats, before: _Seen) -> _Seen:
    """The counters now; `before` itself when they are the same."""
    errors = max(stats.answers[_SERVER_ERROR], stats.errors_shown)
    latency = stats.latency
    if (stats.requests, errors, latency.total) == before[:3]:
        return before
    counts = before.counts if latency.total == before.total else latency.counts
    return _Seen(stats.requests, errors, latency.total, counts)


def _difference(before: _Seen, seen: _Seen, seconds: float) -> Moment:
    latencies: tuple[tuple[int, int], ...] = ()
    if seen.counts is not before.counts:
        then, now = before.counts, seen.counts
        latencies = tuple([(bucket, count - then[bucket]) for bucket, count in enumerate(now) if count > then[bucket]])
    # A route that was forgotten and came back begins at zero again.
    return Moment(seconds, max(0, seen.requests - before.requests), max(0, seen.errors - before.errors), latencies)


def _sum(moments: list[Moment], seconds: float) -> Moment:
    counts: dict[int, int] = {}
    for moment in moments:
        for bucket, count in moment.latencies:
            counts[bucket] = counts.get(bucket, 0) + count
    requests, errors = sum(each.requests for each in moments), sum(each.errors for each in moments)
    return Moment(seconds, requests, errors, tuple(counts.items()))


def _shown(moment: Moment) -> tuple[float, float, float | None]:
    """Requests and errors per second, and the latency."""
    latency = None
    if moment.latencies:
        counts = [0] * (len(LATENCY_BOUNDS) + 1)
        for bucket, count in moment.latencies:
            counts[bucket] = count
        latency = Latency.of(counts).percentile(_SPARKLINE)
    return _rate(moment.requests, [moment]), _rate(moment.errors, [moment]), _rounded(latency)


def _rate(count: int, moments: list[Moment]) -> float:
    return round(count / max(sum(moment.seconds for moment in moments), 1e-9), 2)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
