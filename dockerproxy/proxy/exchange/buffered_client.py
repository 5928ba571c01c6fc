"""BufferedClient: takes the answer of an exchange behind a gate, for code that waits for it instead of a connection.

What has come and was not taken yet is bounded, in both directions: whoever is too fast has to wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence

from dockerproxy.http1.head import RequestHead, ResponseHead
from dockerproxy.proxy.exchange.exchange import Exchange
from dockerproxy.proxy.exchange.gate import AtGate
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.exchange.shared import Shared
from dockerproxy.proxy.flow import MOST_UNSENT, Valve
from dockerproxy.proxy.forwarding import Origin
from dockerproxy.proxy.tunnel import Tunnel


class BrokenAnswer(Exception):
    """The answer broke off, and never becomes whole."""


class _Source(asyncio.Transport):
    """Where the request's body comes from, as a valve sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.flows = asyncio.Event()
        self.flows.set()

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.flows.clear()

    def resume_reading(self) -> None:
        self.flows.set()


class BufferedClient:
    """One request behind a gate, and its answer.

    outer:    the exchange that waits at the gate
    origin:   where the request comes from
    trailers: field lines behind the answer's body, once it has ended
    """

    def __init__(self, shared: Shared, outer: AtGate, origin: Origin) -> None:
        client = outer.passage.client
        self._source = _Source()
        self.transport: asyncio.Transport = self._source
        self.valve = Valve(self.transport)
        self.origin = origin
        self.record = client.record
        self.trailers: Sequence[bytes] = ()
        self._shared = shared
        self._outer = outer
        self._exchange: Exchange | None = None  # as long as somebody takes its answer
        self._head: asyncio.Future[ResponseHead] = shared.loop.create_future()
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._ended = self._broken = self._full = False
        self._waiter: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        return f"<BufferedClient with {self._size} bytes of {self._exchange!r}>"

    # Called by the gate

    def begin(
        self, head: RequestHead, body: bytes, *, whole: bool, limit: int | None, withheld: Collection[str]
    ) -> None:
        """Begin the exchange on the route itself.

        body:  what has come of the request's body; `whole` when that is all
        limit: most bytes that it may have beside what the route says, or None
        withheld: names of fields that may not stand behind it
        """
        exchange = self._exchange = Exchange(self._shared, self, head, self._outer.passage.behind)
        if exchange.request_body is not None:
            exchange.request_body.allow(limit)
            exchange.request_body.withheld = withheld
        if body:
            exchange.body(body)
        if whole:
            self.end_body()
        exchange.start()

    async def add_body(self, data: bytes) -> None:
        """The next part of the request's body; returns when more may come."""
        if self._exchange is not None:
            self._exchange.body(data)
        await self._source.flows.wait()

    def end_body(self) -> None:
        """The request's body is complete; its trailers have not come this way."""
        body = self._outer.request_body
        if self._exchange is not None:
            self._exchange.body_end(body.trailers if body is not None else ())

    async def head(self) -> ResponseHead:
        """The head of the answer."""
        return await self._head

    async def piece(self) -> bytes:
        """The next part of the answer's body, b"" at its end. Raises BrokenAnswer."""
        while not self._pieces and not self._ended:
            if self._broken:
                raise BrokenAnswer
            self._waiter = self._shared.loop.create_future()
            await self._waiter
        data = self._take()
        if self._full:
            self._full = False
            if self._exchange is not None:
                self._exchange.client_drained()
        return data

    def whole(self) -> bytes | None:
        """The answer's body when nothing else is to come, else None; then it is no longer to be asked for."""
        return self._take() if self._ended and not self.trailers else None

    @property
    def over(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self._ended or self._broken or self._exchange is None

    def leave(self) -> None:
        """Nobody takes the rest."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.client_lost()
        self._head.cancel()

    def addresses_lost(self, lost: Collection[tuple[str, str]]) -> None:
        """As an exchange is told."""
        if self._exchange is not None:
            self._exchange.addresses_lost(lost)

    # Called by the exchange, see Client

    def run(self, head: RequestHead, live: LiveRoute, error_code: str = "") -> None:
        """An exchange that asks for an error page, in the place of the one before."""
        self._exchange = Exchange(self._shared, self, head, live, error_code)
        self._exchange.start()

    def interim(self, head: ResponseHead) -> None:
        """Past the gate: it concerns nobody there."""
        self._outer.interim(head)

    def respond(self, head: ResponseHead, data: bytes, done: bool) -> None:
        if not self._head.done():
            self._head.set_result(head)
        self.send(data, done, ())

    def send(self, data: bytes, done: bool, trailers: Sequence[bytes]) -> None:
        self.trailers = trailers
        if data:
            self._pieces.append(data)
            self._size += len(data)
        self._ended = done
        if self._size > MOST_UNSENT and not done and self._exchange is not None:
            self._full = True
            self._exchange.client_full()
        self._wake()

    def tunnel(self, tunnel: Tunnel, head: ResponseHead, data: bytes) -> None:
        """Never: what may become a tunnel is passed on by the gate."""
        raise AssertionError("a tunnel behind a gate")

    def abort(self) -> None:
        self._broken = True
        self._wake()

    def _take(self) -> bytes:
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return data

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
