"""Client: the front, as an exchange sees it. A front for another version of HTTP is one more class like this."""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from dockerproxy.http1.head import ResponseHead
from dockerproxy.proxy.flow import Valve
from dockerproxy.proxy.forwarding import Origin
from dockerproxy.proxy.record import Record
from dockerproxy.proxy.tunnel import Tunnel

if TYPE_CHECKING:
    from dockerproxy.proxy.exchange.exchange import Exchange


class Client(Protocol):
    """Whoever sent the request and takes the answer: a head and two streams of bytes.

    record: of the request under way, where records are taken
    """

    transport: Transport
    valve: Valve
    origin: Origin
    record: Record | None

    def run(self, exchange: Exchange) -> None:
        """Let `exchange` answer the request under way."""

    def interim(self, head: ResponseHead) -> None:
        """Send an interim answer."""

    def respond(self, head: ResponseHead, data: bytes, done: bool) -> None:
        """Send the answer's head with the first part of its body; `done` when that is all."""

    def send(self, data: bytes, done: bool, trailers: Sequence[bytes]) -> None:
        """Send the next part of the answer's body."""

    def tunnel(self, tunnel: Tunnel, head: ResponseHead, data: bytes) -> None:
        """Switch protocols: from now on bytes are relayed."""

    def abort(self) -> None:
        """End the connection so that the client sees that the answer is not whole."""
