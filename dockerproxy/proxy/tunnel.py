"""Tunnel: bytes both ways after an upgrade, until both sides have ended (RFC 9110 section 7.8).

Each side may end its direction alone; the other direction goes on.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import Transport
from collections.abc import Callable

from dockerproxy.proxy.deadlines import NEVER
from dockerproxy.proxy.flow import Valve
from dockerproxy.proxy.keepalive import TUNNEL, bound_unacknowledged, probe

# How long a side that does not read may keep its connection when the tunnel is closed: it has yet to take 64 KiB.
_LAST_WORDS = 60.0  # seconds


class Tunnel:
    """Two transports, joined.

    closed:  called once, when both directions have ended
    timeout: seconds it may be silent in both directions, or None for any time
    """

    __slots__ = ("_ended", "_last", "_on_closed", "_timeout", "client", "client_valve", "upstream", "upstream_valve")

    def __init__(
        self,
        client: Transport,
        upstream: Transport,
        valves: tuple[Valve, Valve],
        closed: Callable[[], None],
        timeout: float | None,
    ) -> None:
        self._timeout = timeout
        self._last = time.monotonic()
        self.client = client
        self.upstream = upstream
        self.client_valve, self.upstream_valve = valves
        self._on_closed: Callable[[], None] | None = closed
        self._ended = 0
        for transport in (client, upstream):
            probe(transport, TUNNEL)
        bound_unacknowledged(upstream, 0)  # it may read nothing for a while

    def from_client(self, data: bytes) -> None:
        """Bytes that the client sent."""
        self._last = time.monotonic()
        self.upstream.write(data)

    def from_upstream(self, data: bytes) -> None:
        """Bytes that the upstream sent."""
        self._last = time.monotonic()
        self.client.write(data)

    def watch(self, now: float) -> float:
        """Close it if it has been silent for too long; else, when to look again, in monotonic seconds."""
        if self._timeout is None:
            return NEVER
        if now < self._last + self._timeout:
            return self._last + self._timeout
        self.close()
        return NEVER

    def ended(self, other: Transport) -> None:
        """One side will send no more; `other` is told so."""
        self._ended += 1
        if self._ended >= 2:
            self.close()
        elif other.can_write_eof():
            if not other.is_closing():
                other.write_eof()
        else:  # TLS knows no half-close
            self.close()

    def close(self) -> None:
        """End both directions."""
        for transport in (self.client, self.upstream):
            if not transport.is_closing():  # one over TLS that is closed twice can be asked nothing any more
                if transport.get_write_buffer_size():
                    asyncio.get_running_loop().call_later(_LAST_WORDS, transport.abort)
                transport.close()
        on_closed, self._on_closed = self._on_closed, None
        if on_closed is not None:
            on_closed()
