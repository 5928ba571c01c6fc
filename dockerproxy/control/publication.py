"""Publication: the table that is in force, and what the log tells of its changes. It decides nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from dockerproxy.control.change_log import ChangeLog, UpstreamKey
from dockerproxy.control.changes import complaints, decisions
from dockerproxy.control.overrides.overrides import Overrides
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.routing.expression import Clocks
from dockerproxy.routing.route import Route
from dockerproxy.routing.table import RouteTable

_CLOCKS = Clocks(cheap=time.perf_counter, own=time.thread_time)
_MOST_LINES = 100  # log lines for one change of the table; a reload of thousands of routes is summed up

log = logging.getLogger("dockerproxy.control")

Publish = Callable[[RouteTable, tuple[Route, ...]], None]


class Publication:
    """The routes that were published last.

    publish: gets each new table, with its routes
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._table = RouteTable(clocks=_CLOCKS)
        self._by_name: dict[str, Route] = {}
        self._current = False
        self._harmless: frozenset[str] = frozenset()
        self._complaints: Mapping[tuple[str, str], str] = {}
        self._change_log = ChangeLog()

    def __repr__(self) -> str:
        return f"<Publication: {len(self._by_name)} routes, {self._change_log!r}>"

    @property
    def table(self) -> RouteTable:
        return self._table

    def route(self, name: str) -> Route | None:
        """The route of this name, or None."""
        return self._by_name.get(name)

    def outdate(self) -> None:
        """Publish next time, even equal routes: something has changed that they do not show."""
        self._current = False

    def guarded_by_all_but(self, harmless: frozenset[str]) -> None:
        """Middlewares of these names guard nothing, in the tables that come."""
        self._harmless = harmless

    def update(self, merged: Sequence[Route], unsaid: Iterable[Route], told: Collection[UpstreamKey], now: float
               ) -> list[str]:  # fmt: skip
        """Publish these routes if they differ. Returns what changed, in words, which is logged too.

        unsaid: routes that are no news when nothing was published yet
        told: upstreams of which the log tells otherwise that they go out of rotation or come back
        """
        # A route that did not change stays the same object, so that comparing tables is cheap everywhere.
        known = self._by_name
        routes = tuple([_same(known.get(route.name), route) for route in merged])
        if routes == self._table.routes and self._current:
            return []
        before = self._table.routes or tuple(unsaid)
        lines = self._change_log.changes(*_differing(before, routes), told, now)
        self._current = True
        self._by_name = {route.name: route for route in routes}
        self._table = RouteTable(routes, before=self._table, harmless=self._harmless)
        self._publish(self._table, routes)
        _log_lines(lines)
        return lines

    def complain(self, containers: Iterable[ContainerView]) -> None:
        """Log what is wrong with containers, each thing once."""
        found = complaints(containers, self._change_log.flapping)
        for container, line in found.items():
            if self._complaints.get(container) != line:
                log.warning("%s", line)
        self._complaints = found

    def tell_settled(self, now: float) -> None:
        """Log who has come and gone, and does so no longer."""
        _log_lines(self._change_log.settled(self._by_name, now))

    def tell_decisions(self, before: Overrides, after: Overrides) -> None:
        """Log what an operator has decided."""
        _log_lines(decisions(before, after, self._by_name))

    def next_end(self) -> float | None:
        """When `tell_settled` may have something to tell, or None."""
        return self._change_log.next_end()


def _differing(before: Sequence[Route], after: Sequence[Route]) -> tuple[list[Route], list[Route]]:
    """The routes of each that are not among the other's."""
    old, new = set(map(id, before)), set(map(id, after))
    return [route for route in before if id(route) not in new], [route for route in after if id(route) not in old]


def _same(known: Route | None, route: Route) -> Route:
    return known if known is not None and (known is route or known == route) else route


def _log_lines(lines: list[str]) -> None:
    for line in lines[:_MOST_LINES]:
        log.info("%s", line)
    if len(lines) > _MOST_LINES:
        log.info("and %d more changes of the table", len(lines) - _MOST_LINES)
