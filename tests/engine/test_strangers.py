"""A container gets the address of one that ended while the engine's API could not be reached."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from dockerproxy.discovery.engine.entry import Entry
from dockerproxy.proxy.upstream.neighbours import hardware_of
from tests.engine.conftest import Launch
from tests.engine.containers import Containers
from tests.engine.proxy_process import ProxyProcess
from tests.engine.test_engine_outages import discovery_is
from tests.support.docker_engine import Engine
from tests.support.relay import Relay

SUBNET, ADDRESS = "10.240.77.0/24", "10.240.77.9"


@pytest.fixture
def network(containers: Containers) -> Network:
    pool = IPAMPool(subnet=SUBNET)
    return containers.network("strangers", ipam=IPAMConfig(pool_configs=[pool]))


def at_the_address(containers: Containers, network: Network, stem: str, host: str) -> Container:
    """A running container that has ADDRESS."""
    name = containers.unique(stem)
    made = containers.client.containers.create(
        containers.image, name=name, hostname=name, environment={"NAME": name}, network_mode="bridge",
        labels={"dockerproxy.host": host, "dockerproxy.network": str(network.name)},
    )  # fmt: skip
    containers.keep(made)
    network.connect(made, ipv4_address=ADDRESS)
    made.start()
    return made


def started(launch: Launch, relay: Relay) -> ProxyProcess:
    return launch(docker={"host": f"tcp://127.0.0.1:{relay.port}"}, hold="0s")


def asked(proxy: ProxyProcess, host: str, times: int) -> list[Any]:
    """Who answers, or the status."""
    answers = [proxy.get(host) for _ in range(times)]
    return [answer.container if answer.status == 200 else answer.status for answer in answers]


@pytest.mark.parametrize("how", ["stop", "rm -f", "kill"])
async def test_nobody_gets_the_answers_of_a_stranger(
    engine: Engine, launch: Launch, containers: Containers, network: Network, how: str
) -> None:
    first_host, second_host = (f"{containers.unique(stem)}.localhost" for stem in ("first", "second"))
    relay = Relay(Path(engine.host.removeprefix("unix://")))
    async with relay:
        proxy = await asyncio.to_thread(started, launch, relay)
        await asyncio.to_thread(proxy.wait_until_connected)
        first = at_the_address(containers, network, "first", first_host)
        await asyncio.to_thread(proxy.wait_until_answering, str(first.name), first, host=first_host)
    await asyncio.to_thread(discovery_is, proxy, "reconnecting")

    def replace() -> Container:
        if how != "rm -f":
            getattr(first, how)()
        containers.remove(first)
        return at_the_address(containers, network, "second", second_host)

    second = await asyncio.to_thread(replace)
    assert await asyncio.to_thread(asked, proxy, first_host, 5) == [503] * 5, proxy.log
    assert "gets no new requests until the engine is back" in proxy.log
    async with relay:
        await asyncio.to_thread(proxy.wait_until_answering, str(second.name), second, host=second_host)
        assert await asyncio.to_thread(asked, proxy, second_host, 3) == [second.name] * 3


@pytest.mark.docker_only("it does not take a link-layer address as Docker does")
def test_the_kernel_shows_the_link_layer_address_that_the_engine_tells(
    engine: Engine, launch: Launch, containers: Containers
) -> None:
    host, mac = f"{containers.unique('mac')}.localhost", "8e:1f:03:aa:10:02"
    proxy = launch(docker={"host": engine.host})
    app = containers.run("mac", labels={"dockerproxy.host": host}, mac_address=mac)
    proxy.wait_until_answering(str(app.name), app, host=host)
    (listed,) = containers.client.api.containers(filters={"id": app.id})
    (network,) = Entry.from_json(listed).networks
    assert (network.hardware, hardware_of(network.address)) == (mac, mac)
