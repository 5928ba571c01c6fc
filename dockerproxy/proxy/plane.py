"""DataPlane: what all connections share: the table, the live routes, the pools, the parsers and the wheel.

`publish` swaps in a new table; everything else only looks things up. It has no settings reader, no discovery and no
aiohttp: what it needs from there is handed in.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from dockerproxy.http1.field_lines import Limits
from dockerproxy.http1.head import RequestHead
from dockerproxy.http1.request_parser import RequestParser
from dockerproxy.http1.response_parser import ResponseParser
from dockerproxy.proxy.deadlines import Wheel
from dockerproxy.proxy.downstream.date_field import DateField
from dockerproxy.proxy.downstream.handshake import Handshake
from dockerproxy.proxy.downstream.http1 import Front
from dockerproxy.proxy.exchange.gate import HANDLER, Gates
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.forwarding import Forwarding, Origin
from dockerproxy.proxy.https import DEFAULT_PORT
from dockerproxy.proxy.pages import MaySeeReason, Pages
from dockerproxy.proxy.record import Record, Recorder
from dockerproxy.proxy.upstream.connector import ConnectHandler, Connector
from dockerproxy.proxy.upstream.pool import Pool
from dockerproxy.proxy.upstream.pools import Pools
from dockerproxy.routing.route import Route, Upstream
from dockerproxy.routing.table import RouteTable
from dockerproxy.settings.model import Settings
from dockerproxy.stats import ProxyStats
from dockerproxy.tasks import Tasks

if TYPE_CHECKING:
    from dockerproxy.routing.bench import UpstreamStatus


class PlaneLimits(NamedTuple):
    """Bounds on clients; times in seconds."""

    head: Limits
    head_timeout: float
    stall_timeout: float
    idle_timeout: float
    half_close_timeout: float
    max_clients: int

    @classmethod
    def of(cls, settings: Settings) -> PlaneLimits:
        """The bounds that the settings give."""
        return cls(
            Limits(settings.head_size, settings.head_fields, settings.target_size),
            settings.head_timeout,
            settings.stall_timeout,
            settings.idle_timeout,
            settings.half_close_timeout,
            settings.max_clients,
        )


def _nobody(_address: str, _authorization: str) -> bool:
    return False


class DataPlane:
    """Everything between the listening sockets and the upstreams.

    https_port:     of https in the address bar
    handshakes:     those under way
    live:           all routes
    entries:        what requests are looked up in: the routes, and in the place of those with middlewares their gates
    may_see_reason: who is told the code of an error
    recorder:       takes a record of each request for the access log, or None
    """

    def __init__(
        self,
        settings: Settings,
        stats: ProxyStats,
        connect_handler: ConnectHandler,
        may_see_reason: MaySeeReason = _nobody,
        recorder: Recorder | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.stats = stats
        self.wheel = Wheel(self.loop)
        self.table = RouteTable()
        self.live: dict[str, LiveRoute] = {}
        self.gates = Gates()
        self.entries: Mapping[str, LiveRoute] = self.live
        self.limits = PlaneLimits.of(settings)
        self.https_port = DEFAULT_PORT
        self.handshakes: set[Handshake] = set()
        self.date = DateField()
        self.stopping = False
        # The suffix tells this proxy from others of its kind on the way, so that only a true loop is refused.
        self._identity = f"dockerproxy-{secrets.token_hex(4)}".encode()
        self.request_parser = RequestParser(self.limits.head, self._identity)
        self.forwarding = Forwarding(settings.trusted_proxies, self._identity)
        self._tasks = Tasks("data plane")
        self._connector = Connector(self.wheel, ResponseParser(self.limits.head), connect_handler)
        self.pools = Pools(self._connector, self._tasks)
        self.pages = Pages(self, may_see_reason)
        self.recorder = recorder
        self._fronts: set[Front] = set()
        self._all_gone: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        return f"<DataPlane: {len(self.live)} routes, {len(self._fronts)} clients, {len(self.pools)} pools>"

    # Called by the server

    def configure(self, settings: Settings) -> None:
        """Take new limits; connections to upstreams that are open keep the parsers they have."""
        self.limits = PlaneLimits.of(settings)
        self.request_parser = RequestParser(self.limits.head, self._identity)
        self.forwarding = Forwarding(settings.trusted_proxies, self._identity)
        for front in self._fronts:
            front.origin = Origin.of(front.transport, self.forwarding)
        self._connector.renew(ResponseParser(self.limits.head))

    def publish(self, table: RouteTable, not_found: Mapping[str, str]) -> None:
        """Use `table` from now on.

        not_found: handler of the not-found page by domain; "" is for all others
        """
        live: dict[str, LiveRoute] = {}
        changed: list[tuple[LiveRoute, Route]] = []
        for route in table.routes:
            known = self.live.get(route.name)
            if known is None:
                known = LiveRoute(route, self.stats.route(route.name))
            elif known.route is not route:
                changed.append((known, route))
            live[route.name] = known
        removed = [known for name, known in self.live.items() if name not in live]
        self.table, self.live, self.pages.not_found = table, live, not_found
        self.entries = self.gates.entries(table.routes, live)
        unused = self.pools.revive(self._addresses(table.routes))
        for known, route in changed:
            known.update(route)
        for known in removed:
            known.remove()
        self.gates.settle(live)
        self.pools.retire(unused)
        self._forget_gone(time.monotonic())

    def front(self) -> Front:
        """A protocol for one client connection."""
        return Front(self)

    def handshake(self, context: ssl.SSLContext) -> Handshake:
        """A protocol for one client connection over TLS."""
        return Handshake(self, context, self._tasks)

    async def stop(self, grace: float) -> None:
        """Let what is in flight end within `grace` seconds, then end everything."""
        self.stopping = True
        for front in list(self._fronts):
            front.shut_down()
        if self._fronts and grace > 0:
            self._all_gone = self.loop.create_future()
            await asyncio.wait([self._all_gone], timeout=grace)
        for front in list(self._fronts):
            front.transport.abort()
        self.pools.retire_all()
        await self._tasks.cancel_all()
        self.wheel.stop()

    @property
    def in_flight(self) -> int:
        """Exchanges under way."""
        return sum(front.exchange is not None for front in self._fronts)

    def status(self, route: str, upstream: Upstream) -> UpstreamStatus | None:
        """The state of one upstream for statistics, or None for an unknown route."""
        live = self.live.get(route)
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

    # Called by fronts and handshakes

    def begin(self, handshake: Handshake) -> bool:
        """Count a handshake among the clients. False when there are too many, or the proxy stops."""
        if not self._has_room(1):
            return False
        self.handshakes.add(handshake)
        return True

    def admit(self, front: Front) -> bool:
        """Count a new client connection. False when there are too many, or the proxy stops."""
        self._fronts.add(front)
        self.stats.connections = len(self._fronts)
        self.stats.connections_total += 1
        return self._has_room(-1 if front.origin.secure else 0)  # its own handshake is still counted

    def _has_room(self, more: int) -> bool:
        return len(self._fronts) + len(self.handshakes) + more <= self.limits.max_clients and not self.stopping

    def record(self, head: RequestHead, origin: Origin) -> Record | None:
        """A record of a request that begins, where records are taken; its upstream is told its name as well."""
        if self.recorder is None:
            return None
        self.pages.ids.send_along(head)
        return Record(self.recorder, head, origin.address(head))

    def leave(self, front: Front) -> None:
        """A client connection has ended."""
        self._fronts.discard(front)
        self.stats.connections = len(self._fronts)
        if self._all_gone is not None and not self._fronts and not self._all_gone.done():
            self._all_gone.set_result(None)

    # Called by exchanges

    def instead_of(self, gone: LiveRoute, head: RequestHead) -> LiveRoute:
        """Where a request that was held for a route that is gone would go now; that route where there is none.

        Or where there are middlewares: those of the one have seen the request, it must not miss those of the other.
        """
        found = self.table.match(head.host, head.method, head.path)
        heir = self.entries[found.name] if isinstance(found, Route) else gone
        return gone if heir.gated or gone.options.middlewares else heir

    def pool(self, upstream: Upstream, live: LiveRoute) -> Pool:
        """The pool of connections to `upstream`."""
        return self.pools.pool(upstream, live.tls, live.options.max_connections)

    def _forget_gone(self, now: float) -> None:
        """Drop counters of what left the table long ago; looked at once a minute at most, for it takes a while."""
        if self.stats.due(now):
            keys = {route.name: {upstream.key for upstream in route.upstreams} for route in self.table.routes}
            self.stats.forget(keys, now)

    def _addresses(self, routes: tuple[Route, ...]) -> set[str]:
        """Where requests may go."""
        used = {upstream.address for route in routes for upstream in route.upstreams if upstream.in_rotation}
        used.update([HANDLER, *(handler for handler, _ in self.pages.live)])
        return used
