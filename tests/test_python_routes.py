"""Routes given in Python: when their Applications start and end, what an Application below a prefix knows, and what is
refused."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from dockerproxy import PathRule, Proxy, Route, RouteOptions, Upstream
from dockerproxy.errors import HandlerError, SettingsError
from dockerproxy.run import serve
from dockerproxy.server import Server
from dockerproxy.settings import Settings

from .support.waiting import DEADLINE

STRIPPED = RouteOptions(strip_prefix=True)
pytestmark = pytest.mark.usefixtures("alone")


def server_of(tmp_path: Path, *routes: Route, **settings: Any) -> Server:
    given: dict[str, Any] = {"docker": {"enabled": False}, "state_dir": str(tmp_path), "grace": 0, **settings}
    return Proxy("127.0.0.1:0", routes, **given).server()


async def ask(server: Server, path: str = "/", **more: Any) -> tuple[int, str, str]:
    """Status, Location, text."""
    url = f"http://127.0.0.1:{server.addresses[0].port}{path}"
    async with aiohttp.ClientSession() as session:
        method = "POST" if "data" in more else "GET"
        async with session.request(method, url, allow_redirects=False, **more) as answer:
            return answer.status, answer.headers.get("Location", ""), await answer.text()


class Site:
    """An Application that tells what happens to it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.story: list[str] = []
        self.error = error

    def make(self) -> web.Application:
        app = web.Application()
        app.on_startup.append(self.begin)
        app.cleanup_ctx.append(self.around)
        app.router.add_get("/", self.answer)
        return app

    async def begin(self, _app: web.Application) -> None:
        self.story.append("startup")

    async def around(self, _app: web.Application) -> AsyncIterator[None]:
        if self.error is not None:
            raise self.error
        self.story.append("context")
        yield
        self.story.append("end")

    async def answer(self, _request: web.Request) -> web.Response:
        self.story.append("request")
        return web.Response(text="here")


# Start and end


@pytest.mark.parametrize("given", ["application", "function", "page"])
async def test_an_application_runs_from_the_start_of_the_proxy_to_its_end(tmp_path: Path, given: str) -> None:
    site = Site()
    if given == "page":
        server = server_of(tmp_path, not_found_handler=site.make)
    else:
        server = server_of(tmp_path, Route("site", handler=site.make() if given == "application" else site.make))
    async with server:
        assert site.story == ["context", "startup"]
        assert (await ask(server))[2] == "here"
    assert site.story == ["context", "startup", "request", "end"]


async def test_one_application_on_two_routes_starts_once(tmp_path: Path) -> None:
    site = Site()
    app = site.make()
    async with server_of(tmp_path, Route("a", "a.test", handler=app), Route("b", "b.test", handler=app)):
        assert site.story == ["context", "startup"]


async def test_an_application_that_does_not_start_keeps_the_proxy_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = Site(), Site(OSError("the database is not up"))
    server = server_of(tmp_path, Route("good", "a.test", handler=good.make), Route("bad", "b.test", handler=bad.make))
    with pytest.raises(HandlerError, match=r"Site\.make#2 does not start: OSError: the database is not up"):
        await server.start()
    assert server.addresses == ()
    assert good.story == ["context", "startup", "end"]
    assert "in around" in caplog.text  # the traceback leads into the program
    async with server_of(tmp_path):
        pass  # the state folder was given back


async def test_a_function_that_makes_no_application_keeps_the_proxy_from_starting(tmp_path: Path) -> None:
    with pytest.raises(HandlerError, match="takes no request, and made 7; expected an aiohttp Application"):
        await server_of(tmp_path, Route("seven", handler=lambda: 7)).start()


@pytest.fixture
def harmless_sigterm() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("harmless_sigterm")
async def test_sigterm_ends_a_proxy_that_waits_for_an_application_to_start(tmp_path: Path) -> None:
    waits, story = asyncio.Event(), []

    async def database(_app: web.Application) -> AsyncIterator[None]:
        waits.set()
        try:
            await asyncio.Event().wait()
        finally:
            story.append("given up")
        yield

    app = web.Application()
    app.cleanup_ctx.append(database)
    running = asyncio.create_task(serve(server_of(tmp_path, Route("site", handler=app))))
    await asyncio.wait_for(waits.wait(), DEADLINE)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, DEADLINE)
    assert story == ["given up"]


APPLICATION = """
import asyncio
from aiohttp import web

STARTED = asyncio.Event()

async def begin(app):
    STARTED.set()

def make():
    app = web.Application()
    app.on_startup.append(begin)
    return app
"""


async def test_a_reload_starts_the_applications_that_are_new(tmp_path: Path) -> None:
    (tmp_path / "reloaded_site.py").write_text(APPLICATION)
    routes: list[dict[str, Any]] = []

    def read() -> Settings:
        return Settings(
            listen="127.0.0.1:0", docker={"enabled": False}, state_dir=tmp_path / "state", grace=0, routes=routes
        )

    async with Server(read(), read_settings=read) as server:
        routes.append({"name": "site", "handler": "reloaded_site:make"})
        server.reread()
        from reloaded_site import STARTED  # type: ignore[import-not-found]  # it is made above

        await asyncio.wait_for(STARTED.wait(), DEADLINE)


async def test_one_application_cannot_be_run_twice_but_a_function_can_make_several(tmp_path: Path) -> None:
    site, app = Site(), Site().make()
    async with server_of(tmp_path, Route("site", handler=app)):
        pass
    with pytest.raises(HandlerError, match=r"has run before.*give a function that makes one"):
        await server_of(tmp_path, Route("site", handler=app)).start()
    for _ in range(2):
        async with server_of(tmp_path, Route("site", handler=site.make)) as server:
            assert (await ask(server))[2] == "here"


# Below a prefix


def shop() -> web.Application:
    async def home(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(request.app.router["item"].url_for(number="7"))

    async def item(request: web.Request) -> web.Response:
        prefix = request.headers["X-Forwarded-Prefix"]
        return web.Response(text=f"{request.match_info['number']} {request.url} {request.path} {prefix}")

    async def upload(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    app = web.Application(client_max_size=1000)
    app.router.add_get("/", home)
    app.router.add_get("/item/{number}", item, name="item")
    app.router.add_post("/upload", upload)
    return app


@pytest.mark.parametrize("handler", [shop, shop()], ids=["function", "application"])
async def test_a_mounted_application_knows_where_it_is(tmp_path: Path, handler: Callable[..., Any]) -> None:
    route = Route("shop", "street.localhost", "/the/shop", handler=handler, options=STRIPPED)
    async with server_of(tmp_path, route) as server:
        host = {"Host": "street.localhost"}
        assert (await ask(server, "/the/shop/", headers=host))[:2] == (302, "/the/shop/item/7")
        assert (await ask(server, "/the/shop", headers=host))[:2] == (302, "/the/shop/item/7")
        text = (await ask(server, "/the/shop/item/a%2Fb?x=%20", headers=host))[2]
        assert text.startswith("a/b http://street.localhost/the/shop/item/a%2Fb?x=%20 /the/shop/item/a")
        assert text.endswith(" /the/shop")
        assert (await ask(server, "/the/shop/other", headers=host))[0] == 404
        assert (await ask(server, "/the/shop/the/shop/item/7", headers=host))[0] == 404


async def test_the_limits_of_a_mounted_application_are_its_own(tmp_path: Path) -> None:
    async with server_of(tmp_path, Route("shop", path="/shop", handler=shop, options=STRIPPED)) as server:
        assert (await ask(server, "/shop/upload", data=b"x" * 999))[::2] == (200, "999")
        assert (await ask(server, "/shop/upload", data=b"x" * 1001))[0] == 413


async def test_without_strip_prefix_an_application_is_handed_the_whole_path(tmp_path: Path) -> None:
    async def whole(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.path} {request.app.router['whole'].url_for()}")

    app = web.Application()
    app.router.add_get("/shop/item", whole, name="whole")
    async with server_of(tmp_path, Route("shop", path="/shop", handler=app)) as server:
        assert (await ask(server, "/shop/item"))[2] == "/shop/item /shop/item"


async def test_a_handler_that_is_one_function_gets_the_rest_of_the_path(tmp_path: Path) -> None:
    async def tell(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.path} {request.headers['X-Forwarded-Prefix']}")

    async with server_of(tmp_path, Route("shop", path="/shop", handler=tell, options=STRIPPED)) as server:
        assert (await ask(server, "/shop/item"))[2] == "/item /shop"


async def test_a_function_that_makes_applications_can_be_below_several_prefixes(tmp_path: Path) -> None:
    routes = [Route(name, path=f"/{name}", handler=shop, options=STRIPPED) for name in ("east", "west")]
    async with server_of(tmp_path, *routes) as server:
        assert (await ask(server, "/east/"))[1] == "/east/item/7"
        assert (await ask(server, "/west/"))[1] == "/west/item/7"


async def test_one_application_cannot_be_below_two_prefixes(tmp_path: Path) -> None:
    app = shop()
    routes = [Route(name, path=f"/{name}", handler=app, options=STRIPPED) for name in ("east", "west")]
    with pytest.raises(SettingsError, match=r"cannot be below /east and below /west.*give a function that makes one"):
        await server_of(tmp_path, *routes).start()


# What is refused, and what is not


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """As FastAPI, Starlette and Django have it."""


class Asgi:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The same as an object."""


class Wsgi:
    def __call__(self, environ: Any, start_response: Any) -> Any:
        """As Flask has it."""


async def two(_request: web.Request, more: str) -> web.Response:
    return web.Response(text=more)


async def hello(_request: web.Request, greeting: str = "hello") -> web.Response:
    return web.Response(text=greeting)


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (Route("a", handler=asgi), "asgi': is an ASGI application.*give its URL as an upstream"),
        (Route("a", handler=Asgi()), "Asgi': is an ASGI application"),
        (Route("a", handler=Wsgi()), "Wsgi': is a WSGI application"),
        (Route("a", handler=two), r"two': takes \(_request, more\); expected `async def handler\(request\)`"),
        (
            Route("a", handler=hello, upstreams=["http://localhost:1"]),
            "route 'a' given in Python: both handler and upstreams are given",
        ),
        (Route("a", access="token"), "route 'a' given in Python: access is for handlers"),
        (Route("a", handler=hello, options=STRIPPED), "route 'a' given in Python: strip_prefix needs a path prefix"),
        (Route("a", path=PathRule.exact("/a"), options=STRIPPED), "strip_prefix needs a path prefix"),
        (Route("a", handler="home"), "handler 'home' is not of the form module:name"),
        (Route("", handler=hello), "route '' given in Python: name: expected 1 to 200 printable characters"),
        (Route("a\n", handler=hello), "name: expected 1 to 200 printable characters"),
        (
            Route("a", upstreams=[Upstream("one", "http://localhost:1", weight=101)]),
            r"upstreams\[0\]\.weight: expected 100 or less \(found 101\)",
        ),
    ],
)
async def test_a_route_that_cannot_work_keeps_the_proxy_from_starting(tmp_path: Path, route: Route, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        await server_of(tmp_path, route).start()


async def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        await server_of(tmp_path, Route("a", access="token"), Route("b", access="open"), Route("a")).start()
    assert len(raised.value.problems) == 3


async def test_what_is_no_route_keeps_the_proxy_from_starting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"routes given in Python: expected Route\(…\), found dict"):
        await server_of(tmp_path, {"name": "a"}).start()  # type: ignore[arg-type]  # as somebody may without a checker


def test_an_option_that_there_is_not_is_told_with_the_one_that_was_meant() -> None:
    wrong: Any = {"max_attemps": 3}
    with pytest.raises(ValueError, match="max_attemps: unknown key; did you mean 'max_attempts'"):
        RouteOptions(**wrong)
    with pytest.raises(ValueError, match=r"weight: unknown key; known keys: .*max_attempts"):
        RouteOptions(**{**wrong, "weight": 3})


async def test_a_handler_may_have_more_parameters_that_need_not_be_given(tmp_path: Path) -> None:
    async with server_of(tmp_path, Route("a", handler=hello)) as server:
        assert (await ask(server))[2] == "hello"


async def test_options_may_be_keys_and_values(tmp_path: Path) -> None:
    async with server_of(tmp_path, Route("a", handler=hello, options={"hold": "5s"}), max_attempts=3) as server:
        route = server.registry.route("a")
        assert route is not None
        assert (route.options.hold, route.options.max_attempts) == (5.0, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"benh": 3}, "route 'a': options: benh: unknown key; did you mean 'bench'"),
        ({"hold": "soon"}, "route 'a': options: hold: expected a duration such as 90"),
        (["hold"], r"route 'a': options: expected RouteOptions\(…\) or keys and values, found \['hold'\]"),
    ],
)
def test_options_that_are_none_are_told_in_words(options: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Route("a", options=options)
