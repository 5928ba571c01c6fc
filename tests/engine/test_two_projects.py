"""examples/two-projects, as its README tells to run it: a mounted folder, a password, an external network."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.engine.images import REPOSITORY_ROOT, ProxyImage
from tests.engine.proxy_process import ADMIN_HOST, DEADLINE, POLL, ProxyProcess, fetch, free_port
from tests.support.docker_engine import Engine

EXAMPLE = REPOSITORY_ROOT / "examples" / "two-projects"


class Example:
    """The three projects."""

    def __init__(self, engine: Engine, image: ProxyImage, folder: Path) -> None:
        self.folder = folder
        self.proxy = ProxyProcess(folder, port=free_port())
        self._engine = engine
        self._environment = {
            **os.environ,
            "DOCKER_HOST": engine.host,
            "DOCKERPROXY_IMAGE": image.tag,
            "DOCKERPROXY_PUBLISH": f"127.0.0.1:{self.proxy.port}",
            "DOCKER_SOCKET": image.socket,
            "DOCKER_GID": image.group,
        }

    def compose(self, project: str, *arguments: str) -> str:
        command = [*self._engine.compose(self.folder / project), *arguments]
        done = subprocess.run(
            command, cwd=self.folder / project, env=self._environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def example(
    engine: Engine, docker_client: docker.DockerClient, proxy_image: ProxyImage, tmp_path: Path
) -> Iterator[Example]:
    shutil.copytree(EXAMPLE, tmp_path / "example")
    example = Example(engine, proxy_image, tmp_path / "example")
    users = subprocess.run(
        [sys.executable, "-m", "dockerproxy", "password", "ann"], cwd=REPOSITORY_ROOT,
        input="correct horse\n", capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    (example.folder / "proxy" / "settings" / "users").write_text(users)
    network = docker_client.networks.create("front", check_duplicate=True)
    try:
        for project, scale in (("proxy", ()), ("shop", ("--scale", "web=2")), ("wiki", ())):
            example.compose(project, "up", "-d", *scale)
        yield example
    finally:
        for project in ("wiki", "shop", "proxy"):
            example.compose(project, "down", "-v")
        network.remove()


def until_healthy(proxy: ProxyProcess) -> None:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if proxy.get(ADMIN_HOST, "/health").status == 200:
                return
        time.sleep(POLL)
    raise AssertionError("the proxy does not answer")


def test_the_example_is_what_its_readme_says(example: Example) -> None:
    proxy = example.proxy
    until_healthy(proxy)
    proxy.token = example.compose("proxy", "exec", "-T", "proxy", "dockerproxy", "token").strip()
    proxy.wait_for(
        lambda statistics: {"shop", "shop-api", "wiki"} <= {route["name"] for route in statistics["routes"]},
        "the routes of both projects are there",
    )
    containers = {proxy.get("shop.localhost").body for _ in range(4)}
    assert len(containers) == 2
    redirect = fetch(proxy.port, "shop.localhost", "/api")
    assert (redirect.status, redirect.headers["location"]) == (308, "/api/")
    assert b"api" in fetch(proxy.port, "shop.localhost", "/api/").body
    assert fetch(proxy.port, "wiki.localhost", "/").status == 401
    assert fetch(proxy.port, "wiki.localhost", "/", user="ann:correct horse").status == 200
    assert fetch(proxy.port, ADMIN_HOST, "/statistics").status == 401

    settings = example.folder / "proxy" / "settings" / "dockerproxy.yaml"
    replaced = settings.with_suffix(".new")  # as editors do
    replaced.write_text(
        settings.read_text() + 'routes: [{name: nas, host: nas.localhost, upstreams: ["http://store:1"]}]\n'
    )
    replaced.replace(settings)
    example.compose("proxy", "kill", "-s", "HUP", "proxy")
    proxy.wait_for(
        lambda statistics: "nas" in {route["name"] for route in statistics["routes"]}, "the new settings are in force"
    )
