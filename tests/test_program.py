"""Proxy: the whole proxy as a Python object."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from dockerproxy import Domain, PathRule, Proxy, Route, RouteOptions, Upstream
from dockerproxy.errors import ListenError, SettingsError
from dockerproxy.program import load_proxy
from dockerproxy.server import Server
from dockerproxy.web import ERROR_INFO

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
async def upstream() -> AsyncIterator[str]:
    """The URL of an application that tells which path it was asked for."""

    async def tell(request: web.Request) -> web.Response:
        return web.Response(text=f"upstream: {request.path}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", tell)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def proxy_of(tmp_path: Path, *routes: Route, **settings: object) -> Proxy:
    given: dict[str, Any] = {"docker": {"enabled": False}, "state_dir": str(tmp_path), "grace": 0, **settings}
    return Proxy("127.0.0.1:0", routes, **given)


async def get(server: Server, host: str, path: str = "/") -> tuple[int, str]:
    url = f"http://127.0.0.1:{server.addresses[0].port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url, headers={"Host": host}) as response:
        return response.status, await response.text()


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=f"hello {request.match_info.get('name', 'nobody')}")


async def test_upstreams_and_handlers_are_routes_alike(tmp_path: Path, upstream: str) -> None:
    proxy = proxy_of(
        tmp_path,
        Route("blog", (Domain("blog.localhost"),), upstreams=(Upstream("one", upstream),)),
        Route("hello", (Domain("hello.localhost"),), PathRule.regex("^/(?P<name>[a-z]+)$"), target=hello),
    )
    async with proxy.server() as server:
        assert await get(server, "blog.localhost", "/a") == (200, "upstream: /a")
        assert await get(server, "hello.localhost", "/ada") == (200, "hello ada")
        assert (await get(server, "other.localhost"))[0] == 404


async def test_a_route_may_be_written_in_plain_words(tmp_path: Path, upstream: str) -> None:
    proxy = proxy_of(
        tmp_path,
        Route("blog", "blog.localhost, www.localhost", "/blog", "get,head", [upstream]),
        Route("hello", "hello.localhost", handler=hello),
    )
    async with proxy.server() as server:
        assert await get(server, "www.localhost", "/blog/x") == (200, "upstream: /blog/x")
        assert await get(server, "hello.localhost") == (200, "hello nobody")


async def test_a_whole_application_answers_a_route(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/page/{name}", hello)
    async with proxy_of(tmp_path, Route("app", (Domain("app.localhost"),), target=app)).server() as server:
        assert await get(server, "app.localhost", "/page/ada") == (200, "hello ada")
        assert (await get(server, "app.localhost", "/other"))[0] == 404


async def close_the_door(request: web.Request, _call_next: Any) -> web.StreamResponse:
    return web.Response(text=f"closed: {request.match_info.get('name')}", status=403)


async def test_middlewares_are_given_by_name(tmp_path: Path) -> None:
    path = PathRule.regex("^/(?P<name>[a-z]+)$")
    closed = Route("hello", path=path, target=hello, options=RouteOptions(middlewares="door"))
    async with proxy_of(tmp_path, closed, middlewares={"door": close_the_door}).server() as server:
        assert await get(server, "any.localhost", "/eve") == (403, "closed: eve")


async def test_names_of_middlewares_alone_are_the_default_for_all_routes(tmp_path: Path) -> None:
    proxy = proxy_of(tmp_path, Route("hello", target=hello), middlewares="compress, security_headers")
    async with proxy.server() as server:
        route = server.registry.route("hello")
        assert route is not None
        assert route.options.middlewares == ("compress", "security_headers")
        assert await get(server, "any.localhost") == (200, "hello nobody")


async def lost(request: web.Request) -> web.Response:
    return web.Response(text=f"nothing at {request.path}")


async def sorry(request: web.Request) -> web.Response:
    return web.Response(text=f"sorry, {request[ERROR_INFO].code}")


async def test_pages_are_given_as_functions(tmp_path: Path) -> None:
    route = Route("blog", "blog.localhost", "/blog", upstreams=["http://127.0.0.1:1"])
    proxy = proxy_of(tmp_path, route, max_attempts=1, not_found_handler=lost, error_handler=sorry)
    async with proxy.server() as server:
        assert await get(server, "blog.localhost", "/blog") == (502, "sorry, attempts_exhausted")
        assert await get(server, "blog.localhost", "/shop") == (404, "nothing at /shop")
        assert await get(server, "other.localhost") == (404, "nothing at /")


async def test_a_domain_has_pages_of_its_own_as_functions(tmp_path: Path) -> None:
    async def own(_request: web.Request) -> web.Response:
        return web.Response(text="the blog is not itself")

    blog = Route(
        "blog", "blog.localhost", "/blog", upstreams=["http://127.0.0.1:1"], not_found_handler=own, error_handler=own
    )
    shop = Route("shop", "shop.localhost", upstreams=["http://127.0.0.1:1"])
    proxy = proxy_of(tmp_path, blog, shop, max_attempts=1, not_found_handler=lost, error_handler=sorry)
    async with proxy.server() as server:
        assert await get(server, "blog.localhost", "/blog") == (502, "the blog is not itself")
        assert await get(server, "blog.localhost", "/other") == (404, "the blog is not itself")
        assert await get(server, "shop.localhost") == (502, "sorry, attempts_exhausted")
        assert await get(server, "other.localhost") == (404, "nothing at /")


async def test_an_application_answers_for_what_is_not_found(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/{name}", hello)
    async with proxy_of(tmp_path, not_found_handler=app).server() as server:
        assert await get(server, "any.localhost", "/ada") == (404, "hello ada")


async def test_pages_that_are_functions_survive_a_reload(tmp_path: Path) -> None:
    proxy = proxy_of(tmp_path, not_found_handler=lost)
    async with Server(proxy.settings(), proxy.routes, proxy.settings) as server:
        server.reread()
        assert await get(server, "any.localhost") == (404, "nothing at /")


def test_a_page_that_is_no_handler_is_told_with_what_was_expected() -> None:
    with pytest.raises(SettingsError, match=r"Proxy\(error_handler=…\): expected `module:name`, .* \(found 7\)"):
        Proxy(error_handler=7).settings()  # type: ignore[arg-type]  # which is the mistake


async def test_settings_of_the_proxy_are_the_defaults_of_routes_made_in_python(tmp_path: Path, upstream: str) -> None:
    route = Route("blog", (Domain("blog.localhost"),), upstreams=(Upstream("one", upstream),))
    async with proxy_of(tmp_path, route, consecutive_errors=3).server() as server:
        found = server.registry.route("blog")
    assert found is not None
    assert found.options.consecutive_errors == 3


def test_what_is_given_in_python_counts_before_environment_and_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "dockerproxy.yaml").write_text("bench: 1s\nhold: 1s\nlinger: 1s\n")
    monkeypatch.setenv("DOCKERPROXY_BENCH", "2s")
    monkeypatch.setenv("DOCKERPROXY_HOLD", "2s")
    settings = Proxy(bench="3s").settings()
    assert (settings.bench, settings.hold, settings.linger) == (3.0, 2.0, 1.0)


def test_what_is_given_when_it_is_run_counts_before_all() -> None:
    assert [str(address) for address in Proxy(":1").settings(listen=[":2"]).listen] == [":2"]
    assert [str(address) for address in Proxy([":1", ":2"]).settings(listen=None).listen] == [":1", ":2"]


def test_a_wrong_setting_is_told_when_it_is_used() -> None:
    with pytest.raises(SettingsError, match="did you mean 'listen'"):
        Proxy(lissten=":1").server()  # type: ignore[call-arg]  # which is the mistake


def test_a_wrong_setting_ends_the_run_with_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert Proxy(bench="never").run() == 1
    assert "Proxy(bench=…): expected a duration" in capsys.readouterr().err


def test_a_wrong_setting_is_told_by_the_name_that_it_has_where_it_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert Proxy(hold="never").run() == 1  # which is no option of the command line
    assert "Proxy(hold=…): expected a duration" in capsys.readouterr().err
    assert Proxy(":1").run(listen=[":x"]) == 1
    assert "--listen: expected an address" in capsys.readouterr().err


async def test_two_routes_of_one_name_do_not_start(tmp_path: Path) -> None:
    proxy = proxy_of(tmp_path, Route("a", (Domain("a.test"),)), Route("a", (Domain("b.test"),)))
    with pytest.raises(SettingsError, match="already taken"):
        await proxy.server().start()


async def test_a_taken_port_is_an_error_that_says_how_to_choose_another(tmp_path: Path) -> None:
    async with proxy_of(tmp_path / "one").server() as first:
        port = first.addresses[0].port
        second = proxy_of(tmp_path / "two")
        with pytest.raises(ListenError, match=f"port {port} is taken .* --listen :{port + 1}"):
            await second.server(second.settings(listen=[f"127.0.0.1:{port}"])).start()


async def test_an_address_of_another_machine_is_an_error_that_says_so(tmp_path: Path) -> None:
    proxy = proxy_of(tmp_path)
    with pytest.raises(ListenError, match=r"192\.0\.2\.1 is not an address of this machine"):
        await proxy.server(proxy.settings(listen=["192.0.2.1:8888"])).start()


async def test_a_server_listens_on_each_of_its_addresses(tmp_path: Path) -> None:
    route = Route("hello", (Domain("hello.localhost"),), target=hello)
    proxy = proxy_of(tmp_path, route)
    settings = proxy.settings(listen=["127.0.0.1:0", "127.0.0.2:0"])
    async with proxy.server(settings) as server:
        assert [address.host for address in server.addresses] == ["127.0.0.1", "127.0.0.2"]
        assert repr(server) == f"<Server at {server.addresses[0]}, {server.addresses[1]}>"


def test_a_proxy_says_how_many_routes_it_has() -> None:
    assert repr(Proxy(routes=[Route("a")])) == "<Proxy with 1 routes>"


# load_proxy


@pytest.fixture
def module(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "site_of_program.py").write_text("from dockerproxy import Proxy\nproxy = Proxy(':1')\nnumber = 7\n")
    yield "site_of_program"
    sys.modules.pop("site_of_program", None)


def test_a_proxy_is_found_by_its_name(module: str) -> None:
    assert isinstance(load_proxy(f"{module}:proxy"), Proxy)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("{}", "expected module:name"),
        ("{}:", "expected module:name"),
        (":proxy", "expected module:name"),
        ("{}:prosy", "has no 'prosy'; did you mean 'proxy'?"),
        ("{}:number", "program '{}:number': expected a dockerproxy.Proxy, found a int"),
        ("no_such_module_here:proxy", "there is no module 'no_such_module_here'; looked in "),
    ],
)
def test_a_name_that_leads_to_no_proxy_is_told_in_words(module: str, name: str, words: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(words.format(module))):
        load_proxy(name.format(module))


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("\nproxy = (\n", "2: SyntaxError: '(' was never closed"),
        ("\n\nproxy = 1 / 0\n", "3: ZeroDivisionError: division by zero"),
        ("import no_such_part_of_program\n", "1: ModuleNotFoundError: No module named 'no_such_part_of_program'"),
    ],
)
def test_a_module_with_a_mistake_in_it_is_told_with_its_file_and_line(tmp_path: Path, text: str, mistake: str) -> None:
    (tmp_path / "broken_site_of_program.py").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_proxy("broken_site_of_program:proxy")
    assert f"failed at {tmp_path}/broken_site_of_program.py:{mistake}" in str(caught.value)
