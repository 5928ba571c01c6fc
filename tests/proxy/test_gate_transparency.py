"""What holds for messages and for what is forwarded, holds behind a middleware that does nothing just as well."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from dockerproxy.proxy.exchange.gate import HANDLER
from dockerproxy.server import Server

from ..support.scene import Scene
from . import test_forwarding, test_messages


class Through:
    """Lets everything pass, and reads nothing."""

    reads_body = False

    async def __call__(self, request: web.Request, call_next: Any) -> web.StreamResponse:
        response: web.StreamResponse = await call_next(request)
        return response


class GatedScene(Scene):
    """A scene whose routes all have a middleware."""

    async def proxy(self, *upstreams: Any, **values: Any) -> Server:
        return await super().proxy(*upstreams, **{"given": {"through": Through()}, "middlewares": "through", **values})

    def open_connections(self) -> int:
        return sum(pool.size for pool in self.server.plane.pools if pool.address != HANDLER)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with GatedScene(tmp_path) as scene:
        yield scene


globals().update(
    (name, test)
    for module in (test_messages, test_forwarding)
    for name, test in vars(module).items()
    if name.startswith("test_")
)
