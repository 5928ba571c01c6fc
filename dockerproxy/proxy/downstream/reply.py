"""Reply: one answer after the other on a client's HTTP/1.1 connection: framing, sending, and breaking off visibly."""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Sequence

from dockerproxy.http1.framing import encode_chunk, encode_end
from dockerproxy.http1.head import RequestHead, ResponseHead
from dockerproxy.http1.writer import framing_line, interim_block, response_block
from dockerproxy.proxy.downstream.closing import reset
from dockerproxy.proxy.downstream.date_field import DateField


class Reply:
    """The answer that is being sent.

    begun:     whether its head has gone out
    continued: whether the client was told to send the body
    """

    __slots__ = ("_bodiless", "_chunking", "_date", "_delimited", "_transport", "begun", "continued")

    def __init__(self, transport: Transport, date: DateField) -> None:
        self._transport = transport
        self._date = date
        self.begun = self.continued = False
        # _delimited: the client can tell whether the body is whole. _bodiless: there is none, whatever the fields say.
        self._bodiless = self._chunking = False
        self._delimited = True

    def __repr__(self) -> str:
        return f"<Reply {'begun' if self.begun else 'to come'}{', chunked' if self._chunking else ''}>"

    def interim(self, head: ResponseHead) -> None:
        """Send an interim answer, unless the final one has begun."""
        self.continued = self.continued or head.status == 100
        if not self.begun:
            self._transport.write(interim_block(head))

    def begin(self, request: RequestHead | None, head: ResponseHead, data: bytes, done: bool, keep_alive: bool) -> bool:
        """Send the head and the first part of the body, in one write. False when the connection cannot be kept.

        request: None when its head could not be read
        done:    whether `data` is the whole body
        """
        minor = 1 if request is None else request.minor
        bodiless = head.status in (204, 304) or (request is not None and request.method == "HEAD")
        framing = framing_line(head, bodiless, len(data) if done else -1, minor)
        self.begun = True
        self._bodiless = bodiless
        self._chunking = not bodiless and framing.startswith(b"T")
        self._delimited = bodiless or bool(framing)
        keep_alive = keep_alive and self._delimited
        block = response_block(head, b"" if head.dated else self._date.line(), framing, minor, keep_alive)
        if data and not bodiless:
            block += encode_chunk(data) if self._chunking else data
        self._transport.write(block)
        return keep_alive

    def send(self, data: bytes, done: bool, trailers: Sequence[bytes]) -> None:
        """Send the next part of the body; `done` when that is all."""
        if data and not self._bodiless:
            if self._chunking:
                self._transport.writelines([b"%x\r\n" % len(data), data, b"\r\n"])
            else:
                self._transport.write(data)
        if done and self._chunking:
            self._transport.write(encode_end(trailers))

    def break_off(self) -> bool:
        """End an answer that will not become whole. True when closing the connection says so already.

        Where only the end of the connection ends the body (HTTP/1.0), an orderly close would look complete, so the
        connection is reset.
        """
        if self._delimited:
            return True
        reset(self._transport)
        return False
