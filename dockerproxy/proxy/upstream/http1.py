"""UpstreamConnection: one connection to one upstream.

It sends one request at a time; what comes is taken apart by its `Answer`. It never decides whether to try again, and
never sees the client.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Sequence
from typing import Protocol, cast

from dockerproxy.http1.framing import encode_chunk, encode_end
from dockerproxy.http1.response_parser import ResponseParser
from dockerproxy.proxy.deadlines import NEVER, Timed, Wheel
from dockerproxy.proxy.flow import Valve
from dockerproxy.proxy.keepalive import (
    MOST_UNACKNOWLEDGED,
    READ_AT_ONCE,
    bound_unacknowledged,
    closed_after_all_was_taken,
)
from dockerproxy.proxy.tunnel import Tunnel
from dockerproxy.proxy.upstream.answer import Answer, Answering
from dockerproxy.proxy.upstream.close_reason import CloseReason
from dockerproxy.proxy.upstream.failure import AttemptError, Failure

# Longer than browsers pause between clicks; most application servers close earlier themselves.
IDLE_TIMEOUT = 60.0  # seconds
# A request that must not be sent twice does not go over a connection that may be dying: servers close idle
# connections without asking, and some do so after two seconds.
FRESH_ENOUGH = 1.0  # seconds of idleness
_MOST_UNREAD = 64 << 10  # bytes; enough for any words of refusal


class Owner(Protocol):
    """The pool, as a connection sees it."""

    address: str

    def release(self, connection: UpstreamConnection) -> None:
        """It can be used again."""

    def lost(self, connection: UpstreamConnection, *, idle: bool) -> None:
        """It has ended."""

    def detach(self, connection: UpstreamConnection) -> None:
        """It has become a tunnel."""


class UpstreamConnection(Timed, asyncio.Protocol):
    """One connection; `exchange` is whom it works for, or None while it is idle.

    counted: whether the pool counts it as open
    lost:    whether it has ended
    close_reason: how
    """

    __slots__ = (
        "_answer", "_full", "_idle_since", "_patient", "_request_chunked", "_request_open", "_response_timeout",
        "_stall_timeout", "_taken", "_wheel", "close_reason", "counted", "exchange", "lost", "pool",
        "transport", "tunnel", "valve",
    )  # fmt: skip

    def __init__(self, pool: Owner, parser: ResponseParser, wheel: Wheel) -> None:
        super().__init__()
        self.pool = pool
        self.exchange: Answering | None = None
        self.tunnel: Tunnel | None = None
        self.transport: asyncio.Transport
        self.valve: Valve
        self._answer = Answer(self, parser)
        self.close_reason = CloseReason.OURS
        self._idle_since = 0.0  # 0 as long as it has never been idle
        self._wheel = wheel
        self.lost = self.counted = self._taken = self._patient = False
        self._request_chunked = self._request_open = self._full = False
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
        self._answer.expect(without_body=without_body)
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
        if len(body) > READ_AT_ONCE:
            self._be_patient()
        if body:
            block += encode_chunk(body) if chunked else body
        if expect:
            self._wheel.schedule(self, time.monotonic() + self._response_timeout)
        self.transport.write(block)

    def send_body(self, data: bytes) -> None:
        """Send the next part of the request's body. As long as it flows, time is the client's matter."""
        if self._answer.awaited and not self._full:
            self.deadline = NEVER
        if not self._patient:
            self._be_patient()
        if self._request_chunked:
            self.transport.writelines([b"%x\r\n" % len(data), data, b"\r\n"])
        else:
            self.transport.write(data)

    def end_body(self, trailers: Sequence[bytes]) -> None:
        """The request's body is complete."""
        self._request_open = False
        if self._request_chunked:
            self.transport.write(encode_end(trailers))
        if self._answer.awaited:
            self._wheel.schedule(self, time.monotonic() + self._response_timeout)

    def join(self, tunnel: Tunnel) -> None:
        """Relay bytes from now on; no deadline holds, and the connection is not used again."""
        self.exchange = None
        self.tunnel = tunnel
        self._wheel.forget(self)
        self.pool.detach(self)

    def rest(self) -> None:
        """Wait in the pool for the next request. From now on the other end may close it at any moment."""
        if self._patient:
            self._patient = False
            bound_unacknowledged(self.transport, MOST_UNACKNOWLEDGED)
        self._idle_since = time.monotonic()
        self._wheel.schedule(self, self._idle_since + IDLE_TIMEOUT)
        self.pool.release(self)

    def lost_address(self, exchange: Answering) -> None:
        """Whoever is at the other end has lost the address: nothing comes from there any more.

        exchange: whom it works for
        """
        if self.exchange is exchange:
            self.broken(exchange, self._answer.lost_address())

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

    @property
    def peer(self) -> str:
        """The address that it leads to; "" for a handler."""
        name = self.transport.get_extra_info("peername")
        return str(name[0]) if isinstance(name, tuple) else ""

    def rested(self, now: float) -> float:
        """Seconds since its last answer; 0 where it had none, or ended in the middle of one."""
        return now - self._idle_since if self._idle_since else 0.0

    # Called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.valve = Valve(self.transport)

    def data_received(self, data: bytes) -> None:
        if self.tunnel is not None:
            self.tunnel.from_upstream(data)
        elif self.exchange is None:
            self.close()  # RFC 9112 section 9.2: an answer that nobody asked for belongs to nobody
        else:
            if not self._answer.awaited:
                self._wheel.schedule(self, time.monotonic() + self._stall_timeout)
            self._answer.take(self.exchange, data)

    def eof_received(self) -> bool:
        if self.tunnel is not None:
            self.tunnel.ended(self.tunnel.client)
            return self.transport.can_write_eof()  # TLS knows no half-close
        self._taken = self.exchange is not None and closed_after_all_was_taken(self.transport)
        if not (self.exchange is not None and self._answer.until_close):  # else it was announced
            self.close_reason = CloseReason.CLOSED
        self.close()  # what is still to be sent, nobody will read
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None and self.exchange is not None:
            self._take_unread()
        self.lost = True
        if error is not None:
            self.close_reason = CloseReason.RESET
        self._wheel.forget(self)
        exchange, self.exchange = self.exchange, None
        used_before = self._idle_since > 0
        if exchange is not None and not self._answer.awaited:
            self._idle_since = 0.0
        self.pool.lost(self, idle=exchange is None)
        if self.tunnel is not None:
            self.tunnel.close()
        elif exchange is None:
            return
        elif self._answer.until_close and error is None:
            exchange.received(b"", True, [])
        else:
            exchange.failed(self._answer.loss(error, used_before=used_before, taken=self._taken))

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
            if self._request_open and self._answer.awaited:
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
        failure = Failure.TIMEOUT if self._answer.awaited else Failure.STALLED
        limit = self._response_timeout if self._answer.awaited else self._stall_timeout
        self.broken(exchange, AttemptError(failure, f"{limit:g} s"))

    # Called by the answer

    def flows(self) -> None:
        """The final head has come, and more is to come."""
        self._wheel.schedule(self, time.monotonic() + self._stall_timeout)

    def whole(self, reusable: bool) -> None:
        """The answer is complete. Give the connection back, or close it."""
        self.exchange = None
        self.valve.open()
        if not reusable or self._request_open or self._full or self.transport.is_closing():
            self.close()
        else:
            self.rest()

    def broken(self, exchange: Answering, error: AttemptError) -> None:
        """What came is no answer, or nothing came in time."""
        self.exchange = None
        self._wheel.forget(self)
        self.close()
        exchange.failed(error)

    def _be_patient(self) -> None:
        """Let the other end take its time to read the request."""
        self._patient = True
        bound_unacknowledged(self.transport, 0)

    def _take_unread(self) -> None:
        """Take what came before it broke: whoever refuses a body may answer, and close without reading it."""
        if self.transport.get_extra_info("ssl_object") is None:
            with contextlib.suppress(OSError):
                data = os.read(self.transport.get_extra_info("socket").fileno(), _MOST_UNREAD)
                if data:
                    self.data_received(data)
