"""Upstreams for the tests of the data plane: real TCP servers that do what a script says, byte by byte."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable

from .message import Message, field_of
from .waiting import DEADLINE

_RESET = struct.pack("ii", 1, 0)


class Request(Message):
    """A request as it came over the wire."""

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]


class Conversation:
    """One connection to the upstream, from the upstream's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number
        self.sent = 0
        self._socket: socket.socket | None = writer.get_extra_info("socket")

    async def head(self) -> Request:
        """The head of the next request. Raises EOFError when there is none."""
        try:
            block = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise AssertionError(f"the proxy broke off in the middle of a head: {error.partial!r}") from None
            raise EOFError from None
        return Request.of(block)

    async def body(self, request: Request) -> Request:
        """Read the body of `request`, all of it."""
        if "transfer-encoding" in request:
            while piece := await self.chunk():
                request.body += piece
            while line := (await self.reader.readuntil(b"\r\n"))[:-2]:
                request.trailers.append(field_of(line.decode()))
        elif "content-length" in request:
            request.body = await self.reader.readexactly(int(request["content-length"]))
        return request

    async def chunk(self) -> bytes:
        """The next chunk; b"" for the last one, whose trailers are still to be read."""
        size = int((await self.reader.readuntil(b"\r\n"))[:-2], 16)
        if not size:
            return b""
        data = await self.reader.readexactly(size + 2)
        assert data.endswith(b"\r\n")
        return data[:-2]

    async def request(self) -> Request:
        return await self.body(await self.head())

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def send(self, data: bytes) -> None:
        """Write and wait until the kernel has taken all but a little."""
        self.writer.write(data)
        await self.writer.drain()
        self.sent += len(data)

    def answer(self, body: bytes = b"", status: str = "200 OK", **fields: str) -> None:
        """A whole answer with a Content-Length; fields by their names, `_` for `-`."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        self.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def gone(self) -> None:
        """Return when the proxy has closed the connection."""
        async with asyncio.timeout(DEADLINE):
            try:
                while await self.reader.read(1 << 16):
                    pass
            except ConnectionError:
                pass

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """End the connection with RST."""
        assert self._socket is not None
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.writer.transport.abort()

    def abort(self) -> None:
        """End the connection at once, unless it has ended: asyncio fails on one that closed with bytes unsent."""
        if self._socket is not None and self._socket.fileno() >= 0:
            self.writer.transport.abort()


Script = Callable[[Conversation], Awaitable[None]]


class Upstream:
    """A server on a port of its own; `script` plays each connection to it.

    requests: those that `serve` has answered or a script has appended
    """

    def __init__(self, name: str, script: Script | None = None) -> None:
        self.name = name
        self.script = script or self.serve
        self.port = 0
        self.requests: list[Request] = []
        self.conversations: list[Conversation] = []
        self.failures: list[BaseException] = []
        self._server: asyncio.Server | None = None
        self._scheme = "http"

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many were ever made."""
        return len(self.conversations)

    async def start(self, tls: ssl.SSLContext | None = None) -> Upstream:
        """Listen; on the same port as before when it was stopped."""
        self._scheme = "https" if tls else "http"
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=tls, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def serve(self, conversation: Conversation) -> None:
        """The usual script: answer every request with the upstream's name."""
        while True:
            self.requests.append(await conversation.request())
            conversation.answer(b"" if self.requests[-1].method == "HEAD" else self.name.encode())

    def shut(self) -> None:
        """Listen no more; connections that are there go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def refuse(self) -> None:
        """Listen no more, and close all connections."""
        self.shut()
        for conversation in self.conversations:
            conversation.close()

    def abort(self) -> None:
        """End everything at once."""
        if self._server is not None:
            self._server.close()
        for conversation in self.conversations:
            conversation.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation(reader, writer, len(self.conversations) + 1)
        self.conversations.append(conversation)
        try:
            await self.script(conversation)
        except (EOFError, ConnectionError, asyncio.CancelledError):
            pass  # asyncio complains of a server's task that was cancelled
        except BaseException as error:
            self.failures.append(error)
            raise
        finally:
            writer.close()
