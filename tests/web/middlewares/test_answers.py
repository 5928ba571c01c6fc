"""headers, security_headers, redirect and error_pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.errors import SettingsError
from dockerproxy.routing.expression import Budget, Clocks
from dockerproxy.web.middlewares.redirect import Redirect, RedirectOptions

from ...support.scene import Scene
from ...support.upstreams import Conversation
from .conftest import Before

Refused = Callable[..., Awaitable[str]]


async def test_fields_are_set_and_removed_both_ways(scene: Scene, before: Before) -> None:
    async def tell(conversation: Conversation) -> None:
        upstream.requests.append(await conversation.request())
        conversation.answer(b"x", Server="secret", X_Set="theirs")

    upstream = await before(
        "headers", tell, request={"X-Set": "ours", "Cookie": "", "X-Forwarded-Proto": "https"},
        response={"X-Set": "ours", "Server": None},
    )  # fmt: skip
    answer = await scene.get(Cookie="a=b", X_Set="theirs", X_Other="1")
    (request,) = upstream.requests
    assert (request["x-set"], "cookie" in request, request["x-forwarded-proto"], request["x-other"]) == (
        "ours", False, "https", "1"
    )  # fmt: skip
    assert (answer["x-set"], "server" in answer) == ("ours", False)


async def test_a_field_that_cannot_be_set_is_told(refused: Refused) -> None:
    assert "Content-Length is written by the proxy itself" in await refused("headers", request={"Content-Length": 1})
    assert "'a b' is not the name of a field" in await refused("headers", response={"a b": "c"})
    assert "line break" in await refused("headers", response={"a": "b\nc"})


async def test_security_fields_are_added_where_the_application_says_nothing(scene: Scene, before: Before) -> None:
    async def tell(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"x", X_Frame_Options="DENY")

    await before("security_headers", tell, referrer_policy="", content_security_policy="default-src 'self'")
    answer = await scene.get()
    assert (answer["x-frame-options"], answer["x-content-type-options"], answer["content-security-policy"]) == (
        "DENY", "nosniff", "default-src 'self'"
    )  # fmt: skip
    assert "referrer-policy" not in answer


async def test_security_fields_can_replace_what_the_application_says(scene: Scene, before: Before) -> None:
    async def tell(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"x", X_Frame_Options="ALLOWALL")

    await before("security_headers", tell, override=True)
    assert (await scene.get())["x-frame-options"] == "SAMEORIGIN"


async def test_a_policy_may_be_written_in_several_lines(scene: Scene, before: Before) -> None:
    await before("security_headers", content_security_policy="default-src 'self';\n  img-src *\n")
    assert (await scene.get())["content-security-policy"] == "default-src 'self'; img-src *"


async def test_a_security_field_that_cannot_be_is_told_at_the_start(refused: Refused) -> None:
    words = await refused("security_headers", permissions_policy="geolocation=()\x00")
    assert "permissions_policy: the value of Permissions-Policy has a line break or a control character" in words


async def test_a_redirect_needs_no_upstream(scene: Scene, before: Before) -> None:
    upstream = await before("redirect", to="https://new.example/", status=308)
    answer = await scene.get("/any")
    assert (answer.status, answer["location"], upstream.requests) == (308, "https://new.example/", [])


async def test_what_does_not_fit_goes_on(scene: Scene, before: Before) -> None:
    await before("redirect", match=r"https?://www\.([^/]+)/(.*)", to=r"https://\1/\2")
    answer = await scene.get("/a%20b?c=d", host="www.test:8888")
    assert (answer.status, answer["location"]) == (302, "https://test:8888/a%20b?c=d")
    assert (await scene.get("/", host="test")).text == "a"


@pytest.mark.parametrize(("path", "target"), [
    ("/old/page", "/page"), ("/old//evil.example", "/evil.example"), ("/old/\\evil.example", "/evil.example"),
    ("/old/", "/"), ("/new", None),
])  # fmt: skip
def test_a_path_of_the_client_never_becomes_another_host(path: str, target: str | None) -> None:
    redirect = Redirect(RedirectOptions.model_validate({"match": "http://[^/]+/old/(.*)", "to": r"/\1"}))
    assert redirect.target(f"http://test{path}", Budget()) == target


@pytest.mark.parametrize(("match", "to", "url", "target"), [
    # what names no host of its own stays at the request's
    (r"https?://[^/]+/old(/.*)", r"\1", "http://test/old//evil.example/", "/evil.example/"),
    (r"https?://[^/]+/old(/.*)", r"\1", "http://test/old/\\evil.example/", "/evil.example/"),
    (r"https?://[^/]+/old/(.*)", r"\1", "http://test/old/https://evil.example/", "/https://evil.example/"),
    (r"https?://[^/]+/old/(.*)", r"\1", "http://test/old/https:evil.example/", "/https:evil.example/"),
    (r"https?://[^/]+/old/(.*)", r"\1", "http://test/old/javascript:alert(1)", "/javascript:alert(1)"),
    (r"https?://[^/]+/old/(.*)", r"\g<1>", "http://test/old//\\/evil.example", "/evil.example"),
    (r"https?://[^/]+/(old)/(.*)", r"/\2", "http://test/old/\\/evil.example", "/evil.example"),
    (r"(https?)://[^/]+/(.*)", r"\1://\2", "http://test/evil.example/", "/http://evil.example/"),
    (r"https?://[^/]+/old(.*)", r"?from=\1", "http://test/old//x", "?from=//x"),
    # the request's own origin is its host
    (r"(https?://[^/]+)/old(/.*)", r"\1/new\2", "http://test:8888/old/x", "http://test:8888/new/x"),
    (r"(https?://[^/]+)/old(.*)", r"\1\2", "http://test/old.evil.example/", "/http://test.evil.example/"),
    # a host that is named is not added to by the client
    (r"https?://www\.(?P<host>[^/]+)(?P<path>/.*)", r"https://\g<host>\g<path>", "http://www.test/a?b", "https://test/a?b"),
    (r"https?://[^/]+/old(.*)", r"https://new.example\1", "http://test/old/x", "https://new.example/x"),
    (r"https?://[^/]+/old(.*)", r"https://new.example\1", "http://test/old.evil.example/x", None),
    (r"https?://[^/]+/old(.*)", r"https://new.example\1", "http://test/old@evil.example/x", None),
    (r"https?://[^/]+/old(.*)", r"https://new.example\1", "http://test/old:8080@evil.example/x", None),
    (r"https?://[^/]+/out/([^/]+)/(.*)", r"https://\1/\2", "http://test/out/evil.example/x", None),
    (r"https?://[^/]+/out/(.*)", r"//\1", "http://test/out/evil.example/x", None),
    (r"https?://[^/]+/out/(.*)", r"https://\1.example/x", "http://test/out/shop", "https://shop.example/x"),
    (r"https?://[^/]+/out/(.*)", r"https://\1.example/x", "http://test/out/evil.example/", None),
    (r"https?://[^/]+/out/(.*)", r"https://\1.example/x", "http://test/out/evil.example\\", None),
    (r"https?://(a)?[^/]+/x(y)?", r"https://\1new.example/\2", "http://test/x", "https://new.example/"),
])  # fmt: skip
def test_no_client_chooses_the_host_of_a_redirect(match: str, to: str, url: str, target: str | None) -> None:
    assert Redirect(RedirectOptions.model_validate({"match": match, "to": to})).target(url, Budget()) == target


async def test_no_spelling_of_a_path_gets_past_a_redirect(scene: Scene, before: Before) -> None:
    await before("redirect", match=r"https?://[^/]+/old/(.*)", to=r"/new/\1")
    for path in ("/%6fld/a%2Fb", "//old/a%2Fb", "/x/../old/a%2Fb"):
        assert (await scene.get(path))["location"] == "/new/a%2Fb", path
    assert (await scene.get("/old/http://x//y?z=//"))["location"] == "/new/http://x//y?z=//"
    assert (await scene.get("/other")).text == "a"


def test_an_address_that_an_expression_takes_for_ever_over_is_sent_on(caplog: pytest.LogCaptureFixture) -> None:
    redirect = Redirect(RedirectOptions.model_validate({"match": "http://test/(a|a)+", "to": "/"}))
    assert redirect.target("http://test/aaa", Budget()) == "/"
    for _ in range(2):
        assert redirect.target(f"http://test/{'a' * 60}!", Budget()) is None
    (record,) = caplog.records
    assert "middleware redirect: its match 'http://test/(a|a)+' takes longer than 10 ms" in record.getMessage()


def test_all_redirects_together_have_one_budget() -> None:
    seconds = iter(range(1000))
    budget = Budget(Clocks(cheap=lambda: next(seconds) * 0.003, own=lambda: 0.0))
    redirect = Redirect(RedirectOptions.model_validate({"match": "http://test/old", "to": "/new"}))
    targets = [redirect.target("http://test/old", budget) for _ in range(10)]
    assert targets[0] == "/new"
    assert targets[-1] is None


async def test_a_redirect_that_cannot_be_is_told(refused: Refused) -> None:
    assert "to: is missing" in await refused("redirect")
    assert "does not fit to match" in await refused("redirect", match="a(b)", to=r"\2")
    assert "not a regular expression" in await refused("redirect", match="(", to="/")
    assert "status" in await refused("redirect", to="/", status=200)
    for wrong in ("https://exämple.com/", "/a b", "/a\n"):
        assert "expected a path or URL of visible ASCII characters" in await refused("redirect", to=wrong)


@pytest.fixture
def pages(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "missing.html").write_text("<h1>Not here</h1>")
    (tmp_path / "broken.json").write_text('{"sorry": true}')
    return {"404": str(tmp_path / "missing.html"), "5xx": str(tmp_path / "broken.json")}


async def test_errors_get_pages_of_ones_own(scene: Scene, before: Before, pages: dict[str, str]) -> None:
    async def tell(conversation: Conversation) -> None:
        while True:
            status = (await conversation.request()).target[1:]
            conversation.answer(b"theirs", f"{status} As It Is", ETag='"x"', Content_Encoding="br", X_Kept="yes")

    await before("error_pages", tell, pages=pages)
    missing, broken, teapot, fine = [await scene.get(f"/{status}") for status in (404, 503, 418, 200)]
    assert (missing.line, missing.text, missing["content-type"]) == (
        "HTTP/1.1 404 As It Is", "<h1>Not here</h1>", "text/html; charset=utf-8"
    )  # fmt: skip
    assert ("etag" in missing, "content-encoding" in missing, missing["x-kept"]) == (False, False, "yes")
    assert (broken.status, broken.text, broken["content-type"]) == (503, '{"sorry": true}', "application/json")
    assert (teapot.text, fine.text, fine["etag"]) == ("theirs", "theirs", '"x"')


async def test_errors_of_the_proxy_get_them_too(scene: Scene, before: Before, pages: dict[str, str]) -> None:
    upstream = await before("error_pages", pages=pages)
    upstream.refuse()
    answer = await scene.get()
    assert (answer.status, answer.text) == (502, '{"sorry": true}')
    client = await scene.client()
    await client.ask("HEAD")
    head = await client.answer(to="HEAD")
    assert (head.status, head["content-length"]) == (502, "15")


async def test_a_page_that_is_not_there_is_told_at_the_start(refused: Refused) -> None:
    assert "404: there is no file /nowhere.html" in await refused("error_pages", pages={"404": "/nowhere.html"})
    assert "'200' is not a status of an error" in await refused("error_pages", pages={"200": "/nowhere.html"})


async def test_a_reload_reads_error_pages_that_have_changed(
    scene: Scene, pages: dict[str, str], tmp_path: Path
) -> None:
    async def miss(conversation: Conversation) -> None:
        while True:
            await conversation.request()
            conversation.answer(b"theirs", "404 Not Found")

    upstream = await scene.upstream(miss)
    how: dict[str, Any] = {"define_middlewares": {"error_pages": {"pages": pages}}, "middlewares": "error_pages"}
    server = await scene.proxy(upstream, **how, read_settings=lambda: scene.settings(upstream, **how))
    assert (await scene.get("/404")).text == "<h1>Not here</h1>"
    (tmp_path / "missing.html").write_text("<h1>Moved</h1>")
    server.reread()
    assert (await scene.get("/404")).text == "<h1>Moved</h1>"
    (tmp_path / "missing.html").unlink()
    with pytest.raises(SettingsError, match="there is no file"):
        server.reread()
    assert (await scene.get("/404")).text == "<h1>Moved</h1>"
