"""EmbeddedEngine: the life of the server: the UNIX socket, up and down, with containers that survive it or not.

What the containers do is `containers`; what is said over the socket is `api`.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from dockerproxy.demo.containers.containers import Containers
from dockerproxy.demo.containers.events import EventLog
from dockerproxy.demo.engine.api import Api
from dockerproxy.demo.paths import check_length
from dockerproxy.demo.spec import ContainerSpec
from dockerproxy.errors import ListenError

# Seconds. What a request may still take when the engine goes down: like a real one, it does not wait long.
SHUTDOWN = 0.1

# Seconds. A live engine accepts on its socket at once.
PROBE = 1.0


class EmbeddedEngine:
    """A Docker Engine API on a UNIX socket, for containers that are web servers in this process.

    `containers` acts on them from Python, exactly as the API does; `events` is the log of what happened.
    """

    def __init__(self, socket_path: str | Path, containers: Iterable[ContainerSpec] = ()) -> None:
        self.socket_path = Path(socket_path)
        self.events = EventLog()
        self.containers = Containers(self.events)
        self._specs = list(containers)
        self._runner: web.AppRunner | None = None

    def __repr__(self) -> str:
        return f"<EmbeddedEngine {self.base_url} {'up' if self._runner else 'down'} {self.containers!r}>"

    @property
    def base_url(self) -> str:
        """What the docker SDK and DOCKER_HOST take: `unix:///…`."""
        return f"unix://{self.socket_path.absolute()}"

    @property
    def up(self) -> bool:
        """Whether it listens on its socket."""
        return self._runner is not None

    async def start(self) -> None:
        """Start the containers (again), then listen. Nothing happens if it is up.

        Raises ListenError if the socket cannot be had, Refusal if a container cannot be made.
        """
        if self._runner is not None:
            return
        self._claim_socket()
        self.events.clear()
        specs, self._specs = self._specs, []
        for spec in specs:
            await self.containers.add(spec)
        await self.containers.bring_up()
        await self._listen()

    async def stop(self, *, keep_containers: bool = False) -> None:
        """Break every stream of events and close the socket; the containers are killed unless they are kept.

        `start` comes back on the same socket with the same containers. As at a real engine, what happened
        before is forgotten: `since` does not bring it back.
        """
        runner, self._runner = self._runner, None
        self.cut_events()
        if runner is not None:
            await runner.cleanup()
            self.socket_path.unlink(missing_ok=True)
        if not keep_containers:
            await self.containers.bring_down()

    def cut_events(self) -> None:
        """Break every open stream of events, in the middle, as a lost connection does."""
        self.events.cut()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _listen(self) -> None:
        app = Api(self.containers, self.events).application()
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=SHUTDOWN)
        await runner.setup()
        try:
            await web.UnixSite(runner, str(self.socket_path)).start()
        except OSError as error:
            await runner.cleanup()
            raise ListenError(f"cannot listen on {self.socket_path}: {error.strerror or error}") from error
        # Whoever can write to the socket rules the containers.
        os.chmod(self.socket_path, stat.S_IRUSR | stat.S_IWUSR)
        self._runner = runner

    def _claim_socket(self) -> None:
        """Clear a socket that a dead engine left behind. Raises ListenError if it is alive or no socket."""
        check_length(self.socket_path)
        if not self.socket_path.exists():
            return
        if not self.socket_path.is_socket():
            raise ListenError(f"cannot listen on {self.socket_path}: it is a file, not a socket: choose another path")
        if _answers(self.socket_path):
            raise ListenError(
                f"cannot listen on {self.socket_path}: an engine is running there already, "
                "perhaps of another demo; stop that one, or choose another path with --socket"
                " (make demo SOCKET=/tmp/second.sock)"
            )
        self.socket_path.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        probe.settimeout(PROBE)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
