"""Routes that Python code answers: reached like any other upstream."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, web

from dockerproxy.proxy.exchange import restriction
from dockerproxy.routing.route import Domain, PathKind, PathRule, Route
from dockerproxy.web import ERROR_INFO

from ..support.scene import Scene
from ..support.waiting import DEADLINE, until


async def tell(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "remote": request.remote,
            "scheme": request.scheme,
            "host": request.host,
            "path": request.path_qs,
            "match": dict(request.match_info),
            "fields": sorted(name.lower() for name in request.headers if name.lower().startswith(("x-", "dockerp"))),
            "real": request.headers.get("X-Real-IP"),
            "body": len(await request.read()),
        }
    )


async def fail(_request: web.Request) -> web.Response:
    raise ValueError("a secret of the application")


async def fail_in_the_middle(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"half")
    raise ValueError("too late")


async def page(request: web.Request) -> web.Response:
    info = request[ERROR_INFO]
    return web.Response(text=f"our page: {info.status} {info.code} {request.method}", status=info.status)


def route(name: str, target: Any, host: str = "", **fields: Any) -> Route:
    return Route(name, (Domain.parse(host or f"{name}.localhost"),), target=target, **fields)


async def test_a_handler_sees_the_client_as_it_is(scene: Scene) -> None:
    await scene.proxy(python_routes=[route("tell", tell)])
    answer = await scene.get("/a%20b?c=d", host="tell.localhost:8888", X_Forwarded_For="1.2.3.4",
                             X_Forwarded_Proto="https", X_Real_IP="1.2.3.4", Dockerproxy_Remote="1.2.3.4",
                             Dockerproxy_Scheme="https", Dockerproxy_Error="500 forged")  # fmt: skip
    told = json.loads(answer.body)
    assert told["remote"] == told["real"] == "127.0.0.1"
    assert told["scheme"] == "http"
    assert told["host"] == "tell.localhost:8888"
    assert told["path"] == "/a%20b?c=d"
    assert not [name for name in told["fields"] if name.startswith("dockerproxy")]


async def test_a_handler_believes_what_a_trusted_proxy_says(scene: Scene) -> None:
    await scene.proxy(python_routes=[route("tell", tell)], trusted_proxies=["127.0.0.1"])
    told = json.loads(
        (await scene.get(host="tell.localhost", X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="https")).body
    )
    assert (told["remote"], told["scheme"]) == ("203.0.113.9", "https")


async def test_a_handler_gets_the_groups_of_its_regex(scene: Scene) -> None:
    rule = PathRule(PathKind.REGEX, r"^/(?P<section>[a-z]+)/(?P<page>[0-9]+)$")
    await scene.proxy(python_routes=[route("tell", tell, path=rule)])
    told = json.loads((await scene.get("/news/42?x=y", host="tell.localhost")).body)
    assert told["match"] == {"section": "news", "page": "42"}
    assert (await scene.get("/news", host="tell.localhost")).status == 404


@pytest.mark.parametrize("size", [0, 1000, 3 << 20])
async def test_a_handler_gets_the_whole_body(scene: Scene, size: int) -> None:
    await scene.proxy(python_routes=[route("tell", tell)])
    assert json.loads((await scene.post(b"x" * size, host="tell.localhost")).body)["body"] == size


async def test_a_handler_that_raises_gives_a_500_page_and_is_counted(scene: Scene) -> None:
    await scene.proxy(python_routes=[route("fail", fail)], consecutive_errors=2)
    client = await scene.client()
    for _ in range(4):
        answer = await client.get(host="fail.localhost")
        assert (answer.status, "handler_failed" in answer.text) == (500, True)
        assert "secret" not in answer.text
        assert not [name for name, _ in answer.fields if name.startswith("dockerproxy")]
    counted = next(iter(scene.route("fail").upstreams.values()))
    assert (counted.error_counter, counted.used_successfully) == (4, 0)
    assert "ValueError" in counted.last_error
    assert scene.route("fail").errors_shown == 4


async def test_a_handler_that_raises_in_the_middle_of_its_answer_breaks_it(scene: Scene) -> None:
    await scene.proxy(python_routes=[route("half", fail_in_the_middle)])
    client = await scene.client()
    await client.ask(host="half.localhost")
    await client.head()
    assert await client.chunk() == b"half"
    assert b"0\r\n" not in await client.ended()


async def test_a_handler_whose_client_leaves_loses_its_connection(scene: Scene) -> None:
    async def wait(_request: web.Request) -> web.Response:
        waiting.set()
        await go_on.wait()
        return web.Response()

    waiting, go_on = asyncio.Event(), asyncio.Event()
    await scene.proxy(python_routes=[route("wait", wait)])
    client = await scene.client()
    await client.ask(host="wait.localhost")
    await waiting.wait()
    client.reset()
    await until(lambda: scene.open_connections() == 0)
    go_on.set()


async def test_a_whole_application_answers_a_route(scene: Scene) -> None:
    app = web.Application()
    app.router.add_get("/hello/{name}", hello)
    app.router.add_post("/hello/{name}", hello)
    await scene.proxy(python_routes=[route("app", app)])
    client = await scene.client()
    assert (await client.get("/hello/you", host="app.localhost")).text == "hello you"
    assert (await client.get("/other", host="app.localhost")).status == 404
    await client.ask("DELETE", "/hello/you", host="app.localhost")
    assert (await client.answer()).status == 405


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=f"hello {request.match_info['name']}")


async def test_one_connection_may_alternate_between_containers_and_handlers(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, python_routes=[route("tell", tell)])
    client = await scene.client()
    for _ in range(4):
        assert (await client.get(host="other.localhost")).text == "a"
        assert json.loads((await client.get(host="tell.localhost")).body)["host"] == "tell.localhost"
    assert upstream.connections == 1
    assert scene.open_connections() == 2


async def test_a_handler_may_speak_websocket(scene: Scene) -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data + "!")
        closed.set()
        return socket

    closed = asyncio.Event()
    server = await scene.proxy(python_routes=[route("echo", echo)])
    async with ClientSession() as session:
        url = f"http://127.0.0.1:{server.addresses[0].port}/"
        async with session.ws_connect(url, headers={"Host": "echo.localhost"}) as socket:
            for number in range(3):
                await socket.send_str(f"hi {number}")
                assert (await socket.receive()).data == f"hi {number}!"
            await socket.send_str("x" * 500_000)
            message = await socket.receive()
            assert (message.type, len(message.data)) == (WSMsgType.TEXT, 500_001)
    await asyncio.wait_for(closed.wait(), DEADLINE)
    await scene.at_rest()


def broken_application() -> web.Application:
    async def broken(_app: web.Application) -> None:
        raise RuntimeError("no database")

    app = web.Application()
    app.on_startup.append(broken)
    return app


async def test_a_handler_that_a_reload_brings_and_that_does_not_start_is_502(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    new = {"name": "app", "host": "app.localhost", "handler": f"{__name__}:broken_application"}
    server = await scene.proxy(read_settings=lambda: scene.settings(routes=[new]))
    server.reread()
    await until(lambda: "broken_application does not start" in caplog.text)
    assert (await scene.get(host="app.localhost")).status == 502


# Error pages and not-found pages


async def test_the_error_handler_of_the_settings_makes_the_error_page(scene: Scene) -> None:
    await scene.proxy("http://127.0.0.1:1", max_attempts=1, error_handler=f"{__name__}:page")
    client = await scene.client()
    answer = await client.get()
    assert (answer.status, answer.text) == (502, "our page: 502 attempts_exhausted GET")
    await client.ask("POST", body=b"order")
    assert (await client.answer()).text == "our page: 502 attempts_exhausted GET"
    await client.ask("HEAD")
    assert (await client.answer(to="HEAD")).status == 502
    assert scene.route().errors_shown == 3


async def test_the_error_handler_of_a_domain_comes_before_that_of_the_settings(scene: Scene) -> None:
    routes = [
        {"name": "one", "domain": {"domain": "one.localhost", "error_handler": f"{__name__}:other_page"},
         "upstreams": [{"url": "http://127.0.0.1:1"}]},
        {"name": "two", "domain": {"domain": "two.localhost"}, "upstreams": [{"url": "http://127.0.0.1:1"}]},
    ]  # fmt: skip
    await scene.proxy(routes=routes, max_attempts=1, error_handler=f"{__name__}:page")
    assert (await scene.get(host="one.localhost")).text == "the other page"
    assert (await scene.get(host="two.localhost")).text.startswith("our page: 502")


async def bare_page(_request: web.Request) -> web.Response:
    return web.Response(text="sorry")


async def test_a_page_that_names_no_status_keeps_that_of_the_error(scene: Scene) -> None:
    await scene.proxy("http://127.0.0.1:1", max_attempts=1, error_handler=f"{__name__}:bare_page")
    answer = await scene.get()
    assert (answer.status, answer.text) == (502, "sorry")


async def other_page(request: web.Request) -> web.Response:
    return web.Response(text="the other page", status=request[ERROR_INFO].status)


async def test_an_error_handler_makes_the_page_of_a_failed_handler_too(scene: Scene) -> None:
    await scene.proxy(python_routes=[route("fail", fail)], error_handler=f"{__name__}:page")
    assert (await scene.get(host="fail.localhost")).text == "our page: 500 handler_failed GET"


@pytest.mark.parametrize("failing", ["fail", "no_response"])
async def test_an_error_handler_that_fails_itself_leaves_our_page(scene: Scene, failing: str) -> None:
    await scene.proxy("http://127.0.0.1:1", max_attempts=1, error_handler=f"{__name__}:{failing}")
    client = await scene.client()
    for _ in range(2):
        answer = await client.get()
        assert (answer.status, "attempts_exhausted" in answer.text) == (502, True)


async def no_response(_request: web.Request) -> None:
    return None


async def test_a_client_that_leaves_while_its_error_page_is_made_leaves_nothing_behind(scene: Scene) -> None:
    slow_page.reached, slow_page.go_on = asyncio.Event(), asyncio.Event()  # type: ignore[attr-defined]  # they meet here
    await scene.proxy("http://127.0.0.1:1", max_attempts=1, error_handler=f"{__name__}:slow_page")
    client = await scene.client()
    await client.ask()
    await asyncio.wait_for(slow_page.reached.wait(), DEADLINE)  # type: ignore[attr-defined]  # set above
    client.reset()
    await scene.at_rest()
    assert scene.route().errors_shown == 1
    slow_page.go_on.set()  # type: ignore[attr-defined]  # set above


async def test_the_not_found_handler_of_the_settings_answers_for_unknown_hosts_and_paths(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), host="known", path="/known", not_found_handler=f"{__name__}:page")
    client = await scene.client()
    assert (await client.get(host="other")).text == "our page: 404 unknown_host GET"
    assert (await client.get("/other", host="known")).text == "our page: 404 unknown_path GET"
    assert (await client.get("/known", host="known")).text == "a"
    assert scene.server.stats.unrouted == 2


async def test_the_not_found_handler_of_a_domain_answers_for_its_paths_only(scene: Scene) -> None:
    site = {
        "name": "one",
        "domain": {"domain": "one.localhost", "not_found_handler": f"{__name__}:other_page"},
        "path": "/known",
        "upstreams": [{"url": "http://127.0.0.1:1"}],
    }
    await scene.proxy(routes=[site])
    assert (await scene.get("/other", host="one.localhost")).text == "the other page"
    assert "unknown_host" in (await scene.get(host="two.localhost")).text


async def test_a_not_found_handler_that_fails_leaves_our_page(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), host="known", not_found_handler=f"{__name__}:fail")
    answer = await scene.get(host="other")
    assert (answer.status, "unknown_host" in answer.text) == (404, True)


async def test_a_wrong_method_is_405_whatever_the_pages_are(scene: Scene) -> None:
    path = {"path": "/", "method": "GET"}
    await scene.proxy(await scene.upstream(), path=path, not_found_handler=f"{__name__}:page")
    assert (await scene.post(b"x")).status == 405


@pytest.mark.parametrize("cut", [0, 5, 10])
async def test_a_body_before_a_not_found_page_does_not_eat_the_next_request(scene: Scene, cut: int) -> None:
    slow_page.reached = asyncio.Event()  # type: ignore[attr-defined]  # where the test and the handler meet
    slow_page.go_on = asyncio.Event()  # type: ignore[attr-defined]  # likewise
    upstream = await scene.upstream()
    await scene.proxy(upstream, host="known", not_found_handler=f"{__name__}:slow_page")
    client = await scene.client()
    head = b"POST / HTTP/1.1\r\nHost: other\r\nContent-Length: 10\r\n\r\n"
    body = b"0123456789"
    await client.send(head + body[:cut])
    await asyncio.wait_for(slow_page.reached.wait(), DEADLINE)  # type: ignore[attr-defined]  # set above
    await client.send(body[cut:] + b"GET /next HTTP/1.1\r\nHost: known\r\n\r\n")
    front = scene.fronts()[0]
    await until(lambda: front._reader.unread.startswith(b"GET /next") or front._reader.body is not None)
    slow_page.go_on.set()  # type: ignore[attr-defined]  # set above

    answer = await client.answer()
    assert (answer.status, answer.text) == (404, "not here")
    if "connection" in answer:
        assert await client.ended() == b""
    else:
        assert (await client.answer()).text == "a"


async def test_the_end_of_a_body_that_nobody_wants_is_not_sent_to_the_page_s_handler(scene: Scene) -> None:
    async def page_or_answer(request: web.Request) -> web.Response:
        transports.add(request.transport)
        await request.read()
        reached.set()
        await go_on.wait()
        return web.Response(text=request.path)

    transports: set[Any] = set()
    reached, go_on = asyncio.Event(), asyncio.Event()
    go_on.set()
    same = Route("known", (Domain.parse("known"),), handler="both", target=page_or_answer, not_found_handler="both",
                 path=PathRule.exact("/known"))  # fmt: skip
    await scene.proxy(python_routes=[same])
    client = await scene.client()
    head, chunk, end = b" HTTP/1.1\r\nHost: known\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", b"0\r\n\r\n"
    await client.send(b"POST /known" + head + chunk + end)
    assert (await client.answer()).text == "/known"
    reached.clear()
    go_on.clear()
    await client.send(b"POST /missing" + head + chunk)
    await asyncio.wait_for(reached.wait(), 5)
    front = scene.fronts()[0]
    await client.send(end)
    await until(lambda: front._reader.body is None)
    go_on.set()

    assert (await client.answer()).text == "/missing"
    assert (await client.get("/known", host="known")).text == "/known"
    assert len(transports) == 1


async def slow_page(_request: web.Request) -> web.Response:
    slow_page.reached.set()  # type: ignore[attr-defined]  # set by the test
    await slow_page.go_on.wait()  # type: ignore[attr-defined]  # set by the test
    return web.Response(text="not here", status=404)


@pytest.mark.parametrize("method", ["FOO", "GETT", "propfind"])
async def test_a_handler_is_not_asked_with_a_method_that_nobody_has_heard_of(
    scene: Scene, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.proxy(python_routes=[route("tell", tell)])
    client = await scene.client()
    await client.ask(method, host="tell.localhost")
    answer = await client.answer()
    assert (answer.status, "not_implemented" in answer.text, "server" in answer) == (501, True, False)
    assert "Traceback" not in caplog.text


async def test_every_method_that_a_handler_is_asked_with_is_one_that_it_can_be_told(scene: Scene) -> None:
    await scene.proxy(python_routes=[route("tell", tell)])
    client = await scene.client()
    for method in sorted(restriction._METHODS):
        await client.ask(method, host="tell.localhost")
        assert (await client.answer(to=method)).status == 200, method
