"""What is said of clients that all come from the gateway of the proxy's own container."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.discovery.engine.entry import Network, Port
from dockerproxy.discovery.engine.own_container import OwnContainer
from dockerproxy.server.gateway import GatewayNotice

from ..support.scene import Scene

FRONT = Network("front", "n1", "172.18.0.2", "172.18.0.1")
HERE, ANYWHERE = Port(8888, 8888, "127.0.0.1"), Port(8888, 80)
SLOW = {"middlewares": "slow", "define_middlewares": {"slow": {"use": "rate_limit", "rate": "10/s"}}}


def own(**fields: Any) -> OwnContainer:
    return OwnContainer("c1", "proxy", **{"networks": (FRONT,), "published": (HERE,), **fields})


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene(tmp_path) as scene:
        yield scene


@pytest.fixture(autouse=True)
def _everything_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


async def told(scene: Scene, caplog: pytest.LogCaptureFixture, own: OwnContainer | None, **settings: Any) -> str:
    server = await scene.proxy(await scene.upstream(), **{**SLOW, **settings})
    caplog.clear()
    notice = GatewayNotice()
    for _ in range(3):
        notice.look(own, server.registry)
    assert len(caplog.records) <= 1  # it is said once
    return caplog.text


async def test_where_all_come_from_the_gateway_it_is_a_warning(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    text = await told(scene, caplog, own())
    assert "WARNING" in text
    assert "slow: go by the client's address" in text
    assert "from 172.18.0.1, the gateway" in text
    assert "What a published port does" in text


async def test_where_some_do_it_is_told(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    text = await told(scene, caplog, own(published=(HERE, ANYWHERE)))
    assert "INFO" in text
    assert "clients of this machine come through a published port from 172.18.0.1" in text


@pytest.mark.parametrize("container", [
    None, own(on_host=True), own(published=()), own(networks=()), own(networks=(FRONT._replace(gateway=""),)),
])  # fmt: skip
async def test_where_no_client_comes_that_way_nothing_is_said(
    scene: Scene, caplog: pytest.LogCaptureFixture, container: OwnContainer | None
) -> None:
    assert await told(scene, caplog, container) == ""


@pytest.mark.parametrize("settings", [
    {"middlewares": ""},
    {"middlewares": "slow", "define_middlewares": {"slow": {"use": "compress"}}},
    {"trusted_proxies": "172.18.0.1"},
])  # fmt: skip
async def test_where_nothing_goes_by_addresses_or_somebody_tells_them_nothing_is_said(
    scene: Scene, caplog: pytest.LogCaptureFixture, settings: dict[str, Any]
) -> None:
    assert await told(scene, caplog, own(), **settings) == ""
