"""The scene, and the two ways to the site: over TCP, as to a container, and in this process, as a handler."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dockerproxy.routing.route import Route

from ..support.scene import Scene
from .site import site


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene(tmp_path) as scene:
        yield scene


@pytest.fixture
async def app() -> web.Application:
    return site()


@pytest.fixture(params=["container", "handler"])
async def at(request: pytest.FixtureRequest, scene: Scene, app: web.Application) -> AsyncIterator[str]:
    """`127.0.0.1:port` of a proxy in front of the site, which runs behind a port or in this process."""
    if request.param == "handler":
        server = await scene.proxy(python_routes=[Route("site", handler=app)])
        yield f"127.0.0.1:{server.addresses[0].port}"
        return
    async with TestServer(app) as behind:
        server = await scene.proxy(f"http://127.0.0.1:{behind.port}")
        yield f"127.0.0.1:{server.addresses[0].port}"
