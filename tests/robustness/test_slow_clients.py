"""Clients that are slow on purpose: each is told so or cut off, and the good ones beside them notice nothing."""

from __future__ import annotations

import asyncio

from ..support.client import Client
from ..support.scene import Scene
from ..support.upstreams import Conversation
from ..support.waiting import settled, until
from .bystanders import HOST, Bystanders

SLOW = 30  # clients of a kind
PIECE = b"x" * 0x10000
ANSWER = 8 << 20  # bytes
SHORT = "1500ms"
HEAD = b"GET / HTTP/1.1\r\nHost: test\r\n"


async def attacked(scene: Scene) -> None:
    """A proxy with a route for good clients and one for the others, which answers with much."""

    async def much(conversation: Conversation) -> None:
        while True:
            await conversation.request()
            conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % ANSWER)
            for _ in range(ANSWER // len(PIECE)):
                await conversation.send(PIECE)
                await asyncio.sleep(0)  # sending alone does not wait as long as the kernel takes it

    good, other = await scene.upstream(name="good"), await scene.upstream(much)
    routes = [{"name": "good", "host": HOST, "upstreams": [{"name": "good", "url": good.url}]}]
    await scene.proxy(other, host="test", routes=routes, head_timeout=SHORT, stall_timeout=SHORT)


async def slow_clients(scene: Scene, data: bytes) -> list[Client]:
    clients = [await scene.client(receive_buffer=4096) for _ in range(SLOW)]
    for client in clients:
        await client.send(data)
    return clients


async def drip(client: Client, data: bytes) -> None:
    """Send byte after byte for as long as the proxy takes them."""
    loop = asyncio.get_running_loop()
    try:
        for byte in data:
            await loop.sock_sendall(client.sock, bytes([byte]))
            await asyncio.sleep(0.05)
    except OSError:
        return


async def test_slow_heads_are_408_while_good_clients_are_served(scene: Scene) -> None:
    await attacked(scene)
    async with Bystanders(scene):
        clients = await slow_clients(scene, HEAD)
        dripping = [asyncio.create_task(drip(client, b"X: " + b"y" * 10_000)) for client in clients]
        answers = [await client.answer() for client in clients]
        assert {answer.status for answer in answers} == {408}
        assert all("head_timeout" in answer.text for answer in answers)
        for client, task in zip(clients, dripping, strict=True):
            task.cancel()
            client.close()
    await until(lambda: not scene.leftovers())


async def test_clients_that_connect_and_say_nothing_are_let_go_while_good_ones_are_served(scene: Scene) -> None:
    await attacked(scene)
    async with Bystanders(scene):
        clients = await slow_clients(scene, b"")
        assert {await client.rest() for client in clients} == {b""}


async def test_bodies_that_stop_coming_are_408_while_good_clients_are_served(scene: Scene) -> None:
    await attacked(scene)
    async with Bystanders(scene):
        clients = await slow_clients(scene, b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\nhalf of it")
        answers = [await client.answer() for client in clients]
        assert {answer.status for answer in answers} == {408}
        assert {answer["connection"] for answer in answers} == {"close"}
        for client in clients:
            client.close()
    assert scene.counted(scene.upstreams[1]).error_counter == 0
    await until(lambda: not scene.leftovers())


async def test_readers_that_stop_reading_are_cut_off_while_good_clients_are_served(scene: Scene) -> None:
    await attacked(scene)
    async with Bystanders(scene) as bystanders:
        clients = await slow_clients(scene, HEAD + b"\r\n")
        other = scene.upstreams[1]
        await settled(lambda: sum(conversation.sent for conversation in other.conversations))
        await bystanders.more()
        await until(lambda: scene.route().in_flight == 0, "the readers to be cut off")
        for client in clients:
            assert len(await client.ended()) < ANSWER
    assert scene.counted(other).error_counter == 0


async def test_a_storm_of_slow_clients_that_vanish_leaves_nothing_behind(scene: Scene) -> None:
    await attacked(scene)
    starts = [b"", b"GET / HT", HEAD + b"Content-Length: 9\r\n\r\n1", HEAD + b"\r\n"]
    async with Bystanders(scene, count=1):
        for start in starts:
            clients = await slow_clients(scene, start)
            for client in clients:
                client.reset()
            await until(lambda: scene.server.stats.connections == 1, "only the good client to be left")
    await until(lambda: not scene.leftovers())
