"""Container: the state and the life of one container. It emits no events; it tells its owner when it dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import StrEnum

from dockerproxy.demo.containers.networks import Endpoint, new_id
from dockerproxy.demo.containers.servers import Server, server_for
from dockerproxy.demo.containers.signals import KILL, POLITE_ENDS, signal_number
from dockerproxy.demo.spec import ContainerSpec, Health
from dockerproxy.tasks import Tasks

# Exit code of a process that SIGKILL ended: 128 + the signal.
KILLED = 128 + KILL


class State(StrEnum):
    """As in the `State` of a list entry."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    EXITED = "exited"


class Container:
    """One container. Times are nanoseconds since the epoch, 0 for never."""

    def __init__(self, spec: ContainerSpec, tasks: Tasks, on_death: Callable[[Container], None]) -> None:
        self.spec = spec
        self.id = new_id()
        self.name = spec.name
        self.endpoints: dict[str, Endpoint] = {}
        self.health = spec.health
        self.state = State.CREATED
        self.created_ns = time.time_ns()
        self.started_ns = 0
        self.finished_ns = 0
        self.exit_code = 0
        self.address: tuple[str, int] | None = None
        self.stop_signal = signal_number(spec.stop_signal)
        self._tasks = tasks
        self._on_death = on_death
        self._server: Server | None = None
        self._ending = False
        self._starting = asyncio.Lock()
        self._dead = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Container {self.name} {self.id[:12]} {self.state} {self.health} at {self.address}>"

    @property
    def running(self) -> bool:
        """Whether it has a process: a paused one has."""
        return self._server is not None

    @property
    def in_flight(self) -> int:
        """Requests that it is answering now."""
        return self._server.in_flight if self._server else 0

    async def start(self) -> bool:
        """Run; False if it ran already. Raises OSError when no port is to be had."""
        async with self._starting:
            if self.running:
                return False
            server = server_for(self.spec, lambda: self.name)
            self.address = await server.open()
            self._server = server
        self._ending = False
        self._dead.clear()
        self.state, self.started_ns = State.RUNNING, time.time_ns()
        self.exit_code = 0
        # Docker sets `starting` at each start; what follows is said by whoever probes.
        self.health = Health.NONE if self.spec.health is Health.NONE else Health.STARTING
        return True

    def signal(self, number: int) -> None:
        """Do what the application does on this signal: die, finish, or nothing."""
        if number == KILL:
            self.abort()
        elif number in POLITE_ENDS or number == self.stop_signal:
            self._terminate()

    def abort(self) -> None:
        """Die at once: connections are dropped."""
        if self._server is not None:
            self._server.abort()
            self._die(KILLED)

    async def wait_dead(self, timeout: float | None) -> bool:
        """Wait until it has died, at most `timeout` seconds (None: for ever); whether it has."""
        try:
            async with asyncio.timeout(timeout):
                await self._dead.wait()
        except TimeoutError:
            return False
        return True

    def pause(self) -> None:
        if self._server is not None:
            self._server.pause()
            self.state = State.PAUSED

    def resume(self) -> None:
        if self._server is not None:
            self._server.resume()
            self.state = State.RUNNING

    def _terminate(self) -> None:
        if self._server is None or self._ending or self.spec.stubborn:
            return
        self._ending = True
        self._tasks.start(self._finish(self._server), name=f"{self.name} finishes")

    async def _finish(self, server: Server) -> None:
        await server.finish()
        # It may have been killed, and even started again, while it finished.
        if self._server is server:
            self._die(0)

    def _die(self, exit_code: int) -> None:
        self._server = None
        self.state, self.exit_code = State.EXITED, exit_code
        self.finished_ns = time.time_ns()
        self._dead.set()
        self._on_death(self)
