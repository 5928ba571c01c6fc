"""Memory: large bodies pass through without being gathered, however slow the other side is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..support.client import Client
from ..support.scene import Scene
from ..support.upstreams import Conversation
from ..support.waiting import until
from .processes import ProxyProcess

MIB = 1 << 20
OFFERED = 192 * MIB  # far more than kernels keep on the way
READ = 24  # pieces of 1 MiB that the slow side takes before the rest
PIECE = b"x" * (64 << 10)
PAUSE = 0.01  # seconds between them: this is what makes it slow
BOUND = MIB  # growth of the process
STORM = 100  # clients
SENT = 60_000  # bytes that each sends, which the proxy keeps for another attempt

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


def settings(*ports: int) -> dict[str, Any]:
    return {"routes": [{"name": "site", "upstreams": [{"url": f"http://127.0.0.1:{port}"} for port in ports]}]}


class Growth:
    """The most that the proxy's memory has grown since the beginning."""

    def __init__(self, proxy: ProxyProcess) -> None:
        self._proxy = proxy
        self._before = proxy.memory
        self.most = 0

    def look(self) -> None:
        self.most = max(self.most, self._proxy.memory - self._before)


async def download(client: Client, size: int, look: Callable[[], None] = lambda: None) -> None:
    """Take an answer of `size` bytes: at first slowly, and then the rest."""
    await client.ask(target=f"/{size}")
    await client.head()
    for _ in range(min(READ, size // MIB)):
        await client.skip(MIB)
        look()
        await asyncio.sleep(PAUSE)
    await client.skip(size - min(READ, size // MIB) * MIB)
    look()


async def test_a_fast_upstream_does_not_fill_the_memory_for_a_slow_reader(scene: Scene, tmp_path: Path) -> None:
    async def fast(conversation: Conversation) -> None:
        while True:
            size = int((await conversation.request()).target[1:])
            conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // len(PIECE)):
                await conversation.send(PIECE)
                await asyncio.sleep(0)

    upstream = await scene.upstream(fast)
    async with ProxyProcess(tmp_path, settings(upstream.port)) as proxy:
        client = await proxy.client(receive_buffer=64 << 10)
        await download(client, 32 * MIB)
        growth = Growth(proxy)
        await download(client, OFFERED, growth.look)
        client.close()
    assert growth.most <= BOUND


async def upload(client: Client, size: int) -> int:
    """Send a body of `size` bytes as fast as it is taken."""
    await client.ask("POST", content_length=str(size))
    for _ in range(size // len(PIECE)):
        await client.send(PIECE)
        await asyncio.sleep(0)
    return int((await client.answer()).text)


async def test_a_fast_client_does_not_fill_the_memory_for_a_slow_upstream(scene: Scene, tmp_path: Path) -> None:
    async def slow(conversation: Conversation) -> None:
        while True:
            size = int((await conversation.head())["content-length"])
            for number in range(size // MIB):
                await conversation.reader.readexactly(MIB)
                look()
                if number < READ:
                    await asyncio.sleep(PAUSE)
            conversation.answer(b"%d" % size)

    def look() -> None:
        for one in growths:
            one.look()

    growths: list[Growth] = []
    upstream = await scene.upstream(slow)
    async with ProxyProcess(tmp_path, settings(upstream.port)) as proxy:
        client = await proxy.client()
        assert await upload(client, 32 * MIB) == 32 * MIB
        growths.append(Growth(proxy))
        assert await upload(client, OFFERED) == OFFERED
        client.close()
    assert growths[0].most <= BOUND


async def test_the_memory_of_a_storm_is_there_for_the_next_one(scene: Scene, tmp_path: Path) -> None:
    """What one storm has taken, the next one uses again: nothing is kept of a client that has left."""

    async def never_done(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.reader.readexactly(SENT)
        there.add(conversation)
        await conversation.gone()
        there.remove(conversation)

    async def storm() -> None:
        clients = [await proxy.client() for _ in range(STORM)]
        for client in clients:
            await client.ask("POST", content_length=str(2 * SENT))
            await client.send(b"x" * SENT)
        await until(lambda: len(there) == STORM)
        growth.look()
        for client in clients:
            client.reset()
        await until(lambda: not there)

    there: set[Conversation] = set()
    upstream = await scene.upstream(never_done)
    async with ProxyProcess(tmp_path, settings(upstream.port)) as proxy:
        growth = Growth(proxy)
        for _ in range(3):
            await storm()
        three = growth.most
        for _ in range(6):
            await storm()
    assert growth.most - three <= BOUND
