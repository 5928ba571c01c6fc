"""Answer: takes apart what an upstream sends over one connection: one answer after the other (RFC 9112 section 6).

What comes is told to the exchange at once, as far as it has come. It knows no socket and has no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from dockerproxy.http1.framing import ChunkedDecoder
from dockerproxy.http1.head import CHUNKED, UNTIL_CLOSE, MessageError, ResponseHead
from dockerproxy.http1.previous import PreviousResponse
from dockerproxy.http1.response_parser import ResponseParser
from dockerproxy.proxy.flow import Valve
from dockerproxy.proxy.upstream.failure import AttemptError, Failure

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


class Carrier(Protocol):
    """The connection, as an answer sees it.

    exchange: whom the answer is for; another one, or None, once that one has left
    """

    exchange: Answering | None
    valve: Valve

    def flows(self) -> None:
        """The final head has come, and more is to come."""

    def whole(self, reusable: bool) -> None:
        """The answer is complete; `reusable` when the connection may carry another one."""

    def broken(self, exchange: Answering, error: AttemptError) -> None:
        """What came is no answer."""


class Answer:
    """The answer that is to come, or comes.

    awaited: whether its final head has yet to come
    """

    __slots__ = (
        "_buffer", "_carrier", "_decoder", "_interim", "_keep_alive", "_parser", "_previous", "_remaining", "_state",
        "_without_body", "awaited",
    )  # fmt: skip

    def __init__(self, carrier: Carrier, parser: ResponseParser) -> None:
        self._carrier = carrier
        self._parser = parser
        self._previous = PreviousResponse()
        self.expect(without_body=False)

    def __repr__(self) -> str:
        return f"<Answer {'awaited' if self.awaited else 'begun'}>"

    def expect(self, *, without_body: bool) -> None:
        """The next one is to come; `without_body`, whatever it says, where the request was HEAD."""
        self.awaited = True
        self._state = _HEAD
        self._buffer = b""
        self._decoder: ChunkedDecoder | None = None
        self._remaining = self._interim = 0
        self._keep_alive = True
        self._without_body = without_body

    def take(self, exchange: Answering, data: bytes) -> None:
        """The next bytes."""
        if self._state == _HEAD:
            checked = len(self._buffer)
            self._head(exchange, self._buffer + data if checked else data, checked)
        else:
            self._body(exchange, data)

    @property
    def until_close(self) -> bool:
        """Whether the end of the connection is the end of the body."""
        return self._state == _UNTIL_CLOSE

    def loss(self, error: Exception | None, *, used_before: bool, taken: bool) -> AttemptError:
        """Why the connection ended, seen from the exchange that was under way.

        used_before: whether it had carried other requests, so that it may have been dying already
        taken:       whether the other end had taken all of the request
        """
        detail = str(error) if error is not None else ""
        if isinstance(error, TimeoutError):  # of the kernel: nothing is acknowledged any more
            return self._unheard("its machine or its network is not heard any more")
        if not self.awaited:
            return AttemptError(Failure.CUT, detail)
        if self._buffer:
            return AttemptError(Failure.MALFORMED, "it broke off in the middle of the head")
        return AttemptError(Failure.CLOSED, detail, stale=used_before and not self._interim, taken=taken)

    def lost_address(self) -> AttemptError:
        """Why there is no answer from a container that has lost its address."""
        return self._unheard("it has left the network")

    def _unheard(self, detail: str) -> AttemptError:
        return AttemptError(Failure.TIMEOUT if self.awaited else Failure.CUT, detail)

    # The head

    def _head(self, exchange: Answering, data: bytes, checked: int) -> None:
        """Take heads from `data` until one is final or `data` is used up; `checked` bytes were looked at before."""
        while True:
            end = data.find(b"\r\n\r\n")
            try:
                if end < 0:
                    self._parser.check_partial(data, checked)
                    self._buffer = data
                    return
                head = self._parser.parse(data[:end], self._previous)
            except MessageError as error:
                self._malformed(exchange, error.detail)
                return
            data, checked = data[end + 4 :], 0
            if head.status >= 200:
                self._final(exchange, head, data)
                return
            if head.status == 101:
                exchange.upgraded(head, data)
                return
            self._interim += 1
            if self._interim > _MOST_INTERIM:
                self._malformed(exchange, f"more than {_MOST_INTERIM} interim answers")
                return
            exchange.interim(head)
            if self._carrier.exchange is not exchange:
                return

    def _final(self, exchange: Answering, head: ResponseHead, data: bytes) -> None:
        """Begin the answer: what of `data` is body, and whether that is all of it."""
        if self._without_body or head.status in (204, 304):
            # A 204 that tells of a body all the same (RFC 9110 section 8.6 forbids it) may send it, for nobody to take.
            announced = head.status == 204 and head.length not in (0, UNTIL_CLOSE)
            head.length = 0
            self._whole(head.keep_alive and not data and not announced)
            exchange.answered(head, b"", True)
        elif head.length >= 0:
            self._remaining = head.length - len(data)
            if self._remaining <= 0:
                self._whole(head.keep_alive and not self._remaining)
                exchange.answered(head, data[: head.length] if self._remaining else data, True)
            else:
                self._begin(exchange, head, data, _LENGTH)
        elif head.length == CHUNKED:
            self._chunked(exchange, head, data)
        else:
            self._begin(exchange, head, data, _UNTIL_CLOSE)

    def _begin(self, exchange: Answering, head: ResponseHead, data: bytes, state: int) -> None:
        """Relay a head whose body is yet to come, at least in part."""
        self._state, self.awaited = state, False
        self._keep_alive = head.keep_alive
        self._carrier.flows()
        exchange.answered(head, data, False)

    def _chunked(self, exchange: Answering, head: ResponseHead, data: bytes) -> None:
        decoder = self._decoder = ChunkedDecoder()
        self._state, self.awaited = _CHUNKS, False
        try:
            piece = decoder.feed(data)
        except MessageError as error:
            self._malformed(exchange, error.detail)
            return
        if decoder.done and not decoder.trailers:
            self._whole(head.keep_alive and not decoder.rest)
            exchange.answered(head, piece, True)
        elif decoder.done:
            exchange.answered(head, piece, False)
            if self._carrier.exchange is exchange:  # it may have left, to try another upstream
                self._whole(head.keep_alive and not decoder.rest)
                exchange.received(b"", True, decoder.trailers)
        else:
            self._begin(exchange, head, piece, _CHUNKS)
            self._take_turns(decoder)

    # The body

    def _body(self, exchange: Answering, data: bytes) -> None:
        """The next part of the body."""
        if self._state == _LENGTH:
            self._remaining -= len(data)
            if self._remaining > 0:
                exchange.received(data, False, [])
                return
            excess = -self._remaining
            self._whole(not excess)
            exchange.received(data[: len(data) - excess] if excess else data, True, [])
        elif self._decoder is not None:
            self._chunks(exchange, self._decoder, data)
        else:
            exchange.received(data, False, [])

    def _chunks(self, exchange: Answering, decoder: ChunkedDecoder, data: bytes) -> None:
        try:
            piece = decoder.feed(data)
        except MessageError as error:
            self._malformed(exchange, error.detail)
            return
        if decoder.done:
            self._whole(not decoder.rest)
            exchange.received(piece, True, decoder.trailers)
        else:
            if piece:
                exchange.received(piece, False, [])
            self._take_turns(decoder)

    def _take_turns(self, decoder: ChunkedDecoder) -> None:
        if decoder.pending:
            self._carrier.valve.take_turns(partial(self._next_turn, decoder))

    def _next_turn(self, decoder: ChunkedDecoder) -> None:
        exchange = self._carrier.exchange
        if exchange is not None and self._decoder is decoder:
            self._chunks(exchange, decoder, b"")

    # The end

    def _whole(self, reusable: bool) -> None:
        self._carrier.whole(reusable and self._keep_alive)

    def _malformed(self, exchange: Answering, detail: str) -> None:
        self._carrier.broken(exchange, AttemptError(Failure.MALFORMED, detail))
