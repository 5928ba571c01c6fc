"""Clients that leave: whatever goes on upstream is cancelled at once, and nothing stays behind."""

from __future__ import annotations

import asyncio

import pytest

from ..support.scene import Scene
from ..support.upstreams import Conversation
from ..support.waiting import DEADLINE, until


class Endless:
    """An upstream that waits, or streams for ever, and tells when the proxy has left."""

    def __init__(self, start: bytes = b"", more: bytes = b"") -> None:
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self._start = start
        self._more = more

    async def __call__(self, conversation: Conversation) -> None:
        await conversation.head()
        conversation.write(self._start)
        self.asked.set()
        try:
            while self._more:
                await conversation.send(self._more)
            await conversation.gone()
        except ConnectionError:
            pass
        self.left.set()


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"4000\r\n" + b"x" * 0x4000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 0x4000),
    ],
    ids=["waiting for the head", "in the middle of a body", "streaming chunks", "streaming until close"],
)
async def test_a_client_that_leaves_cancels_its_upstream(scene: Scene, start: bytes, more: bytes) -> None:
    script = Endless(start, more)
    upstream = await scene.upstream(script)
    await scene.proxy(upstream, half_close_timeout=0)
    client = await scene.client()
    await client.ask()
    await script.asked.wait()
    if start:
        await client.head()

    client.reset()
    await asyncio.wait_for(script.left.wait(), DEADLINE)

    await until(lambda: scene.open_connections() == 0)
    assert scene.counted(upstream).error_counter == 0
    assert scene.route().errors_shown == 0


async def test_a_client_that_closes_politely_cancels_its_upstream_as_well(scene: Scene) -> None:
    script = Endless()
    await scene.proxy(await scene.upstream(script), half_close_timeout="100ms")
    client = await scene.client()
    await client.ask()
    await script.asked.wait()
    client.close()
    await asyncio.wait_for(script.left.wait(), DEADLINE)


async def test_a_client_that_leaves_in_the_middle_of_its_body_cancels_the_upstream_at_once(scene: Scene) -> None:
    script = Endless()
    upstream = await scene.upstream(script)
    await scene.proxy(upstream)
    client = await scene.client()
    await client.ask("POST", content_length="1000")
    await client.send(b"half")
    await script.asked.wait()
    client.half_close()  # what was announced can no longer come
    await asyncio.wait_for(script.left.wait(), DEADLINE)
    assert await client.ended() == b""
    assert scene.counted(upstream).error_counter == 0


async def test_a_client_that_shuts_its_sending_side_still_gets_its_answer(scene: Scene) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await half_closed.wait()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nall ")
        await conversation.send(b"here")

    half_closed = asyncio.Event()
    await scene.proxy(await scene.upstream(script), half_close_timeout="20s")
    client = await scene.client()
    await client.ask("POST", body=b"done")
    client.half_close()
    half_closed.set()
    answer = await client.answer()
    assert (answer.text, answer["connection"]) == ("all here", "close")
    assert await client.rest() == b""


async def test_requests_that_were_pipelined_before_the_half_close_are_all_answered(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), half_close_timeout="20s")
    client = await scene.client()
    await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 3)
    client.half_close()
    assert [(await client.answer()).text for _ in range(3)] == ["a"] * 3
    assert await client.rest() == b""


async def test_a_half_closed_client_is_served_only_as_long_as_bytes_flow(scene: Scene) -> None:
    script = Endless()
    await scene.proxy(await scene.upstream(script), half_close_timeout="100ms")
    client = await scene.client()
    await client.ask()
    client.half_close()
    assert await client.ended() == b""
    await asyncio.wait_for(script.left.wait(), DEADLINE)


@pytest.mark.parametrize("slow", [b"GET", b"POST"])
async def test_the_second_of_two_pipelined_requests_is_watched_as_well_when_its_client_is_half_closed(
    scene: Scene, slow: bytes
) -> None:
    async def answer_once(conversation: Conversation) -> None:
        while (await conversation.request()).target != "/slow":
            conversation.answer(b"first")
        await conversation.gone()
        left.set()

    left = asyncio.Event()
    await scene.proxy(await scene.upstream(answer_once), half_close_timeout="100ms")
    client = await scene.client()
    body = b"Content-Length: 2\r\n\r\nab" if slow == b"POST" else b"\r\n"
    await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" + slow + b" /slow HTTP/1.1\r\nHost: test\r\n" + body)
    client.half_close()
    assert (await client.answer()).text == "first"
    await asyncio.wait_for(left.wait(), DEADLINE)
    await scene.at_rest()


async def test_a_client_that_leaves_while_the_proxy_connects_leaves_nothing_behind(scene: Scene) -> None:
    connecting, go_on = asyncio.Event(), asyncio.Event()

    upstream = await scene.upstream()
    server = await scene.proxy(upstream)
    original = server.plane._connector._open

    async def slow(*args: object) -> None:
        connecting.set()
        await go_on.wait()
        await original(*args)  # type: ignore[arg-type]  # whatever it takes

    server.plane._connector._open = slow  # type: ignore[assignment,method-assign]  # a connection that takes its time
    client = await scene.client()
    await client.ask()
    await connecting.wait()
    client.reset()
    await until(lambda: server.stats.connections == 0)
    assert scene.route().in_flight == 0
    go_on.set()

    await until(lambda: scene.open_connections() == 1 and not scene.leftovers())
    assert (await scene.get()).text == "a"
    assert upstream.connections == 1  # the connection that was being made serves another


async def test_a_client_that_leaves_between_two_rounds_of_attempts_ends_them(scene: Scene) -> None:
    await scene.proxy("http://127.0.0.1:1", max_attempts=100_000, retry_deadline="1h")
    client = await scene.client()
    await client.ask()
    await until(lambda: scene.route().retries >= 2)
    client.reset()
    await scene.at_rest()
    assert scene.route().errors_shown == 0


async def test_many_clients_that_leave_at_any_moment_leave_nothing_behind(scene: Scene) -> None:
    async def slow(conversation: Conversation) -> None:
        while True:
            await conversation.request()
            await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50_000)
            await asyncio.sleep(0)
            await conversation.send(b"x" * 50_000)

    await scene.proxy(*[await scene.upstream(slow) for _ in range(2)], max_connections=4)

    async def come_and_go(number: int) -> None:
        client = await scene.client()
        await client.ask("POST" if number % 3 else "GET", body=b"x" * (number * 100))
        for _ in range(number % 7):
            await asyncio.sleep(0)
        if number % 5 == 0:
            await client.answer()
        (client.close if number % 2 else client.reset)()

    for wave in range(4):
        await asyncio.gather(*(come_and_go(wave * 25 + number) for number in range(25)))
    await scene.at_rest()
