"""A new version takes the place of the old one at a real engine, under load, and no request is lost.

Both have the same host under another name: two containers, or two services of compose. Each test prints its figures.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from tests.engine.conftest import Launch, Wait
from tests.engine.containers import Containers
from tests.engine.load import ENOUGH, Load
from tests.engine.proxy_process import ProxyProcess, free_port
from tests.engine.test_places import next_second
from tests.support.docker_engine import Engine

HOLD = 10.0  # seconds; the default


@pytest.fixture
def proxy(engine: Engine, launch: Launch) -> ProxyProcess:
    """A proxy for one test, so that its figures are that test's own."""
    define = {"zip": {"use": "compress"}}
    started = launch(docker={"host": engine.host, "address": "published"}, define_middlewares=define)
    started.wait_until_connected()
    return started


@pytest.fixture
def host(containers: Containers) -> str:
    return f"{containers.unique('shop')}.localhost"


def version(containers: Containers, name: str, host: str, middlewares: str = "none") -> Container:
    labels = {"dockerproxy.host": host, "dockerproxy.middlewares": middlewares}
    return containers.run(name, labels=labels, ports={"8000/tcp": ("127.0.0.1", None)})


async def load_during(proxy: ProxyProcess, host: str, step: Callable[[], None], title: str) -> Load:
    load = Load(proxy.port, host)
    await load.during(asyncio.to_thread(step))
    print(f"\n{title}: {load}; {dict(load.answered_by)}")
    return load


def assert_handed_over(load: Load, proxy: ProxyProcess) -> None:
    assert load.requests >= ENOUGH
    assert not load.failures, f"{load}\n" + "\n".join(load.failures[:10]) + "\n" + proxy.log[-3000:]
    assert load.slowest < HOLD / 2, f"{load}\n" + proxy.log[-3000:]


@pytest.mark.parametrize(
    ("how", "middlewares"), [("stop", "none"), ("rm -f", "none"), ("kill", "none"), ("stop", "zip")]
)
async def test_the_new_version_has_the_place_when_the_old_one_is_ended_by_hand(
    proxy: ProxyProcess, containers: Containers, host: str, wait: Wait, how: str, middlewares: str
) -> None:
    old = version(containers, "v1", host, middlewares)
    proxy.wait_until_answering(str(old.name), old, host=host)
    next_second(wait)
    new = version(containers, "v2", host, middlewares)
    proxy.wait_for_reason(new, host, str(old.name))

    def end() -> None:
        {"stop": old.stop, "rm -f": lambda: containers.remove(old), "kill": old.kill}[how]()
        proxy.wait_until_answering(str(new.name), new, host=host)

    load = await load_during(proxy, host, end, f"v2 beside v1, docker {how} v1")
    assert_handed_over(load, proxy)
    assert new.name in load.answered_by


@pytest.mark.docker_only("it tells of a stop when the application has ended, and the only one is missed meanwhile")
async def test_a_restart_of_the_old_version_keeps_its_place_under_load(
    proxy: ProxyProcess, containers: Containers, host: str, wait: Wait
) -> None:
    old = version(containers, "v1", host)
    proxy.wait_until_answering(str(old.name), old, host=host)
    next_second(wait)
    new = version(containers, "v2", host)
    proxy.wait_for_reason(new, host, str(old.name))

    def restart() -> None:
        old.restart()
        proxy.wait_until_answering(str(old.name), old, host=host)

    load = await load_during(proxy, host, restart, "docker restart v1 beside v2")
    assert not load.failures, "\n".join(load.failures[:10])
    assert set(load.answered_by) == {old.name}, proxy.log[-3000:]


class Renamed:
    """A compose project of one service, whose name changes."""

    def __init__(self, client: docker.DockerClient, engine: Engine, folder: Path, image: str, host: str) -> None:
        self.client = client
        self.project = f"dprenamed{os.getpid()}"
        self._folder = folder
        self._image = image
        self._host = host
        self._ports: dict[str, int] = {}
        self._command = engine.compose(folder)
        self._environment = {**os.environ, "DOCKER_HOST": engine.host, "COMPOSE_PROJECT_NAME": self.project}

    def up(self, *services: str, arguments: tuple[str, ...] = ()) -> None:
        made = {
            service: {
                "image": self._image,
                "environment": {"NAME": service},
                "ports": [f"127.0.0.1:{self._ports.setdefault(service, free_port())}:8000"],
                "labels": {"dockerproxy.host": self._host},
            }
            for service in services
        }
        file = self._folder / "docker-compose.yml"
        file.write_text(json.dumps({"version": "3", "services": made}), encoding="utf-8")  # JSON is YAML
        self._run("up", "-d", *arguments)

    def down(self) -> None:
        self._run("down", "--remove-orphans", "-t", "1")

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            [*self._command, *arguments], cwd=self._folder, env=self._environment, check=False, capture_output=True,
            text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def renamed(
    docker_client: docker.DockerClient, engine: Engine, tmp_path: Path, containers: Containers, host: str
) -> Iterator[Renamed]:
    project = Renamed(docker_client, engine, tmp_path, containers.image, host)
    yield project
    project.down()


def answered_by(proxy: ProxyProcess, host: str, name: str) -> Callable[[object], bool]:
    def answers(_: object) -> bool:
        answer = proxy.get(host)
        return answer.status == 200 and answer.container == name

    return answers


@pytest.mark.docker_only("it tells of a stop when the application has ended, and the only one is missed meanwhile")
@pytest.mark.parametrize("arguments", [(), ("--remove-orphans",)])
async def test_a_service_that_was_given_another_name_has_the_place(
    proxy: ProxyProcess, renamed: Renamed, host: str, wait: Wait, arguments: tuple[str, ...]
) -> None:
    renamed.up("web")
    proxy.wait_for(answered_by(proxy, host, "web"), "web answers")
    next_second(wait)

    def rename() -> None:
        renamed.up("site", arguments=arguments)
        if not arguments:
            renamed.up("site", arguments=("--remove-orphans",))
        proxy.wait_for(answered_by(proxy, host, "site"), "site answers")

    load = await load_during(proxy, host, rename, f"docker compose up {' '.join(arguments)} with a renamed service")
    assert_handed_over(load, proxy)


@pytest.mark.docker_only("it tells of a stop when the application has ended, and the only one is missed meanwhile")
async def test_a_service_that_compose_recreates_keeps_its_place(
    proxy: ProxyProcess, renamed: Renamed, host: str, wait: Wait
) -> None:
    renamed.up("web")
    proxy.wait_for(answered_by(proxy, host, "web"), "web answers")
    next_second(wait)
    renamed.up("web", "site")

    load = await load_during(
        proxy, host, lambda: renamed.up("web", "site", arguments=("--force-recreate", "--no-deps", "web")), "recreation"
    )
    assert not load.failures, "\n".join(load.failures[:10])
    assert set(load.answered_by) == {"web"}, proxy.log[-3000:]
