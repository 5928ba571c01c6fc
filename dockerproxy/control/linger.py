"""Linger: routes that are kept for a while after their last container, so that requests wait for a new one.

It has no clock: `now` is an argument, in seconds of any monotonic clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from dockerproxy.routing.route import Route


class Linger:
    """The routes without containers, and until when each is kept."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Route]] = {}

    def __repr__(self) -> str:
        return f"<Linger: {', '.join(self._kept) or 'none'}>"

    @property
    def routes(self) -> list[Route]:
        """The kept routes, without upstreams."""
        return [route for _, route in self._kept.values()]

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
        """Give up routes whose time is over."""
        self._kept = {name: kept for name, kept in self._kept.items() if kept[0] > now}

    def next_end(self) -> float | None:
        """When the next route's time is over, or None."""
        return min((until for until, _ in self._kept.values()), default=None)
