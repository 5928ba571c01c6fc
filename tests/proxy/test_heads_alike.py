"""A head that upstreams get is one for handlers and middlewares, too, and nothing that clients send fills the log.

Handlers and middlewares are served by aiohttp, whose parser is stricter at some places than ours: what it would refuse
is told it in other words, so that a client never sees an answer that is not ours.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest
from aiohttp import web

from dockerproxy.routing.route import Domain, Route
from dockerproxy.web.middlewares.registry import CallNext

from ..support.client import Answer
from ..support.scene import Scene
from ..support.upstreams import Request, Upstream

_ONCE = ("Content-Location", "Content-Range", "Content-Type", "ETag", "Max-Forwards", "Server", "User-Agent")
_TWICE = {f"{name} twice": f"{name}: a\r\n{name.lower()}: b\r\n" for name in (*_ONCE, "Cookie", "If-Range", "Date")}
_CODINGS = {f"a body in {coding}": f"Content-Encoding: {coding}\r\n" for coding in ("br", "zstd", "BR", "gzip", "x")}
_VALUES = {
    f"the value {value!r}": f"X: a{value}b\r\nCookie: {value}\r\nContent-Type: {value}\r\nAuthorization: {value}\r\n"
    for value in ("\t", "\x80", "\xff", '"', ";", "=", "\\", "  ")
}
FIELDS: Mapping[str, str] = {
    **_TWICE,
    **_CODINGS,
    **_VALUES,
    "the draft before RFC 6455": "Sec-WebSocket-Key1: 1\r\n",
    "every kind of character in a name": "".join(f"X{char}: 1\r\n" for char in "!#$%&'*+-^`|~"),
    "a range that is none": "Range: bytes=x\r\nIf-Modified-Since: x\r\nIf-None-Match: x\r\n",
    "an upgrade that nobody knows": "Connection: upgrade\r\nUpgrade: foo\r\n",
    "half a WebSocket": "Connection: upgrade\r\nUpgrade: websocket\r\n",
    "99 fields": "".join(f"X-{number}: 1\r\n" for number in range(98)),
    "a field of 50 KB": f"X: {'x' * 50_000}\r\n",
    "an origin that is none": "Origin: \xff\r\nSec-Fetch-Site: \xff\r\nX-Dockerproxy-Csrf: \xff\r\n",
}
_CHARACTERS = "".join(map(chr, range(0x21, 0x7F))).replace("#", "")
TARGETS = (
    f"/{_CHARACTERS}", f"/?{_CHARACTERS}", "//", "//x:y@z/", "/?", "/??", "/a;b", "/%", "/%zz", "/%ff", "/:80", "//[",
    "//[::1", "/\\", "/" + "a" * 8000,
)  # fmt: skip


async def greet(_request: web.Request) -> web.Response:
    return web.Response(text="hello")


async def pass_on(request: web.Request, call_next: CallNext) -> web.StreamResponse:
    return await call_next(request)


@pytest.fixture
async def upstream(scene: Scene) -> Upstream:
    """Behind a plain route and one with a middleware; beside a handler."""
    upstream = await scene.upstream()
    routes = [
        {"name": "plain", "host": "plain", "upstreams": [upstream.url]},
        {"name": "gated", "host": "gated", "upstreams": [upstream.url], "middlewares": "pass_on"},
    ]
    handler = Route("handler", (Domain.parse("handler"),), target=greet)
    await scene.proxy(routes=routes, python_routes=[handler], given={"pass_on": pass_on})
    return upstream


async def asked(scene: Scene, host: str, fields: str = "", target: str = "/", method: str = "GET") -> Answer:
    client = await scene.client()
    await client.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode("latin-1"))
    answer = await client.answer()
    client.close()
    return answer


def sent(request: Request) -> list[tuple[str, str]]:
    """What the upstream got of the client's."""
    ours = ("host", "via", "x-forwarded-host")
    return sorted((name, value) for name, value in request.fields if name not in ours)


def check(caplog: pytest.LogCaptureFixture, *answers: Answer) -> None:
    assert [answer.status for answer in answers] == [200] * len(answers)
    assert not any("server" in answer for answer in answers)
    assert "Traceback" not in caplog.text
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("kind", FIELDS)
async def test_fields(scene: Scene, upstream: Upstream, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    hosts = ("plain", "gated", "handler")
    check(caplog, *[await asked(scene, host, FIELDS[kind]) for host in hosts])
    plain, gated = upstream.requests
    assert sent(plain) == sent(gated)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target[:20])
async def test_targets(scene: Scene, upstream: Upstream, caplog: pytest.LogCaptureFixture, target: str) -> None:
    check(caplog, *[await asked(scene, host, target=target) for host in ("plain", "gated", "handler")])
    plain, gated = upstream.requests
    assert plain.line == gated.line == f"GET {target} HTTP/1.1"


@pytest.mark.parametrize("method", ["FOO", "PRI", "DESCRIBE", "get", "!#$%", "QUERY", "SOURCE"])
async def test_methods(scene: Scene, upstream: Upstream, caplog: pytest.LogCaptureFixture, method: str) -> None:
    check(caplog, *[await asked(scene, host, method=method) for host in ("plain", "gated")])
    plain, gated = upstream.requests
    assert plain.line == gated.line == f"{method} / HTTP/1.1"


@pytest.mark.parametrize("kind", [kind for kind in FIELDS if kind not in _VALUES])  # a Bearer that is none is 401
async def test_admin_handlers(scene: Scene, upstream: Upstream, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    assert upstream
    hidden = FIELDS[kind].replace("Sec-Fetch-Site", "X-Site")
    check(caplog, *[await asked(scene, "root.localhost", hidden, target) for target in ("/statistics", "/health")])


async def test_a_handler_gets_the_fields_as_they_were_sent(scene: Scene) -> None:
    async def tell(request: web.Request) -> web.Response:
        return web.json_response([request.headers.getall("User-Agent"), request.headers["X"], len(request.headers)])

    await scene.proxy(python_routes=[Route("tell", (Domain.parse("tell"),), target=tell)])
    forged = "Dockerproxy-Field: WDogMg==\r\n"  # `X: 2`
    once = await asked(scene, "tell", f"User-Agent: a\r\nX: 1\r\n{forged}")
    twice = await asked(scene, "tell", f"User-Agent: a\r\nX: 1\r\nuser-agent: b\r\n{forged}")
    assert once.text.startswith('[["a"], "1", ')
    assert twice.text.startswith('[["a", "b"], "1", ')


async def test_a_body_that_is_not_encoded_as_it_says_is_no_fault_of_a_handler_that_does_not_want_it(
    scene: Scene, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    assert upstream
    for coding in ("gzip", "deflate", "br"):
        client = await scene.client()
        await client.ask("POST", host="handler", body=b"garbage", Content_Encoding=coding)
        check(caplog, await client.answer())


async def test_who_makes_a_handler_or_a_middleware_fail_again_and_again_does_not_fill_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(request: web.Request) -> web.Response:
        raise ValueError(request.headers["X"])

    async def fail_before(_request: web.Request, _call_next: CallNext) -> web.StreamResponse:
        raise ValueError("no")

    site = {"name": "gated", "host": "gated", "upstreams": ["http://127.0.0.1:9"], "middlewares": "fail"}
    await scene.proxy(
        python_routes=[Route("fails", (Domain.parse("fails"),), target=fail)],
        routes=[site],
        given={"fail": fail_before},
    )
    for host in ("fails", "gated"):
        caplog.clear()
        client = await scene.client()
        for number in range(60):
            answer = await client.get(host=host, X=f"{number}")
            assert answer.status == 500
        tracebacks = [record for record in caplog.records if record.exc_info]
        assert 0 < len(tracebacks) < 40
