"""What containers wish, joined to routes, beside the routes that stand firm. Pure.

What the containers of one route make of it is `joining`'s business; here is what the routes make of each other.
Between docker routes at one place the one with the older container wins. Nothing is ever dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from dockerproxy.control.base import place_of, without
from dockerproxy.control.joining import ContainerKey, Ground, Joined, Joiner, Member, Present, label_of
from dockerproxy.control.places import Clash, Places, contested, names_of
from dockerproxy.discovery.reason import Code, Reason
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.routing.route import Route


@dataclass(frozen=True, slots=True)
class Merged:
    """routes: for the table; docker: those of them that containers made, by name; containers: with all reasons."""

    routes: tuple[Route, ...]
    docker: Mapping[str, Route]
    containers: tuple[ContainerView, ...]


def merge(
    ground: Ground,
    present: Present,
    kept: Iterable[Route] = (),
    departed: Iterable[Member] = (),
    joiner: Joiner | None = None,
) -> Merged:
    """All routes, in an order that an unchanged set keeps.

    kept:     routes that have lost their last container; they give way to all others
    departed: who has left a route lately that others are still in
    joiner:   that of the merge before, which remembers most of it
    """
    return _Merge(ground, present, tuple(departed), joiner or Joiner()).run(kept)


class _Merge:
    """The work on one set of containers."""

    def __init__(self, ground: Ground, present: Present, departed: Sequence[Member], joiner: Joiner) -> None:
        self._ground = ground
        self._base = ground.base
        self._present = present
        self._departed = departed
        self._joiner = joiner
        self._places = Places(below=self._base.places)
        self._contested: Set[str] = frozenset()
        self._docker: dict[str, Route] = {}
        self._reasons: dict[ContainerKey, dict[Reason, None]] = {}
        self._refused: dict[ContainerKey, set[str]] = {}

    def run(self, kept: Iterable[Route]) -> Merged:
        firm = dict(self._base.routes)
        free = []
        # In order of age, for `_pools` met the containers in that order.
        for joined in self._joiner.join(self._pools(), self._ground):
            self._tell(joined)
            if joined.route.name in firm:
                firm[joined.route.name] = joined.route
            else:
                free.append(joined)
        kept = tuple(kept)
        names = [name for joined in free for name in joined.names] + [
            name for route in kept for name in names_of(route)
        ]
        self._contested = contested(self._base.places, names)
        for joined in free:
            self._add(joined)
        routes = {**self._docker, **self._left_of(kept)}
        ordered = (*firm.values(), *(routes[name] for name in sorted(routes)))
        return Merged(ordered, self._docker, tuple(self._views()))

    def _pools(self) -> Mapping[str, Sequence[Member]]:
        """Names of routes, each with the members that name it."""
        pools: dict[str, list[Member]] = {}
        for member in self._members():
            pools.setdefault(member.wish.route, []).append(member)
        if self._departed:
            return {name: pool for name, pool in pools.items() if not all(member.departed for member in pool)}
        return pools

    def _members(self) -> Sequence[Member]:
        """By age; but one that has been removed comes last, so that it never outdoes a living one."""
        if not self._departed:
            return self._present.members
        listed = {key for key, _ in self._present.containers}
        members = [*self._present.members, *(member for member in self._departed if member.key in listed)]
        members.sort(key=lambda member: member.age)
        return members + [member for member in self._departed if member.key not in listed]

    def _tell(self, joined: Joined) -> None:
        for key, reason in joined.notes:
            self._reasons.setdefault(key, {})[reason] = None
        for key in joined.refused:
            self._refused.setdefault(key, set()).add(joined.route.name)

    def _add(self, joined: Joined) -> None:
        """A docker route, at the places that are still free."""
        left, clashes = self._settle(joined.route, joined.names)
        for clash in clashes:
            self._tell_clash(joined, clash, refused=left is None)
        if left is not None:
            self._docker[left.name] = left

    def _left_of(self, kept: Iterable[Route]) -> dict[str, Route]:
        """The routes without containers, at the places that nobody else has."""
        settled = (self._settle(route, names_of(route))[0] for route in kept)
        return {left.name: left for left in settled if left is not None}

    def _settle(self, route: Route, names: Sequence[str]) -> tuple[Route | None, Sequence[Clash]]:
        """What of a route is at places that are still free, which it takes; and why the rest is not."""
        if self._contested.isdisjoint(names):  # nearly always
            return route, ()
        clashes = self._places.clashes(route)
        left = without(route, clashes)
        if left is not None:
            self._places.take(left)
        return left, clashes

    def _tell_clash(self, joined: Joined, clash: Clash, refused: bool) -> None:
        route, prefix = joined.route, self._ground.prefix
        oldest = self._docker.get(clash.owner.name)
        owner = f"the {clash.owner.source} route {clash.owner.name}" + (", whose container is older" if oldest else "")
        what = f"{place_of(route, clash)} is answered by {owner}"
        for member in joined.members:
            label = label_of(member, "host", prefix)
            mend = f"choose another {label}"
            if not clash.owner.handler:
                mend += f", or join that route with {label_of(member, 'route', prefix)}={clash.owner.name}"
            if refused:
                self._refused.setdefault(member.key, set()).add(route.name)
            if not member.departed:
                reason = Reason(Code.PLACE_TAKEN, what, mend, label=label)
                self._reasons.setdefault(member.key, {})[reason] = None

    def _views(self) -> Iterator[ContainerView]:
        """The containers, with what was found here; a route that was refused is no longer among their wishes."""
        for key, container in self._present.containers:
            if key not in self._reasons:
                yield container
                continue
            refused = self._refused.get(key, ())
            wishes = tuple(wish for wish in container.wishes if wish.route not in refused)
            yield replace(container, wishes=wishes, reasons=(*container.reasons, *self._reasons[key]))
