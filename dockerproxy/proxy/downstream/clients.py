"""Clients: all client connections, and what they have in common: limits, the parser of heads, the routes.

It counts them, so that there are not too many, and knows when the last one has gone. It never looks at a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from typing import NamedTuple, Protocol

from dockerproxy.http1.field_lines import Limits
from dockerproxy.http1.head import RequestHead
from dockerproxy.http1.request_parser import RequestParser
from dockerproxy.process import descriptors
from dockerproxy.proxy.deadlines import Wheel
from dockerproxy.proxy.downstream.client_limit import ClientLimit, Evictable, places
from dockerproxy.proxy.downstream.date_field import DateField
from dockerproxy.proxy.exchange.shared import Shared
from dockerproxy.proxy.forwarding import Forwarding, Origin
from dockerproxy.proxy.record import Record, Recorder
from dockerproxy.settings.model import Settings
from dockerproxy.settings.options import DEFAULT_STALL_TIMEOUT
from dockerproxy.stats import ProxyStats


class ClientLimits(NamedTuple):
    """Bounds on clients; times in seconds."""

    head: Limits
    head_timeout: float
    stall_timeout: float
    idle_timeout: float
    half_close_timeout: float

    @classmethod
    def of(cls, settings: Settings) -> ClientLimits:
        """The bounds that the settings give."""
        return cls(
            Limits(settings.head_size, settings.head_fields, settings.target_size),
            settings.head_timeout,
            settings.stall_timeout or DEFAULT_STALL_TIMEOUT,  # it is for streams; a client has to read and to send
            settings.idle_timeout,
            settings.half_close_timeout,
        )


class UnderWay(Protocol):
    """A request under way."""

    def addresses_lost(self, lost: Collection[tuple[str, str]]) -> None:
        """These addresses, each with the id of its container, are not that container's any more."""


class ClientConnection(Evictable, Protocol):
    """One client connection, as all of them together see it."""

    transport: asyncio.Transport
    origin: Origin

    @property
    def exchange(self) -> UnderWay | None:
        """The request under way."""

    def shut_down(self) -> None:
        """The proxy stops: close as soon as nothing is under way."""


class Clients:
    """The client connections.

    shared:     what their exchanges use
    connected:  the connections
    handshakes: those under way
    stopping:   whether the proxy stops
    recorder:   takes a record of each request for the access log, or None
    """

    def __init__(
        self, settings: Settings, identity: bytes, shared: Shared, wheel: Wheel, stats: ProxyStats,
        recorder: Recorder | None,
    ) -> None:  # fmt: skip
        self.shared = shared
        self.wheel = wheel
        self.stats = stats
        self.recorder = recorder
        self.date = DateField()
        self.connected: set[ClientConnection] = set()
        self.handshakes: set[Evictable] = set()
        self.stopping = False
        self._identity = identity
        self._client_limit = ClientLimit(stats)
        self._all_gone: asyncio.Future[None] | None = None
        self.configure(settings)

    def __repr__(self) -> str:
        return f"<Clients: {len(self.connected)} connected, {len(self.handshakes)} shaking hands>"

    # Called by the data plane

    def configure(self, settings: Settings) -> None:
        """Take new limits, and who is trusted."""
        self.limits = ClientLimits.of(settings)
        self.stats.connections_limit = min(settings.max_clients, places(descriptors.limit()))
        self.request_parser = RequestParser(self.limits.head, self._identity)
        self.forwarding = Forwarding(settings.trusted_proxies, self._identity)
        for connection in self.connected:
            connection.origin = Origin.of(connection.transport, self.forwarding)

    async def drain(self, grace: float) -> None:
        """Take no new ones, let what is in flight end within `grace` seconds, then end all."""
        self.stopping = True
        for connection in list(self.connected):
            connection.shut_down()
        if self.connected and grace > 0:
            self._all_gone = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._all_gone], timeout=grace)
        for connection in list(self.connected):
            connection.transport.abort()

    @property
    def in_flight(self) -> int:
        """Exchanges under way."""
        return sum(connection.exchange is not None for connection in self.connected)

    def evict(self) -> None:
        """Close the connection that has been idle longest, if any is."""
        self._client_limit.evict(self._evictables)

    def addresses_lost(self, lost: Collection[tuple[str, str]]) -> None:
        """Nobody answers from these addresses any more, each with the id of its container."""
        for connection in list(self.connected):
            if connection.exchange is not None:
                connection.exchange.addresses_lost(lost)

    # Called by connections and handshakes

    def begin(self, handshake: Evictable) -> bool:
        """Count a handshake among the clients. False when there are too many, or the proxy stops."""
        if not self._has_room(1):
            return False
        self.handshakes.add(handshake)
        return True

    def admit(self, connection: ClientConnection) -> bool:
        """Count a new connection. False when there are too many, or the proxy stops."""
        self.connected.add(connection)
        self.stats.connections = len(self.connected)
        self.stats.connections_total += 1
        return self._has_room(-1 if connection.origin.secure else 0)  # its own handshake is still counted

    def replace(self, connection: ClientConnection, other: ClientConnection) -> None:
        """The same client, in the hands of `other` from now on."""
        self.connected.discard(connection)
        self.connected.add(other)

    def leave(self, connection: ClientConnection) -> None:
        """A connection has ended."""
        self.connected.discard(connection)
        self.stats.connections = len(self.connected)
        if self._all_gone is not None and not self.connected and not self._all_gone.done():
            self._all_gone.set_result(None)

    def record(self, head: RequestHead, origin: Origin) -> Record | None:
        """A record of a request that begins, where records are taken; its upstream is told its name as well."""
        if self.recorder is None:
            return None
        self.shared.pages.ids.send_along(head)
        return Record(self.recorder, head, origin.address(head))

    def _has_room(self, more: int) -> bool:
        if self.stopping:
            return False
        if len(self.connected) + len(self.handshakes) + more <= self.stats.connections_limit:
            return True
        return self._client_limit.make(self._evictables)

    def _evictables(self) -> Iterator[Evictable]:
        yield from self.connected
        yield from self.handshakes
