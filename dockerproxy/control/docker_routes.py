"""DockerRoutes: what containers make of the routes that stand firm, from one change to the next.

It remembers what a merge does not show: who left lately, which routes linger, who was refused a place, how namesakes
are called. It publishes nothing and logs nothing. It has no clock: `now` is an argument, in seconds of any monotonic
clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from dockerproxy.control.admission.claims import allowed
from dockerproxy.control.admission.constraints import Constraints
from dockerproxy.control.admission.middlewares import with_known
from dockerproxy.control.base.base import Base
from dockerproxy.control.merge.former_members import FormerMembers
from dockerproxy.control.merge.handover import Handover
from dockerproxy.control.merge.joining import Joiner, MergeContext
from dockerproxy.control.merge.linger import Linger
from dockerproxy.control.merge.members import CurrentMembers, Member
from dockerproxy.control.merge.merging import merge
from dockerproxy.control.merge.namesakes import Namesakes
from dockerproxy.discovery.snapshot import ContainerView, Snapshot
from dockerproxy.routing.route import Route


class Rules(NamedTuple):
    """What containers may do.

    context:      what their routes stand on
    constraints: which domains they may claim
    middlewares: the names that they may give
    """

    context: MergeContext
    constraints: Constraints
    middlewares: Collection[str]


class DockerRoutes:
    """The routes of containers, beside those that stand firm."""

    def __init__(self) -> None:
        self._snapshots: dict[str, Snapshot] = {}
        self._linger = Linger()
        self._handover = Handover()
        self._former = FormerMembers()
        self._seen = CurrentMembers()
        self._joiner = Joiner()
        self._namesakes = Namesakes()
        self._docker: Mapping[str, Route] = {}
        self._containers: tuple[ContainerView, ...] = ()

    def __repr__(self) -> str:
        return f"<DockerRoutes: {len(self._docker)} of {len(self._containers)} containers, {self._linger!r}>"

    @property
    def containers(self) -> tuple[ContainerView, ...]:
        """All containers, oldest first; their reasons include the conflicts found here."""
        return self._containers

    def keeps(self, route: Route) -> bool:
        """Whether this route is there only because it lingers."""
        return self._linger.keeps(route)

    def see(self, snapshot: Snapshot) -> bool:
        """Take what a producer sees now; the last word of each producer counts. Returns whether it is news."""
        if self._snapshots.get(snapshot.engine) == snapshot:
            return False
        self._snapshots[snapshot.engine] = snapshot
        return True

    def forget_former_members(self) -> None:
        """New settings are in force: what they forbid was decided by the old ones."""
        self._former.clear()

    def merged(self, rules: Rules, now: float) -> tuple[Route, ...]:
        """All routes, those that stand firm and those of containers, in the table's order."""
        base, _, prefix = rules.context
        known = self._docker.keys() | {route.name for route in self._linger.routes}
        seen = self._namesakes.apart(tuple(self._snapshots.values()), base.routes, known)
        permitted = allowed(rules.constraints, base.routes, seen, prefix)
        current = self._not_leaving(with_known(permitted, rules.middlewares, prefix), now)
        self._keep_what_has_gone(current.members, base, now)
        lingering, released = self._linger, self._handover.released
        refusals = lingering.refusals(released)
        found = merge(rules.context, current, lingering.routes, self._former.members, self._joiner, refusals)
        lingering.settle(found, now, released)
        self._docker, self._containers = found.docker, found.containers
        return found.routes

    def next_end(self) -> float | None:
        """When the time of something that is kept is over, so that `merged` gives something else; or None."""
        ends = (self._linger.next_end(), self._former.next_end(), self._handover.next_end())
        return min((end for end in ends if end is not None), default=None)

    def _not_leaving(self, snapshots: Sequence[Snapshot], now: float) -> CurrentMembers:
        """Who is there, but for those that end while others have their places."""
        before, self._seen = self._seen, CurrentMembers(snapshots, before=self._seen)
        self._handover.look(self._linger.owners, before.members, self._seen.members, self._snapshots, now)
        left = self._handover.without_released(snapshots)
        return self._seen if left is snapshots else CurrentMembers(left, before=self._seen)

    def _keep_what_has_gone(self, members: Sequence[Member], base: Base, now: float) -> None:
        self._former.look(members, self._docker, now)
        wished = {member.wish.route for member in members}
        self._linger.drop(wished)
        self._linger.drop(base.routes.keys())
        gone = [route for name, route in self._docker.items() if name not in wished and name not in base.routes]
        self._linger.keep(gone, now)
        self._linger.expire(now)
