"""Counters per route and upstream, under the names that `/statistics` shows.

Numbers only: who is benched is `routing.bench`'s business. Everything here is written by the data plane, on one
thread, and read by statistics and metrics. Counters are kept by name and key, so they survive every change of the
table, and are forgotten some time after their route or upstream has left it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

# Ten bounds to a factor of ten, as in the series R10 of ISO 3, but with bounds that people write: a percentile read
# from them is off by at most an eighth.
_STEPS = ("1", "1.25", "1.6", "2", "2.5", "3.2", "4", "5", "6.3", "8")
_SMALLEST, _LARGEST = -4, 2  # powers of ten: from 0.1 ms to 200 s
_MOST = 200.0  # seconds


def _bounds() -> tuple[float, ...]:
    bounds = [float(f"{step}e{power}") for power in range(_SMALLEST, _LARGEST + 1) for step in _STEPS]
    return tuple(bound for bound in bounds if bound <= _MOST)


LATENCY_BOUNDS = _bounds()

# An hour is longer than any deployment takes, and than the memory of whoever asks how it went.
KEEP_GONE = 3600.0  # seconds
# With that, what is kept of upstreams that are gone stays within a few megabytes, whatever a container does.
MOST_GONE = 10_000
_BETWEEN_LOOKS = 60.0  # seconds


def _middle(index: int) -> float:
    """What a duration in this bucket is taken for: the value that is off by the same part from both ends."""
    if index == 0:
        return LATENCY_BOUNDS[0]
    lower, upper = LATENCY_BOUNDS[index - 1], LATENCY_BOUNDS[min(index, len(LATENCY_BOUNDS) - 1)]
    return 2 * lower * upper / (lower + upper)


def _lower(index: int) -> float:
    """What every duration in this bucket is longer than."""
    return LATENCY_BOUNDS[index - 1] if index else 0.0


class Latency:
    """A histogram of seconds with fixed, exponential buckets.

    total: seconds of all durations together
    """

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        self._counts = [0] * (len(LATENCY_BOUNDS) + 1)
        self.total = 0.0

    @classmethod
    def of(cls, counts: Sequence[int]) -> Latency:
        """The histogram of `counts`, as the property gives them; its total is unknown."""
        found = cls()
        found._counts[:] = counts
        return found

    @property
    def count(self) -> int:
        """How many durations were counted."""
        return sum(self._counts)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many durations lie in each bucket: up to each of LATENCY_BOUNDS, and at last beyond them all."""
        return tuple(self._counts)

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(LATENCY_BOUNDS, seconds)] += 1
        self.total += seconds

    def up_to(self) -> list[int]:
        """How many durations were at most as long as each of LATENCY_BOUNDS, and at last how many there were."""
        return list(accumulate(self._counts))

    def percentile(self, fraction: float) -> float | None:
        """Seconds below which `fraction` (0 to 1) of the durations lie, or None without any."""
        seen = self.up_to()
        if not seen[-1]:
            return None
        found = _middle(bisect_left(seen, fraction * seen[-1]))
        return min(found, self._most()) if self.total else found

    def _most(self) -> float:
        """Seconds that no duration is longer than: what is left of the total when all others are as short as they can
        be in their buckets. With a single duration, its length."""
        last = max(index for index, count in enumerate(self._counts) if count)
        least = sum(count * _lower(index) for index, count in enumerate(self._counts))
        return self.total - least + _lower(last)


class UpstreamStats:
    """What happened at one upstream of one route.

    used_successfully: attempts that brought an answer
    error_counter:     attempts that were errors
    benches:           times that errors benched it
    total_time:        seconds spent in successful attempts
    last_error:        in words, or ""
    """

    __slots__ = ("benches", "error_counter", "in_flight", "last_error", "total_time", "used_successfully")

    def __init__(self) -> None:
        self.used_successfully = 0
        self.error_counter = 0
        self.benches = 0
        self.in_flight = 0
        self.total_time = 0.0
        self.last_error = ""

    def __repr__(self) -> str:
        return f"<UpstreamStats ok={self.used_successfully} errors={self.error_counter} in_flight={self.in_flight}>"


class RouteStats:
    """What happened on one route.

    requests:     exchanges begun
    answers:      exchanges by the first digit of the status that the client was sent; one that it left early is in none
    errors_shown: exchanges that ended in an error page of ours, or in a broken answer
    retries:      attempts after the first one of their exchange
    held:         exchanges that had to wait for an upstream
    quiet:        whether there was nothing to count since the counters were looked at; whoever counts the beginning of
                  an exchange calls `stir` then
    """

    __slots__ = (
        "_name", "_stirred", "answers", "errors_shown", "held", "in_flight", "latency", "quiet", "requests", "retries",
        "upstreams",
    )  # fmt: skip

    def __init__(self, name: str = "", stirred: dict[str, RouteStats] | None = None) -> None:
        self._name = name
        self._stirred = stirred
        self.quiet = True
        self.requests = 0
        self.answers = [0] * 10
        self.errors_shown = 0
        self.retries = 0
        self.held = 0
        self.in_flight = 0
        self.latency = Latency()
        self.upstreams: dict[str, UpstreamStats] = {}

    def stir(self) -> None:
        """Note that something begins here."""
        self.quiet = False
        if self._stirred is not None:
            self._stirred[self._name] = self

    def upstream(self, key: str) -> UpstreamStats:
        """The counters of the upstream with this key, made at the first call."""
        found = self.upstreams.get(key)
        if found is None:
            found = self.upstreams[key] = UpstreamStats()
        return found


def _shared(name: str) -> Any:
    """An attribute that stands in the counters of the route itself."""

    def get(self: GateStats | InnerStats) -> Any:
        return getattr(self.route, name)

    def put(self: GateStats | InnerStats, value: Any) -> None:
        setattr(self.route, name, value)

    return property(get, put)


class GateStats(RouteStats):
    """What happens before a route with middlewares: its requests, answers and times, as its clients see them.

    route: the counters of the route
    """

    __slots__ = ("route",)

    requests: int = _shared("requests")
    answers: list[int] = _shared("answers")
    errors_shown: int = _shared("errors_shown")
    retries: int = _shared("retries")
    held: int = _shared("held")
    in_flight: int = _shared("in_flight")
    latency: Latency = _shared("latency")
    quiet: bool = _shared("quiet")

    def __init__(self, route: RouteStats) -> None:
        self.route = route
        self.upstreams = {}

    def stir(self) -> None:
        self.route.stir()


class InnerStats(RouteStats):
    """What happens behind the middlewares of a route: at its upstreams. The rest is counted before them.

    route: the counters of the route
    """

    __slots__ = ("route",)

    errors_shown: int = _shared("errors_shown")
    retries: int = _shared("retries")
    held: int = _shared("held")
    upstreams: dict[str, UpstreamStats] = _shared("upstreams")
    quiet: bool = _shared("quiet")

    def __init__(self, route: RouteStats) -> None:
        self.route = route
        self.requests = 0
        self.answers = [0] * 10
        self.in_flight = 0
        self.latency = Latency()

    def stir(self) -> None:
        self.route.stir()


class ProxyStats:
    """What happened at the front: client connections and requests, and all routes.

    unrouted: requests that no route answered (404, 405) or that could not be understood (400, 413, 431 …)
    """

    __slots__ = (
        "_gone", "_look_after", "_stirred", "connections", "connections_total", "requests", "routes", "started_at",
        "unrouted",
    )  # fmt: skip

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at
        self.connections = 0
        self.connections_total = 0
        self.requests = 0
        self.unrouted = 0
        self.routes: dict[str, RouteStats] = {}
        self._stirred: dict[str, RouteStats] = {}
        # Route, and key of the upstream or "" for all of the route -> since when the table has not had it.
        self._gone: dict[tuple[str, str], float] = {}
        self._look_after = 0.0

    @property
    def in_flight(self) -> int:
        """Exchanges under way on all routes."""
        return sum(route.in_flight for route in self.routes.values())

    def route(self, name: str) -> RouteStats:
        """The counters of the route with this name, made at the first call."""
        found = self.routes.get(name)
        if found is None:
            found = self.routes[name] = RouteStats(name, self._stirred)
        return found

    def stirred(self) -> list[tuple[str, RouteStats]]:
        """The routes, with their names, on which something may have happened since this was called before.

        Of thousands of routes most are quiet most of the time, and are not even looked at.
        """
        found = list(self._stirred.items())
        for name, route in found:
            if not route.in_flight:  # else more will be counted, without another beginning
                route.quiet = True
                del self._stirred[name]
        return found

    def due(self, now: float) -> bool:
        """Whether it is time to look for counters to forget; `now` is in seconds of any monotonic clock."""
        return now >= self._look_after

    def forget(self, present: Mapping[str, Collection[str]], now: float) -> None:
        """Drop the counters of what has been gone for KEEP_GONE, and of the longest gone beyond MOST_GONE.

        A container that is recreated has a new address and so a new key; without this, counters would only grow.

        present: the table's routes, by name, with the keys of their upstreams
        """
        self._look_after = now + _BETWEEN_LOOKS
        known, self._gone = self._gone, {}
        for place in self._absent(present):
            self._gone[place] = known.get(place, now)
        oldest_first = sorted(self._gone, key=lambda place: self._gone[place])
        surplus = len(oldest_first) - MOST_GONE
        for index, place in enumerate(oldest_first):
            if index < surplus or now - self._gone[place] >= KEEP_GONE:
                self._drop(*place)
                del self._gone[place]

    def _absent(self, present: Mapping[str, Collection[str]]) -> Iterator[tuple[str, str]]:
        """What the table does not have and nothing is under way at."""
        for name, route in self.routes.items():
            keys = present.get(name)
            if keys is None and not route.in_flight:
                yield name, ""
            for key, upstream in route.upstreams.items():
                if not upstream.in_flight and (keys is None or key not in keys):
                    yield name, key

    def _drop(self, name: str, key: str) -> None:
        if not key:
            self.routes.pop(name, None)
        elif name in self.routes:
            self.routes[name].upstreams.pop(key, None)
