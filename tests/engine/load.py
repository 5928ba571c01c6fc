"""Load: a strict closed loop of GET requests over kept-alive connections to 127.0.0.1.

Any status but 200, a short or foreign body, and a connection that breaks after a request was sent are failures. A
kept-alive connection that the proxy closed before the next request was sent is none. Nothing is ever tried again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field

CONNECTIONS = 16  # at a time; as many as three browsers open
ENOUGH = 5_000  # requests
ANSWER_DEADLINE = 60.0  # seconds; longer than any hold or retry deadline

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Load:
    """A load on `host` through the proxy at 127.0.0.1:`port`, and its figures.

    requests:    how many were sent
    failures:    one line per failed request
    slowest:     seconds of the slowest good answer
    reconnected: connections that the proxy had closed between two requests
    answered_by: container -> answers
    """

    port: int
    host: str
    requests: int = 0
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    reconnected: int = 0
    answered_by: Counter[str] = field(default_factory=Counter)
    _enough: bool = False

    def __str__(self) -> str:
        return (
            f"{self.requests} requests, {len(self.failures)} failed, slowest {self.slowest * 1000:.0f} ms, "
            f"{len(self.answered_by)} containers answered, {self.reconnected} connections opened again"
        )

    async def during(self, *steps: Awaitable[None]) -> None:
        """Keep the load up until all steps are done and enough requests were sent. Raises what a step raises."""
        workers = [asyncio.ensure_future(self._worker(number)) for number in range(CONNECTIONS)]
        try:
            await asyncio.gather(*steps)
            self._enough = True
        finally:
            if not self._enough:
                for worker in workers:
                    worker.cancel()
            await asyncio.gather(*workers, return_exceptions=not self._enough)

    async def _worker(self, number: int) -> None:
        connection: Connection | None = None
        while not (self._enough and self.requests >= ENOUGH):
            self.requests += 1
            path = f"/{number}/{self.requests}"
            began = time.perf_counter()
            try:
                async with asyncio.timeout(ANSWER_DEADLINE):
                    connection = await self._connected(connection)
                    keep = await self._exchange(connection, path)
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                self.failures.append(f"{path} after {time.perf_counter() - began:.3f} s: {error!r}")
                keep = False
            else:
                self.slowest = max(self.slowest, time.perf_counter() - began)
            if not keep and connection is not None:
                connection[1].close()
                connection = None
        if connection is not None:
            connection[1].close()

    async def _connected(self, connection: Connection | None) -> Connection:
        if connection is not None and not connection[0].at_eof():
            return connection
        if connection is not None:
            connection[1].close()
            self.reconnected += 1
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def _exchange(self, connection: Connection, path: str) -> bool:
        """One request and its answer; whether the connection can be used again. Raises ValueError for a wrong one."""
        reader, writer = connection
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nAccept: */*\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status, *lines = head.rstrip().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines)
        body = await reader.readexactly(int(fields.get("content-length", "0")))
        if status.split(" ")[1] != "200":
            raise ValueError(f"{status}: {body[:200]!r}")
        answer = json.loads(body)
        if answer["path"] != path:
            raise ValueError(f"the answer to {answer['path']} came for {path}")
        self.answered_by[answer["container"]] += 1
        return fields.get("connection") != "close"
