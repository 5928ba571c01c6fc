"""A client that sends exactly the bytes it is told to, and sees exactly what comes back, resets included."""

from __future__ import annotations

import asyncio
import socket
import struct

from .message import Message, field_of
from .waiting import DEADLINE

_RESET = struct.pack("ii", 1, 0)


class Incomplete(Exception):
    """The connection ended before the answer did; `data` is what had come, `reset` whether by RST."""

    def __init__(self, data: bytes, *, reset: bool) -> None:
        super().__init__(f"{'reset' if reset else 'closed'} after {data[-200:]!r}")
        self.data = data
        self.reset = reset


class Answer(Message):
    """One answer, taken apart."""

    @property
    def status(self) -> int:
        return int(self.line.split(" ")[1])

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """One TCP connection to the proxy."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = b""
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def connect(cls, port: int, *, receive_buffer: int = 0, source: str = "") -> Client:
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            sock.bind((source, 0))
        client = cls(sock)
        async with asyncio.timeout(DEADLINE):
            await client._loop.sock_connect(sock, ("127.0.0.1", port))
        return client

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(DEADLINE):
            await self._loop.sock_sendall(self.sock, data)

    async def ask(self, method: str = "GET", target: str = "/", *, host: str = "test", body: bytes | None = None,
                  version: str = "1.1", **fields: str) -> None:  # fmt: skip
        """Send a request; fields by their names, `_` for `-`."""
        lines = [f"{method} {target} HTTP/{version}"]
        if host:
            lines.append(f"Host: {host}")
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        await self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))

    async def get(self, target: str = "/", **fields: str) -> Answer:
        await self.ask("GET", target, body=None, **fields)
        return await self.answer()

    async def head(self) -> Answer:
        """The next head, final or interim."""
        return Answer.of(await self._until(b"\r\n\r\n"))

    async def answer(self, *, to: str = "GET") -> Answer:
        """The next whole answer. Raises Incomplete when the connection ends before it is whole."""
        answer = await self.head()
        if to == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return answer
        if "transfer-encoding" in answer:
            assert "content-length" not in answer
            while piece := await self.chunk():
                answer.body += piece
            while line := (await self._until(b"\r\n"))[:-2]:
                answer.trailers.append(field_of(line.decode()))
        elif "content-length" in answer:
            answer.body = await self.exactly(int(answer["content-length"]))
        else:
            answer.body = await self.rest()
        return answer

    async def chunk(self) -> bytes:
        size = int((await self._until(b"\r\n"))[:-2], 16)
        return (await self.exactly(size + 2))[:-2] if size else b""

    async def exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            await self._more()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    async def skip(self, count: int) -> None:
        """Take `count` bytes and forget them."""
        count -= len(self._buffer)
        assert count >= 0
        self._buffer = b""
        while count:
            async with asyncio.timeout(DEADLINE):
                piece = await self._loop.sock_recv(self.sock, min(count, 1 << 18))
            if not piece:
                raise Incomplete(b"", reset=False)
            count -= len(piece)

    async def rest(self) -> bytes:
        """All that comes until the proxy closes. Raises Incomplete when it resets."""
        pieces = [self._buffer]
        self._buffer = b""
        try:
            while piece := await self._receive():
                pieces.append(piece)
        except ConnectionError:
            raise Incomplete(b"".join(pieces), reset=True) from None
        return b"".join(pieces)

    async def ended(self) -> bytes:
        """What still comes until the connection ends, in whatever way."""
        try:
            return await self.rest()
        except Incomplete as error:
            return error.data

    def half_close(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """End the connection with RST, unless it has ended."""
        if self.sock.fileno() < 0:
            return
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.sock.close()

    async def _until(self, end: bytes) -> bytes:
        while (found := self._buffer.find(end)) < 0:
            await self._more()
        found += len(end)
        data, self._buffer = self._buffer[:found], self._buffer[found:]
        return data

    async def _more(self) -> None:
        try:
            piece = await self._receive()
        except ConnectionError:
            raise Incomplete(self._buffer, reset=True) from None
        if not piece:
            raise Incomplete(self._buffer, reset=False)
        self._buffer += piece

    async def _receive(self) -> bytes:
        async with asyncio.timeout(DEADLINE):
            return await self._loop.sock_recv(self.sock, 1 << 18)
