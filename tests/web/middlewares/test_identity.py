"""What a middleware tells an upstream of a client, the client cannot say: in no spelling, nor behind its body."""

from __future__ import annotations

import pytest
from aiohttp import web

from dockerproxy.web.middlewares.registry import CallNext

from ...support.scene import Scene
from ...support.upstreams import Conversation, Request, Upstream
from .conftest import Before
from .test_basic_auth import USERS, basic

SPELLINGS = ("X-User", "x-user", "X_User", "X.User", "X!User", "x~user", "X-Group", "X_Group", "X.Group")
FORGED = "".join(f"{name}: root\r\n" for name in SPELLINGS)
HEAD = (
    f"POST / HTTP/1.1\r\nHost: test\r\nAuthorization: {basic('bob', 'word')}\r\n{FORGED}My.Own: mine\r\n"
    "Transfer-Encoding: chunked\r\n\r\n"
)
BODY = f"2\r\nhi\r\n0\r\n{FORGED}My.Own: mine\r\n\r\n"


def told(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of the fields of a head or of trailers, those that tell of users and groups."""
    return [(name, value) for name, value in fields if name[2:].startswith(("user", "group"))]


async def say_yes(conversation: Conversation) -> None:
    while True:
        await conversation.request()
        conversation.answer(b"fine", X_User="bob")


async def set_both(request: web.Request, call_next: CallNext) -> web.StreamResponse:
    """As a middleware of somebody's own does it."""
    headers = request.headers.copy()
    headers["X-User"] = "bob"
    headers.popall("X-Group", None)
    return await call_next(request.clone(headers=headers))


async def asked_in_one(scene: Scene, upstream: Upstream) -> Request:
    client = await scene.client()
    await client.send((HEAD + BODY).encode())
    assert (await client.answer()).status == 200
    return upstream.requests[-1]


def check(request: Request) -> None:
    assert told(request.fields) == [("x-user", "bob")]
    assert told(request.trailers) == []
    assert request.body == b"hi"
    assert (request["my.own"], request.trailers) == ("mine", [("my.own", "mine")])


async def test_behind_forward_auth(scene: Scene, before: Before) -> None:
    auth = await scene.upstream(say_yes, name="service")
    check(await asked_in_one(scene, await before("forward_auth", url=auth.url, copy_headers="X-User, X-Group")))


async def test_behind_headers(scene: Scene, before: Before) -> None:
    check(await asked_in_one(scene, await before("headers", request={"X-User": "bob", "X-Group": ""})))


async def test_behind_a_middleware_of_ones_own(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, middlewares="mine", given={"mine": set_both})
    check(await asked_in_one(scene, upstream))


async def test_behind_basic_auth(scene: Scene, before: Before) -> None:
    upstream = await before("basic_auth", users=USERS, user_header="X-User")
    request = await asked_in_one(scene, upstream)
    assert [field for field in told(request.fields) if "user" in field[0]] == [("x-user", "bob")]
    assert [field for field in told(request.trailers) if "user" in field[0]] == []


async def test_what_the_middleware_says_as_the_client_does_is_not_said_twice(scene: Scene, before: Before) -> None:
    upstream = await before("headers", request={"X-User": "bob"})
    client = await scene.client()
    await client.send(
        b"POST / HTTP/1.1\r\nHost: test\r\nX-User: bob\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nhi\r\n0\r\nX-User: root\r\n\r\n"
    )
    assert (await client.answer()).status == 200
    assert told(upstream.requests[-1].fields) == [("x-user", "bob")]
    assert upstream.requests[-1].trailers == []


@pytest.mark.parametrize("sent", ["X-Forwarded-Groups: admins\r\n", "X_Forwarded_Groups: admins\r\n"])
async def test_not_even_a_trusted_proxy_says_it(scene: Scene, before: Before, sent: str) -> None:
    upstream = await before("headers", request={"X-Forwarded-Groups": "guests"})
    client = await scene.client()
    await client.send(f"GET / HTTP/1.1\r\nHost: test\r\n{sent}\r\n".encode())
    assert (await client.answer()).status == 200
    assert [value for name, value in upstream.requests[-1].fields if "groups" in name] == ["guests"]


async def test_not_even_behind_the_body_of_a_request_for_another_protocol(scene: Scene, before: Before) -> None:
    upstream = await before("headers", request={"X-User": "bob"})
    client = await scene.client()
    await client.send(
        b"POST / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nX_User: root\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-User: root\r\nX.User: root\r\nMy-Own: mine\r\n\r\n"
    )
    assert (await client.answer()).status == 200
    assert told(upstream.requests[-1].fields) == [("x-user", "bob")]
    assert upstream.requests[-1].trailers == [("my-own", "mine")]
