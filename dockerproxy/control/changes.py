"""What changed, in words, for the log. Pure: two states of the table in, lines out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from dockerproxy.control.overrides.overrides import Drain, Maintenance, Override, Overrides, Weight, is_admin, key_of
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.route import Route, Source, Upstream

# A container that was stopped, or whose health check has yet to succeed, is not a complaint; statistics tell it.
_AT_REST = frozenset({"exited", "created", "dead", "removing", "starting"})
# What somebody asked for, either.
_ASKED_FOR = frozenset({Code.FORBIDDEN, Code.ONE_OFF})
_DONE = {
    "drain": "{upstream} is drained by the operator",
    "weight": "{upstream} has weight {weight} by the operator",
    "maintenance": "under maintenance by the operator",
    "pause": "paused by the operator",
}
_UNDONE = {
    "drain": "{upstream} is no longer drained by the operator",
    "weight": "{upstream} has the weight again that its source says",
    "maintenance": "no longer under maintenance",
    "pause": "the pause is over, requests go on",
}


def changes(
    before: Sequence[Route],
    after: Sequence[Route],
    told: Collection[tuple[str, str]] = (),
    flapping: Collection[tuple[str, str]] = (),
) -> list[str]:
    """One line per thing that changed between two sets of routes.

    told:     routes and names of upstreams that go out of rotation or come back by an operator's decision
    flapping: of those that come and go again and again, which is not told here
    """
    old = {route.name: route for route in before}
    new = {route.name: route for route in after}
    lines = [f"{name}: route removed" for name in old if name not in new]
    for name, route in new.items():
        known = old.get(name)
        if known is route:
            continue
        if known is None:
            lines.append(f"{name}: new route at {_where(route)}")
        lines += _changes_of(known, route, told, flapping)
    return lines


def comings(
    before: Sequence[Route], after: Sequence[Route], told: Collection[tuple[str, str]] = ()
) -> Iterator[tuple[str, str]]:
    """Routes and names of the containers that join them, or come back into rotation by themselves."""
    old = {route.name: route for route in before}
    for route in after:
        known = old.get(route.name)
        if known is route or route.handler:
            continue
        upstreams = {upstream.key: upstream for upstream in known.upstreams} if known is not None else {}
        for upstream in route.upstreams:
            place, was = (route.name, upstream.name), upstreams.get(upstream.key)
            comes = was is None or (upstream.in_rotation and not was.in_rotation and place not in told)
            if upstream.source is Source.DOCKER and comes:
                yield place


def decisions(before: Overrides, after: Overrides, routes: Mapping[str, Route]) -> list[str]:
    """One line per thing that an operator has decided.

    routes: as they are under the new overrides, by name
    """
    new = after.minus(before)
    renewed = {key_of(override) for override in new}
    gone = [override for override in before.minus(after) if key_of(override) not in renewed]
    told = [(override, _UNDONE) for override in gone] + [(override, _DONE) for override in new]
    return [_decision(override, words[override.kind], routes.get(override.route)) for override, words in told]


def decided(before: Overrides, after: Overrides) -> set[tuple[str, str]]:
    """Routes and names of upstreams of which an operator has decided anew."""
    differing = before.minus(after) + after.minus(before)
    return {(override.route, override.upstream) for override in differing if isinstance(override, (Drain, Weight))}


def complaints(containers: Iterable[ContainerView], flapping: Collection[str] = ()) -> dict[tuple[str, str], str]:
    """What is wrong with labelled containers, one line each, by container.

    flapping: names of those of which the log has told already that they restart again and again
    """
    told = (
        (each, [reason for reason in each.reasons if reason.code not in _ASKED_FOR])
        for each in containers
        if each.reasons
    )
    return {
        (container.id, container.name): _complaint(container, reasons)
        for container, reasons in told
        if container.mentioned and reasons and container.state not in _AT_REST
        if container.name not in flapping or any(reason.code is not Code.RESTARTING for reason in reasons)
    }


def _complaint(container: ContainerView, reasons: Iterable[Reason]) -> str:
    """The reasons, and where to look for more."""
    codes = ", ".join(dict.fromkeys(reason.code for reason in reasons))
    start = f"{container.name}: " if container.routed else f"{container.name}: not routed: "
    return f"{start}{'; '.join(reasons)} ({codes}: dockerproxy explain {container.name})"


def _changes_of(
    known: Route | None, route: Route, told: Collection[tuple[str, str]], flapping: Collection[tuple[str, str]]
) -> Iterator[str]:
    if known is not None and _where(known) != _where(route):
        yield f"{route.name}: now at {_where(route)}"
    elif known is not None and known.options != route.options and not is_admin(route):  # 22 lines for one setting
        yield f"{route.name}: settings changed"
    if route.handler:
        return
    before = known.upstreams if known is not None else ()
    yield from _upstream_changes(route, before, told, flapping)
    told_of = not before or any((route.name, upstream.name) not in flapping for upstream in before)
    if not route.upstreams and (before or known is None) and told_of:
        yield _empty(route)


def _upstream_changes(
    route: Route,
    before: Sequence[Upstream],
    told: Collection[tuple[str, str]],
    flapping: Collection[tuple[str, str]],
) -> Iterator[str]:
    old = {upstream.key: upstream for upstream in before if (route.name, upstream.name) not in flapping}
    new = {upstream.key: upstream for upstream in route.upstreams if (route.name, upstream.name) not in flapping}
    count = _rotating(route)
    for key, upstream in old.items():
        if key not in new:
            yield f"{route.name}: {upstream.name} left" + (f", {_counted(count)}" if route.upstreams else "")
    for key, upstream in new.items():
        known = old.get(key)
        if known is None:
            drains = "" if upstream.in_rotation else ", but is draining"
            yield f"{route.name}: {upstream.name} joined ({_address(upstream)}){drains}, {_counted(count)}"
        elif (route.name, upstream.name) in told:
            continue
        elif upstream.in_rotation and not known.in_rotation:
            yield f"{route.name}: {upstream.name} is back, {_counted(count)}"
        elif known.in_rotation and not upstream.in_rotation:
            yield f"{route.name}: {upstream.name} gets no new requests, {_counted(count)} left"


def _decision(override: Override, words: str, route: Route | None) -> str:
    line = f"{override.route}: {words.format(**override.model_dump())}"
    if isinstance(override, Maintenance) and override.message and words == _DONE[override.kind]:
        return f"{line} ({override.message})"
    if isinstance(override, (Drain, Weight)) and route is not None:
        return f"{line}, {_counted(_rotating(route))} in rotation"
    return line


def _empty(route: Route) -> str:
    kept = f", the route is kept for {route.options.linger:g} s" if route.source is Source.DOCKER else ""
    return f"{route.name}: no upstream left; holding requests for up to {route.options.hold:g} s{kept}"


def _where(route: Route) -> str:
    domains = ", ".join(map(str, route.domains)) or "every domain"
    path = "" if str(route.path) == "/*" else f" {route.path}"
    return domains + path + (f" ({', '.join(route.methods)})" if route.methods else "")


def _address(upstream: Upstream) -> str:
    return upstream.address.removeprefix("http://")


def _rotating(route: Route) -> int:
    return sum(upstream.in_rotation for upstream in route.upstreams)


def _counted(count: int) -> str:
    return "no upstream" if count == 0 else "1 upstream" if count == 1 else f"{count} upstreams"
