"""What must pass without being gathered first: events, long polls, streams in both directions; and files, by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

from ..support.client import Client
from ..support.scene import Scene
from ..support.waiting import DEADLINE
from .site import FILE_SIZE, content

RANGES = ["bytes=0-0", "bytes=100-199", "bytes=-1", f"bytes={FILE_SIZE - 10}-", "bytes=65535-4194304"]


def address(at: str) -> str:
    return f"http://{at}"


async def tell(session: ClientSession, word: str) -> None:
    async with session.post("/go-on", data=word) as answer:
        assert await answer.text() == "told"


async def test_each_event_reaches_the_client_before_the_next_one_exists(at: str) -> None:
    async with ClientSession(address(at)) as session, session.get("/events") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        for number in range(5):
            await tell(session, f"event {number}")
            async with asyncio.timeout(DEADLINE):
                assert await answer.content.readuntil(b"\n\n") == f"data: event {number}\n\n".encode()
        await tell(session, "end")
        assert await answer.read() == b""


async def test_a_client_that_leaves_its_events_leaves_nothing_behind(at: str) -> None:
    async with ClientSession(address(at)) as session:
        answer = await session.get("/events")
        await tell(session, "one")
        await answer.content.readuntil(b"\n\n")
        answer.close()
        await tell(session, "end")
    # The scene sees to it that nothing is left over


async def test_a_long_poll_is_answered_when_there_is_something_to_say(at: str) -> None:
    async with ClientSession(address(at)) as session:
        polls = [asyncio.create_task(text(session, "/poll")) for _ in range(3)]
        for word in ("first", "second", "third"):
            await tell(session, word)
        assert sorted(await asyncio.gather(*polls)) == ["first", "second", "third"]


async def text(session: ClientSession, path: str) -> str:
    async with session.get(path) as answer:
        return await answer.text()


async def test_a_stream_in_both_directions_goes_chunk_for_chunk(scene: Scene, at: str) -> None:
    client = await scene.client()
    await client.ask("POST", "/mirror", host=at, transfer_encoding="chunked", te="trailers")
    await send_chunk(client, b"hello")
    head = await client.head()
    assert (head.status, head["transfer-encoding"]) == (200, "chunked")
    assert await client.chunk() == b"hello"
    for number in range(50):
        message = b"%d" % number * (number * 100 + 1)
        await send_chunk(client, message)
        assert await received(client, len(message)) == message
    await client.send(b"0\r\n\r\n")
    assert await client.chunk() == b""


async def send_chunk(client: Client, data: bytes) -> None:
    await client.send(b"%x\r\n%b\r\n" % (len(data), data))


async def received(client: Client, size: int) -> bytes:
    """`size` bytes of the answer; the borders of chunks are nobody's promise."""
    data = b""
    while len(data) < size:
        data += await client.chunk()
    return data


@pytest.fixture
async def both(scene: Scene, app: web.Application) -> AsyncIterator[tuple[ClientSession, ClientSession]]:
    """Sessions without and with the proxy in between."""
    async with TestServer(app) as behind:
        server = await scene.proxy(f"http://127.0.0.1:{behind.port}")
        straight, proxy = (f"http://127.0.0.1:{port}" for port in (behind.port, server.addresses[0].port))
        async with ClientSession(straight) as direct, ClientSession(proxy) as proxied:
            yield direct, proxied


NOT_COMPARED = {"Date", "Via", "Connection", "Keep-Alive"}
FRAMING = {"Content-Length", "Transfer-Encoding"}


async def seen(session: ClientSession, fields: Mapping[str, str], method: str = "GET") -> tuple[object, ...]:
    """All that a client could compare of an answer."""
    async with session.request(method, "/file", headers=fields) as answer:
        return answer.status, end_to_end(answer), await answer.read()


def end_to_end(answer: ClientResponse) -> list[tuple[str, str]]:
    """The fields; how a body is framed is each connection's own matter, but an answer to HEAD has only the field."""
    left_out = NOT_COMPARED if answer.method == "HEAD" else NOT_COMPARED | FRAMING
    return sorted((name, value) for name, value in answer.headers.items() if name not in left_out)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_file_is_the_same_with_and_without_the_proxy(
    both: tuple[ClientSession, ClientSession], method: str
) -> None:
    direct, proxied = both
    answer = await seen(proxied, {}, method)
    assert answer == await seen(direct, {}, method)
    assert answer[2] == (content() if method == "GET" else b"")


@pytest.mark.parametrize("asked", [*RANGES, "bytes=99999999-", "bytes=5-1", "lines=1-2"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_range_is_the_same_with_and_without_the_proxy(
    both: tuple[ClientSession, ClientSession], asked: str, method: str
) -> None:
    direct, proxied = both
    assert await seen(proxied, {"Range": asked}, method) == await seen(direct, {"Range": asked}, method)


async def test_conditional_requests_are_the_same_with_and_without_the_proxy(
    both: tuple[ClientSession, ClientSession],
) -> None:
    direct, proxied = both
    async with direct.get("/file") as answer:
        etag, modified = answer.headers["ETag"], answer.headers["Last-Modified"]
    statuses = []
    for fields in conditions(etag, modified):
        answers = await seen(proxied, fields), await seen(direct, fields)
        assert answers[0] == answers[1], fields
        statuses.append(answers[0][0])
    assert statuses == [304, 200, 304, 412, 206, 200]


def conditions(etag: str, modified: str) -> list[dict[str, str]]:
    return [
        {"If-None-Match": etag},
        {"If-None-Match": '"another"'},
        {"If-Modified-Since": modified},
        {"If-Match": '"another"'},
        {"If-Range": modified, "Range": "bytes=10-19"},
        {"If-Range": "Wed, 01 Jan 2020 00:00:00 GMT", "Range": "bytes=10-19"},
    ]


async def test_a_connection_is_still_good_after_a_304_with_a_length(
    both: tuple[ClientSession, ClientSession], scene: Scene
) -> None:
    direct, _ = both
    async with direct.get("/file") as answer:
        etag = answer.headers["ETag"]
    client = await scene.client()
    for _ in range(3):
        assert (await client.get("/file", if_none_match=etag)).status == 304
        part = await client.get("/file", range="bytes=1-3")
        assert (part.status, part.body) == (206, content(4)[1:])


async def test_many_read_the_same_file_at_once_and_each_gets_all_of_it(at: str) -> None:
    async with ClientSession(address(at)) as session:
        bodies = await asyncio.gather(*(body(session) for _ in range(6)))
    assert all(one == content() for one in bodies)


async def body(session: ClientSession) -> bytes:
    async with session.get("/file") as answer:
        return await answer.read()
