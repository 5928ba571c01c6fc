"""LiveRoutes: the table, and what of its routes goes on from one table to the next.

`publish` swaps in a new table; everything else only looks things up.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from dockerproxy.http1.head import RequestHead
from dockerproxy.proxy.exchange.gate import Gates
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.routing.bench import UpstreamStatus
from dockerproxy.routing.route import Route, Upstream
from dockerproxy.routing.table import RouteTable
from dockerproxy.stats import ProxyStats


class LiveRoutes:
    """All routes in use.

    live:    by name
    entries: what requests are looked up in: the routes, and in the place of those with middlewares their gates
    """

    def __init__(self, stats: ProxyStats) -> None:
        self._stats = stats
        self.table = RouteTable()
        self.live: dict[str, LiveRoute] = {}
        self.gates = Gates()
        self._doubted: set[str] = set()  # addresses; all routes look at this one set
        self.entries: Mapping[str, LiveRoute] = self.live

    def __repr__(self) -> str:
        return f"<LiveRoutes: {len(self.live)}>"

    def publish(self, table: RouteTable) -> None:
        """Use `table` from now on; whoever is held, and need not be any more, goes on at once."""
        live: dict[str, LiveRoute] = {}
        changed: list[tuple[LiveRoute, Route]] = []
        for route in table.routes:
            known = self.live.get(route.name)
            if known is None:
                known = LiveRoute(route, self._stats.route(route.name), self._doubted)
            elif known.route is not route:
                changed.append((known, route))
            live[route.name] = known
        removed = [known for name, known in self.live.items() if name not in live]
        self.table, self.live = table, live
        self.entries = self.gates.entries(table.routes, live)
        for known, route in changed:
            known.update(route)
        for known in removed:
            known.remove()
        self.gates.settle(live)
        self._forget_gone(time.monotonic())

    def doubt(self, address: str) -> list[tuple[str, str]]:
        """Take the containers at this address out of rotation; names of routes and of upstreams that were in it."""
        if address in self._doubted:
            return []
        self._doubted.add(address)
        found = []
        for name, live in self.live.items():
            lost = [each for each in live.balancer.upstreams if each.address == address and each.container]
            if lost:
                found += [(name, each.name) for each in lost if each.in_rotation]
                live.update(live.route)
        return found

    def hardware_at(self, address: str) -> str:
        """The link-layer address of the container at this address; "" where it is not known, or several share it."""
        every = [each for live in self.live.values() for each in live.route.upstreams if each.hardware]
        here = next((each for each in every if each.address == address), None)
        if here is None or any(each.hardware == here.hardware and each.host != here.host for each in every):
            return ""
        return here.hardware

    def in_rotation(self, address: str) -> bool:
        """Whether requests may go to this address."""
        every = (each for live in self.live.values() for each in live.balancer.upstreams)
        return any(each.address == address and each.in_rotation for each in every)

    def trust_all(self) -> None:
        """Let all that were doubted back into rotation."""
        doubted = set(self._doubted)
        self._doubted.clear()
        for live in self.live.values():
            if any(upstream.address in doubted for upstream in live.route.upstreams):
                live.update(live.route)

    def instead_of(self, gone: LiveRoute, head: RequestHead) -> LiveRoute:
        """Where a request that was held for a route that is gone would go now; that route where there is none.

        Or where there are other middlewares: those of the one have seen the request, which must not miss the other's.
        """
        found = self.table.match(head.host, head.method, head.path)
        if gone.gated or not isinstance(found, Route):
            return gone
        heir = self.live[found.name]
        return heir if heir.options.middlewares == gone.options.middlewares else gone

    def status(self, route: str, upstream: Upstream) -> UpstreamStatus | None:
        """The state of one upstream for statistics, or None for an unknown route."""
        live = self.live.get(route)
        if upstream.container and upstream.address in self._doubted:
            upstream = replace(upstream, draining=True)
        return None if live is None else live.balancer.status(upstream, time.monotonic())

    def bench(self, route: str, upstream: Upstream, seconds: float) -> None:
        """Bench one upstream of a route."""
        live = self.live.get(route)
        if live is not None:
            live.bench(upstream, seconds)

    def unbench(self, route: str, upstream: Upstream) -> bool:
        """End the bench of one upstream of a route. False when it had none."""
        live = self.live.get(route)
        return live is not None and live.unbench(upstream)

    def held(self, route: str) -> int:
        """Exchanges of a route that wait now."""
        live = self.live.get(route)
        return 0 if live is None else live.held + self.gates.held(route)

    def _forget_gone(self, now: float) -> None:
        """Drop counters of what left the table long ago; looked at once a minute at most, for it takes a while."""
        if self._stats.due(now):
            keys = {route.name: {upstream.key for upstream in route.upstreams} for route in self.table.routes}
            self._stats.forget(keys, now)
