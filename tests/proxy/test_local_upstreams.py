"""A dynamic route whose upstream has a name: what the name stands for is looked at each time it is connected to."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from dockerproxy.routing.local_addresses import LOOPBACK
from dockerproxy.settings import RouteSettings

from ..support.scene import Scene

NAME = "inside.example.com"


@pytest.fixture
def stands_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that NAME has."""
    addresses: list[str] = []
    really = asyncio.BaseEventLoop.getaddrinfo

    async def getaddrinfo(self: Any, host: Any, port: Any, **how: Any) -> Any:
        if host != NAME:
            return await really(self, host, port, **how)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return addresses


async def added(scene: Scene, port: int) -> None:
    upstreams = [{"name": "inside", "url": f"http://{NAME}:{port}"}]
    route = RouteSettings.model_validate({"name": "new", "host": "new.localhost", "upstreams": upstreams})
    await scene.server.registry.add(route)


async def test_a_name_that_stands_for_this_machine_leads_nowhere(scene: Scene, stands_for: list[str]) -> None:
    upstream = await scene.upstream()
    await scene.proxy(local_upstreams=[], max_attempts=1)
    await added(scene, upstream.port)
    stands_for[:] = ["127.0.0.1"]
    assert (await scene.get(host="new.localhost")).status == 502
    (counted,) = scene.route("new").upstreams.values()
    assert f"{NAME} is at 127.0.0.1, a loopback address" in counted.last_error
    assert upstream.connections == 0


async def test_a_name_leads_to_the_addresses_that_are_permitted(scene: Scene, stands_for: list[str]) -> None:
    upstream = await scene.upstream()
    await scene.proxy(local_upstreams=[str(network) for network in LOOPBACK])
    await added(scene, upstream.port)
    stands_for[:] = ["169.254.169.254", "127.0.0.1"]
    answer = await scene.get(host="new.localhost")
    assert (answer.status, answer.body) == (200, b"a")


async def test_a_static_route_may_lead_anywhere_also_beside_a_dynamic_one(scene: Scene, stands_for: list[str]) -> None:
    upstream = await scene.upstream()
    stands_for[:] = ["127.0.0.1"]
    await scene.proxy(f"http://{NAME}:{upstream.port}", local_upstreams=[], max_attempts=1)
    await added(scene, upstream.port)
    assert (await scene.get(host="new.localhost")).status == 502
    assert (await scene.get(host="elsewhere.localhost")).status == 200
    assert (await scene.get(host="new.localhost")).status == 502
