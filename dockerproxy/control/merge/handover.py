"""Handover: when a route whose containers a person has ended gives up its places to those that were refused them.

At once when all of its last containers have been removed; else as soon as it is clear that they are not being
restarted, and at the latest when the first request that was held for them would be refused. A crash, a pause and a
recreation that is under way hand nothing over. Whoever is back while the route would still linger has its places
again. Pure; it has no clock: `now` is an argument, in seconds of any monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from dockerproxy.control.merge.members import Member
from dockerproxy.discovery.snapshot import ContainerView, Ending, Snapshot
from dockerproxy.labels.reading import COMPOSE_PROJECT, COMPOSE_SERVICE
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.route import Route

# `docker restart` starts a container again within a fraction of a second after its end; requests are held meanwhile.
_RESTART = 0.9  # seconds
# So much before the first request that is held would be refused, at the most a part of the hold.
_MARGIN = 0.5  # seconds
_MARGIN_PART = 0.1
_ENDED = frozenset({"exited", "dead", "removing"})


@dataclass(slots=True)
class _Leave:
    """A route that has nobody in rotation any more.

    members: its last ones
    patience: seconds after `since` when a request that was held since then would be refused
    ended:    since when all have ended by a person's hand, if so
    """

    members: Sequence[Member]
    since: float
    patience: float
    ended: float | None = None
    due: float | None = None


class Handover:
    """The routes that others wait for, and which of them are to give up their places."""

    def __init__(self) -> None:
        self._leaves: dict[str, _Leave] = {}
        self._now = 0.0

    def __repr__(self) -> str:
        return f"<Handover: of {', '.join(sorted(self.released)) or 'none'}>"

    @property
    def released(self) -> Set[str]:
        """Names of the routes that have given up their places."""
        return {name for name, leave in self._leaves.items() if leave.due is not None and leave.due <= self._now}

    def look(
        self, owners: Mapping[str, Route], before: Iterable[Member], members: Iterable[Member],
        snapshots: Mapping[str, Snapshot], now: float,
    ) -> None:  # fmt: skip
        """Take who is there now.

        owners:    the routes at whose places somebody was refused, by name
        before:    the members of all routes as they were
        snapshots: what tells how containers have ended, by engine
        """
        self._now = now
        self._leaves = {name: leave for name, leave in self._leaves.items() if name in owners}
        if not owners:  # nearly always
            return
        last, there = _of_routes(before, owners), _of_routes(members, owners)
        for name, route in owners.items():
            current = there.get(name, ())
            if any(not member.wish.upstream.draining for member in current):
                self._leaves.pop(name, None)
                continue
            leave = self._leaves.get(name)
            if leave is None:
                if not current and name not in last:
                    continue
                leave = self._leaves[name] = _Leave(current or last[name], now, _patience(route.options.hold))
            elif current:
                leave.members = current
            _judge(leave, current, snapshots, now)

    def without_released(self, snapshots: Sequence[Snapshot]) -> Sequence[Snapshot]:
        """The snapshots, without the wishes of containers that drain while others have their places."""
        released = self.released
        return [_without(snapshot, released) for snapshot in snapshots] if released else snapshots

    def next_end(self) -> float | None:
        """When the next route gives up its places, or None."""
        dues = (leave.due for leave in self._leaves.values())
        return min((due for due in dues if due is not None and due > self._now), default=None)


def _of_routes(members: Iterable[Member], names: Mapping[str, Route]) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = {}
    for member in members:
        if member.wish.route in names:
            found.setdefault(member.wish.route, []).append(member)
    return found


def _patience(hold: float) -> float:
    return hold - min(_MARGIN, hold * _MARGIN_PART)


def _judge(leave: _Leave, current: Sequence[Member], snapshots: Mapping[str, Snapshot], now: float) -> None:
    """Whether and when it is due."""
    endings = {_ending(member, snapshots) for member in leave.members}
    ended_by_hand = None not in endings
    if not ended_by_hand:
        leave.ended = None
    elif leave.ended is None:
        leave.ended = now
    latest = leave.since + leave.patience
    if _has_successor(leave.members, snapshots) or not (ended_by_hand or current):
        leave.due = None
    elif endings == {Ending.REMOVED}:
        leave.due = now
    elif leave.ended is None:
        leave.due = latest
    else:
        leave.due = min(leave.ended + _RESTART, latest)


def _ending(member: Member, snapshots: Mapping[str, Snapshot]) -> Ending | None:
    engine, container = member.key
    return snapshots[engine].endings.get(container) if engine in snapshots else None


def _has_successor(members: Sequence[Member], snapshots: Mapping[str, Snapshot]) -> bool:
    """Whether one of them is being recreated.

    Compose gives the old container another name, or makes the new one beside it before the old one is removed.
    """
    own = {member.key: member for member in members}
    identities = {(member.key[0], _identity(member.container)) for member in members}
    for engine in {engine for engine, _ in own}:
        for view in snapshots[engine].containers if engine in snapshots else ():
            known = own.get((engine, view.id))
            if known is not None:
                if known.container.name != view.name:
                    return True
            elif view.state not in _ENDED and (engine, _identity(view)) in identities:
                return True
    return False


def _identity(view: ContainerView) -> tuple[str, str]:
    """What stays when a container is recreated: its compose project and service, else its name."""
    service = view.labels.get(COMPOSE_SERVICE, "")
    return (view.labels.get(COMPOSE_PROJECT, ""), service) if service else ("", view.name)


def _without(snapshot: Snapshot, released: Set[str]) -> Snapshot:
    views = tuple(_view_without(view, released) for view in snapshot.containers)
    return snapshot if views == snapshot.containers else replace(snapshot, containers=views)


def _view_without(view: ContainerView, released: Set[str]) -> ContainerView:
    lost = [wish for wish in view.wishes if wish.route in released and wish.upstream.draining]
    if not lost:
        return view
    what = f"it was told to stop, and has given up the places of route {lost[0].route} to others that wait for them"
    reasons = (*view.reasons, Reason(Code.DRAINING, what, f"run: docker start {view.name}, once it has ended"))
    return replace(view, wishes=tuple(wish for wish in view.wishes if wish not in lost), reasons=reasons)
