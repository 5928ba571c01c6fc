"""DataPlane: everything between the listening sockets and the upstreams, put together.

It builds the parts and hands each what it needs; `publish` swaps in a new table. It has no settings reader, no
discovery and no aiohttp: what it needs from there is handed in.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
from collections.abc import Collection, Mapping

from dockerproxy.http1.response_parser import ResponseParser
from dockerproxy.proxy.deadlines import Wheel
from dockerproxy.proxy.downstream.clients import Clients
from dockerproxy.proxy.downstream.handshake import Handshake
from dockerproxy.proxy.downstream.http1 import Front
from dockerproxy.proxy.exchange.gate import HANDLER
from dockerproxy.proxy.exchange.pages import MaySeeReason, Pages
from dockerproxy.proxy.exchange.routes import LiveRoutes
from dockerproxy.proxy.exchange.shared import Shared
from dockerproxy.proxy.record import Recorder
from dockerproxy.proxy.upstream.connector import ConnectHandler, Connector
from dockerproxy.proxy.upstream.engine_outage import EngineOutage
from dockerproxy.proxy.upstream.pools import Pools
from dockerproxy.routing.bench import UpstreamStatus
from dockerproxy.routing.route import Route, Upstream
from dockerproxy.routing.table import RouteTable
from dockerproxy.settings.model import Settings
from dockerproxy.stats import ProxyStats
from dockerproxy.tasks import Tasks

log = logging.getLogger(__name__)

# So that what the kernel has is read before: one turn of the loop at least.
_LAST_WORDS = 0.02  # seconds


def _nobody(_address: str, _authorization: str) -> bool:
    return False


class DataPlane:
    """The data plane.

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
        loop = asyncio.get_running_loop()
        # The suffix tells this proxy from others of its kind on the way, so that only a true loop is refused.
        identity = f"dockerproxy-{secrets.token_hex(4)}".encode()
        self.wheel = Wheel(loop)
        self.routes = LiveRoutes(stats)
        self.pages = Pages(stats, may_see_reason)
        self._tasks = Tasks("data plane")
        self._connector = Connector(self.wheel, connect_handler, self._set_descriptors_free)
        self.pools = Pools(self._connector, self._tasks)
        self._engine_outage = EngineOutage(self._doubt, self.routes.hardware_at)
        self.shared = Shared(loop, self.routes, self.pools, self.pages)
        self.clients = Clients(settings, identity, self.shared, self.wheel, stats, recorder)
        self._connector.renew(ResponseParser(self.clients.limits.head))

    def __repr__(self) -> str:
        return f"<DataPlane: {self.routes!r}, {self.clients!r}, {self.pools!r}>"

    def configure(self, settings: Settings) -> None:
        """Take new limits; connections to upstreams that are open keep the parsers they have."""
        self.clients.configure(settings)
        self._connector.renew(ResponseParser(self.clients.limits.head))

    def publish(self, table: RouteTable, not_found: Mapping[str, str]) -> None:
        """Use `table` from now on.

        not_found: handler of the not-found page by domain; "" is for all others
        """
        self.pages.not_found = not_found
        unused = self.pools.revive(self._addresses(table.routes))  # before anybody who was held goes on
        self.routes.publish(table)
        self.pools.retire(unused)

    def engine_away(self, away: bool) -> None:
        """The engine of the containers cannot be asked, or can be again: what changed meanwhile was published."""
        if away:
            self._engine_outage.begin()
            self.pools.begin_watch(self._engine_outage)
        else:
            self.pools.end_watch()
            self.routes.trust_all()

    def _doubt(self, address: str, why: str) -> None:
        """The container at this address may have ended, and lost it to another."""
        for route, upstream in self.routes.doubt(address):
            log.warning(
                "%s: %s gets no new requests until the engine is back: %s, and another container may have its address",
                route, upstream, why,
            )  # fmt: skip
        if not self.routes.in_rotation(address):
            self.pools.doubt(address)

    def addresses_lost(self, lost: Collection[tuple[str, str]]) -> None:
        """These addresses, each with the id of its container, are not that container's any more, which still runs: what
        waits there for an answer goes on. What has come from there is taken first."""
        self.shared.loop.call_later(_LAST_WORDS, self.clients.addresses_lost, lost)

    def https_at(self, port: int) -> None:
        """https is at this port of the address bar."""
        self.shared.https_port = port

    def front(self) -> Front:
        """A protocol for one client connection."""
        return Front(self.clients)

    def handshake(self, context: ssl.SSLContext) -> Handshake:
        """A protocol for one client connection over TLS."""
        return Handshake(self.clients, self.front, context, self._tasks)

    async def stop(self, grace: float) -> None:
        """Let what is in flight end within `grace` seconds, then end everything."""
        await self.clients.drain(grace)
        self.pools.retire_all()
        await self._tasks.cancel_all()
        self.wheel.stop()

    @property
    def in_flight(self) -> int:
        """Exchanges under way."""
        return self.clients.in_flight

    def status(self, route: str, upstream: Upstream) -> UpstreamStatus | None:
        """The state of one upstream for statistics, or None for an unknown route."""
        return self.routes.status(route, upstream)

    def bench(self, route: str, upstream: Upstream, seconds: float) -> None:
        """Bench one upstream of a route."""
        self.routes.bench(route, upstream, seconds)

    def unbench(self, route: str, upstream: Upstream) -> bool:
        """End the bench of one upstream of a route. False when it had none."""
        return self.routes.unbench(route, upstream)

    def held(self, route: str) -> int:
        """Exchanges of a route that wait now."""
        return self.routes.held(route)

    def _set_descriptors_free(self) -> None:
        """None is left for a connection to an upstream: idle ones, and the client that is idle longest, give way."""
        self.pools.close_idle()
        self.clients.evict()

    def _addresses(self, routes: tuple[Route, ...]) -> set[tuple[str, str]]:
        """Where requests may go, and whose it is."""
        upstreams = [upstream for route in routes for upstream in route.upstreams if upstream.in_rotation]
        used = {(upstream.address, upstream.container) for upstream in upstreams}
        used.update((handler, "") for handler in (HANDLER, *(handler for handler, _ in self.pages.live)))
        return used
