"""At a real engine: who has a place keeps it through restarts, and two projects part as their labels do."""

from __future__ import annotations

import time

from docker.models.containers import Container

from tests.engine.conftest import Wait
from tests.engine.containers import Containers
from tests.engine.proxy_process import ProxyProcess


def next_second(wait: Wait) -> None:
    """The engine's list tells whole seconds only; within one of them nobody is the older."""
    second = int(time.time())
    wait(lambda: int(time.time()) > second, lambda: "the next second")


def wait_until_known(proxy: ProxyProcess, host: str) -> None:
    proxy.wait_for(lambda _: proxy.get(host).status == 200, f"{host} is known")


def test_a_refused_container_has_the_domain_while_the_other_is_gone_and_no_longer(
    proxy: ProxyProcess, containers: Containers, wait: Wait
) -> None:
    host = f"{containers.unique('shop')}.localhost"
    labels = {"dockerproxy.host": host}
    owner = containers.run("owner", labels=labels)
    proxy.wait_for_upstreams(str(owner.name), owner)
    next_second(wait)
    squatter = containers.run("squatter", labels=labels)
    proxy.wait_for_reason(squatter, host, str(owner.name))

    owner.restart(timeout=1)
    assert proxy.get(host).container == owner.name
    owner.pause()
    proxy.wait_for_upstreams(str(owner.name))
    owner.unpause()
    assert proxy.get(host).container == owner.name
    assert f"{owner.name}: route removed" not in proxy.log
    assert f"{squatter.name}: new route" not in proxy.log

    containers.remove(owner)
    proxy.wait_until_answering(str(squatter.name), squatter, host=host)
    next_second(wait)
    new = containers.run(name=owner.name, labels=labels)
    proxy.wait_until_answering(str(owner.name), new, host=host)
    proxy.wait_for_reason(squatter, host, str(owner.name))


def test_two_projects_that_shared_a_route_are_each_where_their_new_labels_say(
    proxy: ProxyProcess, containers: Containers
) -> None:
    service = containers.unique("service")

    def run(project: str, name: str | None = None, **labels: str) -> Container:
        compose = {"com.docker.compose.project": project, "com.docker.compose.service": service}
        said = {f"dockerproxy.{option}": value for option, value in labels.items()}
        return containers.run(project, name=name, labels={**compose, **said})

    projects = {project: run(project, enable="true") for project in ("pa", "pb")}
    proxy.wait_for_upstreams(service, *projects.values())
    for project, container in projects.items():
        containers.remove(container)
        run(project, name=container.name, host=f"{project}.{service}.localhost")
    for project, container in projects.items():
        wait_until_known(proxy, f"{project}.{service}.localhost")
        assert [proxy.get(f"{project}.{service}.localhost").container for _ in range(4)] == [container.name] * 4
