"""WebSocket, end to end with real libraries: the `websockets` client, and aiohttp behind a port or as a handler."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.routing.route import Domain, Source, Upstream

from ..support.scene import Scene
from ..support.waiting import DEADLINE, settled, until
from .site import CLOSED_WITH

SIZES = [0, 1, 125, 126, 65_535, 65_536, 1 << 20, 16 << 20]  # the borders of the frame's length field, and large
# RFC 6455 section 7.4: 1004, 1005, 1006 and 1015 never stand in a frame.
CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]
MANY = 300
FILES_EACH = 4  # of one tunnel: two connections, and both ends of each are in this process
MIB = 1 << 20


def dial(at: str, **how: object) -> connect:
    return connect(f"ws://{at}/socket", max_size=None, proxy=None, ping_interval=None, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [str, bytes], ids=["text", "binary"])
async def test_a_message_of_any_size_comes_back_as_it_was(at: str, size: int, kind: type) -> None:
    message = "ä" * (size // 2) + "a" * (size % 2) if kind is str else b"\xff" * size
    async with dial(at, compression=None) as websocket:
        await websocket.send(message)
        assert await websocket.recv() == message


async def test_a_compressed_message_comes_back_as_it_was(at: str) -> None:
    async with dial(at) as websocket:
        assert [extension.name for extension in websocket.protocol.extensions] == ["permessage-deflate"]
        for size in SIZES[:-1]:
            await websocket.send(b"abc" * size)
            assert await websocket.recv() == b"abc" * size


async def test_a_message_in_fragments_arrives_whole(at: str) -> None:
    async def fragments() -> AsyncIterator[str]:
        for number in range(50):
            yield str(number) * number
            await asyncio.sleep(0)

    async with dial(at) as websocket:
        await websocket.send(fragments())
        assert await websocket.recv() == "".join(str(number) * number for number in range(50))


async def test_fragments_reach_the_client_one_by_one(scene: Scene) -> None:
    async def in_fragments(websocket: ServerConnection) -> None:
        async def fragments() -> AsyncIterator[str]:
            yield "first"
            await received.wait()
            yield "second"

        await websocket.send(fragments())

    received = asyncio.Event()
    async with serve(in_fragments, "127.0.0.1", 0) as behind, dial(await through(scene, behind)) as websocket:
        pieces = websocket.recv_streaming()
        assert await anext(pieces) == "first"
        received.set()
        assert "".join([str(piece) async for piece in pieces]) == "second"


async def test_pings_are_answered_by_the_application_also_between_fragments(at: str) -> None:
    async def fragments() -> AsyncIterator[bytes]:
        yield b"before"
        await (await websocket.ping(b"p" * 125))
        yield b"after"

    async with dial(at) as websocket:
        for payload in (b"", b"p", b"p" * 125):
            await (await websocket.ping(payload))
        await websocket.send(fragments())
        assert await websocket.recv() == b"beforeafter"


@pytest.mark.parametrize("code", CODES)
async def test_the_application_sees_with_which_code_the_client_closed(at: str, app: web.Application, code: int) -> None:
    async with dial(at) as websocket:
        await websocket.close(code, "why")
    await until(lambda: app[CLOSED_WITH])
    assert app[CLOSED_WITH] == [code]


@pytest.mark.parametrize("code", CODES)
async def test_the_client_sees_with_which_code_the_application_closed(at: str, code: int) -> None:
    async with dial(at) as websocket:
        await websocket.send(f"close {code}")
        await websocket.wait_closed()
    assert websocket.close_code == code


async def test_three_hundred_tunnels_at_once_each_get_their_own_messages(scene: Scene, at: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        many = min(MANY, hard // FILES_EACH - 100)
        websockets = await asyncio.gather(*(dial(at, open_timeout=DEADLINE) for _ in range(many)))
        assert scene.server.stats.connections == many
        await asyncio.gather(*(tell_apart(websocket, number) for number, websocket in enumerate(websockets)))
        await asyncio.gather(*(websocket.close() for websocket in websockets))
        await until(lambda: not scene.leftovers(), "all tunnels to be gone")
        assert scene.open_connections() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def tell_apart(websocket: ClientConnection, number: int) -> None:
    for turn in range(3):
        await websocket.send(f"{number} in turn {turn}")
        assert await websocket.recv() == f"{number} in turn {turn}"


async def test_tunnels_leave_the_connections_of_an_upstream_to_others(scene: Scene, app: web.Application) -> None:
    async with TestServer(app) as behind:
        server = await scene.proxy(f"http://127.0.0.1:{behind.port}", max_connections=2, connect_timeout="5s")
        at = f"127.0.0.1:{server.addresses[0].port}"
        async with AsyncExitStack() as stack:
            websockets = [await stack.enter_async_context(dial(at)) for _ in range(5)]
            assert (await scene.post(b"word", "/go-on")).text == "told"
            for number, websocket in enumerate(websockets):
                await tell_apart(websocket, number)


async def test_an_application_cannot_send_faster_than_its_client_reads(scene: Scene) -> None:
    sent = 0

    async def flood(websocket: ServerConnection) -> None:
        nonlocal sent
        for _ in range(48):
            await websocket.send(b"x" * MIB)
            sent += 1

    async with (
        serve(flood, "127.0.0.1", 0, compression=None) as behind,
        dial(await through(scene, behind), compression=None, max_queue=1) as websocket,
    ):
        assert await settled(lambda: sent) < 24
        for _ in range(48):
            assert len(await websocket.recv()) == MIB


async def test_a_client_cannot_send_faster_than_its_application_reads(scene: Scene) -> None:
    sent = 0

    async def deaf(websocket: ServerConnection) -> None:
        await listen.wait()
        for _ in range(48):
            assert len(await websocket.recv()) == MIB
        await websocket.send("all")

    async def flood(websocket: ClientConnection) -> None:
        nonlocal sent
        for _ in range(48):
            await websocket.send(b"x" * MIB)
            sent += 1

    listen = asyncio.Event()
    async with (
        serve(deaf, "127.0.0.1", 0, compression=None, max_queue=1) as behind,
        dial(await through(scene, behind), compression=None) as websocket,
    ):
        flooding = asyncio.create_task(flood(websocket))
        assert await settled(lambda: sent) < 24
        listen.set()
        await flooding
        assert await websocket.recv() == "all"


async def test_the_tunnels_of_a_stopped_container_are_left_alone_until_it_closes_them(scene: Scene) -> None:
    async def echo(websocket: ServerConnection) -> None:
        async for message in websocket:
            await websocket.send(message)

    async with serve(echo, "127.0.0.1", 0) as behind:
        port = next(iter(behind.sockets)).getsockname()[1]
        server = await scene.proxy(hold=0)
        server.registry.snapshot(Snapshot("engine", (container(port),)))
        async with dial_by_name("chat.localhost", server.addresses[0].port) as ws:
            await heard(ws, "before")
            server.registry.snapshot(Snapshot("engine", (container(port, draining=True),)))
            await heard(ws, "while it drains")
            assert (await scene.get("/socket", host="chat.localhost")).status == 503
            server.registry.snapshot(Snapshot("engine", ()))
            await heard(ws, "after it has left the table")
            behind.close()
            await ws.wait_closed()
            assert ws.close_code == 1001


def dial_by_name(name: str, port: int) -> connect:
    """`name` in the Host field, whatever the machine's resolver knows of it."""
    return connect(f"ws://{name}:{port}/socket", host="127.0.0.1", port=port, proxy=None, ping_interval=None)


def container(port: int, *, draining: bool = False) -> ContainerView:
    upstream = Upstream("chat", f"http://127.0.0.1:{port}", source=Source.DOCKER, container="1", draining=draining)
    return ContainerView("1", "chat", 1.0, "running", (RouteWish("chat", upstream, Domain("chat.localhost")),))


async def heard(websocket: ClientConnection, word: str) -> None:
    await websocket.send(word)
    assert await websocket.recv() == word


async def test_a_tunnel_that_is_silent_for_too_long_is_closed_and_a_lively_one_is_not(
    scene: Scene, app: web.Application
) -> None:
    async with TestServer(app) as behind:
        server = await scene.proxy(f"http://127.0.0.1:{behind.port}", tunnel_timeout="1s")
        at = f"127.0.0.1:{server.addresses[0].port}"
        async with dial(at) as silent, dial(at) as lively:
            waiting = asyncio.create_task(silent.wait_closed())
            while not waiting.done():
                await heard(lively, "still here")
            await heard(lively, "and now")
            with pytest.raises(ConnectionClosed):
                await silent.recv()


async def through(scene: Scene, behind: Server) -> str:
    """The address of a proxy in front of a server of the `websockets` library."""
    port = next(iter(behind.sockets)).getsockname()[1]
    server = await scene.proxy(f"http://127.0.0.1:{port}")
    return f"127.0.0.1:{server.addresses[0].port}"
