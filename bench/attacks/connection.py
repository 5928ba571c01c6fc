"""Connection: one raw connection to the proxy, and in words what came of it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable

from bench.ports import LOOPBACK

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close sends RST
_AT_ONCE = 200  # connections that are being made at a time: fewer than a listening socket keeps
CUT = "cut off"
CLOSED = "closed"
SILENCE = "nothing yet"


class Connection:
    """A TCP connection; it counts what it reads and keeps only the beginning."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(cls, port: int, receive_buffer: int = 0) -> Connection:
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(sock, (LOOPBACK, port))
        return cls(sock)

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._sock, data)

    async def read(self, size: int = 1 << 16) -> bytes:
        return await self._loop.sock_recv(self._sock, size)

    async def drip(self, data: Iterable[bytes], pause: float) -> None:
        """Send piece after piece with pauses, for as long as the proxy takes them."""
        try:
            for piece in data:
                await self.send(piece)
                await asyncio.sleep(pause)
        except OSError:
            return

    async def outcome(self, patience: float) -> str:
        """The status of the answer with `cut off` when it is not whole, or how the connection ended without one."""
        data, ended = b"", False
        try:
            async with asyncio.timeout(patience):
                while not _whole(data):
                    piece = await self.read()
                    if not piece:
                        ended = True
                        break
                    data = data[:4096] + piece if len(data) > 8192 else data + piece
        except TimeoutError:
            pass
        except OSError:
            ended = True
        return _in_words(data, ended)

    def close(self) -> None:
        self._sock.close()

    def reset(self) -> None:
        if self._sock.fileno() >= 0:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._sock.close()


def _whole(data: bytes) -> bool:
    """Whether an answer of known length is complete; those that attacks get are short."""
    head, end, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n")[1:]:
        if line.startswith(b"content-length:"):
            return bool(end) and len(body) >= int(line.partition(b":")[2])
    return body.endswith(b"0\r\n\r\n") if b"chunked" in head.lower() else False


def _in_words(data: bytes, ended: bool) -> str:
    status = data[9:12].decode("latin-1") if data.startswith(b"HTTP/1.1 ") else ""
    if not status:
        return CLOSED if ended else SILENCE
    return status if _whole(data) else f"{status} {CUT if ended else SILENCE}"


async def many(count: int, one: Callable[[int], Awaitable[None]], at_once: int = _AT_ONCE) -> None:
    """Do `one` for 0 to `count` - 1, some at a time."""
    turn = iter(range(count))

    async def work() -> None:
        for number in turn:
            await one(number)

    await asyncio.gather(*(work() for _ in range(min(at_once, count))))


async def opened(port: int, count: int, receive_buffer: int = 0) -> list[Connection]:
    """`count` connections."""
    found: list[Connection] = []

    async def one(_number: int) -> None:
        found.append(await Connection.open(port, receive_buffer))

    await many(count, one)
    return found
