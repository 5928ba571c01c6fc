"""ProxyProcess: the proxy as a user runs it, `python -m dockerproxy run`, and what a user can see of it.

It knows the command line, the settings file, HTTP and the statistics page; nothing of the package's inside.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from docker.models.containers import Container

from tests.support.forked import dockerproxy

Statistics = dict[str, Any]

DEADLINE = 60.0  # seconds; only a fault takes that long, even on a machine that is busy with other things
STOP_DEADLINE = 40.0  # seconds; above the proxy's own grace of 30
POLL = 0.02  # seconds between two looks
ADMIN_HOST = "root.localhost"
LOG_LINES_SHOWN = 40


@dataclass(frozen=True)
class Answer:
    """A whole answer, as the client got it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def container(self) -> str:
        """The name of the container that answered; the test application puts it into each answer."""
        assert self.status == 200, f"status {self.status}: {self.body[:300]!r}"
        return str(self.json()["container"])


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(
    port: int, host: str, path: str = "/", *, method: str = "GET", body: bytes | None = None, token: str = "",
    user: str = "",
) -> Answer:  # fmt: skip
    """One request to 127.0.0.1:`port` for `host`, on a connection of its own; as whoever bears `token`, or `user` as in
    `ann:password`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    with contextlib.closing(connection):
        fields = {"Host": host, **({"Authorization": f"Bearer {token}"} if token else {})}
        if user:
            fields["Authorization"] = f"Basic {b64encode(user.encode()).decode()}"
        connection.request(method, path, body=body, headers=fields)
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


@dataclass
class ProxyProcess:
    """One proxy on 127.0.0.1:`port`.

    settings: what stands in its settings file, beside `listen` and `state_dir`
    folder:   where its settings, its state and its log are
    token:    its admin token, or ""
    """

    folder: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    token: str = ""

    def start(self) -> None:
        """Start it and wait until it answers for its statistics."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {"listen": [f"127.0.0.1:{self.port}"], "state_dir": str(self.folder / "state"), **self.settings}
        config = self.folder / "dockerproxy.yaml"
        config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("DOCKERPROXY_", "DOCKER_"))}
        command = [*dockerproxy(), "run", "--config", str(config)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self.wait_for(lambda statistics: bool(statistics), "the proxy answers")

    def stop(self) -> int:
        """SIGTERM; its exit code. A proxy that outlives its grace is killed, and that is an error."""
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def pause(self) -> None:
        """Let it neither run nor hear anything until `resume`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTSTP)

    def resume(self) -> None:
        """End a pause."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    @property
    def log(self) -> str:
        """Everything it wrote; nothing of one that was started in another way."""
        file = self.folder / "log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def get(self, host: str, path: str = "/") -> Answer:
        """One GET for `host`."""
        return fetch(self.port, host, path)

    def statistics(self) -> Statistics:
        """What `GET /statistics` shows."""
        answer = fetch(self.port, ADMIN_HOST, "/statistics", token=self.token)
        assert answer.status == 200, f"statistics: {answer.status} {answer.body!r}"
        return dict(answer.json())

    def route(self, name: str) -> dict[str, Any] | None:
        """The route in the statistics, or None."""
        return route_in(self.statistics(), name)

    def wait_for(self, predicate: Callable[[Statistics], bool], what: str, deadline: float = DEADLINE) -> Statistics:
        """The first statistics for which `predicate` holds. Fails, telling what was awaited and what was there."""
        until = time.monotonic() + deadline
        last: Statistics = {}
        while time.monotonic() < until:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"the proxy ended with {self.process.returncode}:\n{self._log_end()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                last = self.statistics()
                if predicate(last):
                    return last
            time.sleep(POLL)
        raise AssertionError(f"waited {deadline:g} s until {what}\n{_shown(last)}\n{self._log_end()}")

    def wait_until_connected(self) -> Statistics:
        """Until discovery hears the engine and has listed its containers."""
        return self.wait_for(_connected, "discovery is connected")

    def wait_for_upstreams(self, route: str, *containers: Container) -> None:
        """Until exactly these containers, by name, are up for the route."""
        expected = sorted(str(container.name) for container in containers)
        self.wait_for(lambda found: up_in(found, route) == expected, f"{route} is answered by {expected}")

    def wait_until_answering(self, route: str, *containers: Container, host: str = "") -> None:
        """Until exactly these containers are up for the route, and each has answered at `host`, or <route>.localhost.

        A container is up some time before the application in it listens.
        """
        self.wait_for_upstreams(route, *containers)
        missing = {container.name for container in containers}

        def nobody_is_missing(_: Statistics) -> bool:
            answer = self.get(host or f"{route}.localhost")
            if answer.status == 200:
                missing.discard(answer.container)
            return not missing

        self.wait_for(nobody_is_missing, f"{missing} have answered")

    def wait_for_reason(self, container: Container, *words: str) -> str:
        """The reasons given for a container, joined, once they contain all these words."""

        def told(statistics: Statistics) -> bool:
            return all(word in reasons_in(statistics, container) for word in words)

        return reasons_in(self.wait_for(told, f"{words} is told of {container}"), container)

    def _log_end(self) -> str:
        return "\n".join(self.log.splitlines()[-LOG_LINES_SHOWN:])


def route_in(statistics: Statistics, name: str) -> dict[str, Any] | None:
    """The route of that name, or None."""
    return next((route for route in statistics["routes"] if route["name"] == name), None)


def up_in(statistics: Statistics, route: str) -> list[str]:
    """Names of the upstreams of the route that are neither draining nor benched, sorted."""
    found = route_in(statistics, route)
    upstreams = found["upstreams"] if found else []
    return sorted(upstream["name"] for upstream in upstreams if upstream["state"] in ("up", "probation"))


def container_in(statistics: Statistics, container: Container) -> dict[str, Any] | None:
    """What discovery says of the container, or None."""
    containers = statistics["discovery"]["containers"]
    return next((found for found in containers if found["name"] == container.name), None)


def reasons_in(statistics: Statistics, container: Container) -> str:
    """Why the container is not routed or what was wrong with its labels, in one string."""
    found = container_in(statistics, container)
    return "\n".join(found["reasons"]) if found else ""


def address_in(statistics: Statistics, container: Container) -> str:
    """Where the proxy reaches the container, as `host:port`, or ""."""
    found = container_in(statistics, container)
    return str(found["address"]) if found else ""


def _shown(statistics: Statistics) -> str:
    """Statistics for a person who looks for what went wrong: one line for each route and container."""
    if not statistics:
        return "no statistics"
    lines = [*statistics["discovery"].pop("containers"), statistics["discovery"], *statistics["routes"]]
    return "\n".join(json.dumps(line) for line in lines)


def _connected(statistics: Statistics) -> bool:
    discovery = statistics["discovery"]
    return discovery["state"] == "connected" and discovery["last_sync_at"] is not None
