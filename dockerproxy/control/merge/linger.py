"""Linger: routes that are kept for a while after their last container, so that requests wait for a new one.

And who was refused a place lately: they do not take it while its route is kept, nor from the container that comes back,
though that may be the younger one now. Whoever was not there before has it at once.

It has no clock: `now` is an argument, in seconds of any monotonic clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from dockerproxy.control.merge.merging import Merged
from dockerproxy.control.places import Refusals
from dockerproxy.routing.route import Domain, Route, Source

_Timed = dict[tuple[str, Domain | None], tuple[float, Route]]  # as Refusals, each with its end
_WHILE_THERE = float("inf")  # for as long as who was refused is there


class Linger:
    """The routes without containers, and until when each is kept; the refusals, and until when each counts."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Route]] = {}
        self._refusals: _Timed = {}
        self._handed_over: _Timed = {}  # refusals by routes that have given up their places, until they are back

    def __repr__(self) -> str:
        return f"<Linger: {', '.join(self._kept) or 'none'}>"

    @property
    def routes(self) -> list[Route]:
        """The kept routes, without upstreams."""
        return [route for _, route in self._kept.values()]

    @property
    def owners(self) -> dict[str, Route]:
        """The routes of containers at whose places somebody was refused, by name."""
        every = (*self._handed_over.values(), *self._refusals.values())
        return {owner.name: owner for _, owner in every if owner.source is Source.DOCKER}

    def refusals(self, released: Collection[str] = ()) -> Refusals:
        """Those that count. released: names of routes that have given up their places"""
        every = self._handed_over | self._refusals
        return {place: owner for place, (_, owner) in every.items() if owner.name not in released}

    def keeps(self, route: Route) -> bool:
        """Whether this route is there only because it is kept."""
        return route.name in self._kept

    def keep(self, gone: Iterable[Route], now: float) -> None:
        """Keep routes that have just lost their last container, each for as long as its options say."""
        for route in gone:
            if route.options.linger > 0:
                self._kept[route.name] = (now + route.options.linger, replace(route, upstreams=()))

    def drop(self, names: Collection[str]) -> None:
        """Give up routes whose names are in use again."""
        for name in [name for name in self._kept if name in names]:
            del self._kept[name]

    def expire(self, now: float) -> None:
        """Give up routes and refusals whose time is over."""
        self._kept = {name: kept for name, kept in self._kept.items() if kept[0] > now}
        self._refusals = _unexpired(self._refusals, now)
        self._handed_over = _unexpired(self._handed_over, now)

    def settle(self, merged: Merged, now: float, released: Collection[str] = ()) -> None:
        """Take what a merge made of it. An empty route that has lost its place does not come back to it.

        Whoever was refused and is away is remembered for as long as the owner would be: it may only be restarting. So
        is who has the place of one of the released, which may only be recreated.
        """
        for place, (_, owner) in self._refusals.items():
            if owner.name in released:
                self._handed_over.setdefault(place, (now + owner.options.linger, owner))
        self._handed_over = {
            place: refusal for place, refusal in self._handed_over.items() if refusal[1].name not in merged.wished
        }
        self._kept = {
            name: (until, merged.kept[name]) for name, (until, _) in self._kept.items() if name in merged.kept
        }
        away = {
            place: (min(until, now + owner.options.linger), owner)
            for place, (until, owner) in self._refusals.items()
            if place[0] not in merged.wished
        }
        self._refusals = away | {place: (_WHILE_THERE, owner) for place, owner in merged.refusals.items()}

    def next_end(self) -> float | None:
        """When the next route's time is over, or None."""
        return min((until for until, _ in self._kept.values()), default=None)


def _unexpired(refusals: _Timed, now: float) -> _Timed:
    return {place: refusal for place, refusal in refusals.items() if refusal[0] > now}
