"""Clients that send their bodies slowly do not take the connections that others need."""

from __future__ import annotations

from ..support.scene import Scene
from ..support.waiting import until

LIMIT = 4  # connections to the upstream


async def test_slow_bodies_leave_connections_to_others(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, max_connections=LIMIT)
    slow = [await scene.client() for _ in range(4 * LIMIT)]
    for client in slow:
        await client.send(b"POST / HTTP/1.1\r\nHost: slow\r\nContent-Length: 10\r\n\r\nabc")
    await until(lambda: scene.route().in_flight == len(slow))

    assert (await scene.get()).text == "a"
    assert upstream.connections < LIMIT

    for client in slow:
        await client.send(b"defghij")
    assert [(await client.answer()).text for client in slow] == ["a"] * len(slow)
    assert [request.body for request in upstream.requests if request.method == "POST"] == [b"abcdefghij"] * len(slow)


async def test_a_large_body_flows_once_as_much_as_can_be_kept_is_here(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, max_connections=LIMIT)
    slow = [await scene.client() for _ in range(LIMIT)]
    for client in slow:
        await client.send(b"POST / HTTP/1.1\r\nHost: slow\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await until(lambda: scene.route().in_flight == len(slow))

    size = 1 << 20
    answer = await scene.post(b"x" * size)

    assert answer.text == "a"
    assert len(upstream.requests[-1].body) == size


async def test_a_client_that_leaves_while_its_body_is_awaited_is_forgotten(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, max_connections=1)
    for _ in range(3):
        client = await scene.client()
        await client.send(b"POST / HTTP/1.1\r\nHost: slow\r\nContent-Length: 10\r\n\r\nabc")
    await until(lambda: scene.route().in_flight == 3)
    for client in scene.clients:
        client.reset()
    await scene.at_rest()
    assert (await scene.get()).text == "a"


async def test_a_body_that_ends_too_large_is_not_sent_after_all(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, max_connections=1, max_body=10)
    assert (await scene.get()).text == "a"  # a connection is there, and idle
    client = await scene.client()
    await client.send(b"POST / HTTP/1.1\r\nHost: slow\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await until(lambda: scene.route().in_flight)

    await client.send(b"8\r\ndefghijk\r\n0\r\n\r\n")

    assert (await client.answer()).status == 413
    assert (await client.get()).text == "a"
    assert [request.method for request in upstream.requests] == ["GET", "GET"]
