"""The own clients: one HTTP connection, and one WebSocket connection, as raw as the event loop allows."""

from __future__ import annotations

import asyncio
from typing import cast

from bench.ports import LOOPBACK

# Bytes of one read; all connections share the buffer, for what was read is counted at once and then forgotten.
_BUFFER = memoryview(bytearray(1 << 20))
# Seconds after which an answer is an error; held requests wait for 10.
_PATIENCE = 15.0


class Client:
    """One HTTP client: its connection is opened when it is needed, and again when it was closed.

    reuse: False for a new connection per request
    """

    def __init__(self, port: int, *, reuse: bool = True) -> None:
        self._port = port
        self._reuse = reuse
        self._connection: _Connection | None = None

    def __repr__(self) -> str:
        return f"<Client of port {self._port}>"

    async def ask(self, *parts: bytes) -> int:
        """Send a request; the status of its answer when all of it is there, 0 when the connection broke."""
        try:
            async with asyncio.timeout(_PATIENCE):
                status = await self._ask(parts)
        except (OSError, TimeoutError):
            status = 0
        if not status or not self._reuse:
            self.close()
        return status

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.transport.abort()
            self._connection = None

    async def _ask(self, parts: tuple[bytes, ...]) -> int:
        if self._connection is None or self._connection.transport.is_closing():
            loop = asyncio.get_running_loop()
            _, self._connection = await loop.create_connection(_Connection, LOOPBACK, self._port)
        return await self._connection.ask(parts)


class _Connection(asyncio.BufferedProtocol):
    """One connection; answers have a Content-Length, and their bodies are only counted."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._answer: asyncio.Future[int] | None = None
        self._head = b""
        self._status = 0
        self._remaining = -1

    def ask(self, parts: tuple[bytes, ...]) -> asyncio.Future[int]:
        """Send a request; the status comes when the whole answer has come, 0 when the connection breaks."""
        self._answer = asyncio.get_running_loop().create_future()
        self._head, self._remaining = b"", -1
        self.transport.writelines(parts)
        return self._answer

    # Called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        if self._remaining < 0:
            self._take_head(bytes(_BUFFER[:nbytes]))
        else:
            self._remaining -= nbytes
        if self._remaining == 0:
            self._done(self._status)

    def connection_lost(self, error: Exception | None) -> None:
        self._done(0)

    def _take_head(self, data: bytes) -> None:
        head, end, rest = (self._head + data).partition(b"\r\n\r\n")
        if not end:
            self._head += data
            return
        self._status = int(head[9:12])
        _, found, length = head.lower().partition(b"content-length:")
        if found:
            self._remaining = int(length.split(b"\r\n", 1)[0]) - len(rest)
        else:
            self._done(0)

    def _done(self, status: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)


# A masked text frame of 64 bytes (RFC 6455 section 5.2) with an all-zero mask, and its echo, which is not masked.
MESSAGE = b"\x81\xc0" + bytes(4) + b"m" * 64
ECHO = b"\x81\x40" + b"m" * 64
_HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nHost: bench.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class WebSocketClient(asyncio.Protocol):
    """One WebSocket connection whose messages of 64 bytes are echoed."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._switched = False
        self._data = b""
        self._waiter: asyncio.Future[bool] | None = None

    def __repr__(self) -> str:
        return f"<WebSocketClient {'open' if self._switched else 'opening'}>"

    @classmethod
    async def open(cls, port: int) -> WebSocketClient:
        """Connect and switch protocols. Raises OSError."""
        _, client = await asyncio.get_running_loop().create_connection(cls, LOOPBACK, port)
        if not await client._send(_HANDSHAKE):
            raise ConnectionError(f"no switch of protocols: {client._data[:60]!r}")
        return client

    async def echo(self) -> bool:
        """Send a message and wait for it to come back."""
        return await self._send(MESSAGE)

    def close(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    async def _send(self, data: bytes) -> bool:
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._waiter
        except TimeoutError:
            return False

    # Called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self._switched and len(self._data) >= len(ECHO):
            self._done(self._data == ECHO)
        elif not self._switched and b"\r\n\r\n" in self._data:
            self._switched = self._data.startswith(b"HTTP/1.1 101")
            self._done(self._switched)

    def connection_lost(self, error: Exception | None) -> None:
        self._done(False)

    def _done(self, good: bool) -> None:
        if good:
            self._data = b""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(good)
