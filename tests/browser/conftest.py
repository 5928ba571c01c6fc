"""Fixtures: a browser for the whole run, and for each test a proxy with an engine.

Where there is no Chromium, tests skip with the reason in one line; with DOCKERPROXY_REQUIRE_BROWSER=1 they fail.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from dockerproxy.demo import ContainerSpec, EmbeddedEngine
from dockerproxy.server import Server
from dockerproxy.settings import validate
from dockerproxy.web.reports.feed import Feed

from ..support.browser import Chromium, NoBrowser, Page
from ..support.waiting import until

REQUIRE_VARIABLE = "DOCKERPROXY_REQUIRE_BROWSER"
FAST = 0.1  # seconds between two looks of the feed
ENABLE = {"dockerproxy.enable": "true"}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """A browser, for the whole run."""
    try:
        browser = Chromium()
    except NoBrowser as error:
        if os.environ.get(REQUIRE_VARIABLE):
            pytest.fail(str(error))
        pytest.skip(str(error))
    with browser:
        yield browser


class Site:
    """A proxy, its engine, and what a test asks them beside the browser."""

    def __init__(self, engine: EmbeddedEngine, folder: Path) -> None:
        self.engine = engine
        self.server: Server
        self._folder = folder
        self._port = 0

    async def start(self, **values: Any) -> None:
        """Start the proxy (again, at the port it had)."""
        fixed = {
            "listen": f"127.0.0.1:{self._port}",
            "state_dir": self._folder,
            "docker": {"host": self.engine.base_url},
        }
        self.server = Server(validate({**fixed, **values}, "test"))
        self.server._feed = Feed(interval=FAST)
        await self.server.start()
        self._port = self.server.addresses[0].port

    def url(self, host: str = "root.localhost") -> str:
        return f"http://{host}:{self._port}/"

    async def ask(self, host: str, path: str = "", **fields: str) -> int:
        """One request; the status of the answer."""
        headers = {"Host": host, **fields}
        async with (
            aiohttp.ClientSession() as client,
            client.get(self.url("127.0.0.1") + path, headers=headers) as answer,
        ):
            await answer.read()
            return answer.status

    async def upstream(self, route: str, name: str, token: str = "") -> Any:
        """What /statistics says of an upstream."""
        headers = {"Host": "root.localhost", **({"Authorization": f"Bearer {token}"} if token else {})}
        url = self.url("127.0.0.1") + "statistics"
        async with aiohttp.ClientSession(headers=headers) as client, client.get(url) as answer:
            report = await answer.json()
        (found,) = (each for each in report["routes"] if each["name"] == route)
        return next(each for each in found["upstreams"] if each["name"] == name)

    async def login_code(self, token: str) -> str:
        """The code of a link that logs a browser in."""
        headers = {"Host": "root.localhost", "Authorization": f"Bearer {token}"}
        url = self.url("127.0.0.1") + "login-link"
        async with aiohttp.ClientSession(headers=headers) as client, client.post(url, data=b"{}") as answer:
            return str((await answer.json())["code"])

    async def knows(self, *routes: str) -> None:
        """Return when these routes are in the table."""
        await until(lambda: {route.name for route in self.server.registry.routes} >= set(routes))


MakeSite = Callable[..., Any]


@pytest.fixture
async def make_site(short_folder: Path) -> AsyncIterator[MakeSite]:
    """Makes a site: `make_site(*containers, **settings)`."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(*containers: ContainerSpec, **values: Any) -> Site:
            engine = await stack.enter_async_context(EmbeddedEngine(short_folder / "demo.sock", containers))
            site = Site(engine, short_folder / "state")
            await site.start(**values)
            stack.push_async_callback(lambda: site.server.stop(0.0))
            return site

        yield make


@pytest.fixture
async def site(make_site: MakeSite) -> Site:
    """Two replicas of a shop, and one blog."""
    shops = [ContainerSpec(f"shop-{number}", labels={**ENABLE, "dockerproxy.route": "shop"}) for number in (1, 2)]
    found: Site = await make_site(*shops, ContainerSpec("blog", labels=ENABLE))
    await found.knows("shop", "blog")
    return found


@pytest.fixture
async def page(chromium: Chromium) -> AsyncIterator[Page]:
    """A page of which the browser must not have complained in the end."""
    async with chromium.page() as page:
        yield page
        assert page.problems == []
