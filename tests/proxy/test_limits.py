"""Limits and timeouts: each has its status, and none blames the wrong side."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dockerproxy.proxy.deadlines import Timed

from ..support.client import Client, Incomplete
from ..support.scene import Scene
from ..support.upstreams import Conversation, Upstream
from ..support.waiting import DEADLINE, until


async def silent(conversation: Conversation) -> None:
    await conversation.gone()


async def refused(scene: Scene, status: int, request: bytes, **settings: Any) -> Upstream:
    """Send `request` and expect `status` and the end of the connection."""
    upstream = await scene.upstream()
    await scene.proxy(upstream, **settings)
    client = await scene.client()
    await client.send(request)
    answer = await client.answer()
    assert (answer.status, answer["connection"]) == (status, "close")
    assert await client.ended() == b""
    return upstream


# Sizes


@pytest.mark.parametrize(
    ("status", "request_bytes"),
    [
        (431, b"GET / HTTP/1.1\r\nHost: test\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: test\r\nX: " + b"x" * 70_000),
        (431, b"GET / HTTP/1.1\r\nHost: test\r\n" + b"X: y\r\n" * 100 + b"\r\n"),
        (414, b"GET /" + b"x" * 8192 + b" HTTP/1.1\r\nHost: test\r\n\r\n"),
        (414, b"GET /" + b"x" * 70_000),
    ],
    ids=["head", "unfinished head", "fields", "target", "unfinished target"],
)
async def test_heads_that_are_too_large_are_refused(scene: Scene, status: int, request_bytes: bytes) -> None:
    upstream = await refused(scene, status, request_bytes)
    assert upstream.connections == 0


async def test_heads_just_within_the_limits_are_served(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    target = "/" + "x" * 8191
    fields = b"".join(b"X-%d: %b\r\n" % (number, b"y" * 500) for number in range(99))
    await client.send(b"GET %b HTTP/1.1\r\nHost: test\r\n%b\r\n" % (target.encode(), fields))
    assert (await client.answer()).text == "a"
    assert upstream.requests[0].target == target


async def test_the_limits_of_heads_can_be_set(scene: Scene) -> None:
    settings: dict[str, Any] = {"head_size": 2048, "target_size": 300, "head_fields": 10}
    await scene.proxy(await scene.upstream(), **settings)
    statuses = []
    for request in (b"/" + b"x" * 300, b"/ HTTP/1.1\r\nX: " + b"x" * 2048, b"/ HTTP/1.1\r\n" + b"X: y\r\n" * 11):
        client = await scene.client()
        start = request if b"HTTP" in request else request + b" HTTP/1.1\r\n"
        await client.send(b"GET " + start.rstrip(b"\r\n") + b"\r\nHost: test\r\n\r\n")
        statuses.append((await client.answer()).status)
    assert statuses == [414, 431, 431]


async def test_a_body_larger_than_the_route_takes_is_413_before_it_is_sent(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, max_body="1k")
    client = await scene.client()
    await client.ask("POST", content_length="1025")
    answer = await client.answer()
    assert (answer.status, answer["connection"]) == (413, "close")
    await client.send(b"x" * 1025)
    assert await client.rest() == b""
    assert upstream.connections == 0
    assert (await scene.post(b"x" * 1024)).text == "a"


@pytest.mark.parametrize("together", [True, False], ids=["in one packet", "bit by bit"])
async def test_a_chunked_body_is_413_as_soon_as_it_has_grown_too_large(scene: Scene, together: bool) -> None:
    left = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.gone()
        left.set()

    upstream = await scene.upstream(script)
    await scene.proxy(upstream, max_body="1k")
    client = await scene.client()
    head = b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"200\r\n" + b"x" * 0x200 + b"\r\n"
    if together:
        await client.send(head + 3 * chunk)
    else:
        await client.send(head + chunk)
        await until(lambda: upstream.connections)
        await client.send(chunk)
        await client.send(chunk)
    answer = await client.answer()
    assert (answer.status, answer["connection"]) == (413, "close")
    await client.send(50 * chunk)
    assert await client.rest() == b""
    if not together:
        await asyncio.wait_for(left.wait(), DEADLINE)
        assert scene.counted(upstream).error_counter == 0


# Times, of clients


async def test_a_head_that_takes_too_long_is_408(scene: Scene) -> None:
    await refused(scene, 408, b"GET / HTTP/1.1\r\nHost: te", head_timeout="100ms")


async def test_a_head_that_comes_byte_by_byte_has_no_more_time(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), head_timeout="200ms")
    client = await scene.client()
    answering = asyncio.create_task(client.answer())
    await client.send(b"GET / HTTP/1.1\r\n")
    while not answering.done():
        await client.send(b"X: y\r\n"[:1])
        await asyncio.wait([answering], timeout=0.01)
    assert (await answering).status == 408


async def test_a_client_that_says_nothing_is_let_go(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), head_timeout="100ms")
    assert await (await scene.client()).rest() == b""


async def test_a_kept_alive_connection_that_is_idle_is_closed(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), idle_timeout="100ms")
    client = await scene.client()
    assert (await client.get()).text == "a"
    assert await client.rest() == b""


async def test_a_body_that_stalls_is_408_and_no_error_of_the_upstream(scene: Scene) -> None:
    upstream = await scene.upstream(silent)
    await scene.proxy(upstream, stall_timeout="100ms")
    client = await scene.client()
    await client.ask("POST", content_length="10")
    await client.send(b"half")
    answer = await client.answer()
    assert (answer.status, answer["connection"]) == (408, "close")
    await until(lambda: scene.open_connections() == 0)
    assert scene.counted(upstream).error_counter == 0


async def test_a_slow_upload_is_no_error_of_the_upstream(scene: Scene) -> None:
    upstream = await scene.upstream(silent)
    await scene.proxy(upstream, response_timeout="100ms", stall_timeout="800ms")
    client = await scene.client()
    await client.ask("POST", content_length="10")
    await client.send(b"half")
    answer = await client.answer()
    assert answer.status == 408
    assert scene.counted(upstream).error_counter == 0


async def test_a_client_that_waits_for_100_is_not_a_slow_one(scene: Scene) -> None:
    upstream = await scene.upstream(silent)
    await scene.proxy(upstream, response_timeout="700ms", stall_timeout="100ms")
    client = await scene.client()
    await client.ask("POST", content_length="10", expect="100-continue")
    assert (await client.answer()).status == 504
    assert scene.counted(upstream).error_counter == 1


async def test_a_client_that_did_not_wait_for_100_and_stalls_is_a_slow_one(scene: Scene) -> None:
    upstream = await scene.upstream(silent)
    await scene.proxy(upstream, response_timeout="20s", stall_timeout="100ms")
    client = await scene.client()
    await client.ask("POST", content_length="10", expect="100-continue")
    await until(lambda: upstream.connections)
    await client.send(b"half")
    assert (await client.answer()).status == 408
    assert scene.counted(upstream).error_counter == 0


async def test_the_time_a_connection_may_be_idle_does_not_run_on_into_a_slow_upload(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerproxy.proxy.upstream.http1.IDLE_TIMEOUT", 1.0)
    upstream = await scene.upstream()
    server = await scene.proxy(upstream)
    client = await scene.client()
    await client.get()
    await client.ask("PUT", content_length="4")

    class Bell(Timed):
        def expired(self, now: float) -> None:
            rang.set()

    rang = asyncio.Event()
    server.plane.wheel.schedule(Bell(), time.monotonic() + 1.5)
    await rang.wait()  # whatever was due before has been done
    await client.send(b"body")
    assert (await client.answer()).text == "a"
    assert upstream.connections == 1
    assert scene.counted(upstream).error_counter == 0


async def test_an_upstream_that_does_not_read_an_upload_is_the_slow_one(scene: Scene) -> None:
    async def deaf(conversation: Conversation) -> None:
        conversation.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a ReadTransport as well
        await done.wait()

    done = asyncio.Event()
    upstream = await scene.upstream(deaf)
    await scene.proxy(upstream, response_timeout="700ms", stall_timeout="100ms")
    client = await scene.client()
    await client.ask("POST", content_length=str(64 << 20))

    async def upload() -> None:
        for _ in range(1024):
            await client.send(b"x" * 0x10000)

    uploading = asyncio.create_task(upload())
    assert (await client.head()).status == 504
    done.set()
    await asyncio.gather(uploading, return_exceptions=True)
    assert scene.counted(upstream).error_counter == 1


async def test_a_client_that_does_not_read_its_answer_is_let_go(scene: Scene) -> None:
    async def endless(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while True:
            await conversation.send(b"x" * 0x10000)

    upstream = await scene.upstream(endless)
    await scene.proxy(upstream, stall_timeout="100ms")
    client = await scene.client(receive_buffer=4096)
    await client.ask()
    await until(lambda: scene.server.stats.connections == 1)
    await until(lambda: scene.server.stats.connections == 0)
    assert scene.counted(upstream).error_counter == 0
    assert scene.route().errors_shown == 0


SMALL, LARGE = 0x1000, 0x8000  # below and above the mark from which on a client counts as full
BEHIND = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.mark.parametrize(
    ("fields", "end", "broken", "behind"),
    [
        ({}, SMALL, False, b""),
        ({}, LARGE, False, b""),
        ({}, SMALL, False, BEHIND),
        ({}, LARGE, False, BEHIND),
        ({}, LARGE, True, b""),
        ({"connection": "close"}, SMALL, False, b""),
        ({"connection": "close"}, LARGE, False, b""),
        ({"connection": "close"}, SMALL, True, b""),
    ],
)
async def test_a_client_that_does_not_read_the_end_of_its_answer_is_let_go(
    scene: Scene, fields: dict[str, Any], end: int, broken: bool, behind: bytes
) -> None:
    async def fill(conversation: Conversation) -> None:
        await conversation.request()
        await scene.fill(conversation)
        conversation.write(b"%x\r\n" % end + b"x" * end + b"\r\n" + (b"" if broken else b"0\r\n\r\n"))
        if not broken:
            await conversation.gone()

    upstream = await scene.upstream(fill)
    await scene.proxy(upstream, stall_timeout="100ms", idle_timeout="100ms", response_timeout="100ms", max_attempts=1)
    client = await scene.client(receive_buffer=4096)
    await client.ask(**fields)
    await client.send(behind)
    await until(lambda: scene.server.stats.connections == 1)
    await until(lambda: scene.server.stats.connections == 0, "the client to be let go")


async def test_a_client_that_reads_slowly_but_reads_gets_all_of_it(scene: Scene) -> None:
    async def long(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (128 * len(piece)))
        for _ in range(128):
            await conversation.send(piece)

    piece = b"x" * 0x10000
    await scene.proxy(await scene.upstream(long), stall_timeout="1s", idle_timeout="1s")
    client = await scene.client(receive_buffer=1 << 16)
    await client.ask()
    await client.head()
    for _ in range(128):
        assert await client.exactly(len(piece)) == piece
        await asyncio.sleep(0.01)  # it is slowness that is tested


# Times, of upstreams


async def test_an_upstream_that_does_not_answer_in_time_is_504(scene: Scene) -> None:
    upstream = await scene.upstream(silent)
    await scene.proxy(upstream, response_timeout="100ms", max_attempts=1)
    client = await scene.client()
    assert (await client.get()).status == 504
    await until(lambda: scene.open_connections() == 0)
    assert scene.counted(upstream).error_counter == 1


async def test_an_upstream_that_does_not_answer_in_time_is_not_the_last_one_tried(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(silent), await scene.upstream(), response_timeout="400ms",
                      retry_deadline="100ms")  # fmt: skip
    assert (await scene.get()).text == "b"


class Waits:
    """An upstream that says what comes first, and the rest when it is told."""

    def __init__(self, first: bytes) -> None:
        self.first = first
        self.go_on = asyncio.Event()

    async def __call__(self, conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(self.first)
        await self.go_on.wait()
        conversation.write(b"data: late\n\n" if self.first else b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        await conversation.gone()


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: early\n\n"


@pytest.mark.parametrize("none", ["none", None], ids=["word", "nothing"])
async def test_a_stream_of_events_may_be_silent_for_as_long_as_it_likes(scene: Scene, none: str | None) -> None:
    events, others = Waits(STREAM), Waits(STREAM)
    routes = [
        {"name": "events", "host": "events", "upstreams": [(await scene.upstream(events)).url], "stall_timeout": none},
        {"name": "others", "host": "others", "upstreams": [(await scene.upstream(others)).url]},
    ]
    await scene.proxy(routes=routes, stall_timeout="100ms")
    stream, cut = await scene.client(), await scene.client()
    await stream.ask(host="events")
    await cut.ask(host="others")
    for client in (stream, cut):
        assert (await client.head()).status == 200
        assert await client.chunk() == b"data: early\n\n"
    with pytest.raises(Incomplete):
        await cut.chunk()  # 100 ms of silence are too much for this one
    events.go_on.set()
    assert await stream.chunk() == b"data: late\n\n"


async def test_an_upstream_may_take_as_long_as_it_likes_to_answer(scene: Scene) -> None:
    slow, others = Waits(b""), Waits(b"")
    routes = [
        {"name": "slow", "host": "slow", "upstreams": [(await scene.upstream(slow)).url], "response_timeout": "none"},
        {"name": "others", "host": "others", "upstreams": [(await scene.upstream(others)).url]},
    ]
    await scene.proxy(routes=routes, response_timeout="100ms", max_attempts=1)
    patient = await scene.client()
    await patient.ask(host="slow")
    assert (await scene.get(host="others")).status == 504
    slow.go_on.set()
    assert (await patient.answer()).text == "late"


async def test_without_a_limit_for_streams_a_client_has_to_read_all_the_same(scene: Scene) -> None:
    server = await scene.proxy(stall_timeout="none")
    assert server.plane.clients.limits.stall_timeout == 60.0


async def test_interim_answers_do_not_count_as_the_answer(scene: Scene) -> None:
    async def hints(conversation: Conversation) -> None:
        await conversation.head()
        conversation.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await conversation.gone()

    await scene.proxy(await scene.upstream(hints), response_timeout="100ms", max_attempts=1)
    client = await scene.client()
    await client.ask()
    assert (await client.head()).status == 103
    assert (await client.answer()).status == 504


async def test_an_answer_slower_than_the_timeouts_is_fine_as_long_as_it_flows(scene: Scene) -> None:
    async def drip(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n")
        for _ in range(60):
            await conversation.send(b"x")
            await asyncio.sleep(0.025)  # it is slowness that is tested

    await scene.proxy(await scene.upstream(drip), response_timeout="1s", stall_timeout="1s")
    assert (await scene.get()).text == "x" * 60


@contextmanager
def deaf(port: int = 0) -> Iterator[int]:
    """A port where connections are neither accepted nor refused, for its backlog is full."""
    with socket.socket() as full:
        full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        full.bind(("127.0.0.1", port))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        yield full.getsockname()[1]
        for sock in waiting:
            sock.close()


async def test_an_upstream_that_cannot_be_connected_to_in_time_is_504(scene: Scene) -> None:
    with deaf() as port:
        await scene.proxy(f"http://127.0.0.1:{port}", connect_timeout="200ms", max_attempts=1)
        answer = await scene.post(b"order")
        assert answer.status == 504
        counted = next(iter(scene.route().upstreams.values()))
        assert (counted.error_counter, "connecting timed out" in counted.last_error) == (1, True)


# Connections to one upstream


class Gate:
    """An upstream that answers only when told, and remembers the order in which it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.most = 0
        self._open = 0
        self._tickets = asyncio.Semaphore(0)

    def let(self, count: int = 1) -> None:
        for _ in range(count):
            self._tickets.release()

    async def __call__(self, conversation: Conversation) -> None:
        while True:
            request = await conversation.request()
            self.asked.append(request.target)
            self._open += 1
            self.most = max(self.most, self._open)
            try:
                await self._tickets.acquire()
            finally:
                self._open -= 1
            conversation.answer(request.target.encode())


async def queue_up(scene: Scene, gate: Gate, count: int, limit: int) -> list[Client]:
    """Clients that ask one after the other, so that all but the first `limit` wait."""
    clients = []
    for number in range(count):
        client = await scene.client()
        await client.ask(target=f"/{number}")
        await until(lambda number=number: scene.route().requests == number + 1)  # type: ignore[misc]  # bound here
        if number < limit:
            await until(lambda number=number: len(gate.asked) == number + 1)  # type: ignore[misc]  # bound here
        clients.append(client)
    return clients


async def test_requests_beyond_the_connections_of_an_upstream_wait_in_line(scene: Scene) -> None:
    gate = Gate()
    upstream = await scene.upstream(gate)
    await scene.proxy(upstream, max_connections=2)
    clients = await queue_up(scene, gate, 8, 2)
    for number, client in enumerate(clients):
        gate.let()
        assert (await client.answer()).text == f"/{number}"
        # What goes over two connections at once may come in any order.
        await until(lambda number=number: len(gate.asked) == min(number + 3, 8))  # type: ignore[misc]  # bound here
    assert gate.asked == [f"/{number}" for number in range(8)]
    assert gate.most == 2
    assert upstream.connections == 2


async def test_one_that_waits_in_line_and_leaves_is_forgotten(scene: Scene) -> None:
    gate = Gate()
    await scene.proxy(await scene.upstream(gate), max_connections=1)
    clients = await queue_up(scene, gate, 4, 1)
    clients[1].reset()
    await until(lambda: scene.route().in_flight == 3)
    gate.let(3)
    assert [(await clients[number].answer()).text for number in (0, 2, 3)] == ["/0", "/2", "/3"]
    assert gate.asked == ["/0", "/2", "/3"]


async def test_one_that_waits_in_line_too_long_gets_503(scene: Scene) -> None:
    gate = Gate()
    upstream = await scene.upstream(gate)
    await scene.proxy(upstream, max_connections=1, connect_timeout="150ms", retry_deadline="200ms")
    clients = await queue_up(scene, gate, 2, 1)
    answer = await clients[1].answer()
    assert (answer.status, "overloaded" in answer.text, "retry-after" in answer) == (503, True, True)
    assert scene.counted(upstream).error_counter == 0
    gate.let()
    assert (await clients[0].answer()).text == "/0"


async def test_one_that_waits_in_line_too_long_goes_to_another_upstream(scene: Scene) -> None:
    gate = Gate()
    await scene.proxy(await scene.upstream(gate), await scene.upstream(), max_connections=1, connect_timeout="150ms")
    first, _, third = [await scene.client() for _ in range(3)]
    await first.ask()
    await until(lambda: gate.asked)
    assert (await scene.get()).text == "b"
    await third.ask("POST", body=b"order")
    assert (await third.answer()).text == "b"
    gate.let()
    await first.answer()


async def four_in_line(scene: Scene, upstream: Upstream) -> list[Client]:
    """Clients that have asked for /0 to /3, of which one has the only connection to the upstream."""
    await scene.proxy(upstream, max_connections=1)
    clients = [await scene.client() for _ in range(4)]
    for number, client in enumerate(clients):
        await client.ask(target=f"/{number}")
    await until(lambda: scene.route().requests == 4)
    return clients


async def test_an_answer_that_ends_with_trailers_is_whole_while_others_wait_for_its_connection(scene: Scene) -> None:
    async def script(conversation: Conversation) -> None:
        while True:
            request = await conversation.request()
            await go_on.wait()
            conversation.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            conversation.write(b"2\r\n%b\r\n0\r\nLast: 1\r\n\r\n" % request.target.encode())

    go_on = asyncio.Event()
    upstream = await scene.upstream(script)
    clients = await four_in_line(scene, upstream)
    go_on.set()
    answers = [await client.answer() for client in clients]
    assert [answer.text for answer in answers] == ["/0", "/1", "/2", "/3"]
    assert [answer.trailers for answer in answers] == [[("last", "1")]] * 4
    assert upstream.connections == 1


async def test_one_whose_turn_to_connect_comes_late_is_sent_once_all_the_same(scene: Scene) -> None:
    busy, slow = Gate(), Gate()
    upstreams = [await scene.upstream(busy), await scene.upstream(slow), await scene.upstream()]
    await scene.proxy(*upstreams, max_connections=1, connect_timeout="300ms")
    first, second = await scene.client(), await scene.client()
    await first.ask()
    await until(lambda: busy.asked)
    slow.let()
    assert [(await scene.get()).text for _ in range(2)] == ["/", "c"]
    asked = time.monotonic()
    await second.ask("POST", "/order", body=b"one")  # waits for the only connection to the first upstream

    upstreams[0].shut()
    with deaf(upstreams[0].port):
        await until(lambda: time.monotonic() > asked + 0.2)
        first.reset()  # a connection may be made, which takes longer than the rest of the time in the line
        await until(lambda: "/order" in slow.asked)
        await until(lambda: not len(scene.server.plane._tasks))
        slow.let()
        assert (await second.answer()).text == "/order"
    assert [request.method for request in upstreams[2].requests] == ["GET"]
    assert scene.counted(upstreams[1]).error_counter == 0


async def test_a_connection_that_breaks_makes_room_for_the_next_in_line(scene: Scene) -> None:
    async def once(conversation: Conversation) -> None:
        request = await conversation.request()
        await go_on.wait()
        conversation.answer(request.target.encode(), connection="close")

    go_on = asyncio.Event()
    upstream = await scene.upstream(once)
    clients = await four_in_line(scene, upstream)
    go_on.set()
    assert [(await client.answer()).text for client in clients] == ["/0", "/1", "/2", "/3"]


async def test_a_connection_that_cannot_be_made_makes_room_for_the_next_in_line(scene: Scene) -> None:
    dead, good = await scene.upstream(), await scene.upstream()
    await scene.proxy(dead, good, max_connections=1, connect_timeout="60s")
    dead.refuse()
    clients = [await scene.client() for _ in range(12)]
    for client in clients:
        await client.ask()
    assert [(await client.answer()).text for client in clients] == ["b"] * 12


async def test_the_connection_used_last_is_used_next(scene: Scene) -> None:
    gate = Gate()
    upstream = await scene.upstream(gate)
    await scene.proxy(upstream)
    clients = await queue_up(scene, gate, 3, 3)
    for number, client in enumerate(clients):
        gate.let()
        await client.answer()
        assert len(gate.asked) == 3, number
    gate.let(10)
    client = clients[0]
    used = []

    pool = next(iter(scene.server.plane.pools))
    for _ in range(5):
        last = pool._idle[-1]
        assert (await client.get()).status == 200
        used.append(pool._idle[-1] is last)
    assert used == [True] * 5
    assert upstream.connections == 3


async def test_an_idle_connection_to_an_upstream_is_given_up_after_a_while(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerproxy.proxy.upstream.http1.IDLE_TIMEOUT", 0.05)
    await scene.proxy(await scene.upstream())
    assert (await scene.get()).text == "a"
    await until(lambda: scene.open_connections() == 0)
    assert (await scene.get()).text == "a"


async def test_a_host_longer_than_any_name_is_refused(scene: Scene) -> None:
    await scene.proxy(await scene.upstream())
    assert (await scene.get(host="a" * 255 + ":65535")).status == 200
    assert (await scene.get(host="a" * 262)).status == 400


async def test_a_reload_changes_how_large_the_head_of_an_answer_may_be(scene: Scene) -> None:
    async def boast(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"yes", x_long="x" * 20_000)
        await conversation.gone()

    upstream = await scene.upstream(boast)
    server = await scene.proxy(
        upstream, head_size="8KiB", read_settings=lambda: scene.settings(upstream, head_size="64KiB")
    )
    assert (await scene.get()).status == 502
    server.reread()
    assert (await scene.get()).text == "yes"


async def test_an_upstream_is_not_blamed_when_the_proxy_has_no_descriptors_left(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    upstream = await scene.upstream()
    server = await scene.proxy(upstream, consecutive_errors=1, max_attempts=2)

    async def exhausted(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(server.plane._connector, "_open", exhausted)
        assert (await scene.get()).status == 502
    assert (scene.counted(upstream).error_counter, scene.state(upstream)) == (0, "up")
    assert "cannot open any more connections: Too many open files; if it is about open files, allow more" in caplog.text
    assert (await scene.get()).text == "a"


async def test_an_address_that_this_machine_does_not_know_is_the_upstreams_error(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As every address of IPv6 is where there is none."""
    upstream = await scene.upstream()
    server = await scene.proxy(upstream, consecutive_errors=1, max_attempts=1)

    async def unknown(*_: object) -> None:
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(server.plane._connector, "_open", unknown)
    assert (await scene.get()).status == 502
    assert scene.counted(upstream).error_counter == 1
    assert scene.counted(upstream).last_error == "cannot be reached: Cannot assign requested address"
