"""Clients over TLS: the same service as over plain http, on both event loops."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from dockerproxy.server import Server

from ..support.certificate import Authority
from ..support.client import Client, Incomplete
from ..support.scene import Scene
from ..support.tls_client import TlsClient
from ..support.upstreams import Conversation, Upstream
from ..support.waiting import DEADLINE, settled, until

MIB = 1 << 20


class Site:
    """A proxy that listens with TLS, and its clients."""

    def __init__(self, scene: Scene, authority: Authority) -> None:
        self.scene = scene
        self._certificate = authority.entry("localhost", "127.0.0.1")
        self.context = authority.trusting()

    async def start(self, *upstreams: Upstream | str, **values: Any) -> Server:
        given = {"listen": ["https://127.0.0.1:0", "127.0.0.1:0"], "tls": {"certificates": [self._certificate]}}
        return await self.scene.proxy(*upstreams, **{**given, **values})

    @property
    def port(self) -> int:
        return self.scene.server.addresses[0].port

    @property
    def plain_port(self) -> int:
        return self.scene.server.addresses[1].port

    async def client(self, name: str | None = "localhost", **how: Any) -> TlsClient:
        client = await TlsClient.shake(self.port, self.context, name, **how)
        self.scene.clients.append(client)
        return client

    async def connection(self) -> Client:
        """A TCP connection to the port for TLS."""
        client = await Client.connect(self.port)
        self.scene.clients.append(client)
        return client


@pytest.fixture
def site(scene: Scene, authority: Authority) -> Site:
    return Site(scene, authority)


async def test_requests_are_answered_one_after_the_other_on_one_connection(site: Site) -> None:
    await site.start(await site.scene.upstream())
    client = await site.client()
    assert client.tls.version() == "TLSv1.3"
    for _ in range(3):
        assert (await client.get()).body == b"a"
    await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 3)
    assert [(await client.answer()).body for _ in range(3)] == [b"a"] * 3


async def test_only_http_1_1_is_agreed_upon(site: Site) -> None:
    await site.start(await site.scene.upstream())
    site.context.set_alpn_protocols(["h2", "http/1.1"])
    assert (await site.client()).tls.selected_alpn_protocol() == "http/1.1"


async def test_a_client_that_wants_the_end_of_the_connection_is_told_goodbye_at_once(site: Site) -> None:
    await site.start(await site.scene.upstream())
    client = await site.client()
    assert (await client.get(connection="close")).body == b"a"
    assert await client.rest() == b""
    assert client.farewell


async def test_an_answer_without_a_length_ends_with_the_connection_for_http_1_0(site: Site) -> None:
    async def endless(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        conversation.close()

    await site.start(await site.scene.upstream(endless))
    client = await site.client()
    await client.ask(version="1.0")
    assert (await client.answer()).body == b"all of it"
    assert client.farewell


async def test_an_answer_that_breaks_off_does_not_look_complete(site: Site) -> None:
    async def breaking(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(b"HTTP/1.1 200 OK\r\n\r\nsome of it")
        await gone.wait()
        conversation.reset()

    gone = asyncio.Event()
    await site.start(await site.scene.upstream(breaking))
    client = await site.client()
    await client.ask(version="1.0")
    await client.head()
    gone.set()
    with pytest.raises(Incomplete):
        await client.rest()


async def test_large_bodies_go_both_ways(site: Site) -> None:
    async def mirror(conversation: Conversation) -> None:
        while True:
            request = await conversation.request()
            conversation.answer(request.body)

    await site.start(await site.scene.upstream(mirror))
    client = await site.client()
    body = bytes(range(256)) * (16 << 10)
    sending = asyncio.ensure_future(client.ask("POST", body=body))
    assert (await client.answer()).body == body
    await sending


async def test_an_upstream_is_held_back_when_the_client_does_not_read(site: Site) -> None:
    async def flood(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * MIB))
        flooding.append(conversation)
        for _ in range(64 * 16):
            await conversation.send(b"x" * (MIB // 16))

    flooding: list[Conversation] = []
    await site.start(await site.scene.upstream(flood))
    client = await site.client(receive_buffer=1 << 16)
    await client.ask()
    assert (await client.head()).status == 200
    await until(lambda: flooding)
    assert await settled(lambda: flooding[0].sent) < 16 * MIB


async def test_a_slow_client_gets_all_of_the_last_answer(site: Site) -> None:
    async def large(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"x" * MIB)

    await site.start(await site.scene.upstream(large))
    client = await site.client(receive_buffer=1 << 12)
    await client.ask(connection="close")
    answer = await client.head()
    size = 0
    while size < int(answer["content-length"]):
        size += len(await client.exactly(1 << 15))
    assert await client.rest() == b""
    assert client.farewell


async def test_a_client_that_reads_the_last_answer_for_longer_than_it_may_stall_gets_all_of_it(site: Site) -> None:
    async def large(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"x" * (MIB // 2))

    server = await site.start(await site.scene.upstream(large), stall_timeout=2)
    for listener in server._listeners:  # else its kernel takes nearly all of it at once
        listener.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 13)
    client = await site.client(receive_buffer=1 << 12)
    await client.ask(connection="close")
    left = int((await client.head())["content-length"]) - (MIB // 4)
    await client.exactly(left)
    (front,) = site.scene.fronts()
    left = MIB // 4
    for _ in range(5):
        waiting, read = front.transport.get_write_buffer_size(), 0
        while read < 1 << 12 or 0 < waiting <= front.transport.get_write_buffer_size():
            await client.exactly(1 << 12)
            read += 1 << 12
        left -= read
        await asyncio.sleep(0.5)  # as slow as it is, though never for as long as it may stall
    await client.exactly(left)


async def test_a_client_that_has_its_answer_and_says_no_farewell_is_not_waited_for_for_long(site: Site) -> None:
    server = await site.start(await site.scene.upstream(), stall_timeout=0.2)
    client = await site.client()
    assert (await client.get(connection="close")).body == b"a"
    await until(lambda: not server.stats.connections)  # and neither reads nor closes


async def test_an_early_answer_reaches_a_client_that_is_still_sending(site: Site) -> None:
    await site.start(await site.scene.upstream(), max_body="1k")
    client = await site.client()
    await client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % MIB)
    for _ in range(4):
        await client.send(b"x" * (MIB // 16))
    answer = await client.answer()
    assert (answer.status, answer["connection"]) == (413, "close")


@pytest.mark.parametrize("way", ["goodbye", "half-close", "reset"])
async def test_a_client_that_leaves_cancels_its_request(site: Site, way: str, caplog: pytest.LogCaptureFixture) -> None:
    async def wait(conversation: Conversation) -> None:
        await conversation.request()
        asked.set()
        await conversation.gone()
        left.set()

    asked, left = asyncio.Event(), asyncio.Event()
    await site.start(await site.scene.upstream(wait))
    client = await site.client()
    await client.ask()
    await asyncio.wait_for(asked.wait(), DEADLINE)
    if way == "goodbye":
        await client.say_goodbye()
    elif way == "half-close":
        client.half_close()
    else:
        client.reset()
    await asyncio.wait_for(left.wait(), DEADLINE)
    client.close()
    await site.scene.at_rest()
    assert [record for record in caplog.records if record.name == "asyncio" and record.levelno > logging.DEBUG] == []


async def test_a_websocket_goes_through(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    async def answer(websocket: ServerConnection) -> None:
        async for message in websocket:
            await websocket.send(message)

    async with serve(answer, "127.0.0.1", 0) as upstream:
        port = next(iter(upstream.sockets)).getsockname()[1]
        await site.start(f"http://127.0.0.1:{port}")
        async with connect(f"wss://127.0.0.1:{site.port}/chat", ssl=site.context, proxy=None) as websocket:
            for size in (10, 200_000):
                await websocket.send("x" * size)
                assert await websocket.recv() == "x" * size
        assert websocket.close_code == 1000
    await site.scene.at_rest()
    assert [record for record in caplog.records if record.name == "asyncio" and record.levelno > logging.DEBUG] == []


async def test_a_tunnel_ends_when_either_side_leaves(site: Site) -> None:
    async def switching(conversation: Conversation) -> None:
        await conversation.head()
        conversation.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
        if await conversation.reader.read(1) == b"q":
            conversation.close()
        else:
            await conversation.gone()

    await site.start(await site.scene.upstream(switching))
    for words in (b"q", b"x"):
        client = await site.client()
        await client.ask(connection="Upgrade", upgrade="raw")
        assert (await client.head()).status == 101
        await client.send(words)
        if words == b"q":
            assert await client.rest() == b""
            assert client.farewell
        client.close()
        await site.scene.at_rest()


async def test_the_upstream_and_handlers_are_told_that_the_client_speaks_https(site: Site) -> None:
    async def tell(conversation: Conversation) -> None:
        request = await conversation.request()
        conversation.answer(f"{request['x-forwarded-proto']} {request['x-forwarded-port']}".encode())

    await site.start(await site.scene.upstream(tell))
    assert (await (await site.client()).get()).body == b"https 443"
    assert (await (await site.client()).get(host="a.example:8443")).body == b"https 8443"
    plain = await Client.connect(site.plain_port)
    assert (await plain.get()).body == b"http 80"
    plain.close()


async def test_a_trusted_proxy_s_word_counts_over_tls_too(site: Site) -> None:
    async def tell(conversation: Conversation) -> None:
        conversation.answer((await conversation.request())["x-forwarded-proto"].encode())

    await site.start(await site.scene.upstream(tell), trusted_proxies="127.0.0.1")
    assert (await (await site.client()).get(x_forwarded_proto="http")).body == b"http"
    assert (await (await site.client()).get(x_forwarded_for="10.0.0.1")).body == b"https"


# Handshakes


async def test_plain_http_at_the_tls_port_is_turned_away_quietly(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "dockerproxy")
    await site.start(await site.scene.upstream())
    client = await site.connection()
    await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    assert b"HTTP/" not in await client.ended()
    await until(lambda: "no TLS with a client: HTTP_REQUEST" in caplog.text)
    assert (await (await site.client()).get()).status == 200
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_tls_at_the_plain_port_is_answered_with_400(site: Site) -> None:
    await site.start(await site.scene.upstream())
    client = await Client.connect(site.plain_port)
    site.scene.clients.append(client)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        site.context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    await client.send(outgoing.read())
    assert (await client.answer()).status == 400


async def test_a_handshake_that_never_finishes_is_ended_in_time_and_holds_up_nobody(site: Site) -> None:
    await site.start(await site.scene.upstream(), head_timeout="1s")
    silent = [await site.connection() for _ in range(20)]
    await silent[0].send(b"\x16\x03\x01\x02\x00")
    assert (await (await site.client()).get()).status == 200
    for client in silent:
        assert await client.ended() == b""
    await until(lambda: not site.scene.server.plane.clients.handshakes)


async def test_handshakes_count_among_the_clients(site: Site) -> None:
    await site.start(await site.scene.upstream(), max_clients=3)
    silent = [await site.connection() for _ in range(2)]
    await until(lambda: len(site.scene.server.plane.clients.handshakes) == 2)
    last = await site.client()  # the third one
    assert (await last.get()).status == 200
    assert (await (await site.client()).get()).status == 200  # whoever has been shaking hands longest gives way
    assert await silent[0].ended() == b""
    assert len(site.scene.server.plane.clients.handshakes) == 1
    assert (await last.get()).status == 200
    assert site.scene.server.stats.connections_evicted == 1


async def test_a_client_is_turned_away_when_no_file_can_be_opened(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(_descriptor: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    server = await site.start(await site.scene.upstream())
    with monkeypatch.context() as patch:
        patch.setattr(os, "dup", exhausted)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await site.client()
    assert not server.plane.clients.handshakes
    assert (await (await site.client()).get()).status == 200


async def test_a_client_that_mistrusts_the_certificate_makes_no_noise(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    await site.start(await site.scene.upstream())
    site.context = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        await site.client()
    await site.scene.at_rest()
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_session_is_resumed(site: Site) -> None:
    await site.start(await site.scene.upstream())

    def twice() -> list[bool]:
        found, session = [], None
        for _ in range(2):
            sock = socket.create_connection(("127.0.0.1", site.port))
            with site.context.wrap_socket(sock, server_hostname="localhost", session=session) as tls:
                tls.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                assert tls.recv(1000).startswith(b"HTTP/1.1 200")
                found.append(bool(tls.session_reused))
                session = tls.session
        return found

    assert await asyncio.to_thread(twice) == [False, True]


# The end


async def test_idle_clients_do_not_hold_up_the_stop(site: Site) -> None:
    server = await site.start(await site.scene.upstream(), grace="1h")
    client = await site.client()
    await client.get()
    await site.connection()  # in its handshake
    await asyncio.wait_for(server.stop(), DEADLINE)
    assert await client.rest() == b""


async def test_what_is_in_flight_is_finished_before_the_stop(site: Site) -> None:
    async def wait(conversation: Conversation) -> None:
        await conversation.request()
        asked.set()
        await go_on.wait()
        conversation.answer(b"finished")

    asked, go_on = asyncio.Event(), asyncio.Event()
    server = await site.start(await site.scene.upstream(wait), grace="1h")
    client = await site.client()
    await client.ask()
    await asyncio.wait_for(asked.wait(), DEADLINE)
    stopping = asyncio.ensure_future(server.stop())
    await until(lambda: server.plane.clients.stopping)
    go_on.set()
    answer = await client.answer()
    assert (answer.body, answer["connection"]) == (b"finished", "close")
    assert await client.rest() == b""
    client.close()
    await asyncio.wait_for(stopping, DEADLINE)
