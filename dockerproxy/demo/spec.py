"""ContainerSpec: a container of the embedded engine as plain data.

It says what shall run; how it runs is `container`, what it answers is `answers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from dockerproxy.errors import DockerproxyError

SERVICE_LABEL = "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"


class Behaviour(StrEnum):
    """What a container does with a request."""

    PAGE = "page"
    """Answers with a page that names the container."""
    REFUSES = "refuses"
    """Nothing listens on its port: connections are refused."""
    SILENT = "silent"
    """Accepts, reads the request and closes without an answer."""


class Health(StrEnum):
    """The state of a container's HEALTHCHECK; NONE: it has none."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One container.

    name:         without the slash
    labels:       as given with `docker run --label`
    networks:     names, in order; the first is its network mode. A network that does not exist is made
    replies:      what it does with a request. REFUSES costs one socket for each running container
    address:      `host:port` of a server that somebody else runs. Costs no socket: for thousands of containers
    extra_ports:  exposed beside the port it listens on, for example `9090/tcp`
    exposed:      whether the port it listens on is exposed at all
    published:    whether that port is also published on the host (the same number, on 127.0.0.1)
    health:       its health state some moments after each start; NONE: no HEALTHCHECK
    stop_signal:  what `stop` sends
    stubborn:     survives its stop signal: only SIGKILL ends it
    running:      whether it is started with the engine, or only created
    """

    name: str
    image: str = "dockerproxy/demo:latest"
    labels: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[str, ...] = ("bridge",)
    replies: Behaviour = Behaviour.PAGE
    address: str | None = None
    extra_ports: tuple[str, ...] = ()
    exposed: bool = True
    published: bool = False
    health: Health = Health.NONE
    stop_signal: str = "SIGTERM"
    stubborn: bool = False
    running: bool = True

    def __post_init__(self) -> None:
        if self.address is not None:
            split_address(self.address)

    @property
    def service(self) -> str | None:
        """The compose service it belongs to."""
        return self.labels.get(SERVICE_LABEL)

    def replica(self, number: int) -> ContainerSpec:
        """A further container of the same service: `blog-1` -> `blog-<number>`."""
        labels = {**self.labels, NUMBER_LABEL: str(number)}
        return replace(self, name=f"{self.base_name}-{number}", labels=labels, running=True)

    @property
    def base_name(self) -> str:
        """The name without the number of the replica."""
        base, dash, number = self.name.rpartition("-")
        return base if dash and number.isdigit() else self.name


def split_address(address: str) -> tuple[str, int]:
    """`127.0.0.1:80` -> ("127.0.0.1", 80). Raises DockerproxyError."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise DockerproxyError(f'address "{address}" of a container: expected host:port, for example 127.0.0.1:8080')
    return host, int(port)
