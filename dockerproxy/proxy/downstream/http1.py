"""Front: one client connection, HTTP/1.1 (RFC 9112).

It takes requests off the wire one after the other, hands each to an exchange, and puts the answer on the wire. It
knows nothing of upstreams. A request that is not valid is answered here and never forwarded.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import cast

from dockerproxy.http1.framing import ChunkedDecoder, LengthDecoder
from dockerproxy.http1.head import MessageError, RequestHead, ResponseHead
from dockerproxy.http1.writer import switching_block
from dockerproxy.proxy.deadlines import NEVER, Timed
from dockerproxy.proxy.downstream.clients import Clients
from dockerproxy.proxy.downstream.closing import Ending
from dockerproxy.proxy.downstream.reply import Reply
from dockerproxy.proxy.downstream.request_reader import RequestReader
from dockerproxy.proxy.downstream.tunnelled import TunnelledClient
from dockerproxy.proxy.exchange.exchange import Exchange
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.flow import Valve
from dockerproxy.proxy.forwarding import Origin
from dockerproxy.proxy.record import Record
from dockerproxy.proxy.tunnel import Tunnel
from dockerproxy.routing.miss import Miss

# Pipelined requests wait here; no client in use sends more before it reads.
_MOST_PIPELINED = 64 << 10  # bytes
# What is answered at once, as a page of ours is, takes some 0.1 ms; one read may bring thousands.
_REQUESTS_AT_ONCE = 16


class Front(Timed, asyncio.Protocol):
    """One client connection; `exchange` is the request under way, or None, and `record` what is told of it."""

    __slots__ = (
        "_clients", "_ending", "_eof", "_full", "_head", "_in_loop", "_keep_alive", "_reader", "_reply",
        "exchange", "origin", "record", "transport", "valve",
    )  # fmt: skip

    def __init__(self, clients: Clients) -> None:
        super().__init__()
        self.exchange: Exchange | None = None
        self.record: Record | None = None
        self.transport: asyncio.Transport
        self.valve: Valve
        self.origin: Origin
        self._reply: Reply
        self._ending: Ending
        self._clients = clients
        self._reader = RequestReader()
        self._head: RequestHead | None = None
        # _full: the client's side takes no more.
        self._keep_alive = self._in_loop = self._eof = self._full = False

    def __repr__(self) -> str:
        return f"<Front for {self.origin.peer}: {self.exchange!r}>"

    # Called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.valve = Valve(self.transport)
        self._reply = Reply(self.transport, self._clients.date)
        self._ending = Ending(self.transport)
        self.origin = Origin.of(self.transport, self._clients.forwarding)
        if self._clients.admit(self):
            self._within(self._clients.limits.head_timeout)
        else:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if reader.body is not None:
            self._take_body(reader.body, data)
        elif self.exchange is not None or self._full:
            reader.unread += data  # pipelined
            if len(reader.unread) > _MOST_PIPELINED:
                self.valve.close()
        elif self._ending.lingering:
            self._ending.discard(data)
        else:
            checked = len(reader.unread)
            reader.unread = reader.unread + data if checked else data
            self._take_requests(checked)

    def eof_received(self) -> bool:
        """The client sends no more. It may still read: a half-close is served as long as bytes flow."""
        self._eof = True
        reads = self.transport.can_write_eof()  # TLS knows no half-close
        if self.exchange is None:
            # Pipelined requests wait until the client has read more.
            return reads and self._full and bool(self._reader.unread)
        if self._reader.body is not None or not reads:
            # RFC 9112 section 8: an incomplete request has no complete answer.
            self.exchange.client_lost()
            return False
        self._within(self._clients.limits.half_close_timeout)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._clients.wheel.forget(self)
        self._clients.leave(self)
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.client_lost()
        if self.record is not None:
            self.record.end(cut=True)

    def pause_writing(self) -> None:
        """The client reads slower than the upstream sends; it has to make progress all the same."""
        self._full = True
        if self.exchange is not None:
            self.exchange.client_full()
        self._ending.mark()
        self._within(self._clients.limits.stall_timeout)

    def resume_writing(self) -> None:
        self._full = False
        if self._reader.body is not None:
            self._within(self._clients.limits.stall_timeout)
        elif self._ending.lingering:
            self._within(self._ending.patience)
        elif not self._eof:
            self.deadline = NEVER
        if self.exchange is not None:
            self.exchange.client_drained()
        elif self._keep_alive and self._reader.body is None and not self.transport.is_closing():
            self.valve.open()
            self._go_on()

    def expired(self, now: float) -> None:
        """Nothing came, or nothing went, for too long."""
        exchange = self.exchange
        if self._ending.over:
            self._within(self._ending.patience)
            if not self._ending.still_sending():
                self._ending.finish()
        elif self._reader.body is not None and exchange is not None and not self._ending.begun and not self._full:
            self._check_body(exchange)
        elif exchange is not None or self._full or self._ending.begun:
            self._check_progress()  # half closed and silent, or a reader that does not read
        elif self._reader.unread:
            self._refuse("head_timeout")
        else:
            self._close()

    def _check_body(self, exchange: Exchange) -> None:
        """The body does not come; unless it is we who do not read, or the client waits for 100, that is its end."""
        body = exchange.request_body
        waits = exchange.head.expect and not self._reply.continued and not (body is not None and body.size)
        if self.valve.shut or waits:
            self._within(self._clients.limits.stall_timeout)
        else:
            self._keep_alive = False
            exchange.give_up("body_timeout")

    def _check_progress(self) -> None:
        """A slow reader is served as long as it reads at all."""
        if self._ending.progressed():
            self._within(self._clients.limits.half_close_timeout if self._eof else self._clients.limits.stall_timeout)
        else:
            self._ending.give_up()

    # Requests

    def _take_requests(self, checked: int = 0) -> None:
        """Begin requests as long as heads are there and nothing is under way; `checked` bytes were looked at before."""
        self._in_loop = True
        reader = self._reader
        left = _REQUESTS_AT_ONCE
        while reader.unread and self.exchange is None and not self._full:
            if not left:
                self._take_turns()
                break
            if self._ending.lingering or self.transport.is_closing() or not self._take_request(reader, checked):
                break
            checked = 0
            left -= 1
        self._in_loop = False

    def _take_turns(self) -> None:
        """Let all others have their turn before the next requests are begun."""
        if self._eof:  # whoever reads on would be told of the end once more
            asyncio.get_running_loop().call_soon(self._take_requests)
        else:
            self.valve.take_turns(self._take_requests)

    def _take_request(self, reader: RequestReader, checked: int) -> bool:
        """Begin the request that comes next. False when its head is not complete, or not good."""
        try:
            head = reader.head(checked, self._clients.request_parser)
        except MessageError as error:
            self._refuse(error.code)
            return False
        if head is None:
            self._wait_for_head()
            return False
        self._begin(head)
        return True

    def _wait_for_head(self) -> None:
        if self._eof:
            self.transport.close()
        elif self.deadline - time.monotonic() > self._clients.limits.head_timeout:
            self._within(self._clients.limits.head_timeout)

    def _begin(self, head: RequestHead) -> None:
        """Find the route and start an exchange."""
        clients = self._clients
        shared = clients.shared
        if self._eof:
            self._within(clients.limits.half_close_timeout)
        else:
            self.deadline = NEVER
        self._head = head
        self._reply.begun = self._reply.continued = False
        self._keep_alive = head.keep_alive and not clients.stopping
        clients.stats.requests += 1
        self.record = clients.record(head, self.origin) if clients.recorder is not None else None
        if head.loop:
            self._skip_body()
            shared.pages.show_unrouted(self, head, "loop")
            return
        routes = shared.routes
        found = routes.table.match(head.host, head.method, head.path)
        if isinstance(found, Miss):
            self._skip_body()
            shared.pages.show_not_found(self, head, found)
        else:
            self.run(head, routes.entries[found.name])

    def run(self, head: RequestHead, live: LiveRoute, error_code: str = "") -> None:
        """Let `live` answer the request; what has come of the body goes first, so that it is sent in one piece."""
        exchange = self.exchange = Exchange(self._clients.shared, self, head, live, error_code)
        reader = self._reader
        if reader.body is not None and reader.unread:
            self._take_body(reader.body, reader.take_all())
            if self.exchange is not exchange:
                return
        exchange.start()
        if reader.body is not None and self.exchange is exchange:
            self._within(self._clients.limits.stall_timeout)

    def _skip_body(self) -> None:
        """Take what has come of a body that nobody wants; when that is all, the connection stays in use."""
        if self._reader.skip_body():
            self._body_ended()

    def _refuse(self, code: str) -> None:
        """Answer a request that is not valid, and end the connection: nothing behind it can be trusted."""
        head = self._head = RequestHead("-", "-", 1)
        self.record = self._clients.record(head, self.origin)
        self._reader.swallow()
        self._reply.begun = self._keep_alive = False
        self._clients.shared.pages.show_unrouted(self, head, code)

    # The request's body

    def _take_body(self, body: ChunkedDecoder | LengthDecoder, data: bytes) -> None:
        """Give the exchange its part of `data`; what is behind the body waits."""
        exchange, reader = self.exchange, self._reader
        if exchange is None or reader.body is not body:
            self._ending.discard(data)
            return
        self.deadline = time.monotonic() + self._clients.limits.stall_timeout
        try:
            piece = body.feed(data)
        except MessageError as error:
            reader.swallow()
            self._keep_alive = False
            exchange.give_up(error.code)
            return
        if body.done:
            reader.end_body(body)
            self._body_ended()
        if piece:
            exchange.body(piece)
        if body.done:
            exchange.body_end(body.trailers)
        elif body.pending:
            self.valve.take_turns(partial(self._take_body, body, b""))

    def _body_ended(self) -> None:
        self._within(self._clients.limits.half_close_timeout if self._eof else NEVER)

    # Called by the exchange: the answer

    def interim(self, head: ResponseHead) -> None:
        """Send an interim answer."""
        self._reply.interim(head)

    def respond(self, head: ResponseHead, data: bytes, done: bool) -> None:
        """Send the answer's head with the first part of its body."""
        keep_alive = self._keep_alive
        if self._reader.body is not None or (self._eof and not self._reader.unread):
            keep_alive = False  # an early answer, whose request is not read to its end; or the client's last request
        elif self.exchange is None and not head.keep_alive:
            keep_alive = False  # an answer of ours, to a request that could not be understood
        if self.record is not None:
            self.record.status = head.status
            self.record.sent += len(data)
        self._keep_alive = self._reply.begin(self._head, head, data, done, keep_alive)
        self._sent(done)

    def send(self, data: bytes, done: bool, trailers: Sequence[bytes]) -> None:
        """Send the next part of the answer's body."""
        if self.record is not None:
            self.record.sent += len(data)
        self._reply.send(data, done, trailers)
        self._sent(done)

    def _sent(self, done: bool) -> None:
        if self._eof:
            self._within(self._clients.limits.half_close_timeout)
        if done:
            self._finish()

    def tunnel(self, tunnel: Tunnel, head: ResponseHead, data: bytes) -> None:
        """Switch protocols: from now on bytes are relayed, and this connection is another's."""
        self.transport.write(switching_block(head) + data)
        self.valve.open()  # before what is buffered is sent, which may be too much already
        self._clients.wheel.forget(self)
        tunnelled = TunnelledClient(self._clients, tunnel, self.exchange, self.origin, self.record)
        self._clients.replace(self, tunnelled)
        self.transport.set_protocol(tunnelled)
        tunnelled.begin(self._reader.take_all(), ended=self._eof)

    def abort(self) -> None:
        """End the connection so that the client sees that the answer is not whole."""
        if self._reply.break_off():
            self._close()

    def shut_down(self) -> None:
        """The proxy stops: close when nothing is under way, be it a part of a head, else after the answer."""
        self._keep_alive = False
        busy = self.exchange is not None or self._ending.lingering
        if not busy and (self._full or not self._reader.unread) and not self._ending.close():
            self._ending.lingering = True  # over TLS the client is to say goodbye, too
            self._within(self._ending.patience)

    # Between requests

    @property
    def idle_since(self) -> float | None:
        """Since when there is nothing, or only a part of a head; None while a request is under way."""
        busy = self.exchange is not None or self._full or self._reader.body is not None
        if busy or self._ending.begun or self.deadline == NEVER:
            return None
        limits = self._clients.limits
        answered = self._reply.begun and not self._reader.unread
        return self.deadline - (limits.idle_timeout if answered else limits.head_timeout)

    def evict(self) -> None:
        """Leave at once, for somebody else."""
        self.transport.abort()

    def _finish(self) -> None:
        """The answer is on its way: go on to the next request, or end the connection."""
        self.exchange = self._head = None  # a head may be large, and an idle connection lasts
        if self.record is not None:
            self.record.end()
            self.record = None
        if not self._keep_alive or (self._eof and not self._reader.unread):
            self._end_connection()
        elif not self._full:
            self._go_on()

    def _go_on(self) -> None:
        self._within(self._clients.limits.idle_timeout)
        if self._reader.unread and not self._in_loop:
            self._take_requests()

    def _within(self, seconds: float) -> None:
        """Something has to happen within `seconds`, else `expired` is called."""
        self._clients.wheel.schedule(self, time.monotonic() + seconds)

    def _end_connection(self) -> None:
        """Close; but let a client that may still be sending read the answer first (over TLS, closing lets it)."""
        if self._eof or (self._reader.body is None and not self.transport.can_write_eof()):
            self._close()
            return
        self._ending.linger(self._reader.left)
        self._reader.clear()
        self.valve.open()
        self._within(self._ending.patience)

    def _close(self) -> None:
        """Close once everything is sent, as long as the client takes it."""
        self._ending.close()
        self._within(self._clients.limits.stall_timeout)
