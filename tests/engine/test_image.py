"""The image, as a user runs it: not root, a read-only root filesystem, no capabilities, healthy, and gone in time."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container

from tests.engine.conftest import Wait
from tests.engine.containers import HEALTH_INTERVAL, Containers
from tests.engine.images import ProxyImage
from tests.engine.proxy_process import ADMIN_HOST, Answer, fetch

PORT = 9000
STOP_TIMEOUT = 20  # seconds until the engine kills; a proxy without any request in flight is gone long before


@pytest.fixture(scope="module")
def running(docker_client: docker.DockerClient, proxy_image: ProxyImage, is_podman: bool) -> Iterator[Container]:
    """A proxy in a container, as confined as docker-compose.yml confines it; its arguments say where it listens."""
    if is_podman:
        pytest.skip("Podman: what it builds by Docker's API has no health check")
    factory = Containers(docker_client, proxy_image.tag)
    yield factory.run(
        "proxy",
        labels={},
        command=["run", "--listen", f":{PORT}"],
        ports={f"{PORT}/tcp": ("127.0.0.1", None)},
        volumes={proxy_image.socket: {"bind": "/var/run/docker.sock", "mode": "ro"}},
        group_add=[proxy_image.group],
        environment={
            "DOCKERPROXY_ADMIN_ACCESS": "open",
            "DOCKERPROXY_DEFINE_MIDDLEWARES__SLOW__USE": "rate_limit",
            "DOCKERPROXY_DEFINE_MIDDLEWARES__SLOW__RATE": "1000/s",
        },
        read_only=True,
        tmpfs={"/tmp": ""},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        # The image's own check, only more often.
        healthcheck={"interval": HEALTH_INTERVAL, "timeout": 50 * HEALTH_INTERVAL},
    )
    factory.remove_all()


def ask(container: Container, host: str, path: str) -> Answer | None:
    """One request through the published port, or None while nothing answers there."""
    container.reload()
    bindings = container.ports.get(f"{PORT}/tcp")
    if not bindings:
        return None
    try:
        return fetch(int(bindings[0]["HostPort"]), host, path)
    except OSError:
        return None


def test_it_becomes_healthy(running: Container, wait: Wait) -> None:
    def healthy() -> bool:
        running.reload()
        return bool(running.attrs["State"]["Health"]["Status"] == "healthy")

    wait(healthy, lambda: f"healthy; {running.attrs['State']['Health']}; {running.logs().decode()}")


def test_it_is_not_root(running: Container) -> None:
    _, output = running.exec_run(["id", "-u"])
    assert output == b"10001\n"


def test_it_hears_the_engine_through_the_mounted_socket(running: Container, wait: Wait) -> None:
    def connected() -> bool:
        answer = ask(running, ADMIN_HOST, "/statistics")
        return answer is not None and answer.json()["discovery"]["state"] == "connected"

    wait(connected, lambda: f"connected to the engine; {running.logs().decode()}")


def test_only_the_state_folder_can_be_written(running: Container) -> None:
    refused, _ = running.exec_run(["touch", "/opt/dockerproxy/x"])
    written, _ = running.exec_run(["touch", "/var/lib/dockerproxy/x"])
    assert (refused, written) == (1, 0)


def test_an_unknown_domain_is_answered_with_404(running: Container, wait: Wait) -> None:
    wait(lambda: ask(running, "nobody.localhost", "/") is not None, lambda: "an answer")
    answer = ask(running, "nobody.localhost", "/")
    assert answer is not None
    assert answer.status == 404


def test_an_operator_asks_it_from_within(running: Container, wait: Wait) -> None:
    wait(lambda: running.exec_run(["dockerproxy", "health"]).exit_code == 0, lambda: running.logs().decode())
    for terminal, words in ((False, b'"name": "dockerproxy-statistics"'), (True, b"REQUESTS")):
        code, output = running.exec_run(["dockerproxy", "routes", "--all"], tty=terminal)
        assert code == 0, output
        assert isinstance(output, bytes)
        assert words in output


def test_that_all_clients_have_one_address_is_told_once_something_goes_by_addresses(
    running: Container, containers: Containers, wait: Wait
) -> None:
    def told() -> bool:
        return "slow: go by the client's address, but all clients come through" in running.logs().decode()

    wait(lambda: running.exec_run(["dockerproxy", "health"]).exit_code == 0, lambda: running.logs().decode())
    assert not told()
    containers.run(labels={"dockerproxy.enable": "true", "dockerproxy.middlewares": "slow"})
    wait(told, lambda: f"a warning; {running.logs().decode()}")


def test_it_stops_in_good_order_when_told_to(running: Container) -> None:
    running.stop(timeout=STOP_TIMEOUT)
    # Had the engine killed it, this would be 137.
    assert running.wait()["StatusCode"] == 0, running.logs().decode()
