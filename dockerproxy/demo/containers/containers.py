"""Containers: all containers and networks of the embedded engine, and every act on them.

The only emitter of events. Each act emits what Docker 20.10 emits, in its order: stop is kill, die, (network)
disconnect, stop; restart is that, then connect, start, restart. Acts raise Refusal with Docker's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockerproxy.demo.containers.container import Container, State
from dockerproxy.demo.containers.events import EventLog
from dockerproxy.demo.containers.networks import Endpoint, Network, Networks
from dockerproxy.demo.containers.signals import KILL, signal_number
from dockerproxy.demo.refusals import (
    AlreadySo,
    BadParameter,
    Conflict,
    NotAllowed,
    NotFound,
    WrongState,
    name_taken,
    no_such_container,
    not_running,
)
from dockerproxy.demo.spec import NUMBER_LABEL, ContainerSpec, Health
from dockerproxy.tasks import Tasks

# Seconds. Docker's default between the stop signal and SIGKILL.
STOP_TIMEOUT = 10.0

# Replicas of one service. A slip of the finger must not use up the machine's ports.
MOST_REPLICAS = 1000

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


class Containers:
    """All containers, in the order in which they were added. References are names, ids or beginnings of ids."""

    def __init__(self, events: EventLog) -> None:
        self.networks = Networks()
        self._events = events
        self._by_id: dict[str, Container] = {}
        self._by_name: dict[str, Container] = {}
        self._templates: dict[str, ContainerSpec] = {}
        self._resuming: list[Container] = []
        self._tasks = Tasks("embedded engine's containers")

    def __repr__(self) -> str:
        running = sum(container.running for container in self)
        return f"<Containers: {len(self)}, {running} running>"

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Container]:
        return iter(list(self._by_id.values()))

    def find(self, reference: str) -> Container:
        """By id, name or beginning of an id. Raises NotFound, BadParameter if several ids begin so."""
        name = reference.removeprefix("/")
        exact = self._by_id.get(reference) or self._by_name.get(name)
        if exact is not None:
            return exact
        found = [container for container in self if reference and container.id.startswith(reference)]
        if len(found) > 1:
            raise BadParameter(f"Multiple IDs found with provided prefix: {reference}")
        if not found:
            raise no_such_container(reference)
        return found[0]

    async def add(self, spec: ContainerSpec) -> Container:
        """Create a container and, unless the spec says otherwise, start it. Raises Conflict if the name is taken."""
        self._check_name(spec.name)
        container = Container(spec, self._tasks, self._died)
        for name in spec.networks:
            container.endpoints[name] = Endpoint(self.networks.ensure(name), self._aliases(container))
        self._by_id[container.id] = self._by_name[spec.name] = container
        if spec.service is not None:
            self._templates.setdefault(spec.service, spec)
        self._emit(container, "create")
        if spec.running:
            await self.start(container.id)
        return container

    async def start(self, reference: str) -> None:
        """Start a container that does not run. Raises AlreadySo, Conflict if it is paused."""
        container = self.find(reference)
        if container.state is State.PAUSED:
            raise Conflict("cannot start a paused container, try unpause instead")
        if not await container.start():
            raise AlreadySo(f"{container.name} is running already")
        for endpoint in container.endpoints.values():
            self._emit_network(container, endpoint.network, "connect")
        self._emit(container, "start")
        if container.spec.health in (Health.HEALTHY, Health.UNHEALTHY):
            self.set_health(container.id, container.spec.health)

    async def stop(self, reference: str, timeout: float | None = STOP_TIMEOUT) -> None:
        """Send the stop signal, wait `timeout` seconds (None: for ever), then SIGKILL. Raises AlreadySo."""
        container = self.find(reference)
        if not container.running:
            raise AlreadySo(f"{container.name} is stopped already")
        self._signal(container, container.stop_signal)
        if not await container.wait_dead(timeout):
            self._signal(container, KILL)
        self._emit(container, "stop")

    async def kill(self, reference: str, signal: str = "SIGKILL") -> None:
        """Send a signal; does not wait for what the application makes of it. Raises Conflict, BadParameter."""
        number = signal_number(signal)
        container = self.find(reference)
        if not container.running:
            raise Conflict(f"Cannot kill container: {reference}: {not_running(container.id)}")
        self._signal(container, number)

    async def restart(self, reference: str, timeout: float | None = STOP_TIMEOUT) -> None:
        """Stop the container if it runs, and start it: the id stays, the port may change."""
        container = self.find(reference)
        if container.running:
            await self.stop(container.id, timeout)
        await self.start(container.id)
        self._emit(container, "restart")

    async def pause(self, reference: str) -> None:
        """Freeze: connections are accepted, nothing is answered. Raises Conflict."""
        container = self.find(reference)
        if not container.running:
            raise not_running(container.id)
        if container.state is State.PAUSED:
            raise Conflict(f"Container {container.id} is already paused")
        container.pause()
        self._emit(container, "pause")

    async def unpause(self, reference: str) -> None:
        """Thaw. Raises WrongState."""
        container = self.find(reference)
        if container.state is not State.PAUSED:
            raise WrongState(f"Container {container.id} is not paused")
        self._resume(container)

    async def rename(self, reference: str, name: str) -> None:
        """Give another name. Raises BadParameter, Conflict."""
        container = self.find(reference)
        if not name:
            raise BadParameter("Neither old nor new names may be empty")
        new = name.removeprefix("/")
        self._check_name(new)
        old = container.name
        del self._by_name[old]
        self._by_name[new] = container
        container.name = new
        self._emit(container, "rename", oldName=f"/{old}")

    async def remove(self, reference: str, *, force: bool = False) -> None:
        """Forget the container; `force` kills it first. Raises Conflict if it runs."""
        container = self.find(reference)
        if container.running and not force:
            raise Conflict(
                f"You cannot remove a running container {container.id}. "
                "Stop the container before attempting removal or force remove"
            )
        if container.running:
            self._signal(container, KILL)
        del self._by_id[container.id], self._by_name[container.name]
        self._emit(container, "destroy")

    def set_health(self, reference: str, health: Health) -> None:
        """What the health check found; emits `health_status: …` if that is news. Raises NotFound."""
        container = self.find(reference)
        if health is container.health:
            return
        container.health = health
        if health in (Health.HEALTHY, Health.UNHEALTHY):
            self._emit(container, f"health_status: {health}")

    async def connect(self, network: str, reference: str, aliases: tuple[str, ...] = ()) -> None:
        """Attach a container to a network. Raises NotFound, NotAllowed if it is attached."""
        found, container = self.networks.find(network), self.find(reference)
        if found.name in container.endpoints:
            raise NotAllowed(f"endpoint with name {container.name} already exists in network {found.name}")
        container.endpoints[found.name] = Endpoint(found, aliases + self._aliases(container))
        # Docker makes the endpoint of a stopped container at its next start, and tells then.
        if container.running:
            self._emit_network(container, found, "connect")

    async def disconnect(self, network: str, reference: str) -> None:
        """Detach a container from a network. Raises NotFound, WrongState if it is not attached."""
        found, container = self.networks.find(network), self.find(reference)
        if container.endpoints.pop(found.name, None) is None:
            raise WrongState(f"container {container.id} is not connected to network {found.name}")
        self._emit_network(container, found, "disconnect")

    def replicas(self, service: str) -> list[Container]:
        """The containers of a compose service, by number."""
        found = [container for container in self if container.spec.service == service]
        return sorted(found, key=_number)

    async def scale(self, service: str, replicas: int) -> list[Container]:
        """Run exactly so many replicas of a compose service, as `docker compose up --scale` does; returns them.

        Those with the highest numbers go first. Raises NotFound, BadParameter.
        """
        template = self._templates.get(service)
        if template is None:
            raise NotFound(f"No such service: {service}")
        if not 0 <= replicas <= MOST_REPLICAS:
            raise BadParameter(f"replicas={replicas}: expected a number from 0 to {MOST_REPLICAS}")
        present = self.replicas(service)
        for container in reversed(present[replicas:]):
            await self._stop_and_remove(container)
        for container in present[:replicas]:
            if not container.running:
                await self.start(container.id)
        while len(self.replicas(service)) < replicas:
            await self.add(template.replica(self._free_number(template)))
        return self.replicas(service)

    async def bring_up(self) -> None:
        """Start what ran when `bring_down` was called."""
        resuming, self._resuming = self._resuming, []
        for container in resuming:
            if container.id in self._by_id and not container.running:
                await self.start(container.id)

    async def bring_down(self) -> None:
        """Kill everything, as an engine does that goes down; `bring_up` starts it again."""
        self._resuming += [container for container in self if container.running]
        for container in self._resuming:
            container.abort()
        await self._tasks.cancel_all()

    def _signal(self, container: Container, number: int) -> None:
        if not container.running:
            return
        self._emit(container, "kill", signal=str(number))
        # A frozen process takes no signal: Docker thaws it to deliver one.
        if container.state is State.PAUSED:
            self._resume(container)
        container.signal(number)

    def _resume(self, container: Container) -> None:
        container.resume()
        self._emit(container, "unpause")

    def _died(self, container: Container) -> None:
        self._emit(container, "die", exitCode=str(container.exit_code))
        for endpoint in container.endpoints.values():
            self._emit_network(container, endpoint.network, "disconnect")

    async def _stop_and_remove(self, container: Container) -> None:
        if container.running:
            await self.stop(container.id)
        await self.remove(container.id)

    def _free_number(self, template: ContainerSpec) -> int:
        number = 1
        while f"{template.base_name}-{number}" in self._by_name:
            number += 1
        return number

    def _check_name(self, name: str) -> None:
        """Raises BadParameter, Conflict."""
        prefix = "Error when allocating new name: "
        if not _NAME.fullmatch(name):
            allowed = "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
            raise BadParameter(f"{prefix}Invalid container name (/{name}), {allowed}")
        owner = self._by_name.get(name)
        if owner is not None:
            raise Conflict(f"{prefix}{name_taken(name, owner.id)}")

    @staticmethod
    def _aliases(container: Container) -> tuple[str, ...]:
        service = container.spec.service
        return (service, container.id[:12]) if service else (container.id[:12],)

    def _emit(self, container: Container, action: str, **more: str) -> None:
        attributes = {**container.spec.labels, "image": container.spec.image, "name": container.name, **more}
        self._events.emit("container", action, container.id, attributes)

    def _emit_network(self, container: Container, network: Network, action: str) -> None:
        attributes = {"container": container.id, "name": network.name, "type": network.driver}
        self._events.emit("network", action, network.id, attributes)


def _number(container: Container) -> tuple[int, str]:
    label = container.spec.labels.get(NUMBER_LABEL, "")
    number = label if label.isdigit() else container.name.rpartition("-")[2]
    return (int(number) if number.isdigit() else 0, container.name)
