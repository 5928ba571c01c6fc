"""RouteStats: what happened on one route and at its upstreams, before and behind its middlewares."""

from __future__ import annotations

from typing import Any

from dockerproxy.stats.latency import Latency


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
    idle:         whether there was nothing to count since the counters were looked at; whoever counts the beginning of
                  an exchange calls `mark_active` then
    """

    __slots__ = (
        "_name", "_active", "answers", "errors_shown", "held", "in_flight", "latency", "idle", "requests", "retries",
        "upstreams",
    )  # fmt: skip

    def __init__(self, name: str = "", active: dict[str, RouteStats] | None = None) -> None:
        self._name = name
        self._active = active
        self.idle = True
        self.requests = 0
        self.answers = [0] * 10
        self.errors_shown = 0
        self.retries = 0
        self.held = 0
        self.in_flight = 0
        self.latency = Latency()
        self.upstreams: dict[str, UpstreamStats] = {}

    def mark_active(self) -> None:
        """Note that something begins here."""
        self.idle = False
        if self._active is not None:
            self._active[self._name] = self

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
    idle: bool = _shared("idle")

    def __init__(self, route: RouteStats) -> None:
        self.route = route
        self.upstreams = {}

    def mark_active(self) -> None:
        self.route.mark_active()


class InnerStats(RouteStats):
    """What happens behind the middlewares of a route: at its upstreams. The rest is counted before them.

    route: the counters of the route
    """

    __slots__ = ("route",)

    errors_shown: int = _shared("errors_shown")
    retries: int = _shared("retries")
    held: int = _shared("held")
    upstreams: dict[str, UpstreamStats] = _shared("upstreams")
    idle: bool = _shared("idle")

    def __init__(self, route: RouteStats) -> None:
        self.route = route
        self.requests = 0
        self.answers = [0] * 10
        self.in_flight = 0
        self.latency = Latency()

    def mark_active(self) -> None:
        self.route.mark_active()
