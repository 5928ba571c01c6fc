"""What is relayed of a message, and how: methods, statuses, framing, interim answers, connections."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from ..support.client import Client
from ..support.scene import Scene
from ..support.upstreams import Conversation, Script
from ..support.waiting import until


def saying(*answers: bytes) -> Script:
    """Answer one request after the other with these bytes, then close."""

    async def script(conversation: Conversation) -> None:
        for answer in answers:
            await conversation.request()
            await conversation.send(answer)

    return script


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


# Heads


async def test_fields_are_relayed_in_order_and_hop_by_hop_ones_are_not(scene: Scene) -> None:
    async def script(conversation: Conversation) -> None:
        upstream.requests.append(await conversation.request())
        conversation.write(
            b"HTTP/1.1 200 Fine\r\nSet-Cookie: a=1\r\nX-B: 1\r\nSet-Cookie: b=2\r\nConnection: x-gone, keep-alive\r\n"
            b"X-Gone: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nContent-Length: 2\r\n\r\nok"
        )
        await conversation.gone()

    upstream = await scene.upstream(script)
    await scene.proxy(upstream)
    client = await scene.client()
    await client.send(
        b"GET /path?query HTTP/1.1\r\nHost: Test:8888\r\nX-A: 1\r\nCookie: c=d\r\nx-a: \t2 \r\n"
        b"Connection: x-away\r\nX-Away: 1\r\nTE: trailers\r\n"
        b"Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nAccept-Encoding: gzip\r\n\r\n"
    )
    answer = await client.answer()

    assert answer.line == "HTTP/1.1 200 Fine"
    assert [field for field in answer.fields if field[0] != "date"] == [
        ("set-cookie", "a=1"), ("x-b", "1"), ("set-cookie", "b=2"), ("content-length", "2")
    ]  # fmt: skip
    sent = upstream.requests[0]
    assert sent.line == "GET /path?query HTTP/1.1"
    assert sent["host"] == "Test:8888"
    assert sent.all("x-a") == ["1", "2"]
    assert sent["accept-encoding"] == "gzip"
    assert not [name for name, _ in sent.fields if name in ("x-away", "keep-alive", "proxy-connection")]


def from_now_on(date: str, since: float) -> bool:
    """Whether it is a date as HTTP writes it (RFC 9110 section 5.6.7), not before `since` and not to come."""
    when = datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC).timestamp()
    return int(since) <= when <= time.time()


async def test_an_answer_without_a_date_gets_one_and_a_date_that_is_there_is_kept(scene: Scene) -> None:
    since = time.time()
    then = "Tue, 15 Nov 1994 08:12:31 GMT"
    dated = f"HTTP/1.1 200 OK\r\ndate: {then}\r\nContent-Length: 2\r\n\r\nok".encode()
    await scene.proxy(await scene.upstream(saying(OK, OK, dated, dated, OK)))
    client = await scene.client()
    dates = [(await client.get()).all("date") for _ in range(5)]
    assert dates[2:4] == [[then], [then]]
    for given in (dates[0], dates[1], dates[4]):
        assert len(given) == 1
        assert from_now_on(given[0], since)


async def test_a_date_that_ends_at_the_connection_is_replaced(scene: Scene) -> None:
    since = time.time()
    old = b"HTTP/1.1 200 OK\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nConnection: date\r\nContent-Length: 0\r\n\r\n"
    await scene.proxy(await scene.upstream(saying(old)))
    (date,) = (await scene.get()).all("date")
    assert from_now_on(date, since)


async def test_our_own_pages_and_broken_requests_are_answered_with_a_date(scene: Scene) -> None:
    since = time.time()
    await scene.proxy(await scene.upstream())
    assert from_now_on((await scene.get(host="nobody.test"))["date"], since)
    client = await scene.client()
    await client.send(b"no request\r\n\r\n")
    assert from_now_on((await client.answer())["date"], since)


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        ("/", "/"),
        ("/a/%2e%2E/b?x=%20&y", "/a/%2e%2E/b?x=%20&y"),
        ("//double//slash", "//double//slash"),
        ("/?", "/?"),
        ("http://test/absolute?a=b", "/absolute?a=b"),
        ("http://test", "/"),
        ("http://test?a=b", "/?a=b"),
    ],
)
async def test_the_target_reaches_the_upstream_as_it_was_sent(scene: Scene, target: str, seen: str) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    assert (await scene.get(target)).text == "a"
    assert upstream.requests[0].target == seen


async def test_the_host_of_an_absolute_target_is_the_one_that_counts(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, host="right.localhost")
    assert (await scene.get("http://right.localhost/", host="wrong.localhost")).text == "a"
    assert upstream.requests[0]["host"] == "right.localhost"


async def test_options_asterisk_is_relayed(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream.url + "/base")
    client = await scene.client()
    await client.ask("OPTIONS", "*")
    assert (await client.answer()).text == "a"
    assert upstream.requests[0].line == "OPTIONS * HTTP/1.1"


async def test_connect_is_not_implemented(scene: Scene) -> None:
    await scene.proxy(await scene.upstream())
    client = await scene.client()
    await client.ask("CONNECT", "test:80")
    assert (await client.answer()).status == 501
    assert await client.ended() == b""


async def test_the_base_path_of_an_upstream_stands_before_the_target(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream.url + "/base/")
    await scene.get("/page?a=b")
    assert upstream.requests[0].target == "/base/page?a=b"


@pytest.mark.parametrize(
    ("target", "seen"),
    [("/api/users?a=b", "/users?a=b"), ("/api", "/"), ("/api/", "/"), ("/api?a=b", "/?a=b"), ("/api//x", "//x")],
)
async def test_a_route_may_strip_its_prefix(scene: Scene, target: str, seen: str) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, path="/api", strip_prefix=True)
    assert (await scene.get(target)).text == "a"
    assert upstream.requests[0].target == seen
    assert upstream.requests[0]["x-forwarded-prefix"] == "/api"


# Answers without a body


async def test_head_tells_the_length_and_has_no_body(scene: Scene) -> None:
    upstream = await scene.upstream(
        saying(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
        )
    )
    await scene.proxy(upstream)
    client = await scene.client()
    lengths = []
    for _ in range(3):
        await client.ask("HEAD")
        lengths.append((await client.answer(to="HEAD")).all("content-length"))
    assert lengths == [["1000"], [], []]
    assert upstream.connections == 1


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_statuses_without_a_body_have_none(scene: Scene, status: bytes) -> None:
    upstream = await scene.upstream(saying(b"HTTP/1.1 " + status + b"\r\nETag: x\r\n\r\n", OK))
    await scene.proxy(upstream)
    client = await scene.client()
    answer = await client.get()
    assert answer["etag"] == "x"
    assert "transfer-encoding" not in answer
    assert (await client.get()).text == "ok"
    assert upstream.connections == 1


@pytest.mark.parametrize(
    ("framing", "connections"),
    [(b"Content-Length: 0", 1), (b"Content-Length: 2", 2), (b"Transfer-Encoding: chunked", 2)],
)
async def test_a_204_that_announces_a_body_ends_its_connection(scene: Scene, framing: bytes, connections: int) -> None:
    upstream = await scene.upstream(saying(b"HTTP/1.1 204 No Content\r\n" + framing + b"\r\n\r\n", OK))
    await scene.proxy(upstream)
    client = await scene.client()
    answer = await client.get()
    assert (answer.status, "content-length" in answer, "transfer-encoding" in answer) == (204, False, False)
    await client.get()
    assert upstream.connections == connections


async def test_a_304_may_tell_the_length_it_would_have_had(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(saying(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", OK)))
    client = await scene.client()
    assert (await client.get())["content-length"] == "99"
    assert (await client.get()).text == "ok"


async def test_an_answer_to_head_with_a_body_ends_its_connection(scene: Scene) -> None:
    upstream = await scene.upstream(saying(OK, OK))
    await scene.proxy(upstream)
    client = await scene.client()
    for _ in range(2):
        await client.ask("HEAD")
        assert (await client.answer(to="HEAD"))["content-length"] == "2"
    assert upstream.connections == 2


# Framing


async def test_both_framings_at_once_from_an_upstream_end_its_connection(scene: Scene) -> None:
    both = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    upstream = await scene.upstream(saying(both, both))
    await scene.proxy(upstream)
    client = await scene.client()
    assert [(await client.get()).text for _ in range(2)] == ["ok", "ok"]
    assert upstream.connections == 2


async def test_trailers_are_relayed_both_ways_but_not_those_that_could_do_harm(scene: Scene) -> None:
    async def script(conversation: Conversation) -> None:
        upstream.requests.append(await conversation.request())
        conversation.write(
            b"HTTP/1.1 200 OK\r\nTrailer: checksum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
            b"0\r\nChecksum: 1\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\n\r\n"
        )
        await conversation.gone()

    upstream = await scene.upstream(script)
    await scene.proxy(upstream)
    client = await scene.client()
    await client.ask("POST", transfer_encoding="chunked", TE="trailers", connection="TE")
    await client.send(
        b"2\r\nhi\r\n0\r\nDigest: 2\r\nHost: evil\r\nX-Forwarded-For: 1.2.3.4\r\nAuthorization: x\r\n\r\n"
    )
    answer = await client.answer()

    assert (answer.text, answer.trailers) == ("ok", [("checksum", "1")])
    assert (upstream.requests[0].body, upstream.requests[0].trailers) == (b"hi", [("digest", "2")])
    assert (upstream.requests[0]["te"], upstream.requests[0]["connection"]) == ("trailers", "TE")


async def test_a_chunked_answer_with_trailers_in_one_packet_can_be_an_error(scene: Scene) -> None:
    bad = b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\nwhy: not\r\n\r\n"
    busy, good = await scene.upstream(saying(bad, bad, bad)), await scene.upstream()
    await scene.proxy(busy, good, error_statuses=[503], max_connections=1)
    clients = [await scene.client() for _ in range(4)]
    for client in clients:
        await client.ask()
    assert [(await client.answer()).text for client in clients] == ["b"] * 4
    assert scene.counted(busy).error_counter >= 1


async def test_an_empty_chunked_request_stays_chunked(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    await client.ask("POST", transfer_encoding="chunked")
    await client.send(b"0\r\n\r\n")
    assert (await client.answer()).text == "a"
    assert upstream.requests[0]["transfer-encoding"] == "chunked"


async def test_a_body_of_length_zero_is_told_to_the_upstream(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    await client.ask("POST", content_length="0")
    assert (await client.answer()).text == "a"
    assert upstream.requests[0]["content-length"] == "0"


async def test_a_get_may_have_a_body(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    await client.ask("GET", body=b"query")
    assert (await client.answer()).text == "a"
    assert upstream.requests[0].body == b"query"


# Interim answers


async def test_a_client_that_waits_for_100_gets_it_only_when_the_upstream_says_so(scene: Scene) -> None:
    async def script(conversation: Conversation) -> None:
        request = await conversation.head()
        assert request["expect"] == "100-continue"
        asked.set()
        await go_on.wait()
        conversation.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        conversation.answer((await conversation.body(request)).body)

    asked, go_on = asyncio.Event(), asyncio.Event()
    await scene.proxy(await scene.upstream(script))
    client = await scene.client()
    await client.ask("POST", content_length="4", expect="100-continue")
    await asked.wait()
    waiting = asyncio.create_task(client.head())
    await asyncio.sleep(0)
    assert not waiting.done()
    go_on.set()
    assert (await waiting).line == "HTTP/1.1 100 Continue"
    await client.send(b"body")
    assert (await client.answer()).text == "body"


async def test_an_upstream_may_refuse_before_the_body_was_sent(scene: Scene) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.head()
        conversation.answer(b"no", "401 Unauthorized")
        await conversation.gone()

    await scene.proxy(await scene.upstream(script))
    client = await scene.client()
    await client.ask("POST", content_length="4", expect="100-continue")
    answer = await client.answer()
    assert (answer.status, answer["connection"]) == (401, "close")


async def test_another_expectation_fails(scene: Scene) -> None:
    await scene.proxy(await scene.upstream())
    assert (await scene.get(expect="miracles")).status == 417


async def test_early_hints_are_relayed_and_not_to_http_1_0(scene: Scene) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    await scene.proxy(await scene.upstream(saying(hints + hints + OK)))
    client = await scene.client()
    await client.ask()
    for _ in range(2):
        early = await client.head()
        assert (early.status, early["link"]) == (103, "</style.css>")
    assert (await client.answer()).text == "ok"

    await client.ask(version="1.0")
    assert (await client.answer()).status == 200


# Connections


async def test_connections_are_kept_alive_on_both_sides(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    clients = [await scene.client() for _ in range(3)]
    for _ in range(10):
        for client in clients:
            assert (await client.get()).text == "a"
    assert upstream.connections == 1
    assert scene.server.stats.connections == 3


async def test_a_client_that_asks_for_close_gets_it(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    for _ in range(3):
        client = await scene.client()
        answer = await client.get(connection="close")
        assert (answer.text, answer["connection"]) == ("a", "close")
        assert await client.rest() == b""
    assert upstream.connections == 1
    assert "connection" not in upstream.requests[0]


async def test_an_upstream_that_asks_for_close_gets_it_and_the_client_stays(scene: Scene) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"ok", connection="close")
        await conversation.gone()

    upstream = await scene.upstream(script)
    await scene.proxy(upstream)
    client = await scene.client()
    assert [(await client.get()).text for _ in range(3)] == ["ok"] * 3
    assert upstream.connections == 3


@pytest.mark.parametrize(("field", "connections"), [("", 2), ("Connection: keep-alive\r\n", 1)])
async def test_an_http_1_0_upstream_is_kept_only_if_it_says_so(scene: Scene, field: str, connections: int) -> None:
    answer = f"HTTP/1.0 200 OK\r\n{field}Content-Length: 2\r\n\r\nok".encode()
    upstream = await scene.upstream(saying(answer, answer))
    await scene.proxy(upstream)
    client = await scene.client()
    for _ in range(2):
        got = await client.get()
        assert (got.line, got.text) == ("HTTP/1.1 200 OK", "ok")
    assert upstream.connections == connections


async def test_http_1_0_clients_are_served_with_and_without_keep_alive(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    await client.ask(version="1.0", host="", connection="keep-alive")
    answer = await client.answer()
    assert (answer.text, answer["connection"]) == ("a", "keep-alive")
    assert upstream.requests[0]["host"] == f"127.0.0.1:{upstream.port}"
    await client.ask(version="1.0")
    assert (await client.answer())["connection"] == "close"
    assert await client.rest() == b""


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_request_that_names_no_host_is_for_the_upstream_s_own(scene: Scene, address: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await reader.read()
        writer.close()

    seen: list[bytes] = []
    try:
        server = await asyncio.start_server(answer, address, 0)
    except OSError:
        pytest.skip(f"this machine has no {address}")
    host = f"[{address}]" if ":" in address else address
    authority = f"{host}:{server.sockets[0].getsockname()[1]}"
    await scene.proxy(f"http://{authority}")
    client = await scene.client()
    await client.ask(version="1.0", host="")
    assert (await client.answer()).text == "ok"
    assert f"\r\nHost: {authority}\r\n".encode() in seen[0]
    server.close()


async def test_a_chunked_answer_to_http_1_0_ends_with_the_connection(scene: Scene) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n"

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.send(chunked)
        await conversation.send(b"3\r\n of\r\n0\r\nx: y\r\n\r\n")

    await scene.proxy(await scene.upstream(script))
    client = await scene.client()
    await client.ask(version="1.0", connection="keep-alive")
    answer = await client.answer()
    assert answer.body == b"all of"
    assert "transfer-encoding" not in answer


async def test_pipelined_requests_are_answered_in_order(scene: Scene) -> None:
    async def script(conversation: Conversation) -> None:
        while True:
            request = await conversation.request()
            conversation.answer(request.target.encode())

    await scene.proxy(*[await scene.upstream(script) for _ in range(3)])
    client = await scene.client()
    requests = [
        f"{'POST' if number % 3 else 'GET'} /{number} HTTP/1.1\r\nHost: test\r\n"
        f"{'Content-Length: 4' if number % 3 else 'A: b'}\r\n\r\n{'body' if number % 3 else ''}"
        for number in range(200)
    ]
    await client.send("".join(requests).encode())
    assert [(await client.answer()).text for _ in range(200)] == [f"/{number}" for number in range(200)]


async def test_more_pipelined_requests_than_fit_are_answered_all_the_same(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), host="known")
    client = await scene.client()
    count = 3000

    async def flood() -> None:
        for number in range(0, count, 100):
            host = "known" if number % 200 else "unknown"
            await client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\nPad: {'x' * 40}\r\n\r\n".encode() * 100)

    flooding = asyncio.create_task(flood())
    statuses = [(await client.answer()).status for _ in range(count)]
    await flooding
    assert statuses == ([404] * 100 + [200] * 100) * (count // 200)


@pytest.mark.parametrize("half_closed", [False, True])
async def test_others_have_their_turn_while_pipelined_requests_are_answered(scene: Scene, half_closed: bool) -> None:
    await scene.proxy(await scene.upstream(), host="known")
    client = await scene.client()
    answered = scene.server.stats
    most = 0

    async def others() -> None:
        nonlocal most
        while True:
            before = answered.requests
            await asyncio.sleep(0)
            most = max(most, answered.requests - before)

    meanwhile = asyncio.create_task(others())
    last = b"GET /last HTTP/1.1\r\nHost: unknown\r\nConnection: close\r\n\r\n"
    await client.send(b"GET / HTTP/1.1\r\nHost: unknown\r\n\r\n" * 1000 + (b"" if half_closed else last))
    if half_closed:
        client.half_close()
    statuses = [(await client.answer()).status for _ in range(1000 if half_closed else 1001)]
    meanwhile.cancel()
    assert set(statuses) == {404}
    assert await client.rest() == b""
    assert 0 < most <= 50


async def test_a_pipelined_request_behind_a_bad_one_is_not_served(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\nBAD\r\n\r\nGET /secret HTTP/1.1\r\nHost: test\r\n\r\n")
    assert (await client.answer()).status == 200
    assert (await client.answer()).status == 400
    assert await client.ended() == b""
    assert [request.target for request in upstream.requests] == ["/"]


async def test_a_pipelined_request_behind_one_that_closes_is_not_served(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    await client.send(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: test\r\n\r\n")
    assert (await client.answer()).status == 200
    assert await client.ended() == b""
    assert len(upstream.requests) == 1


BAD_REQUESTS = {
    "no version": b"GET /\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "both framings": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "differing lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "signed length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx",
    "folded field": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "space before colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "bare line feed": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare carriage return": b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
    "nul": b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    "fragment": b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "chunked 1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
async def test_a_request_that_breaks_the_rules_is_400_and_never_forwarded(scene: Scene, request_bytes: bytes) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    await client.send(request_bytes)
    answer = await client.answer()
    assert (answer.status, answer["connection"]) == (400, "close")
    assert await client.ended() == b""
    assert upstream.connections == 0
    assert scene.server.stats.unrouted == 1


async def test_another_version_is_505(scene: Scene) -> None:
    await scene.proxy(await scene.upstream())
    client = await scene.client()
    await client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert (await client.answer()).status == 505


@pytest.mark.parametrize(
    "wrong", [b"zz\r\n", b"1\r\nxx\r\n", b"-1\r\n", b"1;\x00\r\nx\r\n", b"0\r\nbad trailer\r\n\r\n"]
)
@pytest.mark.parametrize("together", [True, False], ids=["in one packet", "later"])
async def test_a_malformed_chunk_is_400_and_the_request_is_never_completed(
    scene: Scene, wrong: bytes, together: bool
) -> None:
    async def script(conversation: Conversation) -> None:
        request = await conversation.head()
        reached.set()
        with pytest.raises(asyncio.IncompleteReadError):
            await conversation.body(request)

    reached = asyncio.Event()
    upstream = await scene.upstream(script)
    await scene.proxy(upstream)
    client = await scene.client()
    head = b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
    await client.send(head + wrong if together else head)
    if not together:
        await reached.wait()
        await client.send(wrong)
    answer = await client.answer()
    assert (answer.status, answer["connection"]) == (400, "close")
    await client.send(b"x" * 100_000)  # the client need not know yet
    assert await client.rest() == b""
    await until(lambda: scene.open_connections() == 0)
    assert not upstream.failures
    if upstream.connections:
        assert scene.counted(upstream).error_counter == 0


@pytest.mark.parametrize(
    ("how", "status"),
    [({"host": "nowhere.localhost"}, 404), ({"target": "/nowhere"}, 404), ({"method": "DELETE"}, 405)],
    ids=["host", "path", "method"],
)
@pytest.mark.parametrize("body", [None, b"a body"], ids=["without a body", "with a body"])
async def test_a_request_that_no_route_answers(
    scene: Scene, how: dict[str, str], status: int, body: bytes | None
) -> None:
    await scene.proxy(await scene.upstream(), host="test", path={"prefix": "/known", "method": "GET,POST"})
    client = await scene.client()
    await client.ask(**{"method": "GET", "target": "/known", **how}, body=body)
    answer = await client.answer()
    assert answer.status == status
    assert answer.all("allow") == (["GET, HEAD, POST"] if status == 405 else [])
    assert scene.server.stats.unrouted == 1
    assert (await client.get("/known")).text == "a"


async def test_an_unfinished_body_that_nobody_wants_ends_the_connection_after_the_answer(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), host="test")
    client = await scene.client()
    await client.ask("POST", host="nowhere", content_length="100000")
    answer = await client.answer()
    assert (answer.status, answer["connection"]) == (404, "close")
    await client.send(b"x" * 100_000)
    assert await client.rest() == b""


async def ask_twice(client: Client) -> list[int]:
    return [(await client.get()).status for _ in range(2)]


async def test_an_upstream_whose_name_cannot_be_is_an_error_like_any_other(scene: Scene) -> None:
    await scene.proxy("http://no..such..name:80", "http://nowhere.invalid:80", await scene.upstream())
    assert await ask_twice(await scene.client()) == [200, 200]


async def test_an_upstream_cannot_speak_as_a_handler_of_ours(scene: Scene) -> None:
    async def pretend(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"mine", Dockerproxy_Exception="ValueError", X_Dockerproxy_Reason="loop")

    await scene.proxy(await scene.upstream(pretend))
    answer = await scene.get()
    assert (answer.status, answer.text) == (200, "mine")
    assert "dockerproxy-exception" not in answer
    assert "x-dockerproxy-reason" not in answer
