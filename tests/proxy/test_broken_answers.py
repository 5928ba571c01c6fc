"""An answer that breaks off after its head had gone out: the client must see that it is not whole."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from ..support.client import Incomplete
from ..support.scene import Scene
from ..support.upstreams import Conversation, Script

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nhalf"


def breaking(start: bytes, how: str, go_on: asyncio.Event) -> Script:
    """Send `start`, wait until the client has it, and end the connection."""

    async def script(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(start)
        await go_on.wait()
        if how == "reset":
            conversation.reset()
        elif how == "garbage":
            await conversation.send(b"this is no chunk\r\n")
            await conversation.gone()
        else:
            conversation.close()

    return script


@pytest.mark.parametrize(
    ("start", "how"),
    [
        (LENGTH + b"half", "close"),
        (LENGTH + b"half", "reset"),
        (CHUNKED, "close"),
        (CHUNKED, "reset"),
        (CHUNKED, "garbage"),
        (UNTIL_CLOSE, "reset"),
    ],
)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_a_broken_answer_never_looks_complete(scene: Scene, start: bytes, how: str, version: str) -> None:
    go_on = asyncio.Event()
    upstream = await scene.upstream(breaking(start, how, go_on))
    await scene.proxy(upstream)
    client = await scene.client()

    await client.ask(version=version)
    head = await client.head()
    assert head.status == 200
    if "transfer-encoding" in head:
        assert await client.chunk() == b"half"
    else:
        assert await client.exactly(4) == b"half"
    go_on.set()
    if "transfer-encoding" in head:
        rest: Coroutine[None, None, bytes] = client.chunk()
    else:
        rest = client.exactly(96) if "content-length" in head else client.rest()
    with pytest.raises(Incomplete) as broken:
        await rest

    assert broken.value.data == b""
    assert broken.value.reset or "transfer-encoding" in head or "content-length" in head
    assert upstream.connections == 1
    assert scene.counted(upstream).error_counter == 1
    assert scene.route().errors_shown == 1


async def test_an_answer_until_close_is_whole_when_its_upstream_closes(scene: Scene) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    await scene.proxy(await scene.upstream(script))

    assert (await scene.get()).text == "all of it"
    old = await scene.client()
    await old.ask(version="1.0")
    answer = await old.answer()
    assert (answer.text, answer["connection"]) == ("all of it", "close")
    assert "transfer-encoding" not in answer


async def test_an_answer_that_stalls_breaks_the_connection(scene: Scene) -> None:
    go_on = asyncio.Event()
    upstream = await scene.upstream(breaking(LENGTH + b"half", "close", go_on))
    await scene.proxy(upstream, stall_timeout="100ms")
    client = await scene.client()
    await client.ask()
    with pytest.raises(Incomplete):
        await client.answer()
    assert "stalled" in scene.counted(upstream).last_error


async def test_the_parts_that_came_before_the_break_reach_the_client(scene: Scene) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50_000)

    await scene.proxy(await scene.upstream(script))
    client = await scene.client()
    await client.ask()
    await client.head()
    assert await client.exactly(50_000) == b"x" * 50_000
    assert await client.ended() == b""


async def test_a_request_that_waits_behind_a_broken_answer_is_not_answered_on_that_connection(scene: Scene) -> None:
    go_on = asyncio.Event()
    upstream = await scene.upstream(breaking(CHUNKED, "close", go_on))
    await scene.proxy(upstream)
    client = await scene.client()
    await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 2)
    await client.head()
    assert await client.chunk() == b"half"
    go_on.set()
    assert await client.ended() == b""
    assert upstream.connections == 1
