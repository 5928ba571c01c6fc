"""UpstreamConnection: one connection to one upstream.

It sends one request at a time and takes the answer apart; what comes is told to the exchange at once, as far as it
has come. It never decides whether to try again, and never sees the client.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

from dockerproxy.http1.framing import ChunkedDecoder, encode_chunk, encode_end
from dockerproxy.http1.head import CHUNKED, UNTIL_CLOSE, MessageError, ResponseHead
from dockerproxy.http1.previous import PreviousResponse
from dockerproxy.http1.response_parser import ResponseParser
from dockerproxy.proxy.deadlines import NEVER, Timed, Wheel
from dockerproxy.proxy.flow import Valve
from dockerproxy.proxy.upstream.failure import AttemptError, Failure

if TYPE_CHECKING:
    from dockerproxy.proxy.tunnel import Tunnel
    from dockerproxy.proxy.upstream.pool import Pool

# Longer than browsers pause between clicks; most application servers close earlier themselves.
IDLE_TIMEOUT = 60.0  # seconds
# A request that must not be sent twice does not go over a connection that may be dying: servers close idle
# connections without asking, and some do so after two seconds.
FRESH_ENOUGH = 1.0  # seconds of idleness
_MOST_UNREAD = 64 << 10  # bytes; enough for any words of refusal
# 102 and 103 come once or twice; more is an upstream gone wild.
_MOST_INTERIM = 32  # interim answers to one request

_HEAD, _LENGTH, _CHUNKS, _UNTIL_CLOSE = range(4)


class Answering(Protocol):
    """The exchange, as the connection sees it."""

    def interim(self, head: ResponseHead) -> None: ...
    def answered(self, head: ResponseHead, data: bytes, done: bool) -> None: ...
    def received(self, data: bytes, done: bool, trailers: Sequence[bytes]) -> None: ...
    def upgraded(self, head: ResponseHead, data: bytes) -> None: ...
    def failed(self, error: AttemptError) -> None: ...
    def upstream_full(self) -> None: ...
    def upstream_drained(self) -> None: ...


class UpstreamConnection(Timed, asyncio.Protocol):
    """One connection; `exchange` is whom it works for, or None while it is idle.

    counted: whether the pool counts it as open
    lost:    whether it has ended
    """

    __slots__ = (
        "_buffer", "_decoder", "_full", "_idle_since", "_interim", "_keep_alive", "_parser", "_previous", "_remaining",
        "_request_chunked", "_request_open", "_response_timeout", "_stall_timeout", "_state", "_without_body",
        "_wheel", "counted", "exchange", "lost", "pool", "transport", "tunnel", "valve",
    )  # fmt: skip

    def __init__(self, pool: Pool, parser: ResponseParser, wheel: Wheel) -> None:
        super().__init__()
        self.pool = pool
        self.exchange: Answering | None = None
        self.tunnel: Tunnel | None = None
        self.transport: asyncio.Transport
        self.valve: Valve
        self._idle_since = 0.0  # 0 as long as it has never been idle
        self._parser = parser
        self._previous = PreviousResponse()
        self._wheel = wheel
        self._buffer = b""
        self._decoder: ChunkedDecoder | None = None
        self.lost = self.counted = False
        self._keep_alive = True
        self._state = _HEAD
        self._remaining = self._interim = 0
        self._without_body = self._request_chunked = self._request_open = self._full = False
        self._response_timeout = self._stall_timeout = 0.0

    def __repr__(self) -> str:
        doing = "idle" if self.exchange is None else "answering"
        return f"<UpstreamConnection to {self.pool.address}: {doing}>"

    # Called by the exchange

    def begin(self, exchange: Answering, timeouts: tuple[float, float], *, without_body: bool) -> None:
        """Work for `exchange` from now on.

        timeouts:     seconds until the response head, and without a byte in the body
        without_body: the answer has no body whatever it says, for the request is HEAD
        """
        self.exchange = exchange
        self.deadline = NEVER
        self._state = _HEAD
        self._buffer, self._decoder = b"", None
        self._interim = 0
        self._keep_alive = True
        self._without_body = without_body
        self._response_timeout, self._stall_timeout = timeouts

    def send(self, block: bytes) -> None:
        """Send a request without a body."""
        self._request_open = False
        self._wheel.schedule(self, time.monotonic() + self._response_timeout)
        self.transport.write(block)

    def send_with_body(self, block: bytes, body: bytes, *, chunked: bool, expect: bool) -> None:
        """Send a head and what is known of the body; `send_body` and `end_body` follow.

        expect: whether the client waits for the upstream's 100 (Continue)
        """
        self._request_open = True
        self._request_chunked = chunked
        if body:
            block += encode_chunk(body) if chunked else body
        if expect:
            self._wheel.schedule(self, time.monotonic() + self._response_timeout)
        self.transport.write(block)

    def send_body(self, data: bytes) -> None:
        """Send the next part of the request's body. As long as it flows, time is the client's matter."""
        if self._state == _HEAD and not self._full:
            self.deadline = NEVER
        if self._request_chunked:
            self.transport.writelines([b"%x\r\n" % len(data), data, b"\r\n"])
        else:
            self.transport.write(data)

    def end_body(self, trailers: Sequence[bytes]) -> None:
        """The request's body is complete."""
        self._request_open = False
        if self._request_chunked:
            self.transport.write(encode_end(trailers))
        if self._state == _HEAD:
            self._wheel.schedule(self, time.monotonic() + self._response_timeout)

    def join(self, tunnel: Tunnel) -> None:
        """Relay bytes from now on; no deadline holds, and the connection is not used again."""
        self.exchange = None
        self.tunnel = tunnel
        self._wheel.forget(self)
        self.pool.detach(self)

    def rest(self) -> None:
        """Wait in the pool for the next request. From now on the other end may close it at any moment."""
        self._idle_since = time.monotonic()
        self._wheel.schedule(self, self._idle_since + IDLE_TIMEOUT)
        self.pool.release(self)

    def leave(self) -> None:
        """The exchange needs no more of this answer: the connection cannot be used again."""
        self.exchange = None
        self.close()

    def close(self) -> None:
        """Close at once; whatever was still to be sent is dropped."""
        self.transport.abort()

    def discard(self) -> None:
        """Close a connection that was not wanted any longer by the time it was made."""
        transport = getattr(self, "transport", None)
        if transport is not None:
            transport.abort()

    def usable(self, now: float, *, repeatable: bool) -> bool:
        """Whether an idle connection may carry one more request, as far as this side can know.

        repeatable: whether the request may be sent a second time, should the connection be dying
        """
        if self.lost or self.transport.is_closing():
            return False
        return repeatable or now - self._idle_since < FRESH_ENOUGH

    # Called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.valve = Valve(self.transport)

    def data_received(self, data: bytes) -> None:
        if self.tunnel is not None:
            self.tunnel.from_upstream(data)
        elif self.exchange is None:
            self.close()  # RFC 9112 section 9.2: an answer that nobody asked for belongs to nobody
        elif self._state == _HEAD:
            self._head(self.exchange, self._buffer + data if self._buffer else data)
        else:
            self._wheel.schedule(self, time.monotonic() + self._stall_timeout)
            self._body(self.exchange, data)

    def eof_received(self) -> bool:
        if self.tunnel is not None:
            self.tunnel.ended(self.tunnel.client)
            return self.transport.can_write_eof()  # TLS knows no half-close
        self.close()  # what is still to be sent, nobody will read
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None and self.exchange is not None:
            self._take_unread()
        self.lost = True
        self._wheel.forget(self)
        exchange, self.exchange = self.exchange, None
        self.pool.lost(self, idle=exchange is None)
        if self.tunnel is not None:
            self.tunnel.close()
        elif exchange is None:
            return
        elif self._state == _UNTIL_CLOSE and error is None:
            exchange.received(b"", True, [])
        else:
            exchange.failed(self._loss(error))

    def pause_writing(self) -> None:
        if self.tunnel is not None:
            self.tunnel.client_valve.close()
        elif self.exchange is not None:
            self._full = True
            self._wheel.schedule(self, time.monotonic() + self._stall_timeout)
            self.exchange.upstream_full()

    def resume_writing(self) -> None:
        if self.tunnel is not None:
            self.tunnel.client_valve.open()
        elif self.exchange is not None:
            self._full = False
            if self._request_open and self._state == _HEAD:
                self.deadline = NEVER
            self.exchange.upstream_drained()

    def expired(self, now: float) -> None:
        exchange = self.exchange
        if exchange is None:
            self.close()
            return
        if self.valve.shut:  # the client is the slow one, and the front watches it
            self._wheel.schedule(self, now + self._stall_timeout)
            return
        failure = Failure.TIMEOUT if self._state == _HEAD else Failure.STALLED
        limit = self._response_timeout if self._state == _HEAD else self._stall_timeout
        self._fail(exchange, AttemptError(failure, f"{limit:g} s"))

    # Taking the answer apart

    def _head(self, exchange: Answering, data: bytes) -> None:
        """Take heads from `data` until one is final or `data` is used up."""
        while True:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._partial(exchange, data)
                return
            try:
                head = self._parser.parse(data[:end], self._previous)
            except MessageError as error:
                self._fail(exchange, AttemptError(Failure.MALFORMED, error.detail))
                return
            data = data[end + 4 :]
            if head.status >= 200:
                self._final(exchange, head, data)
                return
            if head.status == 101:
                exchange.upgraded(head, data)
                return
            self._interim += 1
            if self._interim > _MOST_INTERIM:
                self._fail(exchange, AttemptError(Failure.MALFORMED, f"more than {_MOST_INTERIM} interim answers"))
                return
            exchange.interim(head)
            if self.exchange is not exchange:
                return

    def _partial(self, exchange: Answering, data: bytes) -> None:
        """Keep an unfinished head, unless it is one that will never be good."""
        self._buffer = data
        if len(data) > self._parser.limits.size:
            detail = f"its head is larger than {self._parser.limits.size} bytes"
            self._fail(exchange, AttemptError(Failure.MALFORMED, detail))
        elif data and not b"HTTP/1.".startswith(data[:7]):
            self._fail(exchange, AttemptError(Failure.MALFORMED, f"not HTTP/1.1: {data[:20]!r}"))

    def _final(self, exchange: Answering, head: ResponseHead, data: bytes) -> None:
        """Begin the answer: what of `data` is body, and whether that is all of it."""
        if self._without_body or head.status in (204, 304):
            # A 204 that tells of a body all the same (RFC 9110 section 8.6 forbids it) may send it, for nobody to take.
            announced = head.status == 204 and head.length not in (0, UNTIL_CLOSE)
            head.length = 0
            self._end(head.keep_alive and not data and not announced)
            exchange.answered(head, b"", True)
        elif head.length >= 0:
            self._state, self._remaining = _LENGTH, head.length - len(data)
            if self._remaining <= 0:
                self._end(head.keep_alive and not self._remaining)
                exchange.answered(head, data[: head.length] if self._remaining else data, True)
            else:
                self._relay_head(exchange, head, data)
        elif head.length == CHUNKED:
            self._chunked(exchange, head, data)
        else:
            self._state = _UNTIL_CLOSE
            self._relay_head(exchange, head, data)

    def _relay_head(self, exchange: Answering, head: ResponseHead, data: bytes) -> None:
        self._keep_alive = head.keep_alive
        self._wheel.schedule(self, time.monotonic() + self._stall_timeout)
        exchange.answered(head, data, False)

    def _chunked(self, exchange: Answering, head: ResponseHead, data: bytes) -> None:
        decoder = self._decoder = ChunkedDecoder()
        self._state = _CHUNKS
        try:
            piece = decoder.feed(data)
        except MessageError as error:
            self._fail(exchange, AttemptError(Failure.MALFORMED, error.detail))
            return
        if decoder.done and not decoder.trailers:
            self._end(head.keep_alive and not decoder.rest)
            exchange.answered(head, piece, True)
        elif decoder.done:
            exchange.answered(head, piece, False)
            if self.exchange is exchange:  # it may have left, to try another upstream
                self._end(head.keep_alive and not decoder.rest)
                exchange.received(b"", True, decoder.trailers)
        else:
            self._relay_head(exchange, head, piece)
            self._take_turns(decoder)

    def _body(self, exchange: Answering, data: bytes) -> None:
        """The next part of the body."""
        if self._state == _LENGTH:
            self._remaining -= len(data)
            if self._remaining > 0:
                exchange.received(data, False, [])
                return
            excess = -self._remaining
            self._end(not excess)
            exchange.received(data[: len(data) - excess] if excess else data, True, [])
        elif self._decoder is not None:
            self._chunks(exchange, self._decoder, data)
        else:
            exchange.received(data, False, [])

    def _chunks(self, exchange: Answering, decoder: ChunkedDecoder, data: bytes) -> None:
        try:
            piece = decoder.feed(data)
        except MessageError as error:
            self._fail(exchange, AttemptError(Failure.MALFORMED, error.detail))
            return
        if decoder.done:
            self._end(not decoder.rest)
            exchange.received(piece, True, decoder.trailers)
        else:
            if piece:
                exchange.received(piece, False, [])
            self._take_turns(decoder)

    def _take_turns(self, decoder: ChunkedDecoder) -> None:
        if decoder.pending:
            self.valve.take_turns(partial(self._next_turn, decoder))

    def _next_turn(self, decoder: ChunkedDecoder) -> None:
        if self.exchange is not None and self._decoder is decoder:
            self._chunks(self.exchange, decoder, b"")

    def _end(self, reusable: bool) -> None:
        """The answer is complete. Give the connection back, or close it."""
        self.exchange = None
        self.valve.open()
        if not (reusable and self._keep_alive) or self._request_open or self._full or self.transport.is_closing():
            self.close()
        else:
            self.rest()

    def _fail(self, exchange: Answering, error: AttemptError) -> None:
        self.exchange = None
        self._wheel.forget(self)
        self.close()
        exchange.failed(error)

    def _take_unread(self) -> None:
        """Take what came before it broke: whoever refuses a body may answer, and close without reading it."""
        if self.transport.get_extra_info("ssl_object") is None:
            with contextlib.suppress(OSError):
                data = os.read(self.transport.get_extra_info("socket").fileno(), _MOST_UNREAD)
                if data:
                    self.data_received(data)

    def _loss(self, error: Exception | None) -> AttemptError:
        """Why the connection ended, seen from the exchange that was under way."""
        detail = str(error) if error is not None else ""
        if self._state != _HEAD:
            return AttemptError(Failure.CUT, detail)
        if self._buffer:
            return AttemptError(Failure.MALFORMED, "it broke off in the middle of the head")
        return AttemptError(Failure.CLOSED, detail, stale=self._idle_since > 0 and not self._interim)
