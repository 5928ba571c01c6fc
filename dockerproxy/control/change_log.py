"""ChangeLog: what the log tells of changes of the table. A container that comes and goes is told in few lines.

Pure: two states of the table and a time in, lines out; it remembers who has come back how often.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from dockerproxy.control.changes import changes, comings
from dockerproxy.discovery.following.flapping import QUIET, Flaps
from dockerproxy.routing.route import Route

UpstreamKey = tuple[str, str]  # a route's name, an upstream's name


class ChangeLog:
    """What was told lately, and what need not be told now."""

    def __init__(self) -> None:
        self._flaps: Flaps[UpstreamKey] = Flaps()

    def __repr__(self) -> str:
        return f"<ChangeLog: {len(self._flaps.flapping())} come and go>"

    @property
    def flapping(self) -> set[str]:
        """Names of the upstreams that come and go."""
        return {name for _route, name in self._flaps.flapping()}

    def changes(
        self, before: Sequence[Route], after: Sequence[Route], told: Collection[UpstreamKey], now: float
    ) -> list[str]:
        """One line per thing that changed, as `changes.changes`, but for who comes and goes again and again."""
        return [*self._turned(before, after, told, now), *changes(before, after, told, self._flaps.flapping())]

    def settled(self, routes: Mapping[str, Route], now: float) -> list[str]:
        """One line for each that has come and gone, and does so no longer."""
        return [_settled(routes.get(route), route, name) for route, name in self._flaps.settled(now)]

    def next_end(self) -> float | None:
        """When `settled` may have something to tell, or None."""
        return self._flaps.next_end()

    def _turned(
        self, before: Sequence[Route], after: Sequence[Route], told: Collection[UpstreamKey], now: float
    ) -> Iterator[str]:
        for route, name in comings(before, after, told):
            flap = self._flaps.add((route, name), now)
            if flap.news:
                yield (
                    f"{route}: {name} comes and goes again and again ({flap.number} times in {flap.seconds:.0f} s); "
                    f"told in brief until it has been quiet for {QUIET / 60:g} min"
                )


def _settled(route: Route | None, name: str, upstream: str) -> str:
    there = route is not None and any(each.name == upstream and each.in_rotation for each in route.upstreams)
    state = "is there to stay" if there else "is gone"
    return f"{name}: {upstream} no longer comes and goes, it {state}"
