"""Upstreams that are cut off from the network: nobody closes a connection, and nobody says a word."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.proxy.keepalive import MOST_UNACKNOWLEDGED, READ_AT_ONCE, UPSTREAM
from dockerproxy.proxy.upstream.http1 import UpstreamConnection
from dockerproxy.routing.route import Domain, Source
from dockerproxy.routing.route import Upstream as RouteUpstream

from ..support.client import Client
from ..support.scene import Scene
from ..support.upstreams import Conversation, Upstream
from ..support.waiting import until

HOST = "app.localhost"
MILLISECONDS = int(MOST_UNACKNOWLEDGED * 1000)


async def silent(conversation: Conversation) -> None:
    """Take requests and never answer."""
    await conversation.gone()


def container(
    upstream: Upstream, *, connected: bool = True, state: str = "running", middlewares: str = ""
) -> ContainerView:
    """A container behind which `upstream` answers, as long as it is on the network."""
    routed = RouteUpstream(upstream.name, upstream.url, source=Source.DOCKER, container=f"id-{upstream.name}")
    options = {"middlewares": (middlewares,)} if middlewares else {}
    wish = RouteWish("app", routed, Domain(HOST), options=options)
    wishes, addresses = ((wish,), ("127.0.0.1",)) if connected else ((), ())
    return ContainerView(f"id-{upstream.name}", upstream.name, 1.0, state, wishes, addresses=addresses)


def see(scene: Scene, *views: ContainerView) -> None:
    """What the engine says now."""
    scene.server._on_snapshot(Snapshot("engine", views))


async def waiting(scene: Scene, upstream: Upstream, method: str = "GET") -> Client:
    """A client whose request waits for the answer of `upstream`."""
    client = await scene.client()
    await client.ask(method, host=HOST)
    await until(lambda: upstream.connections == 1)
    return client


def connection_of(scene: Scene) -> UpstreamConnection:
    """The connection that answers the only request under way."""
    (exchange,) = [front.exchange for front in scene.fronts() if front.exchange is not None]
    connection = exchange._connection()
    assert connection is not None
    return connection


@pytest.mark.parametrize("middlewares", ["", "packed"])
async def test_a_request_goes_on_at_once_when_its_container_has_left_the_network(
    scene: Scene, middlewares: str
) -> None:
    cut_off, other = await scene.upstream(silent), await scene.upstream()
    await scene.proxy(define_middlewares={"packed": {"use": "compress"}})
    see(scene, container(cut_off, middlewares=middlewares))
    client = await waiting(scene, cut_off)

    see(scene, container(cut_off, connected=False), container(other, middlewares=middlewares))

    assert (await client.answer()).text == "b"
    assert scene.route("app").errors_shown == 0


async def test_a_request_of_the_last_container_is_held_until_it_is_back_on_the_network(scene: Scene) -> None:
    upstream = await scene.upstream(silent)
    await scene.proxy()
    see(scene, container(upstream))
    client = await waiting(scene, upstream)
    see(scene, container(upstream, connected=False))
    await until(lambda: scene.route("app").held == 1)
    upstream.script = upstream.serve
    see(scene, container(upstream))
    assert (await client.answer()).text == "a"


async def test_a_request_that_must_not_be_sent_twice_is_told_at_once(scene: Scene) -> None:
    cut_off, other = await scene.upstream(silent), await scene.upstream()
    await scene.proxy()
    see(scene, container(cut_off))
    client = await waiting(scene, cut_off, "POST")
    see(scene, container(cut_off, connected=False), container(other))
    answer = await client.answer()
    assert (answer.status, "timed_out" in answer.text) == (504, True)
    assert other.requests == []
    assert "left the network" in scene.route("app").upstream(f"id-{cut_off.name} {cut_off.url}").last_error


async def test_an_answer_that_had_begun_is_seen_to_be_cut(scene: Scene) -> None:
    async def half(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await conversation.gone()

    upstream = await scene.upstream(half)
    await scene.proxy()
    see(scene, container(upstream))
    client = await waiting(scene, upstream)
    assert await client.head()
    assert await client.exactly(4) == b"half"
    see(scene, container(upstream, connected=False))
    assert await client.ended() == b""


@pytest.mark.parametrize("state", ["unhealthy", "draining", "exited", "another port"])
async def test_what_a_container_answers_that_only_leaves_the_rotation_goes_on(scene: Scene, state: str) -> None:
    async def slow(conversation: Conversation) -> None:
        await conversation.request()
        await finish.wait()
        conversation.answer(b"finished")
        await conversation.gone()

    finish = asyncio.Event()
    upstream = await scene.upstream(slow)
    await scene.proxy()
    see(scene, container(upstream))
    client = await waiting(scene, upstream)
    if state == "exited":
        see(scene, container(upstream, connected=False, state="exited"))
    else:
        view = container(upstream)
        see(scene, ContainerView(view.id, view.name, 1.0, "running", addresses=view.addresses))
    await asyncio.sleep(0.1)  # longer than it takes to be cut off
    finish.set()
    assert (await client.answer()).text == "finished"


# Where no engine tells


async def test_a_request_that_nobody_acknowledges_is_tried_elsewhere_and_was_no_stale_connection(scene: Scene) -> None:
    async def once(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"once")
        await conversation.gone()

    cut_off, other = await scene.upstream(once), await scene.upstream()
    await scene.proxy(cut_off, other)
    client = await scene.client()
    assert [(await client.get()).text for _ in range(2)] == ["once", "b"]
    await client.ask()
    await until(lambda: any(front.exchange is not None for front in scene.fronts()))
    transport = connection_of(scene).transport
    transport._force_close(TimeoutError(errno.ETIMEDOUT, "Connection timed out"))  # type: ignore[attr-defined]  # as the kernel

    assert (await client.answer()).text == "b"
    assert cut_off.connections == 1
    assert "not heard" in scene.counted(cut_off).last_error


def kernel_gives_up_after(connection: UpstreamConnection) -> int:
    """Milliseconds."""
    sock = connection.transport.get_extra_info("socket")
    value: int = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    return value


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has it")
async def test_the_kernel_is_to_give_up_after_five_seconds_but_not_while_an_application_takes_its_time_to_read(
    scene: Scene,
) -> None:
    upstream = await scene.upstream(silent)
    await scene.proxy(upstream)
    client = await scene.client()
    await client.ask()
    await until(lambda: upstream.connections == 1)
    connection = connection_of(scene)
    assert kernel_gives_up_after(connection) == MILLISECONDS == 4000  # from up to a second on
    assert UPSTREAM.after + UPSTREAM.every * UPSTREAM.most <= 5
    client.reset()
    await scene.at_rest()

    upstream.script = upstream.serve
    uploader = await scene.client()
    await uploader.ask("POST", content_length=str(READ_AT_ONCE + 2))
    await uploader.send(b"x" * (READ_AT_ONCE + 1))
    await until(lambda: upstream.connections == 2)
    upload = connection_of(scene)
    await until(lambda: kernel_gives_up_after(upload) == 0)
    await uploader.send(b"x")
    assert (await uploader.answer()).text == "a"
    assert kernel_gives_up_after(upload) == MILLISECONDS  # of the next request


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has it")
async def test_an_application_that_reads_a_tunnel_slowly_is_not_given_up(scene: Scene) -> None:
    async def switch(conversation: Conversation) -> None:
        await conversation.head()
        conversation.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
        await conversation.gone()

    await scene.proxy(await scene.upstream(switch))
    client = await scene.client()
    await client.ask(connection="Upgrade", upgrade="raw")
    assert (await client.head()).status == 101
    tunnel = scene.tunnel()
    sock = tunnel.upstream.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 0
