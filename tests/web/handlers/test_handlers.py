"""Python handlers as upstreams: real socket pairs, raw HTTP/1.1."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from dockerproxy.errors import SettingsError
from dockerproxy.routing.route import Domain, Route
from dockerproxy.web import CONTROL, ERROR_INFO, ROUTE_NAME, ErrorInfo
from tests.support.waiting import DEADLINE
from tests.web.conftest import Build
from tests.web.making import House, fields_of

Serve = Callable[..., House]


async def who(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "remote": request.remote,
            "scheme": request.scheme,
            "host": request.host,
            "url": str(request.url),
            "route": request[ROUTE_NAME],
            "fields": [name for name in request.headers if name.startswith("Dockerproxy")],
            "match": dict(request.match_info),
            "body": (await request.read()).decode(),
        }
    )


async def test_a_handler_sees_the_client_as_it_is(serve: Serve) -> None:
    house = serve(who)
    line = await house.line(f"{__name__}:who")
    fields = fields_of("site", "2001:db8::7") | {"Dockerproxy-Scheme": "https"}
    await line.send("POST", "/a%20b?c=d", fields, b"the body")

    assert (await line.answer()).json == {
        "remote": "2001:db8::7",
        "scheme": "https",
        "host": "site.localhost:8888",
        "url": "https://site.localhost:8888/a%20b?c=d",
        "route": "site",
        "fields": [],
        "match": {},
        "body": "the body",
    }


async def refuses(_request: web.Request) -> web.Response:
    raise web.HTTPUnauthorized


async def breaks(_request: web.Request) -> web.Response:
    raise ValueError("out of order")


async def signs(_request: web.Request) -> web.Response:
    return web.Response(headers={"Server": "teapot"})


@pytest.mark.parametrize(("handler", "server"), [(who, None), (refuses, None), (breaks, None), (signs, "teapot")])
async def test_no_answer_tells_versions_of_what_serves_it(serve: Serve, handler: Any, server: str | None) -> None:
    house = serve(handler)
    line = await house.line(f"{__name__}:{handler.__name__}")
    await line.send("GET", "/", fields_of("site"))
    assert (await line.answer()).fields.get("server") == server


async def test_one_connection_serves_many_requests(serve: Serve) -> None:
    house = serve(who)
    line = await house.line(f"{__name__}:who")
    for number in range(3):
        await line.send("GET", f"/{number}", fields_of("site"))
        assert (await line.answer()).json["url"] == f"http://site.localhost:8888/{number}"


async def test_named_groups_of_the_path_are_the_match_info(serve: Serve) -> None:
    house = serve(who, regex="^/(?P<controller>[a-z]+)/(?P<site>[^/]+)$")

    answer = await house.call("site", target="/news/caf%C3%A9?x=1")
    assert answer.json["match"] == {"controller": "news", "site": "café"}
    assert (await house.call("site", target="/other")).json["match"] == {}


@pytest.mark.parametrize("method", ["GET", "DELETE", "PROPFIND", "OPTIONS"])
async def test_every_path_and_method_reaches_the_handler(serve: Serve, method: str) -> None:
    house = serve(who)
    for target in ("/", "//double//slash", "/%2e%2e/x", "/very/deep/path/"):
        assert (await house.call("site", method, target)).status == 200


async def test_options_of_the_whole_server_and_head_are_answered(serve: Serve) -> None:
    house = serve(who)
    assert (await house.call("site", "OPTIONS", "*")).status == 200
    answer = await house.call("site", "HEAD")
    assert (answer.status, answer.body) == (200, b"")


async def test_a_route_name_may_be_anything_printable(build: Build) -> None:
    house = build(python_routes=[Route("Ünï / 100 %", (Domain("u.localhost"),), target=who)])

    assert (await house.call("Ünï / 100 %")).json["route"] == "Ünï / 100 %"


async def test_fields_that_are_not_utf_8_reach_the_handler_readable(serve: Serve) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.json_response({name: value for name, value in request.headers.items() if name.startswith("X-")})

    house = serve(echo)
    answer = await house.call("site", X_Latin="caf\udce9", X_Utf="café")
    assert answer.json == {"X-Latin": "café", "X-Utf": "café"}


async def test_a_large_head_and_a_large_upload_are_for_the_data_plane_to_judge(serve: Serve) -> None:
    async def size(request: web.Request) -> web.Response:
        return web.Response(text=f"{len(request.headers['Cookie'])} {len(await request.read())}")

    house = serve(size)
    many = {f"X-{number}": "x" for number in range(500)}
    answer = await house.call("site", "POST", "/" + "p" * 20_000, b"b" * 3_000_000, Cookie="c" * 50_000, **many)
    assert answer.text == "50000 3000000"


async def test_a_client_is_not_told_to_go_on_before_its_handler_is_reached(serve: Serve) -> None:
    house = serve(who)
    line = await house.line(f"{__name__}:who")
    await line.send("POST", "/", fields_of("site") | {"Expect": "100-continue", "Content-Length": "4"})
    assert (await line.head())[0] == 100
    line.writer.write(b"body")
    assert (await line.answer()).json["body"] == "body"


async def test_a_handler_that_fails_is_an_empty_500_that_names_the_exception(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_request: web.Request) -> web.Response:
        raise LookupError("no such thing")

    house = serve(broken)
    line = await house.line(house_key(house))
    for _ in range(2):
        await line.send("GET", "/", fields_of("site"))
        answer = await line.answer()
        assert (answer.status, answer.body) == (500, b"")
        assert answer.fields["dockerproxy-exception"] == "LookupError"
    record = caplog.records[0]
    assert record.getMessage() == f"site: handler {house_key(house)} failed: LookupError: no such thing"
    assert record.name == "dockerproxy.web"
    assert record.exc_info is not None


@pytest.mark.parametrize("returned", [None, "text", {"a": 1}])
async def test_a_handler_that_returns_no_response_has_failed(serve: Serve, returned: object) -> None:
    async def careless(_request: web.Request) -> Any:
        return returned

    answer = await serve(careless).call("site")
    assert (answer.status, answer.fields["dockerproxy-exception"]) == (500, "TypeError")


async def test_an_http_exception_is_an_answer(serve: Serve) -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        if request.path == "/500":
            raise web.HTTPInternalServerError(text="on purpose")
        raise web.HTTPFound("/there")

    house = serve(elsewhere)
    answer = await house.call("site")
    assert (answer.status, answer.fields["location"]) == (302, "/there")
    answer = await house.call("site", target="/500")
    assert (answer.status, answer.text) == (500, "on purpose")
    assert "dockerproxy-exception" not in answer.fields


async def test_an_answer_that_breaks_in_the_middle_is_cut_rather_than_ended(serve: Serve) -> None:
    async def breaks(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        raise ValueError("the other half is missing")

    house = serve(breaks)
    line = await house.line(house_key(house))
    await line.send("GET", "/", fields_of("site"))
    status, _ = await line.head()
    rest = await asyncio.wait_for(line.reader.read(), DEADLINE)

    assert status == 200
    assert rest == b"4\r\nhalf\r\n"


async def test_a_streaming_answer_arrives_as_it_is_made(serve: Serve) -> None:
    go_on = asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await go_on.wait()
        await response.write(b"second")
        return response

    house = serve(stream)
    line = await house.line(house_key(house))
    await line.send("GET", "/", fields_of("site"))
    await line.head()
    chunks = line.chunks()
    assert await anext(chunks) == b"first"
    go_on.set()
    assert [chunk async for chunk in chunks] == [b"second"]


async def test_a_client_that_leaves_a_stream_is_no_failure_of_the_handler(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    ended = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 1000)
                await asyncio.sleep(0)
        finally:
            ended.set()

    house = serve(endless)
    line = await house.line(house_key(house))
    await line.send("GET", "/", fields_of("site"))
    await line.head()
    line.close()

    await asyncio.wait_for(ended.wait(), DEADLINE)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_handler_whose_client_leaves_is_cancelled(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    reached, cancelled = asyncio.Event(), asyncio.Event()

    async def waits_for_ever(_request: web.Request) -> web.Response:
        reached.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return web.Response()

    house = serve(waits_for_ever)
    line = await house.line(house_key(house))
    await line.send("GET", "/", fields_of("site"))
    await asyncio.wait_for(reached.wait(), DEADLINE)
    line.close()
    await asyncio.wait_for(cancelled.wait(), DEADLINE)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_an_upload_is_read_as_it_comes_and_decompressed_as_usual(serve: Serve) -> None:
    first = asyncio.Event()

    async def upload(request: web.Request) -> web.Response:
        total = b""
        async for part in request.content.iter_any():
            total += part
            first.set()
        return web.Response(body=total)

    house = serve(upload)
    line = await house.line(house_key(house))
    await line.send("POST", "/", fields_of("site") | {"Transfer-Encoding": "chunked"})
    line.writer.write(b"5\r\nfirst\r\n")
    await asyncio.wait_for(first.wait(), DEADLINE)
    line.writer.write(b"3\r\nend\r\n0\r\n\r\n")
    assert (await line.answer()).body == b"firstend"

    answer = await house.call("site", "POST", "/", gzip.compress(b"zipped"), Content_Encoding="gzip")
    assert answer.body == b"zipped"


class Pages(web.View):
    async def get(self) -> web.Response:
        return web.Response(text=f"got by {self.request.remote}, {self.request.match_info.get('page')}")


async def test_a_view_class_answers_the_methods_it_has(serve: Serve) -> None:
    house = serve(Pages, regex="^/(?P<page>.*)$")

    assert (await house.call("site", target="/x", remote="10.1.2.3")).text == "got by 10.1.2.3, x"
    answer = await house.call("site", "POST")
    assert (answer.status, answer.fields["allow"]) == (405, "GET")


def site(log: list[str]) -> web.Application:
    @web.middleware
    async def theirs(request: web.Request, handler: Any) -> Any:
        log.append(f"middleware for {request.remote} of {request[ROUTE_NAME]}")
        return await handler(request)

    async def lifetime(_app: web.Application) -> AsyncIterator[None]:
        log.append("started")
        yield
        log.append("ended")

    async def broken(_request: web.Request) -> web.Response:
        raise ValueError("broken")

    app, api = web.Application(middlewares=[theirs]), web.Application()
    api.router.add_get("/who/{name}", who)
    app.router.add_get("/broken", broken)
    app.add_subapp("/api", api)
    app.cleanup_ctx.append(lifetime)
    return app


async def test_a_whole_application_answers_with_its_own_routes_and_middlewares(serve: Serve) -> None:
    log: list[str] = []
    house = serve(site(log))
    assert log == []

    answer = await house.call("site", target="/api/who/me", remote="10.1.2.3")
    assert answer.json["match"] == {"name": "me"}
    assert answer.json["remote"] == "10.1.2.3"
    assert (await house.call("site", target="/nowhere")).status == 404
    answer = await house.call("site", target="/broken")
    assert answer.fields["dockerproxy-exception"] == "ValueError"
    assert log == ["started", *["middleware for 10.1.2.3 of site"], *["middleware for 127.0.0.1 of site"] * 2]

    await house.close()
    assert log[-1] == "ended"


async def test_one_application_may_answer_several_routes(build: Build) -> None:
    log: list[str] = []
    app = site(log)
    house = build(
        python_routes=[
            Route("a", (Domain("a.localhost"),), target=app, handler="my:a"),
            Route("b", (Domain("b.localhost"),), target=app, handler="my:b"),
        ]
    )
    for name in "ab":
        assert (await house.call(name, target="/api/who/me")).json["route"] == name
    assert log.count("started") == 1


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_a_function_without_parameters_makes_the_application(serve: Serve, asynchronous: bool) -> None:
    def make() -> web.Application:
        return site([])

    async def make_later() -> web.Application:
        return site([])

    house = serve(make_later if asynchronous else make)
    assert (await house.call("site", target="/api/who/me")).status == 200


async def test_a_callable_object_or_a_wrapped_function_is_a_handler_too(build: Build) -> None:
    class Greeter:
        async def __call__(self, _request: web.Request) -> web.Response:
            return web.Response(text="from an object")

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return who(*args, **kwargs)

    def plain(_request: web.Request) -> web.Response:
        return web.Response(text="from a plain function")

    targets: dict[str, Callable[..., Any]] = {"object": Greeter(), "wrapped": wrapped, "plain": plain}
    house = build(
        python_routes=[Route(name, (Domain(f"{name}.localhost"),), target=found) for name, found in targets.items()]
    )
    assert (await house.call("object")).text == "from an object"
    assert (await house.call("wrapped")).json["route"] == "wrapped"
    assert (await house.call("plain")).text == "from a plain function"


async def test_a_handler_finds_the_control_of_the_proxy(serve: Serve) -> None:
    async def version(request: web.Request) -> web.Response:
        return web.Response(text=request.app[CONTROL].version)

    assert (await serve(version).call("site")).text == "1.2.3"


async def test_the_handler_of_an_error_page_knows_the_error(serve: Serve) -> None:
    async def sorry(request: web.Request) -> web.Response:
        error = request[ERROR_INFO]
        assert isinstance(error, ErrorInfo)
        return web.Response(status=error.status, text=f"{error.code} at {request.path}")

    answer = await serve(sorry).call("site", target="/x", Dockerproxy_Error="502 attempts_exhausted")
    assert (answer.status, answer.text) == (502, "attempts_exhausted at /x")


async def test_a_web_socket_stays_open_in_both_directions(serve: Serve) -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        sock = web.WebSocketResponse()
        await sock.prepare(request)
        async for message in sock:
            await sock.send_str(f"{request.remote} said {message.data}")
        return sock

    house = serve(echo)
    line = await house.line(house_key(house))
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    await line.send("GET", "/", fields_of("site", "10.1.2.3") | upgrade)
    status, fields = await line.head()
    assert (status, fields["sec-websocket-accept"]) == (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")

    for word in (b"hello", b"again"):
        mask = b"\x01\x02\x03\x04"
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(word))
        line.writer.write(bytes([0x81, 0x80 | len(word)]) + mask + masked)
        wanted = b"10.1.2.3 said " + word
        async with asyncio.timeout(DEADLINE):
            assert await line.reader.readexactly(2 + len(wanted)) == bytes([0x81, len(wanted)]) + wanted


async def test_a_handler_that_does_not_start_is_refused_and_tried_again(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    attempts: list[int] = []

    async def database(_app: web.Application) -> AsyncIterator[None]:
        attempts.append(1)
        if len(attempts) < 3:
            raise OSError("the database is not up yet")
        yield

    app = web.Application()
    app.router.add_get("/", who)
    app.cleanup_ctx.append(database)
    house = serve(app)
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError, match="does not start: OSError: the database is not up yet"):
            await house.line(house_key(house))
    assert "does not start" in caplog.text

    assert (await house.call("site")).status == 200
    assert len(attempts) == 3


async def test_many_first_connections_start_a_handler_once(serve: Serve) -> None:
    log: list[str] = []
    house = serve(site(log))
    await asyncio.gather(*(house.call("site", target="/api/who/me") for _ in range(10)))

    assert log.count("started") == 1
    assert "1 running" in repr(house.handlers)


@pytest.mark.parametrize("made", [None, "text"])
async def test_a_function_that_makes_no_application_is_refused(serve: Serve, made: object) -> None:
    house = serve(lambda: made)
    with pytest.raises(ConnectionRefusedError, match="expected an aiohttp Application"):
        await house.line(house_key(house))


async def test_an_application_that_is_part_of_another_is_refused(serve: Serve) -> None:
    part = web.Application()
    web.Application().add_subapp("/part", part)
    house = serve(part)
    with pytest.raises(ConnectionRefusedError, match="part of another one; give a function that makes one"):
        await house.line(house_key(house))


async def test_what_is_not_known_or_closed_is_refused(serve: Serve) -> None:
    house = serve(who)
    with pytest.raises(ConnectionRefusedError, match="no handler is running as my:other"):
        await house.handlers.connect("my:other")
    await house.call("site")
    await house.handlers.close()
    with pytest.raises(ConnectionRefusedError):
        await house.line(house_key(house))


async def test_an_application_that_fails_while_it_is_stopped_stops_the_others_too(
    build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(_app: web.Application) -> None:
        raise ValueError("cannot stop")

    log: list[str] = []
    bad = web.Application()
    bad.on_cleanup.append(fails)
    house = build(
        python_routes=[
            Route("bad", (Domain("bad.localhost"),), target=bad),
            Route("good", (Domain("good.localhost"),), target=site(log)),
        ]
    )
    await house.call("bad")
    await house.call("good", target="/api/who/me")
    await house.close()

    assert log[-1] == "ended"
    assert "failed while it was stopped" in caplog.text


async def test_a_target_that_cannot_be_called_is_an_error_in_words(build: Build) -> None:
    house = build()
    with pytest.raises(SettingsError, match=r"handler 'my:number': is a int; expected `async def handler\(request\)`"):
        house.handlers.register("my:number", 7)
    assert "my:number" not in house.handlers


def house_key(house: House) -> str:
    route = house.registry.route("site")
    assert route is not None
    return route.handler
