"""Good: clients that ask on and on, and the upstream that answers them, in a process of their own.

`python -m bench.attacks.good UPSTREAM_PORT PROXY_PORT`; on its input, `begin` starts a measurement and `end` ends it,
which prints it as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field

from bench.loop import percentile
from bench.ports import LOOPBACK
from dockerproxy.run import loop_factory

HOST = "good.test"
CLIENTS = 8
_PAUSE = 0.005  # seconds between two requests of a client: a steady light load
_PATIENCE = 10.0  # seconds; a person would be gone
_REQUEST = b"GET / HTTP/1.1\r\nHost: good.test\r\nUser-Agent: good\r\n\r\n"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"


@dataclass
class Served:
    """What good clients saw; seconds. failures: what they got instead of an answer, and how often."""

    answers: int = 0
    p50: float = 0.0
    p99: float = 0.0
    longest: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)


class Good:
    """The clients of one proxy."""

    def __init__(self, proxy: int) -> None:
        self._proxy = proxy
        self._taken: list[float] = []
        self._failures: dict[str, int] = {}

    def begin(self) -> None:
        self._taken, self._failures = [], {}

    def end(self) -> Served:
        taken = self._taken
        longest = max(taken, default=0.0)
        return Served(len(taken), percentile(taken, 0.5), percentile(taken, 0.99), longest, self._failures)

    async def ask(self) -> None:
        """Ask on and on; a connection that fails is made anew, as a browser does."""
        while True:
            try:
                await self._on_one_connection()
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                self._fail(type(error).__name__)
                await asyncio.sleep(_PAUSE)

    async def _on_one_connection(self) -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, self._proxy)
        try:
            while True:
                before = time.monotonic()
                writer.write(_REQUEST)
                async with asyncio.timeout(_PATIENCE):
                    head = await reader.readuntil(b"\r\n\r\n")
                    body = await reader.readexactly(_length(head))
                if body == b"good":
                    self._taken.append(time.monotonic() - before)
                else:
                    self._fail(head[9:12].decode())
                await asyncio.sleep(_PAUSE)
        finally:
            writer.close()

    def _fail(self, what: str) -> None:
        self._failures[what] = self._failures.get(what, 0) + 1


def _length(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next((int(value) for name, _, value in lines if name == b"content-length"), 0)


async def _upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request once its body has come."""
    try:
        while True:
            length = _length(await reader.readuntil(b"\r\n\r\n"))
            while length:
                length -= len(await reader.read(min(length, 1 << 16))) or length
            writer.write(_ANSWER)
    except (OSError, asyncio.IncompleteReadError):
        writer.close()


async def _main(upstream: int, proxy: int) -> None:
    await asyncio.start_server(_upstream, LOOPBACK, upstream, backlog=4096, limit=1 << 20)
    good = Good(proxy)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    asking: list[asyncio.Task[None]] = []
    while line := (await commands.readline()).strip():
        if line == b"begin":
            asking = asking or [asyncio.create_task(good.ask()) for _ in range(CLIENTS)]
            good.begin()
        else:
            print(json.dumps(asdict(good.end())), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_main(int(sys.argv[1]), int(sys.argv[2])))
