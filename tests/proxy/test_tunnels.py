"""Upgrades: after 101 the proxy relays bytes, both ways, until both sides have ended."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from ..support.certificate import self_signed
from ..support.client import Client
from ..support.scene import Scene
from ..support.upstreams import Conversation, Script
from ..support.waiting import DEADLINE, settled, until

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n"


async def upgraded(scene: Scene, **how: int) -> Client:
    client = await scene.client(**how)
    await client.ask(connection="Upgrade", upgrade="raw")
    head = await client.head()
    assert (head.status, head["upgrade"], head["connection"]) == (101, "raw", "Upgrade")
    return client


def switching(then: Script, early: bytes = b"") -> Script:
    async def script(conversation: Conversation) -> None:
        request = await conversation.head()
        assert (request["upgrade"], request["connection"]) == ("raw", "Upgrade")
        conversation.write(SWITCH + early)
        await then(conversation)

    return script


async def echo(conversation: Conversation) -> None:
    while data := await conversation.reader.read(1 << 16):
        await conversation.send(data)


@pytest.mark.parametrize("frame", [10, 200_000], ids=["small", "large"])
async def test_a_websocket_works_with_a_real_library_on_both_ends(scene: Scene, frame: int) -> None:
    async def answer(websocket: ServerConnection) -> None:
        async for message in websocket:
            await websocket.send(message)

    async with serve(answer, "127.0.0.1", 0) as upstream:
        port = next(iter(upstream.sockets)).getsockname()[1]
        server = await scene.proxy(f"http://127.0.0.1:{port}")
        async with connect(f"ws://127.0.0.1:{server.addresses[0].port}/chat", proxy=None) as websocket:
            for number in range(5):
                await websocket.send(chr(ord("a") + number) * frame)
                assert await websocket.recv() == chr(ord("a") + number) * frame
            await websocket.ping()
        assert websocket.close_code == 1000
    assert scene.route().requests == 1


async def test_a_tunnel_that_the_application_closes_is_closed_for_the_client(scene: Scene) -> None:
    async def bye(websocket: ServerConnection) -> None:
        await websocket.close(4001, "bye")

    async with serve(bye, "127.0.0.1", 0) as upstream:
        port = next(iter(upstream.sockets)).getsockname()[1]
        server = await scene.proxy(f"http://127.0.0.1:{port}")
        async with connect(f"ws://127.0.0.1:{server.addresses[0].port}/", proxy=None) as websocket:
            await websocket.wait_closed()
            assert (websocket.close_code, websocket.close_reason) == (4001, "bye")
    await scene.at_rest()


async def test_bytes_that_come_with_the_switch_are_not_lost(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(switching(echo, early=b"welcome")))
    client = await scene.client()
    await client.send(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\nhello")
    assert (await client.head()).status == 101
    assert await client.exactly(12) == b"welcomehello"


async def test_each_direction_of_a_tunnel_may_end_alone(scene: Scene) -> None:
    async def after_the_end(conversation: Conversation) -> None:
        got = await conversation.reader.read()
        await conversation.send(b"you said " + got)

    await scene.proxy(await scene.upstream(switching(after_the_end)))
    client = await upgraded(scene)
    await client.send(b"all of it")
    client.half_close()
    assert await client.rest() == b"you said all of it"


async def test_the_upstream_may_end_its_direction_first(scene: Scene) -> None:
    async def first(conversation: Conversation) -> None:
        conversation.write(b"nothing more")
        conversation.writer.write_eof()
        got.append(await conversation.reader.read())

    got: list[bytes] = []
    await scene.proxy(await scene.upstream(switching(first)))
    client = await upgraded(scene)
    assert await client.rest() == b"nothing more"
    await client.send(b"still here")
    client.half_close()
    await until(lambda: got)
    assert got == [b"still here"]
    await scene.at_rest()


async def test_a_client_that_had_half_closed_before_the_switch_is_not_kept_for_ever(scene: Scene) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.head()
        await half_closed.wait()
        conversation.write(SWITCH)
        heard.append(await conversation.reader.read())
        conversation.write(b"bye")

    heard: list[bytes] = []
    half_closed = asyncio.Event()
    await scene.proxy(await scene.upstream(script))
    client = await scene.client()
    await client.ask(connection="Upgrade", upgrade="raw")
    await until(lambda: scene.route().requests)
    client.half_close()
    front = scene.fronts()[0]
    await until(lambda: front._eof)
    half_closed.set()
    assert (await client.head()).status == 101
    assert await client.rest() == b"bye"
    assert heard == [b""]
    await scene.at_rest()


async def test_a_client_that_vanishes_ends_the_tunnel(scene: Scene) -> None:
    async def wait(conversation: Conversation) -> None:
        await conversation.gone()
        left.set()

    left = asyncio.Event()
    await scene.proxy(await scene.upstream(switching(wait)))
    (await upgraded(scene)).reset()
    await asyncio.wait_for(left.wait(), DEADLINE)
    await scene.at_rest()


async def test_an_upstream_that_resets_ends_the_tunnel(scene: Scene) -> None:
    async def reset(conversation: Conversation) -> None:
        await conversation.reader.readexactly(2)
        conversation.reset()

    await scene.proxy(await scene.upstream(switching(reset)))
    client = await upgraded(scene)
    await client.send(b"go")
    assert await client.ended() == b""
    await scene.at_rest()


async def test_a_client_that_closes_ends_a_tunnel_over_tls_too(scene: Scene) -> None:
    async def wait(conversation: Conversation) -> None:
        await conversation.gone()
        left.set()

    left = asyncio.Event()
    tls: ssl.SSLContext = self_signed()
    await scene.proxy(await scene.upstream(switching(wait), tls=tls), tls_verify=False)
    (await upgraded(scene)).close()
    await asyncio.wait_for(left.wait(), DEADLINE)
    await scene.at_rest()


async def test_a_tunnel_holds_back_an_upstream_whose_client_does_not_read(scene: Scene) -> None:
    async def flood(conversation: Conversation) -> None:
        flooding.append(conversation)
        for _ in range(512):
            await conversation.send(b"x" * 0x10000)

    flooding: list[Conversation] = []
    await scene.proxy(await scene.upstream(switching(flood)))
    client = await upgraded(scene, receive_buffer=1 << 16)
    await until(lambda: flooding)
    assert await settled(lambda: flooding[0].sent) < 16 << 20
    await client.skip(32 << 20)


async def test_a_tunnel_holds_back_a_client_whose_upstream_does_not_read(scene: Scene) -> None:
    async def deaf(conversation: Conversation) -> None:
        conversation.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a ReadTransport as well
        await listen.wait()
        conversation.writer.transport.resume_reading()  # type: ignore[attr-defined]  # likewise
        conversation.write(b"%d" % len(await conversation.reader.readexactly(32 << 20)))

    listen = asyncio.Event()
    await scene.proxy(await scene.upstream(switching(deaf)))
    client = await upgraded(scene)
    sent = 0

    async def flood() -> None:
        nonlocal sent
        for _ in range(512):
            await client.send(b"x" * 0x10000)
            sent += 0x10000

    flooding = asyncio.create_task(flood())
    assert await settled(lambda: sent) < 16 << 20
    listen.set()
    await flooding
    assert await client.exactly(8) == b"33554432"


async def exec_start(conversation: Conversation) -> None:
    """What an engine's API does to `docker exec`: it reads what is to be done, and switches."""
    request = await conversation.request()
    assert (request["upgrade"], request["connection"]) == ("raw", "Upgrade")
    conversation.write(SWITCH + request.body + b"> ")
    await echo(conversation)


EXEC = b"POST /exec HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: raw\r\n"
LENGTH = (EXEC + b'Content-Length: 5\r\n\r\n{"', b'"}!')
CHUNKED = (EXEC + b'Transfer-Encoding: chunked\r\n\r\n2\r\n{"', b'\r\n3\r\n"}!\r\n0\r\n\r\n')
GUARD: dict[str, Any] = {"define_middlewares": {"guard": {"use": "compress"}}, "middlewares": "guard"}


@pytest.mark.parametrize(
    ("request_parts", "settings"),
    [(LENGTH, {}), (CHUNKED, {}), (LENGTH, GUARD)],
    ids=["length", "chunked", "behind a middleware"],
)
async def test_a_request_with_a_body_may_ask_for_an_upgrade(
    scene: Scene, request_parts: tuple[bytes, bytes], settings: dict[str, Any]
) -> None:
    await scene.proxy(await scene.upstream(exec_start), **settings)
    client = await scene.client()
    await client.send(request_parts[0])
    await until(lambda: scene.route().in_flight == 1)
    await client.send(request_parts[1])

    answer = await client.head()
    assert (answer.status, answer["upgrade"]) == (101, "raw")
    assert await client.exactly(7) == b'{""}!> '
    await client.send(b"ls")
    assert await client.exactly(2) == b"ls"


async def test_behind_a_middleware_a_body_that_is_too_large_to_be_kept_for_the_tunnel_is_an_ordinary_one(
    scene: Scene,
) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, **GUARD)
    client = await scene.client()
    await client.send(EXEC + b"Content-Length: 70000\r\n\r\n" + b"x" * 70_000)
    assert (await client.answer()).text == "a"
    assert upstream.requests[0].body == b"x" * 70_000
    assert "upgrade" not in upstream.requests[0]


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_upgrade_of_a_request_with_a_body_may_be_declined(scene: Scene, method: str) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    for _ in range(2):
        await client.ask(method, body=b"hello", connection="Upgrade", upgrade="raw")
        assert (await client.answer()).text == "a"
    assert [request.body for request in upstream.requests] == [b"hello", b"hello"]


async def test_a_switch_before_the_request_is_complete_is_no_answer(scene: Scene) -> None:
    upstream = await scene.upstream(switching(lambda conversation: conversation.gone()))
    await scene.proxy(upstream)
    client = await scene.client()
    await client.send(
        b"POST / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: raw\r\nContent-Length: 5\r\n\r\nhe"
    )
    answer = await client.answer()
    assert (answer.status, "not_repeatable" in answer.text) == (502, True)
    assert "101 before" in scene.counted(upstream).last_error


async def test_an_upgrade_that_the_upstream_declines_is_a_plain_answer(scene: Scene) -> None:
    await scene.proxy(await scene.upstream())
    client = await scene.client()
    assert (await client.get(connection="Upgrade", upgrade="raw")).text == "a"
    assert (await client.get()).text == "a"


@pytest.mark.parametrize(
    "fields",
    [
        {"upgrade": "raw"},
        {"upgrade": "h2c", "connection": "Upgrade, HTTP2-Settings", "HTTP2_Settings": "AAMAAABkAAQAAP__"},
    ],
    ids=["not nominated", "h2c"],
)
async def test_an_upgrade_that_does_not_count_is_not_passed_on(scene: Scene, fields: dict[str, str]) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    assert (await scene.get(**fields)).text == "a"
    assert "upgrade" not in upstream.requests[0]
    assert "connection" not in upstream.requests[0]


async def test_a_switch_that_nobody_asked_for_does_not_reach_the_client(scene: Scene) -> None:
    async def switch(conversation: Conversation) -> None:
        await conversation.head()
        conversation.write(SWITCH)
        await conversation.gone()

    await scene.proxy(await scene.upstream(switch), max_attempts=3)
    answer = await scene.get()
    assert answer.status == 502
    assert "101" in scene.counted(scene.upstreams[0]).last_error


async def test_the_kernel_looks_whether_the_ends_of_a_silent_tunnel_are_still_there(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(switching(echo)))
    await upgraded(scene)
    tunnel = scene.tunnel()
    for transport in (tunnel.client, tunnel.upstream):
        sock = transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60


@pytest.mark.parametrize("lazy", ["client", "upstream"])
async def test_an_end_that_does_not_read_is_not_kept_when_its_tunnel_is_closed(
    scene: Scene, lazy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def flood(conversation: Conversation) -> None:
        if lazy == "client":
            while True:
                await conversation.send(b"x" * 65536)
        conversation.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a ReadTransport as well
        await conversation.writer.wait_closed()

    monkeypatch.setattr("dockerproxy.proxy.tunnel._LAST_WORDS", 0.2)
    await scene.proxy(await scene.upstream(switching(flood)))
    client = await upgraded(scene, receive_buffer=4096)
    tunnel = scene.tunnel()
    sending = client.send(b"x" * (64 << 20)) if lazy == "upstream" else client.send(b"x")
    flooding = asyncio.create_task(sending)
    filled = tunnel.client if lazy == "client" else tunnel.upstream
    await until(filled.get_write_buffer_size)
    await settled(filled.get_write_buffer_size)
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)
    tunnel.close()

    await until(lambda: not filled.get_write_buffer_size())
    await until(lambda: not scene.server.stats.connections)


async def test_a_tunnel_may_be_silent_for_a_limited_time_only(scene: Scene) -> None:
    left = asyncio.Event()

    async def wait(conversation: Conversation) -> None:
        await conversation.gone()
        left.set()

    await scene.proxy(await scene.upstream(switching(wait)), tunnel_timeout="200ms")
    client = await upgraded(scene)
    assert await client.rest() == b""
    await asyncio.wait_for(left.wait(), DEADLINE)


async def test_a_tunnel_in_use_outlives_the_time_it_may_be_silent(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(switching(echo)), tunnel_timeout="1s", stall_timeout="100ms",
                      idle_timeout="100ms")  # fmt: skip
    client = await upgraded(scene)
    for _ in range(40):
        await client.send(b"ping")
        assert await client.exactly(4) == b"ping"
        await asyncio.sleep(0.04)  # it is time that is tested
