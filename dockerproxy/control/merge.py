"""What containers wish, joined to pools, beside the routes that stand firm. Pure.

Containers that name the same route join one pool. Where they disagree on the route itself, the older one wins and
the younger one is told. A route of the base may be joined, but not changed; between docker routes at one place
the one with the older container wins. Nothing is ever dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, NamedTuple

from dockerproxy.control.base import Base, leads_nowhere, place_of, without
from dockerproxy.control.places import Clash, Places
from dockerproxy.discovery.reason import Code, Reason
from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.routing.route import ANY_PATH, PathKind, PathRule, Route, Source
from dockerproxy.settings import RouteOptions
from dockerproxy.settings.middlewares import NONE

_MIDDLEWARES = "middlewares"
ContainerKey = tuple[str, str]  # engine, id


class Member(NamedTuple):
    """One container's part in a route.

    departed: whether it has left the route; what it said of it still counts, its upstream does not
    """

    key: ContainerKey
    container: ContainerView
    wish: RouteWish
    departed: bool = False


@dataclass(frozen=True, slots=True)
class Merged:
    """routes: for the table; docker: those of them that containers made, by name; containers: with all reasons."""

    routes: tuple[Route, ...]
    docker: Mapping[str, Route]
    containers: tuple[ContainerView, ...]


def merge(
    base: Base,
    snapshots: Iterable[Snapshot],
    kept: Iterable[Route],
    defaults: RouteOptions,
    prefix: str,
    departed: Iterable[Member] = (),
) -> Merged:
    """All routes, in an order that an unchanged set keeps.

    kept:     routes that have lost their last container; they give way to all others
    defaults: options that a docker route starts from
    prefix:   of the labels, for messages
    departed: who has left a route lately that others are still in
    """
    return _Merge(base, snapshots, defaults, prefix, departed).run(kept)


def members_of(snapshots: Iterable[Snapshot]) -> list[Member]:
    """Every container's part in every route."""
    return [
        Member((snapshot.engine, container.id), container, wish)
        for snapshot in snapshots
        for container in snapshot.containers
        for wish in container.wishes
    ]


class _Merge:
    """The work on one set of snapshots."""

    def __init__(
        self,
        base: Base,
        snapshots: Iterable[Snapshot],
        defaults: RouteOptions,
        prefix: str,
        departed: Iterable[Member],
    ) -> None:
        self._base = base
        self._defaults = defaults
        self._prefix = prefix
        self._containers = _by_age(snapshots)
        self._departed = tuple(departed)
        self._places = Places(below=base.places)
        self._docker: dict[str, Route] = {}
        self._reasons: dict[ContainerKey, list[Reason]] = {}
        self._refused: dict[ContainerKey, set[str]] = {}

    def run(self, kept: Iterable[Route]) -> Merged:
        pools = self._pools()
        firm = dict(self._base.routes)
        for name in pools.keys() & firm.keys():
            members = [member for member in pools.pop(name) if not member.departed]
            firm[name] = self._joined(firm[name], members)
        for members in pools.values():  # in order of age, for `_pools` met the containers in that order
            self._add(members)
        routes = {**self._docker, **self._left_of(kept)}
        ordered = (*firm.values(), *(routes[name] for name in sorted(routes)))
        return Merged(ordered, self._docker, tuple(self._views()))

    def _pools(self) -> dict[str, list[Member]]:
        pools: dict[str, list[Member]] = {}
        for member in self._members():
            pools.setdefault(member.wish.route, []).append(member)
        if self._departed:
            return {name: pool for name, pool in pools.items() if not all(member.departed for member in pool)}
        return pools

    def _members(self) -> list[Member]:
        """By age; but one that has been removed comes last, so that it never outdoes a living one."""
        members = [Member(key, container, wish) for key, container in self._containers for wish in container.wishes]
        if self._departed:
            listed = {key for key, _ in self._containers}
            members += [member for member in self._departed if member.key in listed]
            members.sort(key=lambda member: _age(member.container))
            members += [member for member in self._departed if member.key not in listed]
        return members

    def _joined(self, route: Route, members: Sequence[Member]) -> Route:
        """A route of the base with the upstreams of containers; what their labels say of the route is not used."""
        if route.handler:
            what = f"route {route.name} is answered by the handler {route.handler}, not by upstreams"
            for member in members:
                mend = f"give another name with {self._label(member, 'route')}"
                self._refuse(member, Reason(Code.HANDLER_ROUTE, what, mend))
            return route
        members = self._agreeing(members, route.options.middlewares, f"the {route.source} route {route.name} has")
        for member in members:
            for label, theirs in _said(member.wish):
                ours = _value(route, label)
                if theirs != ours:
                    who = f"the {route.source} route {route.name} has"
                    self._ignored(Code.FIRM_ROUTE_WINS, member, label, theirs, who, ours)
        return replace(route, upstreams=route.upstreams + tuple(member.wish.upstream for member in members))

    def _add(self, members: Sequence[Member]) -> None:
        """A docker route, at the places that are still free."""
        first = next((member for member in members if _MIDDLEWARES in member.wish.options), None)
        if first is not None:
            who = f"the older container {first.container.name} says"
            members = self._agreeing(members, first.wish.options[_MIDDLEWARES], who)
        route = self._base.pages.dress(self._pool(members))
        clashes = self._places.clashes(route)
        left = without(route, clashes)
        for clash in clashes:
            self._tell_clash(members, route, clash, refused=left is None)
        if left is not None:
            self._places.take(left)
            self._docker[left.name] = left

    def _pool(self, members: Sequence[Member]) -> Route:
        """One route of containers, oldest first: each of its settings comes from the oldest that says something."""
        owner = next((member for member in members if member.wish.says_where), members[0])
        # Where the route is, is one thing: a younger container cannot move it by adding a path to it.
        first: dict[str, tuple[Any, Member]] = {label: (value, owner) for label, value in _place(owner.wish).items()}
        for member in members:
            for label, theirs in _said(member.wish):
                ours, winner = first.setdefault(label, (theirs, member))
                if theirs != ours:
                    who = f"the older container {winner.container.name} says"
                    self._ignored(Code.OLDER_CONTAINER_WINS, member, label, theirs, who, ours)
        if first.get("https", ("",))[0] == "redirect" and not self._base.https:
            self._note(first["https"][1], leads_nowhere(owner.wish.route))
        if "strip_prefix" in first:
            self._tell_nothing_to_strip(first["path"][0], *first["strip_prefix"])
        said = {label: value for label, (value, _) in first.items()}
        domains, path, methods = said.pop("host"), said.pop("path"), said.pop("method")
        return Route(
            name=owner.wish.route,
            domains=domains,
            path=path,
            methods=methods,
            upstreams=tuple(member.wish.upstream for member in members if not member.departed),
            options=self._defaults.model_copy(update=said) if said else self._defaults,
            source=Source.DOCKER,
        )

    def _agreeing(self, members: Sequence[Member], ours: tuple[str, ...], who: str) -> list[Member]:
        """The members but for those that ask for other middlewares: they must not be served without theirs."""
        for member in members:
            theirs = member.wish.options.get(_MIDDLEWARES, ours)
            if theirs != ours:
                label = self._label(member, _MIDDLEWARES)
                what = f"label {label}={_names(theirs)} cannot be kept: {who} {_names(ours)}"
                reason = Reason(Code.OTHER_MIDDLEWARES, what, "say the same, or choose another route", label=label)
                self._refuse(member, reason)
        return [member for member in members if member.wish.options.get(_MIDDLEWARES, ours) == ours]

    def _left_of(self, kept: Iterable[Route]) -> dict[str, Route]:
        """The routes without containers, at the places that nobody else has."""
        found = {}
        for route in kept:
            left = without(route, self._places.clashes(route))
            if left is not None:
                self._places.take(left)
                found[left.name] = left
        return found

    def _tell_clash(self, members: Sequence[Member], route: Route, clash: Clash, refused: bool) -> None:
        oldest = self._docker.get(clash.owner.name)
        owner = f"the {clash.owner.source} route {clash.owner.name}" + (", whose container is older" if oldest else "")
        what = f"{place_of(route, clash)} is answered by {owner}"
        for member in members:
            label = self._label(member, "host")
            mend = f"choose another {label}"
            if not clash.owner.handler:
                mend += f", or join that route with {self._label(member, 'route')}={clash.owner.name}"
            reason = Reason(Code.PLACE_TAKEN, what, mend, label=label)
            if refused:
                self._refuse(member, reason)
            else:
                self._note(member, reason)

    def _tell_nothing_to_strip(self, path: PathRule, strip: bool, member: Member) -> None:
        """A regex is told where labels are read."""
        if strip and path.kind is PathKind.ANY:
            label = self._label(member, "strip_prefix")
            what = f"label {label}=true does nothing: route {member.wish.route} has no path prefix"
            mend = f"add the label {self._label(member, 'path')}, for example {self._label(member, 'path')}=/api"
            self._note(member, Reason(Code.NO_PREFIX_TO_STRIP, what, mend, label=label))

    def _ignored(self, code: Code, member: Member, label: str, theirs: object, who: str, ours: object) -> None:
        expression = isinstance(theirs, PathRule) and theirs.kind is PathKind.REGEX
        key = self._label(member, "path_regex" if expression else label)
        what = f"label {key}={_words(theirs)} is not used: {who} {_words(ours)}"
        self._note(member, Reason(code, what, label=key))

    def _refuse(self, member: Member, reason: Reason) -> None:
        self._refused.setdefault(member.key, set()).add(member.wish.route)
        self._note(member, reason)

    def _note(self, member: Member, reason: Reason) -> None:
        if member.departed:
            return
        reasons = self._reasons.setdefault(member.key, [])
        if reason not in reasons:
            reasons.append(reason)

    def _label(self, member: Member, option: str) -> str:
        """The label that says so, else the one that would."""
        plain, named = f"{self._prefix}.{option}", f"{self._prefix}.{member.wish.route}.{option}"
        if option == "route":
            return plain
        several = len(member.container.wishes) > 1
        return next((key for key in (named, plain) if key in member.container.labels), named if several else plain)

    def _views(self) -> Iterator[ContainerView]:
        """The containers, with what was found here; a route that was refused is no longer among their wishes."""
        for key, container in self._containers:
            if key not in self._reasons:
                yield container
                continue
            refused = self._refused.get(key, ())
            wishes = tuple(wish for wish in container.wishes if wish.route not in refused)
            yield replace(container, wishes=wishes, reasons=(*container.reasons, *self._reasons[key]))


def _by_age(snapshots: Iterable[Snapshot]) -> list[tuple[ContainerKey, ContainerView]]:
    found = [
        (_age(container), (snapshot.engine, container.id), container)
        for snapshot in snapshots
        for container in snapshot.containers
    ]
    return [(key, container) for _, key, container in sorted(found, key=itemgetter(0))]


def _age(container: ContainerView) -> tuple[float, str, str]:
    return container.created, container.name, container.id


def _said(wish: RouteWish) -> Iterator[tuple[str, Any]]:
    """What a container says of the route itself: label -> value."""
    if wish.domains is not None:
        yield "host", wish.domains
    if wish.path is not None:
        yield "path", wish.path
    if wish.methods is not None:
        yield "method", wish.methods
    yield from wish.options.items()


def _place(wish: RouteWish) -> dict[str, Any]:
    """Where a container wants its route to be: label -> value."""
    return {"host": wish.domains or (wish.default_domain,), "path": wish.path or ANY_PATH, "method": wish.methods or ()}


def _value(route: Route, label: str) -> Any:
    own = {"host": route.domains, "path": route.path, "method": route.methods}
    return own[label] if label in own else getattr(route.options, label)


def _names(middlewares: tuple[str, ...]) -> str:
    return ",".join(middlewares) or NONE


def _words(value: object) -> str:
    """A value as it is written in a label."""
    if isinstance(value, PathRule):
        return value.text or "the whole domain"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (tuple, frozenset)):
        return ",".join(map(str, sorted(value) if isinstance(value, frozenset) else value)) or "any"
    return str(value)
