"""Much of something: connections, fields, lines, extensions, trailers, requests. Each has its bound and its status."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from ..support.client import Client
from ..support.scene import Scene
from ..support.waiting import until
from .bystanders import HOST, Bystanders

IDLE = 400  # connections
HASTY = 300  # connections that open and close at once
FLOODERS = 10
REQUESTS = 2000  # on one connection, without waiting for an answer
HEAD = b"GET / HTTP/1.1\r\nHost: test\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"

FLOODS = {
    "many fields": (431, HEAD, b"X: y\r\n" * 100),
    "one endless field": (431, HEAD + b"X: ", b"y" * 1000),
    "an endless target": (414, b"GET /", b"a" * 1000),
    "an endless method": (414, b"", b"A" * 1000),
    "an endless chunk extension": (400, CHUNKED + b"1;a=", b"b" * 1000),
    "an extension at every chunk": (400, CHUNKED, b"1;" + b"a" * 1000 + b"\r\nx\r\n"),
    "an endless chunk size": (400, CHUNKED, b"0" * 1000),
    "many trailers": (400, CHUNKED + b"0\r\n", b"X: y\r\n" * 100),
    "one endless trailer": (400, CHUNKED + b"0\r\nX: ", b"y" * 1000),
    "empty lines": (400, b"", b"\r\n" * 500),
}


async def attacked(scene: Scene, **later: Any) -> None:
    """A proxy with a route for good clients and one for the others; `later` are settings after a reload."""
    good, other = await scene.upstream(name="good"), await scene.upstream()
    routes = [{"name": "good", "host": HOST, "upstreams": [{"name": "good", "url": good.url}]}]
    site: dict[str, Any] = {"host": "test", "routes": routes}
    await scene.proxy(other, **site, read_settings=lambda: scene.settings(other, **site, **later))


async def flood(client: Client, piece: bytes) -> None:
    """Send `piece` without end, or until the proxy has had enough."""
    loop = asyncio.get_running_loop()
    try:
        while True:
            await loop.sock_sendall(client.sock, piece)
            await asyncio.sleep(0)
    except OSError:
        return


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_is_refused_at_its_bound_while_good_clients_are_served(scene: Scene, name: str) -> None:
    status, start, piece = FLOODS[name]
    await attacked(scene)
    async with Bystanders(scene):
        clients = [await scene.client() for _ in range(FLOODERS)]
        for client in clients:
            await client.send(start + piece)
        flooding = [asyncio.create_task(flood(client, piece)) for client in clients]
        answers = [await client.answer() for client in clients]
        assert {answer.status for answer in answers} == {status}
        for client, task in zip(clients, flooding, strict=True):
            task.cancel()
            client.close()
    assert not any(request.target != "/" for upstream in scene.upstreams for request in upstream.requests)
    assert scene.counted(scene.upstreams[1]).error_counter == 0


async def test_many_idle_connections_do_no_harm_and_are_let_go_in_time(scene: Scene) -> None:
    await attacked(scene, idle_timeout="4s")
    async with Bystanders(scene):
        clients = []
        for _ in range(IDLE):
            clients.append(await scene.client())
            assert (await clients[-1].get()).text == "b"
        assert scene.server.stats.connections >= IDLE
        scene.server.reload()  # only now: a busy machine may take longer to open all than the first may be idle
        for client in clients:
            assert (await client.get()).text == "b"
        await until(lambda: scene.server.stats.connections <= 4, "the idle ones to be let go")
        for client in clients:
            assert await client.rest() == b""


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize(
    "start", [b"", b"GET / HTTP/1.1\r\nHost: te", HEAD + b"\r\n"], ids=["nothing", "half", "whole"]
)
async def test_connections_that_open_and_close_at_once_do_no_harm(scene: Scene, start: bytes, how: str) -> None:
    await attacked(scene)
    async with Bystanders(scene, count=2):
        for _ in range(HASTY // 10):
            await asyncio.gather(*(hasty(scene, start, how) for _ in range(10)))
        await until(lambda: scene.server.stats.connections == 2, "only good clients to be left")
    await until(lambda: not scene.leftovers())


async def hasty(scene: Scene, start: bytes, how: str) -> None:
    client = await scene.client()
    if start:
        await client.send(start)
    getattr(client, how)()


async def test_more_requests_than_can_wait_are_answered_in_turn_all_the_same(scene: Scene) -> None:
    await attacked(scene)
    async with Bystanders(scene):
        client = await scene.client()
        sending = asyncio.create_task(send_all(client, numbered()))
        for _ in range(REQUESTS):
            assert (await client.answer()).text == "b"
        await sending
    targets = [request.target for request in scene.upstreams[1].requests]
    assert targets == [f"/{number}" for number in range(REQUESTS)]


def numbered() -> Iterator[bytes]:
    for number in range(REQUESTS):
        yield b"GET /%d HTTP/1.1\r\nHost: test\r\nX: %b\r\n\r\n" % (number, b"x" * 200)


async def send_all(client: Client, requests: Iterator[bytes]) -> None:
    for request in requests:
        await client.send(request)


async def test_requests_for_hosts_that_nobody_knows_do_not_hold_up_good_ones(scene: Scene) -> None:
    await attacked(scene)
    async with Bystanders(scene):
        client = await scene.client()
        block = b"".join(b"GET / HTTP/1.1\r\nHost: h%d.example\r\n\r\n" % number for number in range(REQUESTS))
        sending = asyncio.create_task(client.send(block))
        for _ in range(REQUESTS):
            assert (await client.answer()).status == 404
        await sending
