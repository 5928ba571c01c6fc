"""The command `dockerproxy` as a process of its own, and what stands around it: a client, an upstream, a file."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from .waiting import DEADLINE


class Process:
    """A running command; `log` is what it has written to standard error so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.log: list[str] = []
        self.port = 0

    async def until(self, words: str) -> str:
        """The first line from now on that has these words."""
        assert self._process.stderr is not None
        while True:
            line = await asyncio.wait_for(self._process.stderr.readline(), DEADLINE)
            assert line, f"it ended before it wrote {words!r}: {self.log}"
            self.log.append(line.decode().rstrip())
            if words in self.log[-1]:
                return self.log[-1]

    @property
    def output(self) -> asyncio.StreamReader:
        """Its standard output."""
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def end(self) -> int:
        """Wait for its end; the exit code."""
        output, errors = await asyncio.wait_for(self._process.communicate(), DEADLINE)
        self.log += errors.decode().splitlines() + output.decode().splitlines()
        assert self._process.returncode is not None
        return self._process.returncode

    @property
    def text(self) -> str:
        return "\n".join(self.log)


async def get(port: int, host: str, path: str = "/") -> tuple[int, str]:
    """One request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = (await asyncio.wait_for(reader.read(), DEADLINE)).decode()
    writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split(" ")[1]), body


class Upstream:
    """An application that answers when it may."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = asyncio.Event()
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked.set()
        await self.may_answer.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        writer.close()


@asynccontextmanager
async def running_upstream() -> AsyncIterator[Upstream]:
    upstream = Upstream()
    listener = await asyncio.start_server(upstream.answer, "127.0.0.1", 0)
    upstream.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield upstream
    finally:
        upstream.may_answer.set()
        listener.close()


def write(folder: Path, *routes: tuple[str, str], **settings: object) -> str:
    """A settings file whose routes are (name, URL), each at `<name>.test`."""
    listed = [{"name": name, "host": f"{name}.test", "upstreams": [{"url": url}]} for name, url in routes]
    (folder / "site.yaml").write_text(json.dumps({**settings, "routes": listed}))
    return str(folder / "site.yaml")


def spoil(path: str, text: str | None) -> None:
    """Write this text into the file, or take the file away."""
    if text is None:
        Path(path).unlink()
    else:
        Path(path).write_text(text)
