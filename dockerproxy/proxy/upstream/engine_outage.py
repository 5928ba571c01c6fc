"""EngineOutage: while the engine is away, who is still known to be who it was.

A container that ends meanwhile may lose its address to another one, whose answers would go to the wrong visitors; the
engine, which would tell, is not there. So an address is doubted as soon as its application refuses, resets or closes a
connection, and gets no new requests until the engine is back. One exception: servers close connections that have been
idle for a while. Then a new one is asked for at once: nobody else can be there within that moment. Where engine and
kernel both tell the link-layer address of who is there, each new connection is held to it, and that alone counts. It
decides nothing about routes.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from dockerproxy.proxy.upstream.close_reason import CloseReason
from dockerproxy.proxy.upstream.failure import AttemptError, Failure
from dockerproxy.proxy.upstream.http1 import UpstreamConnection
from dockerproxy.proxy.upstream.neighbours import hardware_of
from dockerproxy.proxy.upstream.pool import Pool

# No server closes a connection for idleness sooner, as far as is known.
_IDLE = 1.0  # seconds
# Shorter than a SYN takes to be sent a second time: the answer is about this moment.
_PATIENCE = 0.5  # seconds
_NOT_THERE = frozenset({Failure.REFUSED, Failure.UNREACHABLE, Failure.CONNECT_TIMEOUT})

# The address of a pool, and what speaks against it.
Doubt = Callable[[str, str], None]


class EngineOutage:
    """Watches pools while the engine is away.

    doubt:    is told the address that may be another's by now, and why
    expected: address -> the link-layer address of the container that was there, or ""
    """

    def __init__(self, doubt: Doubt, expected: Callable[[str], str]) -> None:
        self._doubt = doubt
        self._expected = expected
        self._suspected: set[str] = set()  # addresses; whoever is there has yet to show that it is who it was

    def __repr__(self) -> str:
        return f"<EngineOutage: {len(self._suspected)} suspected>"

    def begin(self) -> None:
        """The engine has gone away."""
        self._suspected.clear()

    def lost(self, pool: Pool, close_reason: CloseReason, rested: float, *, idle: bool) -> None:
        """As `Watch` says."""
        theirs = close_reason is not CloseReason.OURS
        # What a request finds on a connection may be the word of somebody who has never heard of it.
        told = theirs and (rested < _IDLE or (close_reason is CloseReason.RESET and not idle))
        if told and self._shows_who_it_is(pool.address):
            self._suspected.add(pool.address)
        elif told:
            self._doubt(pool.address, f"it {close_reason.value} a connection")
            return
        if (theirs or idle) and pool.size == 0 and not pool.retired:
            pool.request(_Witness(), _PATIENCE)

    def reached(self, pool: Pool, connection: UpstreamConnection) -> None:
        """As `Watch` says."""
        expected = self._expected(pool.address)
        found = hardware_of(connection.peer) if expected else ""
        if found and found == expected:
            self._suspected.discard(pool.address)
        elif found or pool.address in self._suspected:
            self._doubt(pool.address, f"a new connection led to {found or 'somebody'}, and it is {expected}")

    def _shows_who_it_is(self, address: str) -> bool:
        """Whether engine and kernel both tell the link-layer address of who is there, or was a moment ago."""
        return bool(self._expected(address) and hardware_of(urlsplit(address).hostname or ""))

    def not_reached(self, pool: Pool, error: AttemptError) -> None:
        """There was no connection to be had."""
        if error.failure in _NOT_THERE:
            self._doubt(pool.address, str(error))


class _Witness:
    """Asks for a connection that is wanted for nothing but its standing."""

    def connected(self, connection: UpstreamConnection) -> None:
        connection.rest()

    def connect_failed(self, error: AttemptError) -> None:
        """The pool has told of it."""
