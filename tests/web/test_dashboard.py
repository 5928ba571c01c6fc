"""The dashboard's page and the stream that feeds it, without a browser."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from dockerproxy.routing.route import Route
from dockerproxy.server import Server
from dockerproxy.settings import RouteOptions, Settings, validate
from dockerproxy.web.access.permission import CSRF_FIELD
from dockerproxy.web.live import start_feed
from dockerproxy.web.reports.feed import Feed

from ..support.waiting import DEADLINE, until
from .conftest import Build
from .making import House, fields_of

TOKEN = "correct horse battery"
PAGE, FILES, LIVE = "dockerproxy-dashboard", "dockerproxy-dashboard-files", "dockerproxy-live"
SCRIPTS = Path(__file__).parents[2] / "dockerproxy/web/templates/dashboard"
FAST = 0.02  # seconds between two looks


class Stream:
    """The events of one listener."""

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        self._lines = lines
        self.comments = 0

    async def event(self) -> tuple[str, Any]:
        """Name and data of the next event."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE):
            async for line in self._lines:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == ":":
                    self.comments += 1
                elif name:
                    fields[name] = value
                elif fields:
                    return fields["event"], json.loads(fields["data"])
        raise EOFError

    async def report(self) -> Any:
        """The next report."""
        while True:
            name, data = await self.event()
            if name == "report":
                return data

    async def end(self) -> None:
        """Wait for the end of the stream."""
        while await self._is_open():
            pass

    async def _is_open(self) -> bool:
        try:
            await self.event()
        except EOFError:
            return False
        return True


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with Server(settings(tmp_path)) as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    async with client_of(server) as client:
        yield client


def settings(folder: Path, **values: Any) -> Settings:
    fixed = {"listen": "127.0.0.1:0", "docker": {"enabled": False}, "state_dir": folder}
    return validate({**fixed, **values}, "test")


def client_of(server: Server) -> aiohttp.ClientSession:
    base = f"http://127.0.0.1:{server.addresses[0].port}"
    return aiohttp.ClientSession(base, headers={"Host": "root.localhost"})


async def lines_of(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async for line in answer.content:
        yield line


# The page


async def test_the_page_consists_of_files_of_ours_only_and_all_are_there(client: aiohttp.ClientSession) -> None:
    async with client.get("/") as answer:
        page = await answer.text()
        assert answer.content_type == "text/html"
    named = set(re.findall(r'(?:src|href)="(dashboard/[^"]+)"', page))
    assert {"dashboard/main.js", "dashboard/page.css", "dashboard/icon.svg"} <= named
    assert "://" not in page
    seen: dict[str, str] = {}
    while named - seen.keys():
        name = (named - seen.keys()).pop()
        async with client.get(f"/{name}") as answer:
            assert answer.status == 200, name
            seen[name] = await answer.text()
        named |= {f"dashboard/{found}" for found in re.findall(r'from "\./([^"]+)"', seen[name])}
    addresses = {found for text in seen.values() for found in re.findall(r"https?://[\w.]+", text)}
    assert addresses == {"http://www.w3.org"}  # the name of SVG, which nothing is loaded from


def test_nothing_in_the_scripts_can_turn_text_into_markup() -> None:
    for script in SCRIPTS.glob("*.js"):
        found = re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(", script.read_text())
        assert not found, script.name


@pytest.mark.parametrize("path", ["/", "/dashboard/main.js", "/dashboard/page.css"])
async def test_the_page_may_load_and_run_nothing_else_and_be_framed_by_nobody(
    client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["none.js", "..%2f..%2fdashboard.py", "%2e%2e/dashboard.py", ""])
async def test_there_are_no_other_files(build: Build, name: str) -> None:
    assert (await build().call(FILES, target=f"/dashboard/{name}")).status == 404


async def test_the_page_is_for_whoever_may_call_admin_handlers(build: Build) -> None:
    house = build()
    for route in (PAGE, FILES):
        assert (await house.call(route, target="/dashboard/main.js", remote="192.0.2.1")).status == 403


async def test_where_a_token_is_needed_the_page_asks_for_it_and_tells_nothing(build: Build) -> None:
    house = build(admin_token=TOKEN)

    assert (await house.call(PAGE, remote="192.0.2.1")).status == 200
    assert (await house.call(LIVE)).status == 401


# The stream


Fed = Callable[..., House]


@pytest.fixture
async def fed(build: Build) -> AsyncIterator[Fed]:
    """Makes houses whose feed looks often: `fed(most=…)`; settings by their names."""
    houses: list[House] = []

    def make(most: int = 32, **values: Any) -> House:
        house = build(**values)
        house.control = house.handlers.control = replace(house.control, feed=Feed(most, FAST))
        start_feed(house.control)
        houses.append(house)
        return house

    yield make
    for house in houses:
        await house.control.feed.close()


@pytest.fixture
async def house(fed: Fed) -> House:
    return fed(routes=[{"name": "blog", "host": "b.localhost", "upstreams": [{"url": "http://127.0.0.1:9"}]}])


async def listen(house: House, **fields: str) -> Stream:
    found = house.registry.route(LIVE)
    assert found is not None
    line = await house.line(found.upstreams[0].address)
    await line.send("GET", "/live", fields_of(LIVE) | {name.replace("_", "-"): text for name, text in fields.items()})
    status, head = await line.head()
    assert status == 200
    assert head["content-type"] == "text/event-stream"

    async def lines() -> AsyncIterator[bytes]:
        kept = b""
        async for chunk in line.chunks():
            *whole, kept = (kept + chunk).split(b"\n")
            for each in whole:
                yield each

    return Stream(lines())


async def test_the_report_comes_at_once_with_the_history_before_it(house: House) -> None:
    stream = await listen(house)
    name, history = await stream.event()
    report = await stream.report()

    assert name == "history"
    assert history["routes"] == {}
    assert {"proxy", "discovery", "routes", "rates"} <= report.keys()
    assert "blog" in [route["name"] for route in report["routes"]]
    assert report["rates"]["routes"] == {}


async def test_a_report_comes_when_something_has_changed(house: House) -> None:
    stream = await listen(house)
    before = await stream.report()
    stats = house.control.stats.route("blog")
    stats.mark_active()
    stats.requests += 3
    stats.answers[5] += 3
    after = await stream.report()

    assert [route["requests"] for route in before["routes"] if route["name"] == "blog"] == [0]
    assert [route["requests"] for route in after["routes"] if route["name"] == "blog"] == [3]
    assert after["rates"]["routes"]["blog"]["error_rate"] == 1.0
    assert after["rates"]["tick"] > before["rates"]["tick"]


async def test_who_comes_later_sees_what_happened_before(house: House) -> None:
    stats = house.control.stats.route("blog")
    stats.mark_active()
    stats.requests += 3
    await until(lambda: "blog" in house.control.feed._history.trails)

    _, history = await (await listen(house)).event()

    assert max(history["routes"]["blog"]["requests"]) > 0
    assert len(history["routes"]["blog"]["errors"]) == len(history["routes"]["blog"]["latency"])


async def test_while_nothing_changes_only_comments_are_sent(house: House) -> None:
    house.registry.reload(house.registry.settings.model_copy(update={"stall_timeout": 0.15}))
    found = house.registry.route(LIVE)
    assert found is not None
    stream = await listen(house)
    await stream.report()
    waiting = asyncio.ensure_future(stream.event())
    await until(lambda: stream.comments > 2)
    assert not waiting.done()
    house.control.stats.connections += 1
    assert (await waiting)[1]["proxy"]["connections"] == 1


async def test_nothing_more_is_told_after_the_token_has_changed(fed: Fed) -> None:
    house = fed(admin_token="correct horse battery")
    stream = await listen(house, Authorization="Bearer correct horse battery")
    await stream.report()

    house.registry.reload(house.registry.settings.model_copy(update={"admin_token": "another one, and long"}))
    house.control.stats.connections += 1

    with pytest.raises(EOFError):
        await stream.report()


async def test_all_listeners_get_the_same_report_which_is_made_once(house: House) -> None:
    streams = [await listen(house) for _ in range(3)]
    for stream in streams:
        await stream.report()
    house.control.stats.connections = 7

    assert [(await stream.report())["proxy"]["connections"] for stream in streams] == [7, 7, 7]


async def test_a_report_that_is_made_while_a_listener_is_busy_is_not_lost_on_it(house: House) -> None:
    feed = house.control.feed
    events = feed.listen(heartbeat=DEADLINE)
    first = await anext(events)
    house.control.stats.connections = 7
    await until(lambda: not first.endswith(feed._event))  # as long as it sends the first one
    async with asyncio.timeout(DEADLINE / 2):
        assert b'"connections":7' in await anext(events)
    await events.aclose()


async def test_there_is_a_bound_on_listeners_and_who_leaves_makes_room(fed: Fed) -> None:
    house = fed(most=1)
    stream = await listen(house)
    await stream.report()
    refused = await house.call(LIVE)
    assert refused.status == 503
    assert refused.fields["retry-after"] == "10"
    assert "too many dashboards" in refused.json["error"]
    house._lines[0].close()
    await until(lambda: not house.control.feed.full)
    await (await listen(house)).report()


async def test_pages_of_other_sites_cannot_take_the_places(house: House) -> None:
    answer = await house.call(LIVE, Sec_Fetch_Site="same-site")

    assert answer.status == 403


async def test_head_tells_what_get_would_and_ends(house: House) -> None:
    answer = await house.call(LIVE, "HEAD")

    assert answer.status == 200
    assert not house.control.feed._listeners


async def test_a_session_that_ends_is_shown_nothing_more(fed: Fed) -> None:
    house = fed(admin_token=TOKEN)
    login = await house.call("dockerproxy-login", "POST", "/login", {"token": TOKEN})
    cookie = login.fields["set-cookie"].partition(";")[0]
    stream = await listen(house, Cookie=cookie)
    await stream.report()
    fields = {CSRF_FIELD: login.json["csrf"], "Origin": "http://site.localhost:8888"}
    await house.call("dockerproxy-logout", "POST", "/logout", {}, Cookie=cookie, **fields)
    house.control.stats.connections += 1
    await stream.end()


async def test_a_feed_that_has_closed_takes_nobody(house: House) -> None:
    await house.control.feed.close()

    assert "the proxy stops" in (await house.call(LIVE)).json["error"]


# Through the proxy itself


async def test_the_stream_passes_through_the_proxy_as_it_is_written(
    server: Server, client: aiohttp.ClientSession
) -> None:
    async with client.get("/live") as answer:
        stream = Stream(lines_of(answer))
        assert (await stream.report())["proxy"]["connections"] == 1
        async with client_of(server) as other, other.get("/health"):
            while (await stream.report())["proxy"]["connections"] != 2:
                pass  # what it tells may be of the moment before


async def greet(_: web.Request) -> web.Response:
    return web.Response(text="hello")


@pytest.mark.parametrize("middlewares", ["none", "security_headers"])
async def test_requests_show_in_the_rates_of_their_route(tmp_path: Path, middlewares: str) -> None:
    options = RouteOptions.model_validate({"middlewares": middlewares})
    server = Server(settings(tmp_path), [Route("hello", "hello.localhost", handler=greet, options=options)])
    server._feed._interval = FAST
    async with server, client_of(server) as client, client.get("/live") as answer:
        stream = Stream(lines_of(answer))
        for _ in range(2):  # the second time after a while in which nothing happened
            async with client.get("/", headers={"Host": "hello.localhost"}) as greeting:
                assert greeting.status == 200
            while not await requests_per_second(stream, "hello"):
                pass
            while await requests_per_second(stream, "hello"):
                pass


async def requests_per_second(stream: Stream, route: str) -> float:
    """What the next report says."""
    rates = (await stream.report())["rates"]["routes"]
    return float(rates[route]["requests_per_second"]) if route in rates else 0.0


async def test_the_proxy_stops_in_time_though_a_dashboard_is_open(tmp_path: Path) -> None:
    server = Server(settings(tmp_path, grace="1h"))
    await server.start()
    async with client_of(server) as client, client.get("/live") as answer:
        stream = Stream(lines_of(answer))
        await stream.report()
        async with asyncio.timeout(DEADLINE):
            await server.stop()
        await stream.end()


async def test_the_proxy_stops_in_time_though_a_dashboard_reads_nothing(tmp_path: Path) -> None:
    server = Server(settings(tmp_path, grace="1h"))
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.addresses[0].port, limit=1)
    writer.write(b"GET /live HTTP/1.1\r\nHost: root.localhost\r\n\r\n")
    await until(lambda: server._feed._listeners)
    long = "x" * 4_000_000  # more than any buffer on the way takes
    server._feed._event = f"event: report\ndata: {long}\n\n".encode()
    server._feed._news.set()
    await reader.read(1)
    async with asyncio.timeout(DEADLINE):
        await server.stop(0.2)
    writer.close()
