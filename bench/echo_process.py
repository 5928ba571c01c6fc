"""The upstream of the WebSocket scenario: `python -m bench.echo_process PORT...` echoes messages of 64 bytes.

It looks for nothing but the end of the handshake, then counts bytes: what it costs must not hide what proxies cost.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import sys
from typing import cast

from bench.clients import ECHO, MESSAGE
from bench.serving import serve

_KEY = re.compile(rb"\r\nSec-WebSocket-Key:[ ]*([^\r\n]+)", re.IGNORECASE)
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3


class Echo(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._head = b""
        self._switched = False
        self._taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._switched:
            self._switch(data)
            return
        messages, self._taken = divmod(self._taken + len(data), len(MESSAGE))
        if messages:
            self._transport.write(ECHO * messages)

    def _switch(self, data: bytes) -> None:
        self._head += data
        if b"\r\n\r\n" not in self._head:
            return
        key = _KEY.search(self._head)
        if key is None:  # somebody asks whether there is anybody
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            self._head = b""
            return
        accept = base64.b64encode(hashlib.sha1(key[1].strip() + _MAGIC).digest())
        self._switched = True
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
        )


if __name__ == "__main__":
    serve(Echo, sys.argv[1:])
