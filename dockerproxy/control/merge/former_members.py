"""FormerMembers: containers that have left a route which others go on with; what they said of it counts for its linger.

A container that restarts or is recreated would otherwise take the route's host, settings and middlewares with it for
seconds: others of the same route would answer elsewhere meanwhile, or without what the middlewares guard. It has no
clock: `now` is an argument, in seconds of any monotonic clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from dockerproxy.control.merge.members import ContainerKey, Member
from dockerproxy.routing.route import Route

_Part = tuple[ContainerKey, str]  # a container's in a route


class FormerMembers:
    """Who has left, and until when each has a say."""

    def __init__(self) -> None:
        self._present: dict[_Part, Member] = {}
        self._left: dict[_Part, tuple[float, Member]] = {}

    def __repr__(self) -> str:
        return f"<FormerMembers: {', '.join(member.container.name for member in self.members) or 'none'}>"

    @property
    def members(self) -> list[Member]:
        """Those that still have a say."""
        return [member for _, member in self._left.values()]

    def look(self, members: Iterable[Member], routes: Mapping[str, Route], now: float) -> None:
        """Take who is there now.

        routes: as they were made of those who were there before, by name
        """
        before, self._present = self._present, {(member.key, member.wish.route): member for member in members}
        gone = before.keys() - self._present.keys()
        if gone:
            self._note(gone, before, routes, now)
        if self._left:
            self._forget(now)

    def clear(self) -> None:
        """Nobody has a say any more: what the settings forbid now was decided by the old ones."""
        self._left.clear()

    def next_end(self) -> float | None:
        """When the next one loses its say, or None."""
        return min((until for until, _ in self._left.values()), default=None)

    def _note(
        self, gone: Iterable[_Part], before: Mapping[_Part, Member], routes: Mapping[str, Route], now: float
    ) -> None:
        """One that had its route for itself is not noted: whoever comes after it may do as it likes."""
        sizes = Counter(route for _, route in before.keys() | self._left.keys())
        for part in gone:
            route = routes.get(part[1])
            if route is not None and route.options.linger > 0 and sizes[part[1]] > 1:
                self._left[part] = (now + route.options.linger, before[part]._replace(former=True))

    def _forget(self, now: float) -> None:
        """Those whose time is over, and those that are back, be it as a new container of the same name, or in another
        route: what one says there is no longer to be kept here."""
        back = {_name(part, member) for part, member in self._present.items()}
        self._left = {
            part: (until, member)
            for part, (until, member) in self._left.items()
            if until > now and _name(part, member) not in back
        }


def _name(part: _Part, member: Member) -> tuple[str, str]:
    """What stays the same when a container is recreated: engine and name."""
    (engine, _), _route = part
    return engine, member.container.name
