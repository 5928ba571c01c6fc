"""The families about discovery: the engine and its containers. Without discovery there are none of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from dockerproxy.discovery.status import DiscoveryStatus, EngineState
from dockerproxy.web.metrics.family import Family, Kind, Reading, Value
from dockerproxy.web.metrics.scrape import Scrape


def _one(read: Callable[[DiscoveryStatus], Value | None]) -> Callable[[Scrape], Iterator[Reading]]:
    """One value, or none as long as there is none to tell."""

    def reading(scrape: Scrape) -> Iterator[Reading]:
        status = scrape.control.discovery
        value = read(status) if status.state is not EngineState.DISABLED else None
        if value is not None:
            yield (), value

    return reading


def _containers(scrape: Scrape) -> Iterator[Reading]:
    if scrape.control.discovery.state is EngineState.DISABLED:
        return
    mentioned = [view.routed for view in scrape.control.registry.containers if view.mentioned]
    yield ("true",), sum(mentioned)
    yield ("false",), len(mentioned) - sum(mentioned)


def _reasons(scrape: Scrape) -> Iterator[Reading]:
    found: Counter[str] = Counter()
    for view in scrape.control.registry.containers:
        if view.mentioned:
            found.update({str(reason.code) for reason in view.reasons})
    for code, count in sorted(found.items()):
        yield (code,), count


FAMILIES = (
    Family(
        "dockerproxy_discovery_connected",
        Kind.GAUGE,
        "1 while the engine is connected, 0 while the proxy serves with what it knew last.",
        _one(lambda status: status.state is EngineState.CONNECTED),
    ),
    Family(
        "dockerproxy_discovery_events_total",
        Kind.COUNTER,
        "Events of the engine that may change what is routed.",
        _one(lambda status: status.events),
    ),
    Family(
        "dockerproxy_discovery_reconnects_total",
        Kind.COUNTER,
        "Times that the engine was connected again after it was lost.",
        _one(lambda status: status.reconnects),
    ),
    Family(
        "dockerproxy_discovery_last_event_timestamp_seconds",
        Kind.GAUGE,
        "When the last such event was read, in seconds since the epoch.",
        _one(lambda status: status.last_event_at),
    ),
    Family(
        "dockerproxy_discovery_last_sync_timestamp_seconds",
        Kind.GAUGE,
        "When containers were listed last, in seconds since the epoch.",
        _one(lambda status: status.last_sync_at),
    ),
    Family(
        "dockerproxy_discovery_lag_seconds",
        Kind.HISTOGRAM,
        "Time from an event at the engine, by the engine's clock, to the table that it changed.",
        _one(lambda status: status.lag),
    ),
    Family(
        "dockerproxy_containers",
        Kind.GAUGE,
        "Labelled containers, by whether they are routed.",
        _containers,
        ("routed",),
    ),
    Family(
        "dockerproxy_container_problems",
        Kind.GAUGE,
        "Labelled containers that are not routed as their labels ask, by the code of the reason.",
        _reasons,
        ("code",),
    ),
)
