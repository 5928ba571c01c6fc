"""Client: the front, as an exchange sees it. A front for another version of HTTP is one more class like this."""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Sequence
from typing import Protocol

from dockerproxy.http1.head import RequestHead, ResponseHead
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.flow import Valve
from dockerproxy.proxy.forwarding import Origin
from dockerproxy.proxy.record import Record
from dockerproxy.proxy.tunnel import Tunnel


class Client(Protocol):
    """Whoever sent the request and takes the answer: a head and two streams of bytes.

    record: of the request under way, where records are taken
    """

    transport: Transport
    valve: Valve
    origin: Origin
    record: Record | None

    def run(self, head: RequestHead, live: LiveRoute, error_code: str = "") -> None:
        """Let `live` answer the request under way, which is `head` to it.

        error_code: what the page is about, where it is asked for an error page
        """

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
