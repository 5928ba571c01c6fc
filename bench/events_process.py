"""The upstream of the stream scenario: `python -m bench.events_process PORT...` sends server-sent events.

Each event says when it was sent, by the clock that all processes of a machine share, so that whoever gets it knows
how long it was on its way. The first one follows the head in a write of its own, as an application would do it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import cast

from bench.serving import serve

# Events of one answer, and the pause between two: an answer takes about a second.
EVENTS = 50
_PAUSE = 0.02  # seconds
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


class Events(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._head += data
        if b"\r\n\r\n" not in self._head:
            return
        streams = self._head.startswith(b"GET /events ")
        self._head = b""
        if not streams:  # somebody asks whether there is anybody
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return
        self._transport.write(_HEAD)
        self._send(EVENTS)

    def _send(self, left: int) -> None:
        if self._transport.is_closing():
            return
        if not left:
            self._transport.write(b"0\r\n\r\n")
            return
        event = b"data: %d\n\n" % time.monotonic_ns()
        self._transport.write(b"%x\r\n%b\r\n" % (len(event), event))
        asyncio.get_running_loop().call_later(_PAUSE, self._send, left - 1)


if __name__ == "__main__":
    serve(Events, sys.argv[1:])
