"""Relay: stands before an engine's socket like a filtering socket proxy: over TCP, with TLS, and it cuts streams."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any


class Cut(StrEnum):
    """How a stream ends that somebody in between has had enough of."""

    CLEAN = "clean"  # the last chunk, as if the engine had no more to say
    CLOSED = "closed"  # the connection is closed in the middle of the chunks, as haproxy does after its timeout
    RESET = "reset"


class _Line:
    """One connection, in both directions."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.is_stream = False


class Relay:
    """Takes connections at `port` of 127.0.0.1 and carries them to the engine at `path`; `async with`.

    requests: the request lines seen, such as `GET /v1.41/events?…`
    """

    def __init__(self, path: Path, tls: ssl.SSLContext | None = None) -> None:
        self._path = path
        self._tls = tls
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server
        self.port = 0
        self.requests: list[str] = []

    def __repr__(self) -> str:
        return f"<Relay at {self.port} before {self._path}>"

    @property
    def streams(self) -> int:
        """How many streams of events are open."""
        return sum(line.is_stream for line in self._lines)

    def cut(self, how: Cut) -> None:
        """End all streams of events; other requests are not touched."""
        for line in [line for line in self._lines if line.is_stream]:
            if how is Cut.CLEAN:
                line.writer.write(b"0\r\n\r\n")
            if how is Cut.RESET:
                line.writer.transport.abort()
            line.writer.close()

    async def __aenter__(self) -> Relay:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        for line in self._lines:
            line.writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = _Line(writer)
        self._lines.add(line)
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._path)
            self._start(self._there(reader, far_writer, line))
            await self._back(far_reader, writer)
        except OSError:
            writer.close()
        finally:
            self._lines.discard(line)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: _Line) -> None:
        try:
            while data := await reader.read(65536):
                if data.startswith((b"GET ", b"POST ", b"DELETE ", b"PUT ", b"HEAD ")):
                    request = data.split(b" HTTP/", 1)[0].decode()
                    self.requests.append(request)
                    line.is_stream = "/events?" in request
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()
