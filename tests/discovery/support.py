"""What the tests of discovery share: entries as an engine lists them, and a watcher with its snapshots."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from dockerproxy.discovery import ContainerView, DiscoveryStatus, Snapshot, Watcher
from dockerproxy.discovery.timing import Timing
from dockerproxy.settings import DockerSettings

DEADLINE = 60.0  # seconds until a test gives up waiting; only a fault takes that long


def network(name: str, address: str = "172.18.0.5", *, id_: str = "", gateway: str = "172.18.0.1") -> dict[str, Any]:
    """One item of NetworkSettings.Networks, as API 1.41 writes it."""
    return {
        name: {
            "IPAMConfig": {},
            "Links": None,
            "Aliases": None,
            "NetworkID": id_ or f"id-of-{name}",
            "EndpointID": "e" * 64,
            "Gateway": gateway,
            "IPAddress": address,
            "IPPrefixLen": 16,
            "IPv6Gateway": "",
            "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0,
            "MacAddress": "02:42:ac:12:00:05",
            "DriverOpts": None,
        }
    }


def entry(
    labels: Mapping[str, str],
    *,
    id_: str = "a" * 64,
    name: str = "shop-web-1",
    state: str = "running",
    status: str = "Up 5 minutes",
    ports: list[dict[str, Any]] | None = None,
    networks: Mapping[str, Any] | None = None,
    mode: str = "shop_default",
    created: int = 1_700_000_000,
    **more: Any,
) -> dict[str, Any]:
    """One item of `GET /containers/json?all=1`, as Docker 20.10 (API 1.41) answers it."""
    return {
        "Id": id_,
        "Names": [f"/{name}"],
        "Image": "shop/web:1.4",
        "ImageID": "sha256:" + "0" * 64,
        "Command": "docker-entrypoint.sh serve",
        "Created": created,
        "Ports": [{"PrivatePort": 80, "Type": "tcp"}] if ports is None else ports,
        "Labels": dict(labels),
        "State": state,
        "Status": status,
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"Networks": network("shop_default") if networks is None else networks},
        "Mounts": [],
        **more,
    }


class Watched:
    """A watcher and everything that it has published."""

    def __init__(self, host: str, timing: Timing, **settings: Any) -> None:
        self.status = DiscoveryStatus()
        self.snapshots: list[Snapshot] = []
        self.threads: set[str] = set()
        self.away: list[tuple[bool, int]] = []  # with the number of snapshots that had come before
        self._news = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.watcher = Watcher(
            DockerSettings(host=host, **settings), self._publish, self.status, loop, timing=timing, away=self._tell_away
        )

    def __getitem__(self, name: str) -> ContainerView:
        """The container of that name in the latest snapshot; a blank one, if there is none."""
        views = self.snapshots[-1].containers if self.snapshots else ()
        return next((view for view in views if view.name == name), ContainerView("", name, 0, ""))

    def routed(self) -> set[str]:
        """Names of the containers in rotation, in the latest snapshot."""
        views = self.snapshots[-1].containers if self.snapshots else ()
        return {view.name for view in views if any(wish.upstream.in_rotation for wish in view.wishes)}

    def draining(self) -> set[str]:
        """Names of those that are told to stop."""
        return _draining(self.snapshots[-1]) if self.snapshots else set()

    def drained(self) -> set[str]:
        """Names of those that were told to stop in any snapshot: a loop that is held up may see none for itself."""
        return set().union(*map(_draining, self.snapshots))

    async def sees(self, condition: Callable[[Watched], object]) -> None:
        """Wait until the latest snapshot, or the status, is so."""
        await eventually(lambda: condition(self), lambda: f"{self.snapshots[-1:]} {self.status}")

    def _tell_away(self, away: bool) -> None:
        self.away.append((away, len(self.snapshots)))

    def _publish(self, snapshot: Snapshot) -> None:
        self.threads.add(threading.current_thread().name)
        self.snapshots.append(snapshot)


def _draining(snapshot: Snapshot) -> set[str]:
    return {view.name for view in snapshot.containers if any(wish.upstream.draining for wish in view.wishes)}


@asynccontextmanager
async def watching(host: str, timing: Timing | None = None, **settings: Any) -> AsyncIterator[Watched]:
    """A started watcher, stopped at the end."""
    watched = Watched(host, timing or Timing(), **settings)
    watched.watcher.start()
    try:
        yield watched
    finally:
        # The embedded engine lives in this loop: a request that is under way can only end if the loop runs.
        await asyncio.to_thread(watched.watcher.stop)


async def eventually(condition: Callable[[], object], described: Callable[[], str] = str) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"did not come true: {described()}"
        await asyncio.sleep(0.005)


@contextmanager
def hanging_engine() -> Iterator[str]:
    """A socket that takes connections and never says a word."""
    with tempfile.TemporaryDirectory(prefix="dp") as folder:
        path = Path(folder, "e.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(16)
            yield f"unix://{path}"
