"""Scrape: what one request for metrics looks at. It only reads."""

from __future__ import annotations

from collections.abc import Iterator

from dockerproxy.routing.route import Route, Upstream
from dockerproxy.stats import RouteStats, UpstreamStats
from dockerproxy.web.context import Control

_NO_ROUTE = RouteStats()
_NO_UPSTREAM = UpstreamStats()
_OURS = "dockerproxy.web."  # modules of the admin handlers


class Scrape:
    """The proxy at one moment, with the table of that moment; the counters are those of the moment of reading."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self._routes = control.registry.routes

    def routes(self) -> Iterator[tuple[Route, RouteStats]]:
        """Every route with its counters; an admin handler of ours only once somebody has called it."""
        found = self.control.stats.routes
        for route in self._routes:
            stats = found.get(route.name, _NO_ROUTE)
            if stats.requests or not route.handler.startswith(_OURS):
                yield route, stats

    def upstreams(self) -> Iterator[tuple[Route, str, Upstream, UpstreamStats]]:
        """Every upstream that is no handler: its route, what it is called there, itself, its counters."""
        for route, stats in self.routes():
            if not route.handler:
                for label, upstream in labelled(route.upstreams).items():
                    yield route, label, upstream, stats.upstreams.get(upstream.key, _NO_UPSTREAM)

    def state(self, route: Route, upstream: Upstream) -> str:
        """`up`, `benched`, `probation` or `draining`."""
        return self.control.status(route.name, upstream).state if upstream.in_rotation else "draining"


def labelled(upstreams: tuple[Upstream, ...]) -> dict[str, Upstream]:
    """The upstreams of one route by names of which none is there twice.

    A container keeps its name when its address changes, so the name alone is the label wherever it can be.
    """
    by_name = {upstream.name: upstream for upstream in upstreams}
    if len(by_name) == len(upstreams):
        return by_name
    names = [upstream.name for upstream in upstreams]
    return {
        upstream.name if names.count(upstream.name) == 1 else f"{upstream.name} {upstream.url}": upstream
        for upstream in upstreams
    }
