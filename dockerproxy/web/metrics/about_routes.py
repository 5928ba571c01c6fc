"""The families about routes: rate, errors and duration, and what the proxy did to keep errors away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from dockerproxy.stats import RouteStats
from dockerproxy.web.metrics.about_upstreams import STATES
from dockerproxy.web.metrics.family import Family, Kind, Reading, Value
from dockerproxy.web.metrics.scrape import Scrape

# First digits of the statuses that are told of though there were none, so that a first error shows as an increase.
_USUAL = range(2, 6)


def _each(read: Callable[[RouteStats], Value]) -> Callable[[Scrape], Iterator[Reading]]:
    """One value for each route."""
    return lambda scrape: (((route.name,), read(stats)) for route, stats in scrape.routes())


def _held(scrape: Scrape) -> Iterator[Reading]:
    for route, _ in scrape.routes():
        yield (route.name,), scrape.control.held(route.name)


def _answers(scrape: Scrape) -> Iterator[Reading]:
    for route, stats in scrape.routes():
        for digit, count in enumerate(stats.answers):
            if count or digit in _USUAL:
                yield (route.name, f"{digit}xx"), count


def _upstreams(scrape: Scrape) -> Iterator[Reading]:
    """None is in no state when a route has no upstream; alerts need to see it."""
    for route, _ in scrape.routes():
        if not route.handler:
            found = Counter(scrape.state(route, upstream) for upstream in route.upstreams)
            for state in STATES:
                yield (route.name, state), found[state]


FAMILIES = (
    Family(
        "dockerproxy_route_requests_total",
        Kind.COUNTER,
        "Requests on this route.",
        _each(lambda stats: stats.requests),
        ("route",),
    ),
    Family(
        "dockerproxy_route_answers_total",
        Kind.COUNTER,
        "Answers that clients were sent on this route, by class of status.",
        _answers,
        ("route", "status"),
    ),
    Family(
        "dockerproxy_route_errors_shown_total",
        Kind.COUNTER,
        "Requests that ended in an error of the proxy's own or in an answer that broke off.",
        _each(lambda stats: stats.errors_shown),
        ("route",),
    ),
    Family(
        "dockerproxy_route_request_duration_seconds",
        Kind.HISTOGRAM,
        "Time from the head of the request to the end of the answer.",
        _each(lambda stats: stats.latency),
        ("route",),
    ),
    Family(
        "dockerproxy_route_requests_in_flight",
        Kind.GAUGE,
        "Requests under way.",
        _each(lambda stats: stats.in_flight),
        ("route",),
    ),
    Family(
        "dockerproxy_route_retries_total",
        Kind.COUNTER,
        "Attempts after the first one of their request.",
        _each(lambda stats: stats.retries),
        ("route",),
    ),
    Family(
        "dockerproxy_route_holds_total",
        Kind.COUNTER,
        "Requests that had to wait: the route had no upstream, or was paused.",
        _each(lambda stats: stats.held),
        ("route",),
    ),
    Family(
        "dockerproxy_route_requests_held",
        Kind.GAUGE,
        "Requests that wait now.",
        _held,
        ("route",),
    ),
    Family(
        "dockerproxy_route_upstreams",
        Kind.GAUGE,
        "Upstreams by state: up, benched, probation or draining. No series for routes that a handler answers.",
        _upstreams,
        ("route", "state"),
    ),
)
