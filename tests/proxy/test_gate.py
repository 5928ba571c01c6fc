"""Routes with middlewares: what passes the gate is what would pass without one, and what a middleware does counts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from multidict import CIMultiDict
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidStatus

from dockerproxy.proxy.record import Record
from dockerproxy.routing.route import Domain, Route
from dockerproxy.settings import RouteOptions
from dockerproxy.web import BODY_LIMIT, RelayedResponse

from ..support.client import Client, Incomplete
from ..support.scene import Scene
from ..support.upstreams import Conversation
from ..support.waiting import settled, until

CallNext = Callable[[web.Request], Awaitable[web.StreamResponse]]

SENT = 50 << 20
BOUND = 24 << 20  # what kernels and buffers hold, where much memory is; far less than what is sent
PIECE = b"x" * 0x10000


async def through(request: web.Request, call_next: CallNext) -> web.StreamResponse:
    return await call_next(request)


async def tag(request: web.Request, call_next: CallNext) -> web.StreamResponse:
    """Adds a field to the request and to its answer."""
    headers = request.headers.copy()
    headers["X-Tag"] = "asked"
    response = await call_next(request.clone(headers=headers))
    response.headers["X-Tag"] = f"answered {response.status}"
    return response


async def refuse(_request: web.Request, _call_next: CallNext) -> web.StreamResponse:
    raise web.HTTPForbidden(text="not you")


async def fail(_request: web.Request, _call_next: CallNext) -> web.StreamResponse:
    raise ValueError("a secret of the middleware")


async def fail_afterwards(request: web.Request, call_next: CallNext) -> web.StreamResponse:
    await call_next(request)
    raise ValueError("too late")


async def key(request: web.Request, call_next: CallNext) -> web.StreamResponse:
    """Lets in whoever has the key."""
    if request.headers.get("X-Key") != "right":
        raise web.HTTPUnauthorized(text="no key")
    return await call_next(request)


GIVEN = {each.__name__: each for each in (through, tag, refuse, fail, fail_afterwards, key)}


def given(middleware: Any) -> dict[str, Any]:
    return {**GIVEN, "it": middleware}


# What the upstream and the client see

ODD_REQUEST = (
    b"GET /a%2Fb//c/./%zz/../d;e?x=%ff&&y=a+b%20c HTTP/1.1\r\nHost: Test.localhost:81\r\naccept: text/*\r\n"
    b"X-Twice: one\r\nCOOKIE: a=b\r\nx-twice:   two \r\nX-Latin: caf\xe9\r\nX-Utf: caf\xc3\xa9\r\nX-Empty:\r\n"
    b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nVia: 1.0 fred\r\nConnection: X-Hop, TE\r\nX-Hop: 1\r\n"
    b"TE: trailers\r\nAccept-Encoding: gzip\r\nAccept-Encoding: br\r\n\r\n"
)
ODD_ANSWER = (
    b"HTTP/1.1 299 Very  Odd \xe9\r\nset-cookie: a=1\r\nX-Latin: caf\xe9\r\nSET-COOKIE: b=2\r\nX-Utf: caf\xc3\xa9\r\n"
    b'ETag: "x"\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nX-Empty:\r\nContent-Length: 2\r\n\r\nok'
)


@pytest.mark.parametrize("request_bytes", [
    ODD_REQUEST,
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://b.localhost//x//?q HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.0\r\nX-A: b\r\n\r\n",
    b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!",
    b"HEAD /p HTTP/1.1\r\nHost: a\r\n\r\n",
], ids=["odd", "asterisk", "absolute", "1.0", "brew", "encoded", "head"])  # fmt: skip
async def test_the_upstream_and_the_client_see_the_same_bytes_with_and_without(
    scene: Scene, request_bytes: bytes
) -> None:
    seen: list[bytes] = []

    async def record(conversation: Conversation) -> None:
        while True:
            head = await conversation.reader.readuntil(b"\r\n\r\n")
            body = await conversation.reader.readexactly(9) if b"Content-Length: 9" in head else b""
            seen.append(head + body)
            conversation.write(ODD_ANSWER.removesuffix(b"ok") if head.startswith(b"HEAD") else ODD_ANSWER)

    upstream = await scene.upstream(record)
    names = ["none", "through,key"]
    server = await scene.proxy(
        upstream, given={**GIVEN, "key": through}, middlewares="none", trusted_proxies="127.0.0.1",
        read_settings=lambda: scene.settings(upstream, middlewares=names.pop(), trusted_proxies="127.0.0.1"),
    )  # fmt: skip
    answers = []
    for _ in range(2):
        client = await scene.client()
        await client.send(request_bytes)
        client.half_close()
        answers.append(await client.rest())
        server.reread()

    assert seen[0] == seen[1]
    assert answers[0] == answers[1]


async def test_a_middleware_changes_fields_both_ways_and_nothing_else(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, given=GIVEN, middlewares="tag")
    answer = await scene.get("/x?y", X_Other="1", Cookie="a=b")
    (request,) = upstream.requests
    assert (request.line, request["x-tag"], request["x-other"], request["cookie"]) == (
        "GET /x?y HTTP/1.1", "asked", "1", "a=b"
    )  # fmt: skip
    assert (answer.status, answer["x-tag"], answer.text) == (200, "answered 200", "a")


async def test_middlewares_run_in_the_order_in_which_they_are_written(scene: Scene) -> None:
    def noting(name: str) -> Any:
        async def note(request: web.Request, call_next: CallNext) -> web.StreamResponse:
            response = await call_next(request)
            response.headers["X-Order"] = response.headers.get("X-Order", "") + name
            return response

        return note

    await scene.proxy(
        await scene.upstream(), given={"a": noting("a"), "b": noting("b"), "c": noting("c")}, middlewares="a,b,c"
    )
    assert (await scene.get())["x-order"] == "cba"


async def test_a_middleware_can_send_a_request_elsewhere(scene: Scene) -> None:
    async def elsewhere(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        headers = request.headers.copy()
        headers.update({"Host": "inner.localhost", "X-Forwarded-Proto": "https", "Content-Length": "7"})
        del headers["X-Real-IP"]
        return await call_next(request.clone(method="PUT", rel_url="/new path?a=é", headers=headers))

    upstream = await scene.upstream()
    await scene.proxy(upstream, given=given(elsewhere), middlewares="it")
    await scene.post(b"four", "/old", Dockerproxy_Route="forged")
    (request,) = upstream.requests
    assert request.line == "PUT /new%20path?a=%C3%A9 HTTP/1.1"
    assert (request["host"], request["x-forwarded-proto"], request["x-forwarded-host"]) == (
        "inner.localhost", "https", "test"
    )  # fmt: skip
    assert ("x-real-ip" in request, request.body) == (False, b"four")


@pytest.mark.parametrize("field", [("X-A", "a\r\nX-Evil: b"), ("X A", "b"), ("Host", "a b")])
async def test_a_malformed_field_of_a_middleware_is_never_sent(scene: Scene, field: tuple[str, str]) -> None:
    async def break_lines(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        headers = request.headers.copy()
        headers[field[0]] = field[1]
        return await call_next(request.clone(headers=headers))

    upstream = await scene.upstream()
    await scene.proxy(upstream, given=given(break_lines), middlewares="it")
    assert (await scene.get()).status == 500
    assert upstream.requests == []


async def test_the_handler_behind_a_gate_sees_the_client_as_it_is(scene: Scene) -> None:
    async def tell(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.remote} {request.scheme} {request.host} {request.headers.get('X-Tag')}")

    seen: list[str | None] = []

    async def look(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        seen.append(request.remote)
        assert not [name for name in request.headers if name.startswith("Dockerproxy-")]
        return await call_next(request)

    options = RouteOptions(middlewares="it,tag")
    await scene.proxy(
        python_routes=[Route("tell", (Domain("tell.localhost"),), target=tell, options=options)], given=given(look)
    )
    answer = await scene.get(host="tell.localhost:8888", X_Forwarded_For="1.2.3.4")
    assert answer.text == "127.0.0.1 http tell.localhost:8888 asked"
    assert seen == ["127.0.0.1"]
    assert scene.route("tell").requests == 1


# Streaming


async def test_the_first_event_of_a_stream_passes_at_once(scene: Scene) -> None:
    go_on = asyncio.Event()

    async def events(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        await go_on.wait()
        go_on.clear()
        conversation.write(b"9\r\ndata: 1\n\n\r\n")
        await go_on.wait()
        conversation.write(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    await scene.proxy(await scene.upstream(events), given=GIVEN, middlewares="tag")
    client = await scene.client()
    await client.ask()
    assert (await client.head())["content-type"] == "text/event-stream"
    go_on.set()
    assert await client.chunk() == b"data: 1\n\n"
    go_on.set()
    assert await client.chunk() == b"data: 2\n\n"
    assert await client.chunk() == b""


async def test_an_upstream_is_read_no_faster_than_its_client_reads(scene: Scene) -> None:
    async def endless(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SENT)
        for _ in range(SENT // len(PIECE)):
            await conversation.send(PIECE)

    upstream = await scene.upstream(endless)
    await scene.proxy(upstream, given=GIVEN, middlewares="tag")
    client = await scene.client(receive_buffer=1 << 16)
    await client.ask()
    await until(lambda: upstream.conversations)
    assert await settled(lambda: upstream.conversations[0].sent) < BOUND
    await client.head()
    await client.skip(SENT)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_a_client_is_read_no_faster_than_the_upstream_reads(scene: Scene, chunked: bool) -> None:
    go_on = asyncio.Event()
    received = 0

    async def slow(conversation: Conversation) -> None:
        nonlocal received
        await conversation.head()
        await go_on.wait()
        if chunked:
            while piece := await conversation.chunk():
                received += len(piece)
        while received < SENT:
            received += len(await conversation.reader.read(1 << 20))
        conversation.answer(b"thanks")

    await scene.proxy(await scene.upstream(slow), given=GIVEN, middlewares="tag")
    client = await scene.client()
    framing: dict[str, Any] = {"transfer_encoding": "chunked"} if chunked else {"content_length": str(SENT)}
    await client.ask("POST", **framing)
    written = 0

    async def upload() -> None:
        nonlocal written
        for _ in range(SENT // len(PIECE)):
            await client.send(b"%x\r\n" % len(PIECE) + PIECE + b"\r\n" if chunked else PIECE)
            written += len(PIECE)
        if chunked:
            await client.send(b"0\r\n\r\n")

    uploading = asyncio.ensure_future(upload())
    assert 0 < await settled(lambda: written) < BOUND
    go_on.set()
    await uploading
    assert (await client.answer()).text == "thanks"
    assert received == SENT


async def test_a_middleware_can_change_a_body_as_it_flows(scene: Scene) -> None:
    async def shout(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        response = await call_next(request)
        assert isinstance(response, RelayedResponse)
        parts = response.content
        response.content = (part.upper() async for part in parts)
        return response

    await scene.proxy(await scene.upstream(name="quiet"), given=given(shout), middlewares="it")
    answer = await scene.get()
    assert (answer.text, answer.status) == ("QUIET", 200)


async def test_a_middleware_can_read_an_answer_and_replace_it(scene: Scene) -> None:
    async def again(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        response = await call_next(request)
        assert isinstance(response, RelayedResponse)
        with pytest.raises(ValueError, match="larger than 1 bytes"):
            await response.read(limit=1)
        response.replace(await response.read() * 2)
        response.set_cookie("seen", "yes")
        return response

    await scene.proxy(await scene.upstream(name="one"), given=given(again), middlewares="it")
    answer = await scene.get()
    assert (answer.text, answer["content-length"], answer["set-cookie"]) == ("oneone", "6", "seen=yes; Path=/")


@pytest.mark.parametrize("limit", [100, 1 << 20])
async def test_a_body_that_flows_can_be_read_and_is_sent_all_the_same(scene: Scene, limit: int) -> None:
    whole = b"0123456789" * 20_000
    read: list[bytes | None] = []

    async def look(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        response = await call_next(request)
        assert isinstance(response, RelayedResponse)
        assert response.body is None
        try:
            read.append(await response.read(limit))
        except ValueError:
            read.append(None)
        return response

    async def slowly(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(whole))
        for start in range(0, len(whole), 50_000):
            await conversation.send(whole[start : start + 50_000])

    await scene.proxy(await scene.upstream(slowly), given=given(look), middlewares="it")
    assert (await scene.get()).body == whole
    assert read == [whole if limit > len(whole) else None]


async def test_an_answer_that_breaks_off_while_it_is_read_is_502(scene: Scene) -> None:
    async def look(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        response = await call_next(request)
        assert isinstance(response, RelayedResponse)
        await response.read()
        return response

    async def cut(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        conversation.close()

    await scene.proxy(await scene.upstream(cut), given=given(look), middlewares="it")
    assert (await scene.get()).status == 502
    assert scene.route().errors_shown == 1


async def test_a_middleware_that_has_read_the_body_sends_it_on_as_often_as_it_likes(scene: Scene) -> None:
    async def twice(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        assert await request.read() == b"body"
        await call_next(request)
        return await call_next(request)

    upstream = await scene.upstream()
    await scene.proxy(upstream, given=given(twice), middlewares="it")
    client = await scene.client()
    await client.ask("POST", content_length="4", expect="100-continue")
    assert (await client.head()).status == 100
    await client.send(b"body")
    assert (await client.answer()).text == "a"
    assert [request.body for request in upstream.requests] == [b"body", b"body"]
    assert scene.route().requests == 1


async def test_a_body_that_has_flown_is_not_sent_a_second_time_as_an_empty_one(scene: Scene) -> None:
    async def twice(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        await call_next(request)
        return await call_next(request)

    upstream = await scene.upstream()
    await scene.proxy(upstream, given=given(twice), middlewares="it")
    assert (await scene.post(b"body")).status == 500
    assert len(upstream.requests) == 1


async def test_a_middleware_can_limit_what_a_client_sends(scene: Scene) -> None:
    async def limit(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        request[BODY_LIMIT] = 10
        return await call_next(request)

    await scene.proxy(await scene.upstream(), given=given(limit), middlewares="it")
    assert (await scene.post(b"x" * 10)).status == 200
    assert (await scene.post(b"x" * 11)).status == 413
    client = await scene.client()
    await client.ask("POST", transfer_encoding="chunked")
    await client.send(b"b\r\n" + b"x" * 11 + b"\r\n")
    assert (await client.answer()).status == 413


# Clients and upstreams that leave


async def test_a_client_that_leaves_cancels_the_upstream_and_the_middleware(scene: Scene) -> None:
    cancelled: list[bool] = []

    async def watch(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        try:
            return await call_next(request)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    gone = asyncio.Event()

    async def hesitate(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.gone()
        gone.set()

    upstream = await scene.upstream(hesitate)
    await scene.proxy(upstream, given=given(watch), middlewares="it")
    client = await scene.client()
    await client.ask()
    await until(lambda: upstream.conversations)
    client.reset()
    await gone.wait()
    await until(lambda: cancelled)
    assert scene.counted(upstream).error_counter == 0


async def test_a_client_that_leaves_in_the_middle_of_an_answer_cancels_the_upstream(scene: Scene) -> None:
    gone = asyncio.Event()

    async def drip(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        await conversation.gone()
        gone.set()

    await scene.proxy(await scene.upstream(drip), given=GIVEN, middlewares="tag")
    client = await scene.client()
    await client.ask()
    await client.head()
    client.reset()
    await gone.wait()


async def test_an_answer_that_nobody_takes_is_cancelled(scene: Scene) -> None:
    async def impatient(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        try:
            async with limit:
                return await call_next(request)
        except TimeoutError:
            return web.Response(status=504, text="too slow")

    limit, gone = asyncio.timeout(None), asyncio.Event()

    async def hesitate(conversation: Conversation) -> None:
        await conversation.request()
        limit.reschedule(0.0)  # at once, but not before the request has come so far
        await conversation.gone()
        gone.set()

    await scene.proxy(await scene.upstream(hesitate), given=given(impatient), middlewares="it")
    answer = await scene.get()
    assert (answer.status, answer.text) == (504, "too slow")
    await gone.wait()


async def test_an_answer_that_breaks_off_breaks_off_at_the_client_too(scene: Scene) -> None:
    async def cut(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        conversation.close()

    upstream = await scene.upstream(cut)
    await scene.proxy(upstream, given=GIVEN, middlewares="tag")
    with pytest.raises(Incomplete) as broken:
        await scene.get()
    assert broken.value.data == b"half"
    assert (scene.route().errors_shown, scene.counted(upstream).error_counter) == (1, 1)


# What the data plane does behind a gate


async def test_another_upstream_is_tried_behind_a_middleware(scene: Scene) -> None:
    async def hang_up(conversation: Conversation) -> None:
        await conversation.request()
        conversation.close()

    await scene.proxy(await scene.upstream(hang_up), await scene.upstream(), given=GIVEN, middlewares="tag")
    assert (await scene.get()).text == "b"
    assert (scene.route().requests, scene.route().retries, scene.route().errors_shown) == (1, 1, 0)


async def test_a_request_is_held_behind_a_middleware_until_an_upstream_is_back(scene: Scene) -> None:
    live: list[dict[str, Any]] = [{"name": "other", "host": "other.localhost", "upstreams": ["http://127.0.0.1:1"]}]
    upstream = await scene.upstream()

    def settings(weight: int) -> Any:
        entry = {"name": "a", "url": upstream.url, "weight": weight}
        return scene.settings(routes=[*live, {"name": "site", "upstreams": [entry], "middlewares": "tag"}])

    scene_settings = [settings(1), settings(0)]
    server = await scene.proxy(
        given=GIVEN, routes=[{"name": "site", "upstreams": [{"url": upstream.url, "weight": 0}], "middlewares": "tag"}],
        read_settings=lambda: scene_settings[0],
    )  # fmt: skip
    client = await scene.client()
    await client.ask()
    await until(lambda: scene.route().held == 1)
    assert server.plane.held("site") == 1
    server.reread()
    answer = await client.answer()
    assert (answer.text, answer["x-tag"]) == ("a", "answered 200")


async def test_an_error_page_of_the_proxy_passes_the_middlewares(scene: Scene) -> None:
    await scene.proxy("http://127.0.0.1:1", given=GIVEN, middlewares="tag", max_attempts=1)
    answer = await scene.get()
    assert (answer.status, answer["x-tag"]) == (502, "answered 502")
    assert "x-request-id" in answer
    assert (scene.route().errors_shown, scene.route().answers[5]) == (1, 1)


async def test_an_answer_that_a_middleware_gives_alone_is_counted_at_the_route(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, given=GIVEN, middlewares="refuse")
    answer = await scene.get()
    assert (answer.status, answer.text) == (403, "not you")
    stats = scene.route()
    assert (stats.requests, stats.answers[4], stats.latency.count, stats.errors_shown) == (1, 1, 1, 0)
    assert (upstream.requests, stats.upstreams) == ([], {})


async def test_an_answer_of_an_inner_middleware_passes_the_outer_ones(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), given=GIVEN, middlewares="tag,refuse")
    assert (await scene.get())["x-tag"] == "answered 403"


@pytest.mark.parametrize("name", ["fail", "fail_afterwards"])
async def test_a_middleware_that_fails_gives_an_error_page_and_is_logged(
    scene: Scene, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.proxy(await scene.upstream(), given=GIVEN, middlewares=f"tag,{name}", admin_access="open")
    answer = await scene.get()
    assert (answer.status, "secret" in answer.text, "x-tag" in answer) == (500, False, False)
    assert answer["x-dockerproxy-reason"] == "middleware_failed"
    assert (scene.route().errors_shown, scene.route().requests) == (1, 1)
    assert f"site: middleware {name} failed: ValueError" in caplog.text
    assert "Traceback" in caplog.text


async def test_a_body_that_a_middleware_breaks_is_cut_at_the_client(scene: Scene) -> None:
    async def burst(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        async def parts() -> Any:
            yield b"half"
            raise ValueError("burst")

        response = await call_next(request)
        assert isinstance(response, RelayedResponse)
        response.content = parts()
        return response

    await scene.proxy(await scene.upstream(), given=given(burst), middlewares="it")
    with pytest.raises(Incomplete):
        await scene.get()
    assert scene.route().errors_shown == 1


@pytest.mark.parametrize("wrong", [None, "text"])
async def test_what_is_no_response_is_an_error(scene: Scene, wrong: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def forget(_request: web.Request, _call_next: CallNext) -> Any:
        return wrong

    await scene.proxy(await scene.upstream(), given=given(forget), middlewares="it")
    assert (await scene.get()).status == 500
    assert f"it returned {wrong!r}; expected an aiohttp response" in caplog.text


@pytest.mark.filterwarnings("error")
async def test_an_answer_that_nobody_awaited_is_told_as_that(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    async def hurry(request: web.Request, call_next: CallNext) -> Any:
        return call_next(request)

    await scene.proxy(await scene.upstream(), given=given(hurry), middlewares="it")
    assert (await scene.get()).status == 500
    assert "it returned call_next(…) without `await`; expected an aiohttp response" in caplog.text


async def test_a_middleware_may_send_its_answer_itself(scene: Scene) -> None:
    async def stream(request: web.Request, _call_next: CallNext) -> web.StreamResponse:
        response = web.StreamResponse(headers={"X-Own": "yes"})
        await response.prepare(request)
        await response.write(b"one ")
        await response.write(b"two")
        return response

    await scene.proxy(await scene.upstream(), given=given(stream), middlewares="tag,it")
    answer = await scene.get()
    assert (answer.text, answer["x-own"]) == ("one two", "yes")


# Upgrades


async def websocket_upstream() -> Any:
    async def echo(websocket: ServerConnection) -> None:
        assert websocket.request is not None
        await websocket.send(websocket.request.headers["X-Tag"])
        async for message in websocket:
            await websocket.send(message)

    return await serve(echo, "127.0.0.1", 0)


async def test_a_websocket_passes_when_the_middleware_lets_it(scene: Scene) -> None:
    async with await websocket_upstream() as upstream:
        port = upstream.sockets[0].getsockname()[1]
        await scene.proxy(f"http://127.0.0.1:{port}", given=GIVEN, middlewares="key,tag")
        url = f"ws://127.0.0.1:{scene.server.addresses[0].port}/"
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, proxy=None)
        assert refused.value.response.status_code == 401
        async with connect(url, additional_headers={"X-Key": "right"}, proxy=None) as websocket:
            assert await websocket.recv() == "asked"
            await websocket.send("x" * 200_000)
            assert await websocket.recv() == "x" * 200_000
            assert scene.route().in_flight == 1
    await until(lambda: scene.route().in_flight == 0)
    assert (scene.route().requests, scene.route().answers[4], scene.route().answers[1]) == (2, 1, 1)


async def test_a_websocket_handler_works_behind_a_middleware(scene: Scene) -> None:
    async def chat(request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        async for message in websocket:
            if message.type is WSMsgType.TEXT:
                await websocket.send_str(f"{request.remote}: {message.data}")
        return websocket

    options = RouteOptions(middlewares="through")
    await scene.proxy(python_routes=[Route("chat", target=chat, options=options)], given=GIVEN)
    async with connect(f"ws://127.0.0.1:{scene.server.addresses[0].port}/", proxy=None) as websocket:
        await websocket.send("hello")
        assert await websocket.recv() == "127.0.0.1: hello"


async def test_an_upgrade_that_the_upstream_declines_is_an_ordinary_answer(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, given=GIVEN, middlewares="tag")
    client = await scene.client()
    for _ in range(2):
        await client.ask(connection="Upgrade", upgrade="websocket")
        assert (await client.answer()).text == "a"
    assert upstream.requests[0]["x-tag"] == "asked"


async def test_an_upgrade_that_a_middleware_answers_with_a_stream_leaves_no_trace(scene: Scene) -> None:
    async def stream(_request: web.Request, _call_next: CallNext) -> web.StreamResponse:
        async def parts() -> Any:
            yield b"no "
            yield b"websocket"

        response = RelayedResponse(400, CIMultiDict())
        response.content = parts()
        return response

    await scene.proxy(await scene.upstream(), given=given(stream), middlewares="it")
    client = await scene.client()
    for _ in range(3):
        await client.ask(connection="Upgrade", upgrade="websocket")
        answer = await client.answer()
        assert (answer.status, answer.text) == (400, "no websocket")


async def test_an_upstream_cannot_speak_as_a_gate_does(scene: Scene) -> None:
    async def forge(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"x", Dockerproxy_Exception="pass-on")

    await scene.proxy(await scene.upstream(forge), given=GIVEN, middlewares="through")
    answer = await scene.get()
    assert (answer.status, answer.text) == (200, "x")
    assert "dockerproxy-exception" not in answer


# What the table says


async def test_a_reload_changes_the_middlewares_of_a_route(scene: Scene) -> None:
    upstream = await scene.upstream()
    names = ["none", "refuse", "tag"]
    server = await scene.proxy(
        upstream, given=GIVEN, read_settings=lambda: scene.settings(upstream, middlewares=names.pop())
    )
    client = await scene.client()
    assert "x-tag" not in await client.get()
    server.reread()
    assert (await client.get())["x-tag"] == "answered 200"
    server.reread()
    assert (await client.get()).status == 403
    server.reread()
    assert "x-tag" not in await client.get()
    assert (scene.route().requests, scene.route().in_flight) == (4, 0)


async def test_a_request_that_is_under_way_at_a_reload_ends_as_it_began(scene: Scene) -> None:
    go_on = asyncio.Event()

    async def slow(conversation: Conversation) -> None:
        await conversation.request()
        await go_on.wait()
        conversation.answer(b"done")

    upstream = await scene.upstream(slow)
    server = await scene.proxy(upstream, given=GIVEN, middlewares="tag", read_settings=lambda: scene.settings(upstream))
    client = await scene.client()
    await client.ask()
    await until(lambda: upstream.conversations)
    server.reread()
    assert scene.route().in_flight == 1
    go_on.set()
    assert (await client.answer())["x-tag"] == "answered 200"
    assert scene.route().in_flight == 0


async def test_a_paused_route_lets_its_requests_through_afterwards(scene: Scene) -> None:
    upstream = await scene.upstream()
    server = await scene.proxy(upstream, given=GIVEN, middlewares="tag", admin_access="open")
    admin = await scene.client()
    await admin.ask("POST", "/pause", host="root.localhost", body=b'{"route": "site"}')
    assert (await admin.answer()).status == 200
    client = await scene.client()
    await client.ask()
    await until(lambda: server.plane.held("site") == 1)
    await admin.ask("POST", "/resume", host="root.localhost", body=b'{"route": "site"}')
    assert (await admin.answer()).status == 200
    assert (await client.answer())["x-tag"] == "answered 200"
    assert server.plane.held("site") == 0


async def test_a_route_that_has_gone_lets_nobody_wait_at_its_gate(scene: Scene) -> None:
    upstream = await scene.upstream()
    server = await scene.proxy(
        upstream, given=GIVEN, middlewares="tag", admin_access="open", read_settings=lambda: scene.settings()
    )
    admin = await scene.client()
    await admin.ask("POST", "/pause", host="root.localhost", body=b'{"route": "site"}')
    assert (await admin.answer()).status == 200
    client = await scene.client()
    await client.ask()
    await until(lambda: server.plane.held("site") == 1)
    server.reread()
    assert (await client.answer()).status == 503


async def test_a_record_tells_of_the_upstream_behind_the_gate(scene: Scene) -> None:
    records: list[Record] = []
    await scene.proxy(await scene.upstream(), given=GIVEN, middlewares="key")
    scene.server.plane.clients.recorder = records.append
    await scene.post(b"x" * 100, X_Key="right")
    await scene.get()
    good, refused = records
    assert (good.route, good.upstream, good.attempts, good.status, good.received) == ("site", "a", 1, 200, 100)
    assert None not in (good.queue, good.connect, good.first_byte)
    assert (refused.route, refused.upstream, refused.attempts, refused.status) == ("site", "", 0, 401)


async def test_a_record_tells_of_the_upstream_also_when_the_client_leaves(scene: Scene) -> None:
    async def hesitate(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.gone()

    records: list[Record] = []
    upstream = await scene.upstream(hesitate)
    await scene.proxy(upstream, given=GIVEN, middlewares="through")
    scene.server.plane.clients.recorder = records.append
    client = await scene.client()
    await client.ask()
    await until(lambda: upstream.conversations)
    client.reset()
    await until(lambda: records)
    assert [(record.upstream, record.cut, record.status) for record in records] == [("a", True, 0)]


async def test_the_default_for_all_routes_does_not_stand_before_the_admin_handlers(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), given=GIVEN, middlewares="refuse")
    assert (await scene.get("/health", host="root.localhost")).status == 200
    report = await scene.get("/statistics", host="root.localhost")
    assert '"middlewares":["refuse"]' in report.text.replace(": ", ":")


async def test_routes_without_middlewares_are_looked_up_as_they_are(scene: Scene) -> None:
    server = await scene.proxy(await scene.upstream())
    assert server.plane.routes.entries is server.plane.routes.live
    assert await one_connection(scene) == "a"


async def one_connection(scene: Scene) -> str:
    client: Client = await scene.client()
    return (await client.get()).text
