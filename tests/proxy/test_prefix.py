"""strip_prefix: rewrite: an application below a prefix that it does not know is whole for a browser."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from dockerproxy.http1.head import RequestHead, ResponseHead
from dockerproxy.proxy.prefix import rewrite
from dockerproxy.routing.route import Upstream

from ..support.scene import Scene
from ..support.upstreams import Conversation

HOST = "shop.example:8888"
UPSTREAM = "172.18.0.3:3000"


def sent(field: str, base: str = "") -> str:
    """The field line as the client gets it."""
    request = RequestHead("GET", "/app/x", 1)
    request.host = HOST
    head = ResponseHead(200, 1, b"HTTP/1.1 200 OK\r\n")
    head.lines = [field.encode()]
    rewrite(head, "/app", request, Upstream("web-1", f"http://{UPSTREAM}{base}"))
    (line,) = head.lines
    return line.decode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/", "/app/"),
        ("/login", "/app/login"),
        ("/login?next=/x#y", "/app/login?next=/x#y"),
        ("/app", "/app"),
        ("/app/login", "/app/login"),
        ("/app?x", "/app?x"),
        ("/application", "/app/application"),
        ("login", "login"),
        ("../login", "../login"),
        ("?page=2", "?page=2"),
        ("", ""),
        (f"http://{HOST}/login", f"http://{HOST}/app/login"),
        (f"https://{HOST.upper()}/login", f"https://{HOST.upper()}/app/login"),
        ("http://shop.example/login", "http://shop.example/app/login"),
        (f"//{HOST}/login", f"//{HOST}/app/login"),
        (f"http://{HOST}", f"http://{HOST}/app/"),
        (f"http://{HOST}?x", f"http://{HOST}/app/?x"),
        (f"http://{HOST}/app/login", f"http://{HOST}/app/login"),
        (f"http://{UPSTREAM}/login", "/app/login"),
        ("https://id.example/login", "https://id.example/login"),
        ("//id.example/login", "//id.example/login"),
        ("http://shop.example:9999/", "http://shop.example:9999/"),
        ("mailto:me@shop.example", "mailto:me@shop.example"),
    ],
)
@pytest.mark.parametrize("name", ["Location", "content-location"])
def test_where_an_answer_leads_is_below_the_prefix_if_it_is_the_application(
    name: str, value: str, expected: str
) -> None:
    assert sent(f"{name}: {value}") == f"{name}: {expected}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a=b; Path=/", "a=b; Path=/app"),
        ("a=b; path=/shop; HttpOnly", "a=b; path=/app/shop; HttpOnly"),
        ("a=b;PATH = /x ;Secure", "a=b;PATH = /app/x;Secure"),
        ("a=b; Path=/app/x", "a=b; Path=/app/x"),
        ("a=b; Path=/application", "a=b; Path=/app/application"),
        ("a=b", "a=b"),
        ("a=b; Path=", "a=b; Path="),
        ("a=b; Path=x", "a=b; Path=x"),
        ("path=/x", "path=/x"),
        ("a=/x; Domain=shop.example; Path=/", "a=/x; Domain=shop.example; Path=/app"),
        ("__Host-a=b; Path=/; Secure", "__Host-a=b; Path=/; Secure"),
    ],
)
def test_cookies_are_sent_to_the_application_and_to_nobody_beside_it(value: str, expected: str) -> None:
    assert sent(f"Set-Cookie: {value}") == f"Set-Cookie: {expected}"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Location: /base/login", "Location: /app/login"),
        ("Location: /base", "Location: /app/"),
        ("Location: /base?x", "Location: /app/?x"),
        ("Location: /baseline", "Location: /app/baseline"),
        ("Location: /other", "Location: /app/other"),
        (f"Location: http://{UPSTREAM}/base/login", "Location: /app/login"),
        ("Location: /app/base", "Location: /app/base"),
        ("Set-Cookie: a=b; Path=/base/", "Set-Cookie: a=b; Path=/app"),
        ("Set-Cookie: a=b; Path=/base", "Set-Cookie: a=b; Path=/app"),
        ("Set-Cookie: a=b; Path=/base/x", "Set-Cookie: a=b; Path=/app/x"),
        ("Set-Cookie: a=b; Path=/", "Set-Cookie: a=b; Path=/app"),
    ],
)
def test_the_base_path_of_an_upstream_is_nothing_that_a_client_sees(field: str, expected: str) -> None:
    assert sent(field, "/base") == expected


@pytest.mark.parametrize("field", ["X-Location: /login", "Link: </x>; rel=next", "Cookie: a=b; Path=/"])
def test_other_fields_stay_as_they_are(field: str) -> None:
    assert sent(field) == field


async def application(conversation: Conversation) -> None:
    """Knows nothing of a prefix."""
    while request := await conversation.request():
        conversation.write(
            b"HTTP/1.1 302 Found\r\nLocation: /login\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Path=/x\r\n"
            b"X-Path: %b\r\nContent-Length: 0\r\n\r\n" % request.target.encode()
        )


def below(strip: Any, **more: Any) -> dict[str, Any]:
    return {"path": "/app", "strip_prefix": strip, **more}


@pytest.mark.parametrize("more", [{}, {"middlewares": "security_headers"}], ids=["plain", "behind middlewares"])
async def test_a_browser_stays_below_the_prefix(scene: Scene, more: dict[str, Any]) -> None:
    await scene.proxy(await scene.upstream(application), **below("rewrite", **more))
    answer = await scene.get("/app/x?y")
    assert (answer["x-path"], answer["location"]) == ("/x?y", "/app/login")
    cookies = [value for name, value in answer.fields if name == "set-cookie"]
    assert cookies == ["a=1; Path=/app", "b=2; Path=/app/x"]


@pytest.mark.parametrize("strip", [True, False])
async def test_without_it_an_answer_is_as_the_application_gave_it(scene: Scene, strip: bool) -> None:
    await scene.proxy(await scene.upstream(application), **below(strip))
    for target in ("/app", "/app/x"):
        answer = await scene.get(target)
        assert answer["location"] == "/login"
        assert "a=1; Path=/" in [value for name, value in answer.fields if name == "set-cookie"]


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/app", "/app/"),
        ("/app?x=/y", "/app/?x=/y"),
        ("/%61pp", "/app/"),
        ("/./app", "/app/"),
        ("/x/../app", "/app/"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_prefix_itself_leads_behind_the_slash(scene: Scene, method: str, target: str, location: str) -> None:
    await scene.proxy(await scene.upstream(application), **below("rewrite"))
    client = await scene.client()
    await client.ask(method, target, body=b"" if method == "POST" else None)
    answer = await client.answer()
    assert (answer.status, answer["location"]) == (308, location)


async def test_explain_tells_of_the_redirect(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(application), **below("rewrite"))
    answer = await scene.get("/explain?url=http://any.localhost/app", host="root.localhost")
    assert '"slash_missing"' in answer.text
    assert "redirects to /app/, with 308" in answer.text


async def test_a_client_that_follows_redirects_arrives(scene: Scene) -> None:
    async def site(conversation: Conversation) -> None:
        while request := await conversation.request():
            if request.target == "/":
                conversation.write(b"HTTP/1.1 302 Found\r\nLocation: /home\r\nContent-Length: 0\r\n\r\n")
            else:
                conversation.answer(f"at {request.target}".encode())

    server = await scene.proxy(await scene.upstream(site), **below("rewrite"))
    url = f"http://127.0.0.1:{server.addresses[0].port}/app"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert (await answer.text(), answer.url.path) == ("at /home", "/app/home")
