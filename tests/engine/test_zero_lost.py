"""Replicas are stopped, killed, restarted and replaced under load, and no request is lost.

Everything stays on loopback: the proxy is on this machine, the containers are published on 127.0.0.1 or share its
network. Each test prints its figures (`pytest -s`, or the report of a failure).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from docker.models.containers import Container

from tests.engine.conftest import Launch
from tests.engine.containers import Containers
from tests.engine.load import ENOUGH, Load
from tests.engine.proxy_process import ProxyProcess, free_port
from tests.support.docker_engine import Engine

ROUTE = "shop"
REPLICAS = 3
LABELS = {"dockerproxy.route": ROUTE}
PUBLISHED = {"8000/tcp": ("127.0.0.1", None)}


@pytest.fixture
def proxy(engine: Engine, launch: Launch) -> ProxyProcess:
    """A proxy for one test, so that its figures are that test's own."""
    started = launch(docker={"host": engine.host, "address": "published"})
    started.wait_until_connected()
    return started


@pytest.fixture
def replicas(proxy: ProxyProcess, containers: Containers) -> list[Container]:
    """Three containers of one route, each of which has answered."""
    found = [containers.run(labels=LABELS, ports=PUBLISHED) for _ in range(REPLICAS)]
    proxy.wait_until_answering(ROUTE, *found)
    return found


def host_networked(containers: Containers) -> Container:
    """A replica on a free port of this machine, which a replacement does not share."""
    port = str(free_port())
    # A busy engine takes its time to start a replacement.
    labels = LABELS | {"dockerproxy.port": port, "dockerproxy.hold": "30s"}
    return containers.run(labels=labels, network_mode="host", environment={"PORTS": port})


async def load_during(proxy: ProxyProcess, step: Callable[[], None], title: str) -> Load:
    """The load while `step` runs in a thread, with at least ENOUGH requests; prints the figures."""
    load = Load(proxy.port, f"{ROUTE}.localhost")
    await load.during(asyncio.to_thread(step))
    route = proxy.route(ROUTE)
    assert route is not None
    shown = {name: route[name] for name in ("requests", "errors_shown", "retries", "held")}
    print(f"\n{title}: {load}; {json.dumps(shown)}")
    return load


def assert_none_lost(load: Load, proxy: ProxyProcess) -> None:
    assert load.requests >= ENOUGH
    assert not load.failures, f"{load}\n" + "\n".join(load.failures[:10]) + "\n" + proxy.log[-3000:]


@pytest.mark.smoke
async def test_none_is_lost_while_a_replica_is_stopped(proxy: ProxyProcess, replicas: list[Container]) -> None:
    load = await load_during(proxy, replicas[0].stop, "docker stop of one of three")
    assert_none_lost(load, proxy)


async def test_none_is_lost_while_a_replica_is_killed(proxy: ProxyProcess, replicas: list[Container]) -> None:
    load = await load_during(proxy, replicas[0].kill, "docker kill of one of three")
    assert_none_lost(load, proxy)


@pytest.mark.docker_only("it tells too late: by then the replica is benched")
async def test_none_is_lost_while_a_replica_restarts(proxy: ProxyProcess, replicas: list[Container]) -> None:
    def restart() -> None:
        replicas[0].restart()
        proxy.wait_until_answering(ROUTE, *replicas)

    load = await load_during(proxy, restart, "docker restart of one of three")
    assert_none_lost(load, proxy)


async def test_none_is_lost_while_all_replicas_are_replaced_one_by_one(
    proxy: ProxyProcess, containers: Containers
) -> None:
    old = [host_networked(containers) for _ in range(REPLICAS)]
    proxy.wait_until_answering(ROUTE, *old)

    def replace_all() -> None:
        new = []
        for container in old:
            new.append(host_networked(containers))
            container.stop()
            container.remove()
        proxy.wait_until_answering(ROUTE, *new)

    load = await load_during(proxy, replace_all, "rolling replacement of three")
    assert_none_lost(load, proxy)
    assert len(load.answered_by) >= REPLICAS


async def test_none_is_lost_while_the_only_replica_is_recreated(proxy: ProxyProcess, containers: Containers) -> None:
    only = host_networked(containers)
    proxy.wait_until_answering(ROUTE, only)

    def recreate() -> None:
        only.stop()
        only.remove()
        proxy.wait_until_answering(ROUTE, host_networked(containers))

    load = await load_during(proxy, recreate, "force-recreate of a single replica")
    assert_none_lost(load, proxy)
    route = proxy.route(ROUTE)
    assert route is not None
    # Where the engine tells late, those that come in between are refused, and tried again.
    assert route["held"] + route["retries"] > 0, "requests came while there was no replica"
