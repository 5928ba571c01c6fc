"""Counters per route and upstream, under the names that `/statistics` shows.

Numbers only: who is benched is `routing.bench`'s business. Everything here is written by the data plane, on one
thread, and read by statistics. Counters are kept by name and key, so they survive every change of the table.
"""

from __future__ import annotations

from bisect import bisect_left

# Bucket bounds grow by a quarter: a percentile read from them is off by at most 12.5 %.
_GROWTH = 1.25
_FIRST_BOUND = 0.0001  # seconds
_BUCKETS = 64  # the last bound is about 127 s


def _bounds() -> tuple[float, ...]:
    return tuple(_FIRST_BOUND * _GROWTH**index for index in range(_BUCKETS))


def _middle(index: int) -> float:
    """What a duration in this bucket is taken for."""
    upper = LATENCY_BOUNDS[min(index, _BUCKETS - 1)]
    return upper * (1 + 1 / _GROWTH) / 2


LATENCY_BOUNDS = _bounds()


class Latency:
    """A histogram of seconds with fixed, exponential buckets."""

    __slots__ = ("_counts", "count")

    def __init__(self) -> None:
        self._counts = [0] * (_BUCKETS + 1)
        self.count = 0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(LATENCY_BOUNDS, seconds)] += 1
        self.count += 1

    def percentile(self, fraction: float) -> float | None:
        """Seconds below which `fraction` (0 to 1) of the durations lie, or None without any."""
        if not self.count:
            return None
        wanted, seen = fraction * self.count, 0
        for index, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return _middle(index)
        return _middle(_BUCKETS)


class UpstreamStats:
    """What happened at one upstream of one route.

    used_successfully: attempts that brought an answer
    error_counter:     attempts that were errors
    total_time:        seconds spent in successful attempts
    last_error:        in words, or ""
    """

    __slots__ = ("error_counter", "in_flight", "last_error", "total_time", "used_successfully")

    def __init__(self) -> None:
        self.used_successfully = 0
        self.error_counter = 0
        self.in_flight = 0
        self.total_time = 0.0
        self.last_error = ""

    def __repr__(self) -> str:
        return f"<UpstreamStats ok={self.used_successfully} errors={self.error_counter} in_flight={self.in_flight}>"


class RouteStats:
    """What happened on one route.

    requests:     exchanges begun
    errors_shown: exchanges that ended in an error page of ours, or in a broken answer
    retries:      attempts after the first one of their exchange
    held:         exchanges that had to wait for an upstream
    """

    __slots__ = ("errors_shown", "held", "in_flight", "latency", "requests", "retries", "upstreams")

    def __init__(self) -> None:
        self.requests = 0
        self.errors_shown = 0
        self.retries = 0
        self.held = 0
        self.in_flight = 0
        self.latency = Latency()
        self.upstreams: dict[str, UpstreamStats] = {}

    def upstream(self, key: str) -> UpstreamStats:
        """The counters of the upstream with this key, made at the first call."""
        found = self.upstreams.get(key)
        if found is None:
            found = self.upstreams[key] = UpstreamStats()
        return found


class ProxyStats:
    """What happened at the front: client connections and requests, and all routes.

    unrouted: requests that no route answered (404, 405) or that could not be understood (400, 413, 431 …)
    """

    __slots__ = ("connections", "connections_total", "requests", "routes", "started_at", "unrouted")

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at
        self.connections = 0
        self.connections_total = 0
        self.requests = 0
        self.unrouted = 0
        self.routes: dict[str, RouteStats] = {}

    @property
    def in_flight(self) -> int:
        """Exchanges under way on all routes."""
        return sum(route.in_flight for route in self.routes.values())

    def route(self, name: str) -> RouteStats:
        """The counters of the route with this name, made at the first call."""
        found = self.routes.get(name)
        if found is None:
            found = self.routes[name] = RouteStats()
        return found
