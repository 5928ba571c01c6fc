"""The recording upstream and the raw client between which the proxy stands."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from dockerproxy.server import Server
from dockerproxy.settings import validate

from .outcomes import Closed, Reset, Step
from .strict import Malformed, Message, read_request, read_response

_DEADLINE = 60.0  # seconds; only a fault takes that long
FENCE = b"/fence"
_NAME = re.compile(rb"(Dockerproxy-Hops: dockerproxy-)[0-9a-f]{8}\r\n")
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close sends RST


def without_random(head: bytes) -> bytes:
    """What was forwarded, without the random part of our name."""
    return _NAME.sub(rb"\1*\r\n", head)


class Recorder:
    """An upstream that keeps all it gets, and answers each request with its target, or as the script says.

    script:     the answer to every request but the fence
    early:      whether it is given as soon as the head is there
    one_by_one: whether it is sent byte by byte
    """

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.requests: list[Message] = []
        self.served_by: list[Line] = []
        self.faults: list[str] = []
        self.script: tuple[Step, ...] = ()
        self.early = False
        self.one_by_one = False

    def forget(self) -> None:
        """Begin a new record; a connection in the middle of a message stays open but is no longer listened to."""
        self.requests.clear()
        self.served_by.clear()
        self.faults.clear()
        self.script, self.early, self.one_by_one = (), False, False
        self.lines = [line for line in self.lines if not line.lost]
        for line in self.lines:
            line.deaf = bool(line.buffer)

    @property
    def unfinished(self) -> list[bytes]:
        """What came that is not (yet) a complete request."""
        return [line.buffer for line in self.lines if line.buffer and not line.deaf]

    def line(self) -> Line:
        self.lines.append(Line(self))
        return self.lines[-1]


class Line(asyncio.Protocol):
    """One connection to the recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self.buffer = b""
        self.lost = self.deaf = False
        self._gone = asyncio.Event()
        self._recorder = recorder
        self._begun = False
        self._transport: asyncio.Transport
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        self._gone.set()

    async def gone(self) -> None:
        """Wait until the proxy has ended the connection."""
        await asyncio.wait_for(self._gone.wait(), _DEADLINE)

    def data_received(self, data: bytes) -> None:
        if self.deaf:
            return
        self.buffer += data
        try:
            while (message := read_request(self.buffer)) is not None and message.complete:
                self.buffer = self.buffer[message.end :]
                self._take(message)
                self._begun = False
        except Malformed as fault:
            self._recorder.faults.append(f"{fault} in {self.buffer[:200]!r}")
            self.deaf = True
            self._transport.close()
            return
        if message is not None:
            self._take_head(message)

    def _take_head(self, message: Message) -> None:
        """The head of a request whose body is still to come."""
        if self._begun:
            return
        if self._recorder.early:
            self._begun = True
            self._play()
        elif message.values(b"expect"):
            self._begun = True
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _take(self, message: Message) -> None:
        recorder = self._recorder
        recorder.served_by.append(self)
        target = message.line.split(b" ")[1]
        if target != FENCE:
            recorder.requests.append(message)
            if recorder.script:
                if not (recorder.early and self._begun):
                    self._play()
                return
        body = b"" if message.line.startswith(b"HEAD ") else target
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(target) + body)

    def _play(self) -> None:
        self._answering = asyncio.get_running_loop().create_task(self._answer(self._recorder.script))

    async def _answer(self, script: Sequence[Step]) -> None:
        """Each step is on its way before the next one begins."""
        for step in script:
            if isinstance(step, Closed):
                self._transport.close()
            elif isinstance(step, Reset):
                sock = self._transport.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                self._transport.abort()
            else:
                size = 1 if self._recorder.one_by_one else max(1, len(step))
                for start in range(0, len(step), size):
                    self._transport.write(step[start : start + size])
                    await several_turns()


async def several_turns() -> None:
    """Let the event loop deliver what was written before more is written."""
    for _ in range(3):
        await asyncio.sleep(0)


class Client:
    """One raw connection to the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.received = b""
        self.closed = self.reset = False

    async def send(self, data: bytes, size: int = 0) -> None:
        """Send, in pieces of `size` bytes if that is given. What the proxy no longer reads is not sent."""
        for start in range(0, len(data), size or max(1, len(data))):
            if self._writer.is_closing():
                return
            self._writer.write(data[start : start + size] if size else data)
            await several_turns()
        try:
            await asyncio.wait_for(self._writer.drain(), _DEADLINE)
        except ConnectionError:
            self.closed = self.reset = True

    def end(self) -> None:
        """Send no more."""
        self._writer.write_eof()

    async def more(self) -> None:
        """Wait for more bytes, or for the end."""
        try:
            data = await asyncio.wait_for(self._reader.read(1 << 18), _DEADLINE)
        except ConnectionError:
            data, self.reset = b"", True
        self.closed = self.closed or not data
        self.received += data

    async def answer(self, method: str = "GET") -> Message | None:
        """The next answer, interim or final; None when the connection ends before its head."""
        while True:
            message = read_response(self.received, method, closed=self.closed)
            if message is not None and message.complete:
                self.received = self.received[message.end :]
                return message
            if self.closed:
                return message
            await self.more()

    async def final(self, method: str = "GET") -> tuple[list[Message], Message | None]:
        """Interim answers, and the final one."""
        interim: list[Message] = []
        while (message := await self.answer(method)) is not None and message.status < 200:
            interim.append(message)
        return interim, message

    async def until_closed(self) -> bytes:
        """All that still comes."""
        while not self.closed:
            await self.more()
        return self.received

    def close(self) -> None:
        self._writer.close()


class Wire:
    """A proxy with a route to a recorder, and clients for it."""

    def __init__(self, server: Server, recorder: Recorder) -> None:
        self.recorder = recorder
        self._port = server.addresses[0].port

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        client = Client(*await asyncio.open_connection("127.0.0.1", self._port))
        try:
            yield client
        finally:
            client.close()

    async def fence(self, client: Client | None = None) -> None:
        """A plain request and its answer: whatever was sent to the upstream before has come there."""
        if client is None:
            async with self.client() as own:
                await self.fence(own)
            return
        await client.send(b"GET /fence HTTP/1.1\r\nHost: wire.test\r\n\r\n")
        answer = await client.answer()
        assert answer is not None, "the connection ended instead of serving the next request"
        assert (answer.line, answer.body) == (b"HTTP/1.1 200 OK", FENCE), answer


@asynccontextmanager
async def running_wire(state: Path) -> AsyncIterator[Wire]:
    """The proxy, the recorder and the routes of the tables, until the block ends."""
    recorder = Recorder()
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(recorder.line, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    upstreams = [{"name": "recorder", "url": f"http://127.0.0.1:{port}"}]
    settings = validate(
        {
            "listen": ["127.0.0.1:0"],
            "docker": {"enabled": False},
            "state_dir": str(state),
            "grace": 0,
            "max_attempts": 1,
            "connect_timeout": _DEADLINE,
            "consecutive_errors": 1_000_000,
            "routes": [
                {"name": "wire", "host": "wire.test", "upstreams": upstreams},
                {"name": "bounded", "host": "bounded.test", "max_body": 10, "upstreams": upstreams},
                {"name": "get", "host": "get.test", "path": {"method": "GET"}, "upstreams": upstreams},
                {"name": "noname", "host": "[::1]", "upstreams": upstreams},
            ],
        },
        "test",
    )
    try:
        async with Server(settings) as server:
            yield Wire(server, recorder)
    finally:
        listener.close()
