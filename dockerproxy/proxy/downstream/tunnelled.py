"""TunnelledClient: a client connection after an upgrade: what comes over it is no HTTP any more (RFC 9110 section 7.8).

It takes the place of a Front, as the protocol of the same transport, and only passes on; what a tunnel is,
`proxy.tunnel` says.
"""

from __future__ import annotations

import asyncio
import time

from dockerproxy.proxy.deadlines import Timed
from dockerproxy.proxy.downstream.clients import Clients, UnderWay
from dockerproxy.proxy.forwarding import Origin
from dockerproxy.proxy.record import Record
from dockerproxy.proxy.tunnel import Tunnel


class TunnelledClient(Timed, asyncio.Protocol):
    """The client's end of `tunnel`; `exchange` is the request that asked for the upgrade."""

    __slots__ = ("_clients", "_record", "exchange", "origin", "transport", "tunnel")

    # Since when it is idle: never. Silence in a tunnel is the tunnel's own business.
    idle_since: float | None = None

    def __init__(
        self, clients: Clients, tunnel: Tunnel, exchange: UnderWay | None, origin: Origin, record: Record | None
    ) -> None:
        super().__init__()
        self.tunnel = tunnel
        self.transport = tunnel.client
        self.exchange = exchange
        self.origin = origin
        self._clients = clients
        self._record = record

    def __repr__(self) -> str:
        return f"<TunnelledClient for {self.origin.peer}>"

    def begin(self, data: bytes, *, ended: bool) -> None:
        """Pass on what came behind the request; `ended` when the client sends no more than that."""
        self.tunnel.from_client(data)
        if ended:
            self.tunnel.ended(self.tunnel.upstream)
        self.expired(time.monotonic())

    # Called by asyncio

    def data_received(self, data: bytes) -> None:
        self.tunnel.from_client(data)

    def eof_received(self) -> bool:
        self.tunnel.ended(self.tunnel.upstream)
        return self.transport.can_write_eof()  # TLS knows no half-close

    def connection_lost(self, error: Exception | None) -> None:
        self._clients.wheel.forget(self)
        self._clients.leave(self)
        self.exchange = None
        self.tunnel.close()
        if self._record is not None:
            self._record.end()

    def pause_writing(self) -> None:
        self.tunnel.upstream_valve.close()

    def resume_writing(self) -> None:
        self.tunnel.upstream_valve.open()

    def expired(self, now: float) -> None:
        """Look whether it has been silent for too long, and when to look again."""
        self._clients.wheel.schedule(self, self.tunnel.watch(now))

    # Called by the clients

    def shut_down(self) -> None:
        """The proxy stops: a tunnel goes on as long as the grace lasts."""

    def evict(self) -> None:
        """Leave at once, for somebody else."""
        self.transport.abort()
