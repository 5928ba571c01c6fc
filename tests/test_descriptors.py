"""A system that lets a process have few files open: idle clients keep nobody out, and upstreams are reached."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from .support.command import Process, get
from .support.waiting import DEADLINE, until

SOFT, HARD = 80, 200  # files
PLACES = (HARD - 64) // 2


@asynccontextmanager
async def proxy(folder: Path, upstream: int, other: int = 1) -> AsyncIterator[Process]:
    """`dockerproxy run` with two routes, where the soft limit is SOFT and the hard one HARD."""
    routes = [
        {"name": name, "host": f"{name}.test", "upstreams": [f"http://127.0.0.1:{port}"]}
        for name, port in (("site", upstream), ("other", other))
    ]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DOCKERPROXY_")}
    settings = {
        "DOCKERPROXY_LISTEN": "127.0.0.1:0", "DOCKERPROXY_DOCKER__ENABLED": "false",
        "DOCKERPROXY_STATE_DIR": str(folder / "state"), "DOCKERPROXY_CONFIG": str(folder / "site.yaml"),
    }  # fmt: skip
    (folder / "site.yaml").write_text(json.dumps({"routes": routes}))
    command = f'ulimit -Sn {SOFT} && ulimit -Hn {HARD} && exec "$0" -m dockerproxy run'
    started = await asyncio.create_subprocess_exec(
        "sh", "-c", command, sys.executable, env={**clean, **settings},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    process = Process(started)
    try:
        found = re.search(r"listens on .*:(\d+),", await process.until("listens on"))
        assert found is not None
        process.port = int(found[1])
        yield process
    finally:
        started.terminate()
        await process.end()


class Application:
    """Answers once it is let, and knows how many ask."""

    def __init__(self) -> None:
        self.asked = 0
        self.go_on = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked += 1
                await self.go_on.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere")
        writer.close()


@pytest.fixture
async def application() -> AsyncIterator[tuple[Application, int]]:
    answer = Application()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield answer, server.sockets[0].getsockname()[1]
    answer.go_on.set()
    server.close()


async def clients(stack: AsyncExitStack, port: int, count: int, sent: bytes) -> list[asyncio.StreamReader]:
    readers = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        stack.callback(writer.close)
        writer.write(sent)
        readers.append(reader)
    return readers


async def idle_clients(stack: AsyncExitStack, port: int, sent: bytes) -> None:
    """MANY of them, one after the other; each that asks has its answer before the next one comes."""
    for _ in range(MANY):
        (reader,) = await clients(stack, port, 1, sent)
        if sent:
            await reader.readuntil(b"here")


async def figures(port: int) -> dict[str, int]:
    status, text = await get(port, "root.localhost", "/statistics")
    assert status == 200
    found: dict[str, int] = json.loads(text)["proxy"]
    return found


REQUEST = b"GET / HTTP/1.1\r\nHost: site.test\r\n\r\n"
MANY = 300  # more than the files that may be open


@pytest.mark.parametrize("sent", [b"", REQUEST], ids=["silent", "kept alive"])
async def test_idle_clients_lock_nobody_out(tmp_path: Path, application: tuple[Application, int], sent: bytes) -> None:
    answer, upstream = application
    answer.go_on.set()
    async with proxy(tmp_path, upstream) as process, AsyncExitStack() as stack:
        await idle_clients(stack, process.port, sent)
        for _ in range(3):
            assert await get(process.port, "site.test") == (200, "here")
        found = await figures(process.port)
        assert found["connections_limit"] == PLACES  # the soft limit was raised to the hard one
        assert found["connections_refused"] == 0
        assert found["connections_evicted"] >= MANY - PLACES
        assert found["connections"] <= PLACES + 1
    assert (
        f"max_clients is 20000, but the {HARD} files that may be open are enough for {PLACES} clients" in process.text
    )
    assert len([line for line in process.log if "the one that was idle longest is closed" in line]) == 1


async def test_as_many_clients_as_there_are_places_for_are_all_served_at_once(
    tmp_path: Path, application: tuple[Application, int]
) -> None:
    answer, upstream = application
    async with proxy(tmp_path, upstream) as process, AsyncExitStack() as stack:
        busy = await clients(stack, process.port, PLACES, REQUEST)
        await until(lambda: answer.asked == PLACES)
        with pytest.raises((ConnectionError, IndexError)):  # one more gets no answer, there is no place for it
            await get(process.port, "site.test")
        answer.go_on.set()
        for reader in busy:
            head = await asyncio.wait_for(reader.readuntil(b"here"), DEADLINE)
            assert head.startswith(b"HTTP/1.1 200 ")
        assert (await figures(process.port))["connections_refused"] == 1


async def test_idle_connections_to_upstreams_give_way_where_no_descriptor_is_left(
    tmp_path: Path, application: tuple[Application, int]
) -> None:
    """As where handlers and tunnels take more than their part; here the limit is lowered while it runs."""
    answer, upstream = application
    other = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with proxy(tmp_path, upstream, other.sockets[0].getsockname()[1]) as process, AsyncExitStack() as stack:
        busy = await clients(stack, process.port, 20, REQUEST)
        await until(lambda: answer.asked == 20)
        answer.go_on.set()
        for reader in busy:
            await asyncio.wait_for(reader.readuntil(b"here"), DEADLINE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (open_files(process.pid) + 1, HARD))  # for one client
        assert await get(process.port, "other.test") == (200, "here")
    other.close()


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))
