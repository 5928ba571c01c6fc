"""The test application: a small HTTP/1.1 server that stops the way a good one does.

Runs inside containers, from this one file and the standard library. Every answer is one write of JSON that names the
container. On SIGTERM it stops accepting, closes what is idle, finishes what is in flight, and exits with 0.

Environment: NAME (default: the host name), PORTS (comma-separated, default 8000), START_DELAY (seconds before it
listens), STOP_DELAY (seconds that it goes on serving after SIGTERM). `/slow?seconds=2` answers after two seconds;
`/status?code=503` answers with that status.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

NAME = os.environ.get("NAME") or socket.gethostname()
PORTS = [int(port) for port in os.environ.get("PORTS", "8000").split(",")]
START_DELAY = float(os.environ.get("START_DELAY", "0"))  # seconds
STOP_DELAY = float(os.environ.get("STOP_DELAY", "0"))  # seconds
MAX_DRAIN = 8.0  # seconds; the engine kills ten seconds after SIGTERM


class App:
    """All connections of this process, and whether it is stopping."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.idle: set[asyncio.StreamWriter] = set()
        self.serving: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, loop.call_later, STOP_DELAY, self.stopping.set)
        if await self.told_to_stop_within(START_DELAY):
            return
        servers = [await asyncio.start_server(self.serve, "0.0.0.0", port, backlog=1024) for port in PORTS]
        print(f"listening on {PORTS}", flush=True)
        await self.stopping.wait()
        for server in servers:
            server.close()
        for writer in list(self.idle):
            writer.close()
        if self.serving:
            await asyncio.wait(self.serving, timeout=MAX_DRAIN)

    async def told_to_stop_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        try:
            while not self.stopping.is_set():
                self.idle.add(writer)
                head = await reader.readuntil(b"\r\n\r\n")
                self.idle.discard(writer)
                writer.write(await self.answer(head, reader, writer))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.idle.discard(writer)
            self.serving.discard(task)
            writer.close()

    async def answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        start, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = start.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/slow":
            await asyncio.sleep(float(query.get("seconds", "1")))
        status = HTTPStatus(int(query["code"])) if url.path == "/status" else HTTPStatus.OK
        port = writer.get_extra_info("sockname")[1]
        text = {"container": NAME, "port": port, "method": method, "path": target, "headers": headers}
        text["body"] = body.decode("latin-1")
        return self.encode(status, json.dumps(text).encode())

    def encode(self, status: HTTPStatus, body: bytes) -> bytes:
        connection = "close" if self.stopping.is_set() else "keep-alive"
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\nConnection: {connection}\r\n\r\n"
        return head.encode() + body


if __name__ == "__main__":
    asyncio.run(App().run())
