"""What containers wish, joined to routes, beside the routes that stand firm. Pure.

What the containers of one route make of it is `joining`'s business; here is what the routes make of each other.
Between docker routes at one place the one with the older container wins, unless it was refused the place before: a
route that restarts, or is recreated, finds its place as it was. Nothing is ever dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from dockerproxy.control.base.base import place_of, without
from dockerproxy.control.merge.expressions import ExpressionBounds
from dockerproxy.control.merge.joining import Joined, Joiner, MergeContext
from dockerproxy.control.merge.members import ContainerKey, CurrentMembers, Member, label_of
from dockerproxy.control.places import Clash, Places, Refusals, contested, is_wide, names_of
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.route import Domain, Route, Source

_NONE: Refusals = {}


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of it.

    routes:     for the table
    docker:     those of them that containers made, by name
    kept:       those of them that have no container any more, by name
    containers: with all reasons
    wished:     names of routes that containers wish to make
    refusals:   the places that these cannot have
    """

    routes: tuple[Route, ...]
    docker: Mapping[str, Route]
    kept: Mapping[str, Route]
    containers: tuple[ContainerView, ...]
    wished: Set[str]
    refusals: Refusals


def merge(
    context: MergeContext,
    current: CurrentMembers,
    kept: Iterable[Route] = (),
    former: Iterable[Member] = (),
    joiner: Joiner | None = None,
    refusals: Refusals = _NONE,
) -> Merged:
    """All routes, in an order that an unchanged set keeps.

    kept:     routes that have lost their last container; they give way to all others but those they have refused
    former: who has left a route lately that others are still in
    joiner:   that of the merge before, which remembers most of it
    refusals: those of the merge before, and lately
    """
    return _Merge(context, current, tuple(former), joiner or Joiner(), refusals).run(tuple(kept))


class _Merge:
    """The work on one set of containers."""

    def __init__(
        self,
        context: MergeContext,
        current: CurrentMembers,
        former: Sequence[Member],
        joiner: Joiner,
        refusals: Refusals,
    ) -> None:
        self._context = context
        self._base = context.base
        self._current = current
        self._former = former
        self._joiner = joiner
        self._places = Places(below=self._base.places)
        self._contested: Set[str] = frozenset()
        self._before = refusals
        self._claims: dict[str, Route] = {}
        self._docker: dict[str, Route] = {}
        self._refusals: dict[tuple[str, Domain | None], Route] = {}
        self._reasons: dict[ContainerKey, dict[Reason, None]] = {}
        self._refused: dict[ContainerKey, set[str]] = {}

    def run(self, kept: Sequence[Route]) -> Merged:
        firm = dict(self._base.routes)
        free = []
        # In order of age, for `_pools` met the containers in that order.
        bounds = ExpressionBounds()
        for joined in self._joiner.join(self._pools(), self._context):
            self._tell(joined)
            if joined.route.name in firm:
                firm[joined.route.name] = joined.route
            elif why := bounds.refuse(joined):
                self._tell_bound(joined, why)
            else:
                free.append(joined)
        names = [name for joined in free for name in joined.names] + [
            name for route in kept for name in names_of(route)
        ]
        self._contested = contested(self._base.places, names)
        if self._before:
            self._claims = {route.name: route for route in (*kept, *(joined.route for joined in free))}
        lost = [(joined, clashes) for joined in free if (clashes := self._add(joined))]
        left = self._left_of(kept)
        for joined, clashes in lost:
            self._tell_clashes(joined, self._not_given_back(joined.route, clashes))
        routes = {**self._docker, **left}
        # Expressions are tried in this order: one that takes all paths leaves to the others what they ask for.
        names = sorted(routes, key=lambda name: (is_wide(routes[name]), name))
        ordered = (*firm.values(), *(routes[name] for name in names))
        wished = {joined.route.name for joined in free}
        return Merged(ordered, self._docker, left, tuple(self._views()), wished, self._refusals)

    def _pools(self) -> Mapping[str, Sequence[Member]]:
        """Names of routes, each with the members that name it."""
        pools: dict[str, list[Member]] = {}
        for member in self._members():
            pools.setdefault(member.wish.route, []).append(member)
        if self._former:
            return {name: pool for name, pool in pools.items() if not all(member.former for member in pool)}
        return pools

    def _members(self) -> Sequence[Member]:
        """By age; but one that has been removed comes last, so that it never outdoes a living one."""
        if not self._former:
            return self._current.members
        listed = {key for key, _ in self._current.containers}
        members = [*self._current.members, *(member for member in self._former if member.key in listed)]
        members.sort(key=lambda member: member.age)
        return members + [member for member in self._former if member.key not in listed]

    def _tell(self, joined: Joined) -> None:
        for key, reason in joined.notes:
            self._reasons.setdefault(key, {})[reason] = None
        for key in joined.refused:
            self._refused.setdefault(key, set()).add(joined.route.name)

    def _tell_bound(self, joined: Joined, why: str) -> None:
        for member in joined.members:
            label = label_of(member, "path_regex", self._context.prefix)
            what = f"label {label}={joined.route.path.text} is one expression too many: {why}"
            mend = "write prefixes with the label path, or one expression with alternatives: ^/(a|b)/"
            self._refused.setdefault(member.key, set()).add(joined.route.name)
            if not member.former:
                reason = Reason(Code.TOO_MANY_EXPRESSIONS, what, mend, label=label)
                self._reasons.setdefault(member.key, {})[reason] = None

    def _add(self, joined: Joined) -> Sequence[Clash]:
        """A docker route, at the places that are still free; and why it has no others."""
        left, clashes = self._settle(joined.route, joined.names)
        if left is not None:
            self._docker[left.name] = left
        return clashes

    def _left_of(self, kept: Iterable[Route]) -> dict[str, Route]:
        """The routes without containers, at the places that nobody else has."""
        settled = (self._settle(route, names_of(route))[0] for route in kept)
        return {left.name: left for left in settled if left is not None}

    def _settle(self, route: Route, names: Sequence[str]) -> tuple[Route | None, Sequence[Clash]]:
        """What of a route is at places that are still free, which it takes; and why the rest is not."""
        if self._contested.isdisjoint(names):  # nearly always
            return route, ()
        clashes = self._places.clashes(route)
        clashes += self._owed(route, {clash.domain for clash in clashes})
        left = without(route, clashes)
        if left is not None:
            self._places.take(left)
        return left, clashes

    def _owed(self, route: Route, taken: Set[Domain | None]) -> list[Clash]:
        """The places that are free only because whoever has refused them to the route before is yet to come."""
        found = []
        for domain in route.domains or (None,):
            before = self._before.get((route.name, domain))
            owner = self._claims.get(before.name) if before is not None and domain not in taken else None
            if owner is not None:
                theirs = Places()
                theirs.take(owner)
                found += [clash for clash in theirs.clashes(route) if clash.domain == domain]
        return found

    def _not_given_back(self, route: Route, clashes: Sequence[Clash]) -> Sequence[Clash]:
        """The places that somebody has. Those that were owed to a route that has not got them are this one's."""
        held = {clash.domain for clash in self._places.clashes(route)}
        free = [clash.domain for clash in clashes if clash.domain not in held]
        if free:
            had = self._docker[route.name].domains if route.name in self._docker else ()
            self._docker[route.name] = replace(
                route, domains=tuple(domain for domain in route.domains if domain in free or domain in had)
            )
            self._places.take(replace(route, domains=tuple(domain for domain in free if domain is not None)))
        return [clash for clash in clashes if clash.domain in held]

    def _tell_clashes(self, joined: Joined, clashes: Sequence[Clash]) -> None:
        """By now all have come, and it is certain who has the places."""
        owners = {clash.domain: clash for clash in self._places.clashes(joined.route)}
        refused = joined.route.name not in self._docker
        for clash in clashes:
            clash = owners.get(clash.domain, clash)
            self._refusals[joined.route.name, clash.domain] = clash.owner
            self._tell_clash(joined, clash, refused=refused)

    def _tell_clash(self, joined: Joined, clash: Clash, refused: bool) -> None:
        route, prefix = joined.route, self._context.prefix
        # Said of an older container, and of a route that waits for its next one: no news whenever it restarts.
        first = ", which was there first" if clash.owner.source is Source.DOCKER else ""
        wide = ", an expression that takes all paths," if is_wide(route) else ""
        what = f"{place_of(route, clash)}{wide} is answered by the {clash.owner.source} route {clash.owner.name}{first}"
        for member in joined.members:
            label = label_of(member, "host", prefix)
            mend = f"choose another {label}"
            if not clash.owner.handler:
                mend += f", or join that route with {label_of(member, 'route', prefix)}={clash.owner.name}"
            if refused:
                self._refused.setdefault(member.key, set()).add(route.name)
            if not member.former:
                reason = Reason(Code.PLACE_TAKEN, what, mend, label=label)
                self._reasons.setdefault(member.key, {})[reason] = None

    def _views(self) -> Iterator[ContainerView]:
        """The containers, with what was found here; a route that was refused is no longer among their wishes."""
        for key, container in self._current.containers:
            if key not in self._reasons:
                yield container
                continue
            refused = self._refused.get(key, ())
            wishes = tuple(wish for wish in container.wishes if wish.route not in refused)
            yield replace(container, wishes=wishes, reasons=(*container.reasons, *self._reasons[key]))
