"""GET /statistics: the report on the proxy, its discovery, its routes and their upstreams. It only reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.routing.route import Route, Upstream
from dockerproxy.stats import Latency, RouteStats, UpstreamStats
from dockerproxy.web.admin import guarded
from dockerproxy.web.context import CONTROL, Control
from dockerproxy.web.reports.overrides import all_overrides, route_overrides, upstream_overrides
from dockerproxy.web.reports.parts import JsonParts, TimeSlice, chunks_of
from dockerproxy.web.reports.times import iso_time

if TYPE_CHECKING:
    from dockerproxy.tls.certificate import Certificate

_FIELDS = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
CONTAINERS, ROUTES = LISTS = ("discovery/containers", "routes")
_PERCENTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))


@guarded
async def statistics(request: web.Request) -> web.StreamResponse:
    """The report in JSON; a browser gets it indented."""
    indent = "text/html" in request.headers.get("Accept", "")
    time_slice, parts = TimeSlice(), JsonParts(LISTS, indent=indent)
    now = asyncio.get_running_loop().time()
    await parts.take(report_parts(request.app[CONTROL], now, time.time()), time_slice)
    chunks = await chunks_of(parts.pieces(), time_slice)
    response = web.StreamResponse(headers=_FIELDS)
    response.content_length = sum(map(len, chunks))
    await response.prepare(request)
    for chunk in chunks:
        await response.write(chunk)
    return response


def report(control: Control, now: float, wall: float) -> dict[str, Any]:
    """The whole report. Times are ISO-8601 in UTC, durations are seconds.

    now:  seconds of the loop's clock, by which upstreams are benched
    wall: seconds since the epoch
    """
    parts = list(report_parts(control, now, wall))
    found = {key: value for key, value in parts if key not in LISTS}
    containers, routes = ([value for key, value in parts if key == name] for name in LISTS)
    return {**found, "discovery": {**found["discovery"], "containers": containers}, "routes": routes}


def report_parts(control: Control, now: float, wall: float) -> Iterator[tuple[str, Any]]:
    """Key and value of each part of the report; those of `LISTS` come once for each item, made when it is asked for."""
    yield "proxy", _proxy(control, wall)
    yield "certificates", [_certificate(certificate, wall) for certificate in control.certificates()]
    yield "discovery", _discovery(control)
    for view in control.registry.containers:
        if view.mentioned:
            yield CONTAINERS, _container(view)
    yield "overrides", all_overrides(control.registry)
    for route in control.registry.routes:
        yield ROUTES, _route(control, route, wall - now)


def _proxy(control: Control, wall: float) -> dict[str, Any]:
    stats = control.stats
    return {
        "version": control.version,
        "started_at": iso_time(stats.started_at),
        "uptime_seconds": round(max(0.0, wall - stats.started_at), 3),
        "listen": [str(address) for address in control.addresses()],
        "connections": stats.connections,
        "connections_limit": stats.connections_limit,
        "connections_refused": stats.connections_refused,
        "connections_evicted": stats.connections_evicted,
        "requests": stats.requests,
        "in_flight": stats.in_flight,
    }


def _certificate(certificate: Certificate, wall: float) -> dict[str, Any]:
    return {
        "cert": str(certificate.cert),
        "names": list(certificate.names),
        "not_before": iso_time(certificate.begins.timestamp()),
        "not_after": iso_time(certificate.ends.timestamp()),
        "warnings": certificate.warnings(datetime.fromtimestamp(wall, UTC)),
    }


def _discovery(control: Control) -> dict[str, Any]:
    status = control.discovery
    return {
        "state": str(status.state),
        "engine": status.engine,
        "events": status.events,
        "last_event_at": iso_time(status.last_event_at),
        "last_sync_at": iso_time(status.last_sync_at),
        "reconnects": status.reconnects,
        "error": status.error or None,
    }


def _container(view: ContainerView) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.name,
        "state": view.state,
        "routed": view.routed,
        "routes": list(dict.fromkeys(wish.route for wish in view.wishes)),
        "network": view.wishes[0].reach.network if view.wishes else "",
        "address": view.address,
        "addresses": {wish.route: wish.address for wish in view.wishes},
        "reasons": list(view.reasons),
        "why": [{"code": str(reason.code), "text": reason} for reason in view.reasons],
    }


def _route(control: Control, route: Route, wall_offset: float) -> dict[str, Any]:
    stats = control.stats.routes.get(route.name) or RouteStats()
    proxied = () if route.handler else route.upstreams
    return {
        "name": route.name,
        "source": str(route.source),
        "hosts": [str(domain) for domain in route.domains],
        "path": str(route.path),
        "methods": list(route.methods),
        "kind": route.kind,
        "requests": stats.requests,
        "errors_shown": stats.errors_shown,
        "retries": stats.retries,
        "held": stats.held,
        "in_flight": stats.in_flight,
        "held_now": control.held(route.name),
        "middlewares": list(route.options.middlewares),
        "overrides": route_overrides(control.registry, route),
        "latency_seconds": _latency(stats.latency),
        "upstreams": [_upstream(control, route, upstream, stats, wall_offset) for upstream in proxied],
        "handler": _handler(route, stats) if route.handler else None,
    }


def _upstream(
    control: Control, route: Route, upstream: Upstream, stats: RouteStats, wall_offset: float
) -> dict[str, Any]:
    counters = stats.upstreams.get(upstream.key) or UpstreamStats()
    status = control.status(route.name, upstream)
    until = status.benched_until
    return {
        "name": upstream.name,
        "url": upstream.url,
        "source": str(upstream.source),
        "container": upstream.container or None,
        "state": status.state if upstream.in_rotation else "draining",
        "weight": upstream.weight,
        "in_flight": counters.in_flight,
        "used_successfully": counters.used_successfully,
        "error_counter": counters.error_counter,
        "consecutive_errors": status.consecutive_errors,
        "total_time_seconds": round(counters.total_time, 6),
        "benched_until": iso_time(until + wall_offset) if until is not None else None,
        "last_error": counters.last_error or None,
        "benches": counters.benches,
        "overrides": upstream_overrides(control.registry, route, upstream),
    }


def _handler(route: Route, stats: RouteStats) -> dict[str, Any]:
    counters = [stats.upstreams[upstream.key] for upstream in route.upstreams if upstream.key in stats.upstreams]
    return {
        "name": route.handler,
        "used_successfully": sum(counter.used_successfully for counter in counters),
        "total_time_seconds": round(sum(counter.total_time for counter in counters), 6),
    }


def _latency(latency: Latency) -> dict[str, float | None]:
    found = {name: latency.percentile(fraction) for name, fraction in _PERCENTILES}
    return {name: None if seconds is None else round(seconds, 6) for name, seconds in found.items()}
