"""Bodies on their way through: both directions, in whatever framing, and never more of them than fits in between."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest
from aiohttp import ClientSession

from dockerproxy.proxy.downstream.http1 import Front

from ..support.client import Client
from ..support.scene import Scene, arrived, unacknowledged
from ..support.upstreams import Conversation, Upstream
from ..support.waiting import settled, until

# What kernels keep on both sides of the proxy, where memory is plentiful, and its own two buffers;
# far less than what is sent.
BOUND = 24 << 20
SENT = 48 << 20
PIECE = b"x" * 0x10000
KIB = 1024
MIB = 1024 * KIB


SIZE_OF_LAST = 60 * KIB  # more than a narrow socket takes, less than makes the upstream wait


async def endless(conversation: Conversation) -> None:
    """Answer every request with SENT bytes."""
    while True:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SENT)
        for _ in range(SENT // len(PIECE)):
            await conversation.send(PIECE)


class Upload:
    """SENT bytes that a client sends, as fast as it gets rid of them; `sent` so far."""

    def __init__(self, client: Client) -> None:
        self.sent = 0
        self.task = asyncio.create_task(self._send(client))

    async def _send(self, client: Client) -> None:
        for _ in range(SENT // len(PIECE)):
            await client.send(PIECE)
            self.sent += len(PIECE)


async def test_an_upstream_is_read_no_faster_than_its_client_reads(scene: Scene) -> None:
    upstream = await scene.upstream(endless)
    await scene.proxy(upstream)
    client = await scene.client(receive_buffer=64 * KIB)
    await client.ask()
    await until(lambda: upstream.conversations)

    assert await settled(lambda: upstream.conversations[0].sent) < BOUND
    await client.head()
    await client.skip(SENT)

    assert (await settled(lambda: scene.route().in_flight)) == 0


async def test_what_a_slow_client_has_yet_to_read_does_not_hide_in_the_kernel(scene: Scene) -> None:
    """Else it would look as if it had stalled until megabytes are gone."""
    await scene.proxy(await scene.upstream(endless))
    client = await scene.client(receive_buffer=1 << 16)
    await client.ask()
    await until(lambda: any(front.transport.get_write_buffer_size() for front in scene.fronts()))
    (front,) = scene.fronts()
    assert unacknowledged(front.transport) < 1 << 20
    await client.skip(SENT)


async def test_a_second_answer_to_a_client_that_does_not_read_is_held_back_as_well(scene: Scene) -> None:
    async def fill_then_flood(conversation: Conversation) -> None:
        await conversation.request()
        await scene.fill(conversation)  # so that the end of this answer goes over the mark
        conversation.write(b"8000\r\n" + b"x" * 0x8000 + b"\r\n0\r\n\r\n")
        await endless(conversation)

    upstream = await scene.upstream(fill_then_flood)
    await scene.proxy(upstream)
    client = await scene.client(receive_buffer=4 * KIB)
    await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 2)

    await until(lambda: bool(upstream.conversations) and upstream.conversations[0].sent > 0)
    assert await settled(lambda: upstream.conversations[0].sent, 150) < BOUND
    await client.answer()
    await client.head()
    await client.skip(SENT)


async def test_a_client_is_read_no_faster_than_its_upstream_reads(scene: Scene) -> None:
    async def deaf(conversation: Conversation) -> None:
        request = await conversation.head()
        conversation.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a ReadTransport as well
        await listen.wait()
        conversation.writer.transport.resume_reading()  # type: ignore[attr-defined]  # likewise
        conversation.answer(b"%d" % len((await conversation.body(request)).body))

    listen = asyncio.Event()
    await scene.proxy(await scene.upstream(deaf))
    client = await scene.client()
    await client.ask("POST", content_length=str(SENT))
    upload = Upload(client)
    assert await settled(lambda: upload.sent) < BOUND
    listen.set()
    await upload.task
    assert (await client.answer()).text == str(SENT)


def narrowed(upstream: Upstream) -> None:
    """From now on its kernel takes little, as that of a machine at the other end of a real network."""
    assert upstream._server is not None
    for sock in upstream._server.sockets:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)


async def sent_at_most(client: Client, first: bytes) -> int:
    """How much a client can send, of SENT bytes, to a proxy whose upstream does not read: `first` in one piece."""
    await client.send(first)
    sent = len(first)

    async def send_all() -> None:
        nonlocal sent
        while sent < SENT:
            await client.send(PIECE)
            sent += len(PIECE)

    sending = asyncio.create_task(send_all())
    most = await settled(lambda: sent)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    return most


async def test_an_upload_whose_beginning_is_too_much_already_is_read_no_faster(scene: Scene) -> None:
    async def deaf(conversation: Conversation) -> None:
        conversation.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a ReadTransport as well
        await asyncio.Event().wait()

    upstream = await scene.upstream(deaf)
    narrowed(upstream)
    await scene.proxy(upstream)
    head = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % SENT
    assert await sent_at_most(await scene.client(), head + b"x" * (250 * KIB)) < BOUND


async def test_what_a_client_sends_behind_its_wish_to_switch_protocols_is_read_no_faster(scene: Scene) -> None:
    async def deaf(conversation: Conversation) -> None:
        await conversation.head()
        conversation.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a ReadTransport as well
        await until(lambda: len(scene.fronts()[0]._reader.unread) > 64 * KIB)
        conversation.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        await asyncio.Event().wait()

    upstream = await scene.upstream(deaf)
    narrowed(upstream)
    await scene.proxy(upstream)
    head = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
    assert await sent_at_most(await scene.client(), head + b"x" * (2 << 20)) < BOUND


async def test_a_client_that_sends_but_does_not_read_is_not_served_for_ever(scene: Scene) -> None:
    async def echo(conversation: Conversation) -> None:
        await conversation.head()
        conversation.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while data := await conversation.reader.read(1 << 16):
            await conversation.send(b"%x\r\n%b\r\n" % (len(data), data))

    upstream = await scene.upstream(echo)
    await scene.proxy(upstream, stall_timeout=0.5)
    client = await scene.client(receive_buffer=4 * KIB)
    with contextlib.suppress(ConnectionError, TimeoutError):
        await sent_at_most(client, b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % (1 << 30))
    await until(lambda: not scene.server.stats.connections)
    await scene.at_rest()


async def test_an_upload_to_a_route_that_holds_is_not_read_into_memory(scene: Scene) -> None:
    from .test_hold_and_drain import appear, docker_route

    await docker_route(scene)
    client = await scene.client()
    await client.ask("POST", host="held.localhost", content_length=str(SENT))
    upload = Upload(client)
    assert await settled(lambda: upload.sent) < BOUND
    upstream = await scene.upstream()
    appear(scene, upstream)
    await upload.task
    assert (await client.answer()).text == upstream.name
    assert len(upstream.requests[0].body) == SENT


@pytest.mark.parametrize("size", [0, 1, 64 * KIB, 3 << 20], ids=str)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_bodies_arrive_unchanged_in_both_directions(scene: Scene, size: int, chunked: bool) -> None:
    async def mirror(conversation: Conversation) -> None:
        while True:
            request = await conversation.request()
            if "content-length" in request:
                conversation.answer(request.body)
                continue
            conversation.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in range(0, len(request.body), 70_000):
                piece = request.body[start : start + 70_000]
                await conversation.send(b"%x;name=value\r\n%b\r\n" % (len(piece), piece))
            conversation.write(b"0\r\n\r\n")

    server = await scene.proxy(await scene.upstream(mirror))
    body = hashlib.shake_256(b"seed").digest(size)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, size, 50_000):
            yield body[start : start + 50_000]

    async with ClientSession(f"http://127.0.0.1:{server.addresses[0].port}") as session:
        for _ in range(2):
            async with session.post("/", data=pieces() if chunked else body) as answer:
                assert await answer.read() == body
                assert chunked or answer.headers["Content-Length"] == str(size)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_it_does_not_matter_how_the_bytes_are_cut_into_packets(scene: Scene, size: int) -> None:
    async def in_bits(conversation: Conversation) -> None:
        request = await conversation.request()
        assert (request.body, request.trailers) == (b"hello", [("a", "b")])
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nworld\r\n0\r\nc: d\r\n\r\n"
        for start in range(0, len(answer), size):
            await conversation.send(answer[start : start + size])
            await asyncio.sleep(0)

    await scene.proxy(await scene.upstream(in_bits))
    client = await scene.client()
    request = (
        b"\r\nPOST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nhel\r\n2\r\nlo\r\n0\r\na: b\r\n\r\nGET /next HTTP/1.1\r\n"
    )
    for start in range(0, len(request), size):
        await client.send(request[start : start + size])
        await asyncio.sleep(0)
    answer = await client.answer()
    assert (answer.text, answer.trailers) == ("world", [("c", "d")])


async def test_parts_of_an_answer_reach_the_client_as_they_come(scene: Scene) -> None:
    async def events(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            await conversation.send(b"1\r\n%d\r\n" % number)
            await seen.wait()
            seen.clear()
        conversation.write(b"0\r\n\r\n")

    seen = asyncio.Event()
    await scene.proxy(await scene.upstream(events))
    client = await scene.client()
    await client.ask()
    await client.head()
    for number in range(5):
        assert await client.chunk() == b"%d" % number
        seen.set()
    assert await client.chunk() == b""


async def test_parts_of_a_request_reach_the_upstream_as_they_come(scene: Scene) -> None:
    async def listen(conversation: Conversation) -> None:
        await conversation.head()
        for _ in range(5):
            got.append(await conversation.chunk())
        assert await conversation.chunk() == b""
        await conversation.reader.readexactly(2)
        conversation.answer(b"thanks")

    got: list[bytes] = []
    await scene.proxy(await scene.upstream(listen))
    client = await scene.client()
    await client.ask("POST", transfer_encoding="chunked")
    for number in range(5):
        await client.send(b"1\r\n%d\r\n" % number)
        await until(lambda number=number: len(got) == number + 1)  # type: ignore[misc]  # a default is how it is bound
    await client.send(b"0\r\n\r\n")
    assert (await client.answer()).text == "thanks"
    assert got == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_long_answer_that_ends_while_the_client_does_not_read_arrives_whole(scene: Scene) -> None:
    async def long(conversation: Conversation) -> None:
        while True:
            await conversation.request()
            conversation.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(100):
                await conversation.send(b"10000\r\n" + PIECE + b"\r\n")
            conversation.write(b"0\r\nlast: trailer\r\n\r\n")

    upstream = await scene.upstream(long)
    await scene.proxy(upstream)
    client = await scene.client(receive_buffer=4 * KIB)
    for _ in range(2):
        await client.ask()
        await settled(lambda: upstream.conversations[0].sent if upstream.conversations else 0)
        answer = await client.answer()
        assert (len(answer.body), answer.trailers) == (100 * len(PIECE), [("last", "trailer")])
    assert upstream.connections == 1


async def test_a_whole_chunked_answer_with_trailers_in_one_packet_to_a_client_that_does_not_read(scene: Scene) -> None:
    body = b"x" * (200 * KIB)
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nlast: 1\r\n\r\n" % (len(body), body)

    async def once(conversation: Conversation) -> None:
        while True:
            await conversation.request()
            await conversation.send(whole)

    upstream = await scene.upstream(once)
    await scene.proxy(upstream)
    client = await scene.client(receive_buffer=4 * KIB)
    await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 40)
    await settled(lambda: upstream.conversations[0].sent if upstream.conversations else 0)
    for _ in range(40):
        answer = await client.answer()
        assert (answer.body, answer.trailers) == (body, [("last", "1")])


@pytest.mark.parametrize("framing", ["length", "until close"])
async def test_an_answer_that_comes_before_the_request_has_ended_reaches_the_client(scene: Scene, framing: str) -> None:
    async def no(conversation: Conversation) -> None:
        await conversation.head()
        if framing == "length":
            conversation.answer(b"too much", "413 Content Too Large")
        else:
            conversation.write(b"HTTP/1.1 413 Content Too Large\r\n\r\ntoo much")
        await conversation.writer.drain()

    await scene.proxy(await scene.upstream(no))
    client = await scene.client()
    await client.ask("POST", content_length=str(8 << 20))
    await client.send(b"x" * 1000)
    answer = await client.head()
    assert (answer.status, answer["connection"]) == (413, "close")
    await client.send(b"x" * 100_000)  # it may go on for a while without losing the answer
    body = await client.ended()
    assert b"too much" in body


async def refuse_and_read_on(conversation: Conversation) -> None:
    await conversation.head()
    conversation.answer(b"not here", "403 Forbidden")
    await conversation.gone()


_LENGTH = b"Content-Length: %d\r\n\r\n" % SENT
_CHUNK = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (SENT // 2)
REFUSED_UPLOADS = {
    "larger than it may be": (413, b"POST / HTTP/1.1\r\nHost: small\r\n" + _LENGTH),
    "grows larger than it may be": (413, b"POST / HTTP/1.1\r\nHost: small\r\n" + _CHUNK),
    "by the application, which reads on": (403, b"POST / HTTP/1.1\r\nHost: refusing\r\n" + _LENGTH),
    "for nobody": (404, b"POST / HTTP/1.1\r\nHost: nobody\r\n" + _LENGTH),
    "not understood": (501, b"POST / HTTP/1.1\r\nHost: small\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
    "malformed": (400, b"POST / HTTP/1.1\r\nHost: small\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"),
}


@pytest.mark.parametrize("why", REFUSED_UPLOADS)
async def test_a_client_that_sends_all_of_a_refused_upload_before_it_reads_gets_the_answer(
    scene: Scene, why: str
) -> None:
    refusing = await scene.upstream(refuse_and_read_on)
    small = {"name": "small", "host": "small", "max_body": 1000, "upstreams": [{"url": "http://127.0.0.1:1"}]}
    await scene.proxy(refusing, host="refusing", routes=[small])
    status, head = REFUSED_UPLOADS[why]
    for _ in range(3):
        client = await scene.client()
        await client.send(head)
        for _ in range(16 if head.endswith(_LENGTH) else 8):
            await client.send(b"x" * (SENT // 16))
        answer = await client.answer()
        assert (answer.status, answer["connection"]) == (status, "close")
        assert await client.rest() == b""
        client.close()


async def test_a_client_that_pauses_within_a_refused_upload_still_gets_the_answer(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), max_body=1000)
    client = await scene.client()
    await client.ask("POST", content_length=str(SENT))
    await until(lambda: any(front._ending.lingering for front in scene.fronts()))
    front = scene.fronts()[0]
    await client.send(b"x" * MIB)
    await until(lambda: front._ending._discarded == MIB)
    front.expired(time.monotonic())  # as when it had been silent for a while, after that
    await client.send(b"x" * (SENT - MIB))
    assert (await client.answer()).status == 413


def sent(front: Front, size: int) -> bool:
    """Whether so much has come after the answer."""
    return front._ending._discarded >= size


@pytest.mark.parametrize("bound", ["silence", "time", "bytes"])
async def test_what_a_client_may_send_after_its_refused_upload_is_bounded(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr("dockerproxy.proxy.downstream.closing._SENDING_BYTES", MIB)
    await scene.proxy(await scene.upstream(), max_body=1000)
    client = await scene.client()
    await client.ask("POST", content_length=str(1 << 40))
    await until(lambda: any(front._ending.lingering for front in scene.fronts()))
    (front,) = scene.fronts()
    if bound == "bytes":
        with contextlib.suppress(ConnectionError):
            await client.send(b"x" * SENT)
    if bound == "silence":
        front.expired(time.monotonic())
    if bound == "time":
        for byte in range(6):
            assert not front.transport.is_closing()
            await client.send(b"x")
            await until(partial(sent, front, byte + 1))
            front.expired(time.monotonic())
    await until(lambda: not scene.fronts())


async def test_an_upstream_that_refuses_an_upload_and_closes_at_once_is_heard(scene: Scene) -> None:
    async def no(conversation: Conversation) -> None:
        await conversation.head()
        conversation.answer(b"too much", "413 Content Too Large", connection="close")

    upstream = await scene.upstream(no)  # the kernel sends RST behind the answer, for the upload was not read
    await scene.proxy(upstream)
    for _ in range(20):
        client = await scene.client()
        await client.ask("POST", content_length=str(SENT))
        uploading = asyncio.create_task(client.send(b"x" * SENT))
        assert (await client.answer()).text == "too much"
        uploading.cancel()
        await asyncio.gather(uploading, return_exceptions=True)
        client.reset()
    assert scene.counted(upstream).error_counter == 0


async def test_an_answer_until_close_is_whole_although_its_upstream_never_read_the_request(scene: Scene) -> None:
    async def no(conversation: Conversation) -> None:
        await conversation.head()
        conversation.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a ReadTransport as well
        await flowing.wait()
        conversation.write(b"HTTP/1.1 413 Content Too Large\r\n\r\ntoo much")
        conversation.writer.write_eof()
        await done.wait()

    flowing, done = asyncio.Event(), asyncio.Event()
    await scene.proxy(await scene.upstream(no))
    client = await scene.client()
    await client.ask("POST", content_length=str(SENT))
    upload = Upload(client)
    await settled(lambda: upload.sent)
    flowing.set()
    answer = await client.answer()
    assert (answer.status, answer.text) == (413, "too much")
    done.set()
    await asyncio.gather(upload.task, return_exceptions=True)


async def test_a_connection_whose_upstream_has_not_read_the_last_request_is_not_used_again(scene: Scene) -> None:
    async def lazy(conversation: Conversation) -> None:
        await conversation.head()
        if conversation.number > 1:
            conversation.answer(b"diligent", connection="close")
            await conversation.gone()
            return
        conversation.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a ReadTransport as well
        await uploaded.wait()
        conversation.answer(b"lazy")
        await conversation.writer.wait_closed()

    uploaded = asyncio.Event()
    upstream = await scene.upstream(lazy)
    await scene.proxy(upstream)
    client = await scene.client()
    await client.ask("PUT", transfer_encoding="chunked")
    await until(lambda: upstream.connections)
    front = scene.fronts()[0]
    exchange = front.exchange
    assert exchange is not None
    await until(exchange._connection)
    connection = exchange._connection()
    assert connection is not None
    while (waiting := connection.transport.get_write_buffer_size()) < 40 * KIB:
        size = 0x2000 if waiting else 0x8000
        await client.send(b"%x\r\n" % size + b"x" * size + b"\r\n")
        await arrived(client.sock, front.transport)
    await client.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n0\r\n\r\n")
    await until(lambda: exchange.request_body is not None and exchange.request_body.ended)
    uploaded.set()
    assert (await client.answer()).text == "lazy"

    assert (await client.get()).text == "diligent"


async def test_requests_pipelined_behind_an_answer_that_nobody_reads_survive_the_half_close(scene: Scene) -> None:
    async def fill(conversation: Conversation) -> None:
        await conversation.request()
        await scene.fill(conversation)
        conversation.write(b"8000\r\n" + b"x" * 0x8000 + b"\r\n0\r\n\r\n")
        await conversation.request()
        conversation.answer(b"second")
        await conversation.gone()

    await scene.proxy(await scene.upstream(fill), half_close_timeout="20s")
    client = await scene.client(receive_buffer=4 * KIB)
    await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 2)
    await until(lambda: scene.route().requests == 1 and scene.route().in_flight == 0)
    front = scene.fronts()[0]
    client.half_close()
    await until(lambda: front._eof)
    assert (await client.answer()).status == 200
    assert (await client.answer()).text == "second"


async def test_requests_for_nobody_pipelined_behind_an_answer_that_nobody_reads_are_not_the_last(
    scene: Scene,
) -> None:
    async def fill(conversation: Conversation) -> None:
        await conversation.request()
        await scene.fill(conversation)
        conversation.write(b"8000\r\n" + b"x" * 0x8000 + b"\r\n0\r\n\r\n")
        await conversation.request()
        conversation.answer(b"last")
        await conversation.gone()

    await scene.proxy(await scene.upstream(fill), host="known", half_close_timeout="2s")
    client = await scene.client(receive_buffer=4 * KIB)
    await client.ask(host="known")
    await until(lambda: scene.route().requests == 1 and scene.route().in_flight == 0)
    front = scene.fronts()[0]
    nobody = b"HEAD / HTTP/1.1\r\nHost: nobody\r\nX: " + b"x" * 10_000 + b"\r\n\r\n"
    await client.send(8 * nobody)
    await until(lambda: front.valve.shut)
    assert (await client.answer()).status == 200
    assert [(await client.answer(to="HEAD")).status for _ in range(8)] == [404] * 8
    await client.ask(host="known")
    assert (await client.answer()).text == "last"


async def test_a_request_that_goes_on_after_its_answer_has_ended_is_cut_in_the_end(scene: Scene) -> None:
    async def no(conversation: Conversation) -> None:
        await conversation.head()
        conversation.answer(b"no")
        await conversation.gone()

    await scene.proxy(await scene.upstream(no))
    client = await scene.client()
    await client.ask("POST", content_length=str(1 << 30))
    assert (await client.answer()).text == "no"

    async def go_on() -> None:
        for _ in range(1000):
            await client.send(PIECE)

    with pytest.raises(ConnectionError):
        await go_on()


async def test_the_end_of_the_last_answer_waits_for_a_client_that_pauses(scene: Scene) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await narrow.wait()
        conversation.answer(b"x" * SIZE_OF_LAST)
        await conversation.gone()

    narrow = asyncio.Event()
    upstream = await scene.upstream(script)
    await scene.proxy(upstream)
    client = await scene.client(receive_buffer=4 * KIB)
    await client.ask(connection="close")
    await until(lambda: upstream.connections)
    front = scene.fronts()[0]
    front.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * KIB)
    narrow.set()
    await until(lambda: front._ending.lingering)
    assert front.transport.get_write_buffer_size() > 0
    front._ending._unsent += 1  # as if the client had read a byte since
    front.expired(time.monotonic())  # as after LINGER_TIME

    assert len((await client.answer()).body) == SIZE_OF_LAST
    assert await client.rest() == b""
