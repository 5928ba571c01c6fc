"""What an operator has set, as statistics and the endpoints that set it tell of it."""

from __future__ import annotations

from typing import Any

from dockerproxy.control.overrides.overrides import Drain, Maintenance, Override, Pause, Weight, applies
from dockerproxy.control.registry import Registry
from dockerproxy.routing.route import Route, Upstream
from dockerproxy.web.reports.times import iso_time


def all_overrides(registry: Registry) -> list[dict[str, Any]]:
    """Everything that is set, whether or not there is something now that it applies to."""
    return [_listed(override, registry.route(override.route)) for override in registry.overrides]


def route_overrides(registry: Registry, route: Route) -> dict[str, Any]:
    """What is set of a route itself."""
    overrides = registry.overrides
    return {
        "maintenance": maintenance_entry(overrides.maintenance(route.name)),
        "paused": pause_entry(overrides.pause(route.name)),
    }


def upstream_overrides(registry: Registry, route: Route, upstream: Upstream) -> dict[str, Any]:
    """What is set of an upstream of a route."""
    overrides = registry.overrides
    drain, weight = overrides.drain(route.name, upstream.name), overrides.weight(route.name, upstream.name)
    return {
        "drained": None if drain is None else _drain_entry(drain),
        "weight": None if weight is None else _weight_entry(weight),
    }


def maintenance_entry(maintenance: Maintenance | None) -> dict[str, Any] | None:
    if maintenance is None:
        return None
    return {"message": maintenance.message, "since": iso_time(maintenance.since)}


def pause_entry(pause: Pause | None) -> dict[str, Any] | None:
    return None if pause is None else {"until": iso_time(pause.until)}


def _drain_entry(drain: Drain) -> dict[str, Any]:
    return {"since": iso_time(drain.since)}


def _weight_entry(weight: Weight) -> dict[str, Any]:
    return {"weight": weight.weight, "since": iso_time(weight.since)}


def _listed(override: Override, route: Route | None) -> dict[str, Any]:
    return {"kind": override.kind, "route": override.route, **_said(override), "applies": applies(override, route)}


def _said(override: Override) -> dict[str, Any]:
    match override:
        case Drain():
            return {"upstream": override.upstream, **_drain_entry(override)}
        case Weight():
            return {"upstream": override.upstream, **_weight_entry(override)}
        case Maintenance():
            return maintenance_entry(override) or {}
        case Pause():
            return pause_entry(override) or {}
