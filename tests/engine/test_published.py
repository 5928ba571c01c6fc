"""Where container addresses cannot be reached (Docker Desktop): `docker.address: published` goes by published ports."""

from __future__ import annotations

import pytest
from docker.models.containers import Container

from tests.engine.conftest import Launch
from tests.engine.containers import Containers
from tests.engine.proxy_process import address_in
from tests.support.docker_engine import Engine

# The port on this machine is the engine's choice, anew at each start.
ON_LOOPBACK = {"8000/tcp": ("127.0.0.1", None)}


def published_address(container: Container) -> str:
    """Where the engine publishes the container's port now."""
    container.reload()
    published = container.ports["8000/tcp"]
    assert published is not None
    return f"127.0.0.1:{published[0]['HostPort']}"


def test_a_published_port_is_used_and_followed_when_a_restart_changes_it(
    engine: Engine, containers: Containers, launch: Launch
) -> None:
    proxy = launch(docker={"host": engine.host, "address": "published"})
    route = containers.unique("route")
    app = containers.run(labels={"dockerproxy.route": route}, ports=ON_LOOPBACK)
    proxy.wait_until_answering(route, app)
    assert address_in(proxy.statistics(), app) == published_address(app)
    app.restart()
    proxy.wait_for(lambda found: address_in(found, app) == published_address(app), "the new port is used")
    # The engine's own proxy takes connections there some time before the application does.
    proxy.wait_until_answering(route, app)


NOT_ON_PODMAN = pytest.mark.docker_only("it forwards nothing from an address of IPv6 to a container that has none")


@pytest.mark.parametrize("address", ["127.0.0.2", pytest.param("::1", marks=NOT_ON_PODMAN)])
def test_a_port_that_is_bound_to_another_address_is_reached_there(
    engine: Engine, containers: Containers, launch: Launch, address: str
) -> None:
    proxy = launch(docker={"host": engine.host, "address": "published"})
    route = containers.unique("route")
    app = containers.run(labels={"dockerproxy.route": route}, ports={"8000/tcp": (address, None)})
    proxy.wait_until_answering(route, app)
    assert address_in(proxy.statistics(), app).startswith(f"[{address}]:" if ":" in address else f"{address}:")


@pytest.mark.docker_only("its bridges have no such option")
def test_a_port_on_a_routed_network_is_reached_where_the_host_still_has_one(
    engine: Engine, containers: Containers, launch: Launch
) -> None:
    # From Docker 28 on it has no port of the host's IPv4 addresses; older engines do not know the option.
    network = containers.network(options={"com.docker.network.bridge.gateway_mode_ipv4": "routed"})
    proxy = launch(docker={"host": engine.host, "address": "published"})
    route = containers.unique("route")
    app = containers.run(labels={"dockerproxy.route": route}, network=network.name, ports={"8000/tcp": None})
    proxy.wait_until_answering(route, app)


def test_a_container_that_publishes_nothing_is_reported(engine: Engine, containers: Containers, launch: Launch) -> None:
    proxy = launch(docker={"host": engine.host, "address": "published"})
    app = containers.run(labels={"dockerproxy.enable": "true"})
    proxy.wait_for_reason(app, "publish")
