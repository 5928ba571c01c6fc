"""Shared: what all exchanges use."""

from __future__ import annotations

import asyncio

from dockerproxy.proxy.exchange.pages import Pages
from dockerproxy.proxy.exchange.routes import LiveRoutes
from dockerproxy.proxy.https import DEFAULT_PORT
from dockerproxy.proxy.upstream.pools import Pools


class Shared:
    """What is handed to each exchange: the routes, the connections, the error pages.

    https_port: of https in the address bar
    """

    __slots__ = ("https_port", "loop", "pages", "pools", "routes")

    def __init__(self, loop: asyncio.AbstractEventLoop, routes: LiveRoutes, pools: Pools, pages: Pages) -> None:
        self.loop = loop
        self.routes = routes
        self.pools = pools
        self.pages = pages
        self.https_port = DEFAULT_PORT

    def __repr__(self) -> str:
        return f"<Shared: {self.routes!r}, {self.pools!r}>"
