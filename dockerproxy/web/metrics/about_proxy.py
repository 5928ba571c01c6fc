"""The families about the proxy itself: its connections, its requests, its table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from dockerproxy.routing.route import Source
from dockerproxy.stats import ProxyStats
from dockerproxy.web.metrics.family import Family, Kind, Reading
from dockerproxy.web.metrics.scrape import Scrape

if TYPE_CHECKING:
    from dockerproxy.tls.certificate import Certificate

_OVERRIDES = ("drain", "weight", "maintenance", "pause")


def _one(read: Callable[[ProxyStats], float]) -> Callable[[Scrape], Iterable[Reading]]:
    return lambda scrape: [((), read(scrape.control.stats))]


def _routes(scrape: Scrape) -> Iterator[Reading]:
    found = Counter(route.source for route in scrape.control.registry.routes)
    for source in Source:
        yield (str(source),), found[source]


def _overrides(scrape: Scrape) -> Iterator[Reading]:
    found: Counter[str] = Counter(override.kind for override in scrape.control.registry.overrides)
    for kind in _OVERRIDES:
        yield (kind,), found[kind]


def _certificates(read: Callable[[Certificate], datetime]) -> Callable[[Scrape], Iterable[Reading]]:
    """One time for each certificate, by its file and its first name; the file may stand in the settings twice."""
    return lambda scrape: {
        (str(each.cert), next(iter(each.names), "")): read(each).timestamp() for each in scrape.control.certificates()
    }.items()


FAMILIES = (
    Family(
        "dockerproxy_build_info",
        Kind.INFO,
        "Which dockerproxy this is; always 1.",
        lambda scrape: [((scrape.control.version,), 1)],
        ("version",),
    ),
    Family(
        "dockerproxy_start_time_seconds",
        Kind.GAUGE,
        "When the proxy began to count, in seconds since the epoch.",
        _one(lambda stats: stats.started_at),
    ),
    Family(
        "dockerproxy_client_connections",
        Kind.GAUGE,
        "Client connections that are open.",
        _one(lambda stats: stats.connections),
    ),
    Family(
        "dockerproxy_client_connections_accepted_total",
        Kind.COUNTER,
        "Client connections since the start, with those that were one too many.",
        _one(lambda stats: stats.connections_total),
    ),
    Family(
        "dockerproxy_client_connections_limit",
        Kind.GAUGE,
        "How many client connections there may be: max_clients, or what the open files are enough for.",
        _one(lambda stats: stats.connections_limit),
    ),
    Family(
        "dockerproxy_client_connections_refused_total",
        Kind.COUNTER,
        "Client connections that were one too many while all others were busy.",
        _one(lambda stats: stats.connections_refused),
    ),
    Family(
        "dockerproxy_client_connections_evicted_total",
        Kind.COUNTER,
        "Idle client connections that were closed to make room for another one.",
        _one(lambda stats: stats.connections_evicted),
    ),
    Family(
        "dockerproxy_requests_total",
        Kind.COUNTER,
        "Requests with a valid head, whether or not a route answers them.",
        _one(lambda stats: stats.requests),
    ),
    Family(
        "dockerproxy_unrouted_requests_total",
        Kind.COUNTER,
        "Requests that no route answered, or that could not be understood.",
        _one(lambda stats: stats.unrouted),
    ),
    Family(
        "dockerproxy_routes",
        Kind.GAUGE,
        "Routes in the table, by where they come from: static, docker or dynamic.",
        _routes,
        ("source",),
    ),
    Family(
        "dockerproxy_overrides",
        Kind.GAUGE,
        "What operators have set at run time and not taken back: drain, weight, maintenance or pause.",
        _overrides,
        ("kind",),
    ),
    Family(
        "dockerproxy_certificate_not_after_timestamp_seconds",
        Kind.GAUGE,
        "When a certificate for https ends, in seconds since the epoch; by its file and the first of its names.",
        _certificates(lambda certificate: certificate.ends),
        ("cert", "name"),
    ),
    Family(
        "dockerproxy_certificate_not_before_timestamp_seconds",
        Kind.GAUGE,
        "When a certificate for https begins to count, in seconds since the epoch.",
        _certificates(lambda certificate: certificate.begins),
        ("cert", "name"),
    ),
)
