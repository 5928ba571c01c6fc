"""What changed, in words, for the log. Pure: two states of the table in, lines out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.routing.route import Route, Source, Upstream

# A container that was stopped, or whose health check has yet to succeed, is not a complaint; statistics tell it.
_AT_REST = frozenset({"exited", "created", "dead", "removing", "starting"})


def changes(before: Sequence[Route], after: Sequence[Route]) -> list[str]:
    """One line per thing that changed between two sets of routes."""
    old = {route.name: route for route in before}
    new = {route.name: route for route in after}
    lines = [f"{name}: route removed" for name in old if name not in new]
    for name, route in new.items():
        known = old.get(name)
        if known is route:
            continue
        if known is None:
            lines.append(f"{name}: new route at {_where(route)}")
        lines += _changes_of(known, route)
    return lines


def complaints(containers: Iterable[ContainerView]) -> dict[tuple[str, str], str]:
    """What is wrong with labelled containers, one line each, by container."""
    return {
        (container.id, container.name): f"{container.name}: {'' if container.routed else 'not routed: '}"
        + "; ".join(container.reasons)
        for container in containers
        if container.mentioned and container.reasons and container.state not in _AT_REST
    }


def _changes_of(known: Route | None, route: Route) -> Iterator[str]:
    if known is not None and _where(known) != _where(route):
        yield f"{route.name}: now at {_where(route)}"
    elif known is not None and known.options != route.options:
        yield f"{route.name}: settings changed"
    if route.handler:
        return
    before = known.upstreams if known is not None else ()
    yield from _upstream_changes(route, before)
    if not route.upstreams and (before or known is None):
        yield _empty(route)


def _upstream_changes(route: Route, before: Sequence[Upstream]) -> Iterator[str]:
    old = {upstream.key: upstream for upstream in before}
    new = {upstream.key: upstream for upstream in route.upstreams}
    count = sum(upstream.in_rotation for upstream in route.upstreams)
    for key, upstream in old.items():
        if key not in new:
            yield f"{route.name}: {upstream.name} left" + (f", {_counted(count)}" if new else "")
    for key, upstream in new.items():
        known = old.get(key)
        if known is None:
            yield f"{route.name}: {upstream.name} joined ({_address(upstream)}), {_counted(count)}"
        elif upstream.in_rotation and not known.in_rotation:
            yield f"{route.name}: {upstream.name} is back, {_counted(count)}"
        elif known.in_rotation and not upstream.in_rotation:
            yield f"{route.name}: {upstream.name} is draining, {_counted(count)} left"


def _empty(route: Route) -> str:
    kept = f", the route is kept for {route.options.linger:g} s" if route.source is Source.DOCKER else ""
    return f"{route.name}: no upstream left; holding requests for up to {route.options.hold:g} s{kept}"


def _where(route: Route) -> str:
    domains = ", ".join(map(str, route.domains)) or "every domain"
    path = "" if str(route.path) == "/*" else f" {route.path}"
    return domains + path + (f" ({', '.join(route.methods)})" if route.methods else "")


def _address(upstream: Upstream) -> str:
    return upstream.address.removeprefix("http://")


def _counted(count: int) -> str:
    return "no upstream" if count == 0 else "1 upstream" if count == 1 else f"{count} upstreams"
