"""Project: one `docker compose up` of this repository's docker-compose.yml, under a name and on a port of its own."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import docker
from docker.models.containers import Container

from tests.engine.images import REPOSITORY_ROOT, ProxyImage
from tests.engine.proxy_process import ADMIN_HOST, DEADLINE, POLL, ProxyProcess, free_port
from tests.support.docker_engine import Engine


class Project:
    """What compose runs, and the proxy among it.

    proxy: asks the proxy in the container through its published port; it is never started as a process
    """

    def __init__(self, client: docker.DockerClient, engine: Engine, image: ProxyImage, folder: Path) -> None:
        self.client = client
        self.name = f"dpt{os.getpid()}"
        self.proxy = ProxyProcess(folder, port=free_port())
        self._command = engine.compose(REPOSITORY_ROOT)
        self._environment = {
            **os.environ,
            "DOCKER_HOST": engine.host,
            "COMPOSE_PROJECT_NAME": self.name,
            "DOCKERPROXY_IMAGE": image.tag,
            "DOCKERPROXY_PUBLISH": f"127.0.0.1:{self.proxy.port}",
            "DOCKER_SOCKET": image.socket,
            "DOCKER_GID": image.group,
        }

    def run(self, *arguments: str) -> str:
        """Run compose in the repository's root; its output. Fails with that output."""
        command = [*self._command, *arguments]
        done = subprocess.run(
            command, cwd=REPOSITORY_ROOT, env=self._environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def log_in(self) -> None:
        """From now on the proxy, which has just been started, is asked with the token that it has made."""
        end = time.monotonic() + DEADLINE
        while not self._answers():
            assert time.monotonic() < end, self.run("logs", "proxy")
            time.sleep(POLL)
        self.proxy.token = self.run("exec", "-T", "proxy", "dockerproxy", "token").strip()

    def _answers(self) -> bool:
        try:
            return self.proxy.get(ADMIN_HOST, "/health").status == 200
        except OSError:
            return False

    def containers(self, service: str) -> list[Container]:
        """The running and stopped containers of a service."""
        labels = [f"com.docker.compose.project={self.name}", f"com.docker.compose.service={service}"]
        return list(self.client.containers.list(all=True, filters={"label": labels}))
