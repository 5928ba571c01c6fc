"""PodmanEngine: the suite's Podman, as the service that speaks Docker's API; and its health checks.

Podman has systemd run them by timers. Where there is none, as in these tests, nobody runs them; so a thread does what
the timers would do: it asks Podman to run each check at its interval.
"""

from __future__ import annotations

import contextlib
import os
import resource
import threading
import time
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException

from tests.support.engines.rooted import RootedEngine

LOOK = 0.1  # seconds between two looks at who is due
SOCKET_MODE = 0o660  # as the socket unit of Podman's package has it
DEFAULT_INTERVAL = 30.0  # seconds; Podman's own
LIMITS = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}

# Everything that it writes is in our folder. A limit of processes needs a controller that the second version of control
# groups may lack here; and its own limits of files and processes may be more than this machine grants.
_CONFIGURATION = """
[containers]
pids_limit = 0
default_ulimits = [{limits}]
[network]
network_config_dir = "{folder}/networks"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class PodmanEngine(RootedEngine):
    """The suite's Podman, rootful; its containers never end with it."""

    containers_may_end_with_it = False

    def __init__(self, root: Path) -> None:
        # Its service rearranges the root of the control groups.
        super().__init__(root, group=True)
        self._configuration = self.folder / "containers.conf"
        text = _CONFIGURATION.format(folder=self.folder, limits=", ".join(map(_granted, LIMITS)))
        self._configuration.write_text(text, encoding="utf-8")
        self._timers: Timers | None = None

    def start(self) -> None:
        super().start()
        os.chmod(self.host.removeprefix("unix://"), SOCKET_MODE)
        self._timers = Timers(self.client())

    def stop(self) -> None:
        if self._timers is not None:
            self._timers.close()
            self._timers = None
        super().stop()

    def podman(self, *arguments: str) -> list[str]:
        """The command line of Podman for this engine's containers."""
        places = ("--root", f"{self.folder}/data", "--runroot", f"{self.folder}/run", "--tmpdir", f"{self.folder}/tmp")
        return self.stage.command("env", f"CONTAINERS_CONF={self._configuration}", "podman", *places, *arguments)

    def _command(self) -> list[str]:
        return self.podman("system", "service", "--time=0", self.host)


def _granted(name: str) -> str:
    """A limit as the configuration has it: what this process may have at most."""
    _, most = resource.getrlimit(LIMITS[name])
    return f'"{name}={most}:{most}"'


class Timers:
    """A thread that runs the health checks of all running containers, each at its interval."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client
        self._intervals: dict[str, float] = {}  # container -> seconds, 0 without a check
        self._due: dict[str, float] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="podman-timers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; a check that runs is waited for."""
        self._closing.set()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        while not self._closing.wait(LOOK):
            with contextlib.suppress(DockerException, OSError):  # a container may go, and the engine be busy
                self._check_who_is_due()

    def _check_who_is_due(self) -> None:
        now = time.monotonic()
        for listed in self._client.api.containers():
            container = listed["Id"]
            interval = self._interval(container)
            if interval and now >= self._due.setdefault(container, now + interval):
                self._due[container] = now + interval
                self._check(container)

    def _interval(self, container: str) -> float:
        if container not in self._intervals:
            found: dict[str, Any] = self._client.api.inspect_container(container)["Config"].get("Healthcheck") or {}
            told = (found.get("Interval") or 0) / 1e9 or DEFAULT_INTERVAL
            self._intervals[container] = told if found.get("Test", ["NONE"])[0] != "NONE" else 0.0
        return self._intervals[container]

    def _check(self, container: str) -> None:
        """Run it once, by Podman's own API: Docker's has no such call."""
        base = self._client.api.base_url
        self._client.api.get(f"{base}/v5.0.0/libpod/containers/{container}/healthcheck", timeout=60)
