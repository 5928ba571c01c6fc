"""ip_allow and forward_auth: somebody else than a password says who is let in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from dockerproxy.web.middlewares.ip_allow import IpAllow, IpAllowOptions

from ...support.scene import Scene
from ...support.upstreams import Conversation, Script, Upstream
from .conftest import Before

Refused = Callable[..., Awaitable[str]]


async def test_clients_from_the_networks_are_let_in_and_no_others(scene: Scene, before: Before) -> None:
    upstream = await before("ip_allow", networks="10.0.0.0/8, 2001:db8::/32")
    for address, status in (("10.1.2.3", 200), ("2001:db8::1", 200), ("11.0.0.1", 403), ("2001:db9::1", 403)):
        assert (await scene.get(X_Forwarded_For=address)).status == status, address
    assert len(upstream.requests) == 2


@pytest.mark.parametrize(("address", "allowed"), [("::ffff:10.0.0.1", True), ("", False), ("unix", False)])
def test_an_address_is_allowed_however_it_is_written(address: str, allowed: bool) -> None:
    options = IpAllowOptions.model_validate({"networks": "10.0.0.0/8"})
    assert IpAllow(options).allows(address) is allowed


async def test_networks_are_needed(refused: Refused) -> None:
    assert "define_middlewares.it.networks: is missing" in await refused("ip_allow")
    assert "'office' is not an IP address or network" in await refused("ip_allow", networks="office")


async def service(scene: Scene, script: Script | None = None) -> Upstream:
    """An authenticating service, which says yes unless a script says otherwise."""
    return await scene.upstream(script, name="service")


async def test_what_the_service_lets_pass_goes_on_with_its_fields(scene: Scene, before: Before) -> None:
    async def say_yes(conversation: Conversation) -> None:
        while True:
            auth.requests.append(await conversation.request())
            conversation.answer(b"fine", X_User="ann", X_Other="no")

    auth = await service(scene, say_yes)
    upstream = await before("forward_auth", url=f"{auth.url}/verify?x=y", copy_headers="X-User, X-Group")
    client = await scene.client()
    await client.send(
        b"POST /a%20b?c HTTP/1.1\r\nHost: test\r\nCookie: a=b\r\nX-User: root\r\nX_User: root\r\nX-Group: admins\r\n"
        b"X-Forwarded-Uri: /forged\r\nRange: bytes=0-1\r\nContent-Length: 4\r\n\r\nbody"
    )
    assert (await client.answer()).status == 200

    (asked,), (request,) = auth.requests, upstream.requests
    assert asked.line == "GET /verify?x=y HTTP/1.1"
    assert (asked["cookie"], asked["x-forwarded-method"], asked["x-forwarded-uri"], asked["x-forwarded-host"]) == (
        "a=b", "POST", "/a%20b?c", "test"
    )  # fmt: skip
    assert [name for name in ("range", "content-length", "accept-encoding", "user-agent") if name in asked] == []
    assert (request["x-user"], "x_user" in request, "x-group" in request, "x-other" in request) == (
        "ann", False, False, False
    )  # fmt: skip
    assert (request.body, request["range"]) == (b"body", "bytes=0-1")


async def say_yes_to_all(conversation: Conversation) -> None:
    while True:
        await conversation.request()
        conversation.answer(b"fine")


@pytest.mark.parametrize(
    ("target", "told", "raw"),
    [
        ("/a/../%61dmin//x?q=/../y", "/admin/x?q=/../y", "/a/../%61dmin//x?q=/../y"),
        ("/a%20b", "/a%20b", None),
        ("/caf%c3%a9", "/caf%C3%A9", "/caf%c3%a9"),
    ],
)
async def test_the_service_is_told_the_path_as_it_is_read(
    scene: Scene, before: Before, target: str, told: str, raw: str | None
) -> None:
    async def say_yes(conversation: Conversation) -> None:
        while True:
            auth.requests.append(await conversation.request())
            conversation.answer(b"fine")

    auth = await service(scene, say_yes)
    upstream = await before("forward_auth", url=auth.url)
    assert (await scene.get(target, X_Forwarded_Raw_Uri="/forged")).status == 200
    (asked,), (request,) = auth.requests, upstream.requests
    assert asked["x-forwarded-uri"] == told
    assert asked.all("x-forwarded-raw-uri") == ([raw] if raw is not None else [])
    assert request.target == target


@pytest.mark.parametrize("target", ["/public%2f..%2fadmin", "/public\\admin", "/public/..;/admin", "/a%5cb"])
async def test_a_path_that_the_service_would_read_otherwise_than_the_application_is_refused(
    scene: Scene, before: Before, target: str
) -> None:
    auth = await service(scene, say_yes_to_all)
    upstream = await before("forward_auth", url=auth.url)
    assert (await scene.get(target)).status == 400
    assert (auth.requests, upstream.requests) == ([], [])


async def test_any_other_answer_of_the_service_goes_to_the_client(scene: Scene, before: Before) -> None:
    async def send_away(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"log in", "302 Found", Location="/login", Set_Cookie="a=1", Content_Encoding="x")

    auth = await service(scene, send_away)
    upstream = await before("forward_auth", url=auth.url)
    answer = await scene.get()
    assert (answer.status, answer["location"], answer["set-cookie"], answer.text) == (302, "/login", "a=1", "log in")
    assert (answer["content-encoding"], upstream.requests) == ("x", [])


async def silent(conversation: Conversation) -> None:
    await conversation.request()
    await asyncio.Event().wait()


async def hang_up(conversation: Conversation) -> None:
    await conversation.request()
    conversation.close()


async def never_end(conversation: Conversation) -> None:
    await conversation.request()
    conversation.write(b"HTTP/1.1 401 No\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 2_000_000)
    await conversation.gone()


@pytest.mark.parametrize("script", [silent, hang_up, never_end])
async def test_without_an_answer_of_the_service_nobody_is_let_in(scene: Scene, before: Before, script: Script) -> None:
    auth = await service(scene, script)
    upstream = await before("forward_auth", url=auth.url, timeout="200ms" if script is silent else "5s")
    assert (await scene.get()).status == 503
    assert upstream.requests == []


async def test_the_url_of_a_service_is_needed(refused: Refused) -> None:
    assert "define_middlewares.it.url: is missing" in await refused("forward_auth")
    assert "is not the URL of a service" in await refused("forward_auth", url="auth:9000")
