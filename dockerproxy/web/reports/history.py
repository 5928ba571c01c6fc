"""History: what happened on each route in each second of the last minute; pure, it only reads counters.

Counters only grow, so a second is the difference of two looks at them. A route is kept here only while something
happened on it within the window: thousands of quiet ones cost nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice, takewhile
from typing import Any, NamedTuple

from dockerproxy.stats import LATENCY_BOUNDS, Latency, RouteStats

WINDOW = 60  # looks; a minute, which is what a person remembers of the sites that he watches
_RATE_OVER = 10  # looks; a rate over one second jumps too much to be read
_SERVER_ERROR = 5  # first digit of the status, RFC 9110 section 15.6
_PERCENTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))
_SPARKLINE = 0.95  # the percentile that is drawn: a mean hides what hurts


class Sample(NamedTuple):
    """What happened between two looks.

    requests:  that began
    errors:    requests that were answered with a 5xx status, ours included, or broken off
    latencies: bucket of Latency -> durations
    """

    requests: int
    errors: int
    latencies: tuple[tuple[int, int], ...] = ()


_NOTHING = Sample(0, 0)


class _Looks:
    """The looks of the window: how many there were before the last one, and how long each took."""

    __slots__ = ("seconds", "tick")

    def __init__(self) -> None:
        self.tick = 0
        self.seconds: deque[float] = deque(maxlen=WINDOW)

    def add(self, seconds: float) -> None:
        self.tick += 1
        self.seconds.append(seconds)

    def last(self, count: int) -> float:
        """Seconds that the last looks took together."""
        return sum(islice(reversed(self.seconds), count))


class Trail:
    """The last samples of one route, or of all together; those in which nothing happened are not kept."""

    __slots__ = ("_began", "_counts", "_looks", "_samples")

    def __init__(self, looks: _Looks, began: int) -> None:
        self._looks = looks
        self._began = began  # the tick of its first look
        self._samples: deque[tuple[int, Sample]] = deque()  # tick, what happened
        self._counts = [0] * (len(LATENCY_BOUNDS) + 1)

    def __repr__(self) -> str:
        return f"<Trail: {len(self._samples)} samples>"

    @property
    def quiet(self) -> bool:
        """Whether nothing happened in the whole window."""
        return not self._samples or self._samples[-1][0] <= self._looks.tick - WINDOW

    def add(self, sample: Sample) -> None:
        """Add what happened between the last two looks."""
        self._forget()
        self._samples.append((self._looks.tick, sample))
        for bucket, count in sample.latencies:
            self._counts[bucket] += count

    def rates(self) -> dict[str, float | None]:
        """The last sample as `history` shows it, the requests per second, and of the window the rest."""
        self._forget()
        tick, looks = self._looks.tick, self._looks
        last = _shown(self._at(tick), looks.last(1))
        recent = min(_RATE_OVER, tick - self._began + 1)
        asked = sum(sample.requests for at, sample in self._samples if at > tick - recent)
        requests = sum(sample.requests for _, sample in self._samples)
        errors = sum(sample.errors for _, sample in self._samples)
        latency = Latency.of(self._counts)
        return {
            "requests": last[0],
            "errors": last[1],
            "latency": last[2],
            "requests_per_second": _rate(asked, looks.last(recent)),
            "error_rate": round(min(1.0, errors / max(requests, errors, 1)), 4),
            **{name: _rounded(latency.percentile(fraction)) for name, fraction in _PERCENTILES},
        }

    def history(self) -> dict[str, list[Any]]:
        """Requests and errors per second, and the latency (p95, or None), of each sample, the oldest first."""
        self._forget()
        tick = self._looks.tick
        samples = dict(self._samples)
        ticks = range(max(self._began, tick - WINDOW + 1), tick + 1)
        lengths = list(self._looks.seconds)[-len(ticks) :]
        shown = [_shown(samples.get(at, _NOTHING), seconds) for at, seconds in zip(ticks, lengths, strict=True)]
        return {name: [each[index] for each in shown] for index, name in enumerate(("requests", "errors", "latency"))}

    def _at(self, tick: int) -> Sample:
        at, sample = self._samples[-1] if self._samples else (-1, _NOTHING)
        return sample if at == tick else _NOTHING

    def _forget(self) -> None:
        """Forget what has left the window."""
        while self._samples and self._samples[0][0] <= self._looks.tick - WINDOW:
            for bucket, count in self._samples.popleft()[1].latencies:
                self._counts[bucket] -= count


class _Seen(NamedTuple):
    """The counters of a route at the last look; `total` tells cheaply whether there are new durations."""

    requests: int
    errors: int
    total: float
    counts: tuple[int, ...]


_NOTHING_SEEN = _Seen(0, 0, 0.0, (0,) * (len(LATENCY_BOUNDS) + 1))


class History:
    """The trails of all routes on which something happened within the window."""

    def __init__(self) -> None:
        self._looks = _Looks()
        self.total = Trail(self._looks, began=1)
        self.trails: dict[str, Trail] = {}  # who was quiet for the longest time comes first
        self._seen: dict[str, _Seen] = {}

    def __repr__(self) -> str:
        return f"<History: {self.tick} looks, {len(self.trails)} of {len(self._seen)} routes>"

    @property
    def tick(self) -> int:
        """How many looks there were."""
        return self._looks.tick

    def begin(self, routes: Iterable[tuple[str, RouteStats]]) -> None:
        """Take the counters as they are: what was counted before is not news."""
        self._seen = {name: _look(stats, _NOTHING_SEEN) for name, stats in routes}

    def look(self, routes: Iterable[tuple[str, RouteStats]]) -> dict[str, Sample]:
        """What happened on each of these routes since the last look; quiet ones are left out."""
        samples = {}
        for name, stats in routes:
            before = self._seen.get(name, _NOTHING_SEEN)
            seen = _look(stats, before)
            if seen is not before:
                self._seen[name] = seen
                samples[name] = _difference(before, seen)
        return samples

    def append(self, samples: Mapping[str, Sample], seconds: float, uncounted: Iterable[str] = ()) -> None:
        """Add a look at all routes to the trails.

        seconds:   since the last one
        uncounted: routes that do not count in the total
        """
        self._looks.add(seconds)
        for name, sample in samples.items():
            trail = self.trails.pop(name, None) or Trail(self._looks, self.tick)
            trail.add(sample)
            self.trails[name] = trail
        for name in list(takewhile(lambda name: self.trails[name].quiet, self.trails)):
            del self.trails[name]
        left_out = frozenset(uncounted)
        self.total.add(_sum([sample for name, sample in samples.items() if name not in left_out]))

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


def _difference(before: _Seen, seen: _Seen) -> Sample:
    latencies: tuple[tuple[int, int], ...] = ()
    if seen.counts is not before.counts:
        then, now = before.counts, seen.counts
        latencies = tuple([(bucket, count - then[bucket]) for bucket, count in enumerate(now) if count > then[bucket]])
    # A route that was forgotten and came back begins at zero again.
    return Sample(max(0, seen.requests - before.requests), max(0, seen.errors - before.errors), latencies)


def _sum(samples: list[Sample]) -> Sample:
    counts: dict[int, int] = {}
    for sample in samples:
        for bucket, count in sample.latencies:
            counts[bucket] = counts.get(bucket, 0) + count
    requests, errors = sum(each.requests for each in samples), sum(each.errors for each in samples)
    return Sample(requests, errors, tuple(counts.items()))


def _shown(sample: Sample, seconds: float) -> tuple[float, float, float | None]:
    """Requests and errors per second, and the latency."""
    latency = None
    if sample.latencies:
        counts = [0] * (len(LATENCY_BOUNDS) + 1)
        for bucket, count in sample.latencies:
            counts[bucket] = count
        latency = Latency.of(counts).percentile(_SPARKLINE)
    return _rate(sample.requests, seconds), _rate(sample.errors, seconds), _rounded(latency)


def _rate(count: int, seconds: float) -> float:
    return round(count / max(seconds, 1e-9), 2)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
