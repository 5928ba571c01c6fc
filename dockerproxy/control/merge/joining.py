"""Joining: what the containers that name one route make of it. Pure, and the same for the same containers.

Where they disagree on the route itself, the older one wins and the younger one is told. A route of the base may be
joined, but not changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from dockerproxy.control.base.base import Base, leads_nowhere
from dockerproxy.control.merge.members import ContainerKey, Member, label_of
from dockerproxy.control.places import names_of
from dockerproxy.discovery.snapshot import RouteWish
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.route import ANY_PATH, PathKind, PathRule, Route, Source
from dockerproxy.settings import RouteOptions
from dockerproxy.settings.values import NONE

_MIDDLEWARES = "middlewares"


class MergeContext(NamedTuple):
    """What the routes of containers stand on, beside what the containers say.

    defaults: options that a docker route starts from
    prefix:   of the labels, for messages
    """

    base: Base
    defaults: RouteOptions
    prefix: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A route with its containers.

    names:   of the route's domains, as `places.names_of` gives them
    members: those that have part in it
    notes:   what containers are told about it
    refused: containers that have no part in it
    """

    route: Route
    names: Sequence[str]
    members: tuple[Member, ...]
    notes: tuple[tuple[ContainerKey, Reason], ...]
    refused: frozenset[ContainerKey]


class Joiner:
    """Joins members, and remembers what came of it: from one change to the next, nearly all routes have the same."""

    def __init__(self) -> None:
        self._context: MergeContext | None = None
        self._made: dict[str, tuple[Sequence[Member], Joined]] = {}

    def __repr__(self) -> str:
        return f"<Joiner: {len(self._made)} routes remembered>"

    def join(self, pools: Mapping[str, Sequence[Member]], context: MergeContext) -> Iterator[Joined]:
        """Each route with its members.

        pools: names of routes, each with the members that name it, oldest first
        """
        known = self._made if context == self._context else {}
        made: dict[str, tuple[Sequence[Member], Joined]] = {}
        for name, members in pools.items():
            before = known.get(name)
            if before is None or before[0] != members:
                before = members, _join(name, members, context)
            made[name] = before
            yield before[1]
        self._context, self._made = context, made


def _join(name: str, members: Sequence[Member], context: MergeContext) -> Joined:
    firm = context.base.routes.get(name)
    work = _Joining(context)
    if firm is None:
        return work.made_of(members)
    return work.onto(firm, [member for member in members if not member.former])


class _Joining:
    """The work on one route."""

    def __init__(self, context: MergeContext) -> None:
        self._base, self._defaults, self._prefix = context
        self._notes: dict[tuple[ContainerKey, Reason], None] = {}
        self._refused: set[ContainerKey] = set()

    def made_of(self, members: Sequence[Member]) -> Joined:
        """A route that containers make."""
        first = next((member for member in members if _MIDDLEWARES in member.wish.options), None)
        if first is not None:
            who = f"the older container {first.container.name} says"
            members = self._agreeing(members, first.wish.options[_MIDDLEWARES], who)
        return self._joined(self._base.pages.dress(self._pooled(members)), members)

    def onto(self, route: Route, members: Sequence[Member]) -> Joined:
        """A route of the base with the upstreams of containers; what their labels say of the route is not used."""
        if route.handler:
            what = f"route {route.name} is answered by the handler {route.handler}, not by upstreams"
            for member in members:
                mend = f"give another name with {label_of(member, 'route', self._prefix)}"
                self._refuse(member, Reason(Code.HANDLER_ROUTE, what, mend))
            return self._joined(route, ())
        members = self._agreeing(members, route.options.middlewares, f"the {route.source} route {route.name} has")
        for member in members:
            for label, theirs in _said(member.wish):
                ours = _value(route, label)
                if theirs != ours:
                    who = f"the {route.source} route {route.name} has"
                    self._ignored(Code.FIRM_ROUTE_WINS, member, label, theirs, who, ours)
        upstreams = route.upstreams + tuple(member.wish.upstream for member in members)
        return self._joined(replace(route, upstreams=upstreams), members)

    def _joined(self, route: Route, members: Sequence[Member]) -> Joined:
        return Joined(route, names_of(route), tuple(members), tuple(self._notes), frozenset(self._refused))

    def _pooled(self, members: Sequence[Member]) -> Route:
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
            upstreams=tuple(member.wish.upstream for member in members if not member.former),
            options=self._defaults.model_copy(update=said) if said else self._defaults,
            source=Source.DOCKER,
        )

    def _agreeing(self, members: Sequence[Member], ours: tuple[str, ...], who: str) -> list[Member]:
        """The members but for those that ask for other middlewares: they must not be served without theirs."""
        for member in members:
            theirs = member.wish.options.get(_MIDDLEWARES, ours)
            if theirs != ours:
                label = label_of(member, _MIDDLEWARES, self._prefix)
                what = f"label {label}={_names(theirs)} cannot be kept: {who} {_names(ours)}"
                reason = Reason(Code.OTHER_MIDDLEWARES, what, "say the same, or choose another route", label=label)
                self._refuse(member, reason)
        return [member for member in members if member.wish.options.get(_MIDDLEWARES, ours) == ours]

    def _tell_nothing_to_strip(self, path: PathRule, strip: bool, member: Member) -> None:
        """A regex is told where labels are read."""
        if strip and path.kind is PathKind.ANY:
            label, missing = (label_of(member, option, self._prefix) for option in ("strip_prefix", "path"))
            what = f"label {label}=true does nothing: route {member.wish.route} has no path prefix"
            mend = f"add the label {missing}, for example {missing}=/api"
            self._note(member, Reason(Code.NO_PREFIX_TO_STRIP, what, mend, label=label))

    def _ignored(self, code: Code, member: Member, label: str, theirs: object, who: str, ours: object) -> None:
        expression = isinstance(theirs, PathRule) and theirs.kind is PathKind.REGEX
        key = label_of(member, "path_regex" if expression else label, self._prefix)
        what = f"label {key}={_words(theirs)} is not used: {who} {_words(ours)}"
        self._note(member, Reason(code, what, label=key))

    def _refuse(self, member: Member, reason: Reason) -> None:
        self._refused.add(member.key)
        self._note(member, reason)

    def _note(self, member: Member, reason: Reason) -> None:
        if not member.former:
            self._notes[member.key, reason] = None


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
