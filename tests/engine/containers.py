"""Containers: what a test runs at the engine, and its removal afterwards.

Every name is unique, so that tests neither disturb each other nor what else the engine runs.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
from collections.abc import Mapping
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.models.networks import Network

HEALTHY_FILE = "/tmp/healthy"
HEALTH_INTERVAL = 200_000_000  # nanoseconds, the engine's unit; so that a test need not wait the usual 30 s

# Healthy while the file is there.
HEALTH_BY_FILE: Mapping[str, Any] = {
    "test": ["CMD", "test", "-f", HEALTHY_FILE],
    "interval": HEALTH_INTERVAL,
    "timeout": 10 * HEALTH_INTERVAL,
    "retries": 1,
}


class Containers:
    """Runs labelled containers of the test application and removes them.

    image: the default image
    """

    def __init__(self, client: docker.DockerClient, image: str) -> None:
        self.client = client
        self.image = image
        self._containers: list[Container] = []
        self._networks: list[Network] = []
        self._token = secrets.token_hex(3)
        self._numbers = itertools.count(1)

    def unique(self, stem: str) -> str:
        """A name for a container, a network or a route that nothing else has."""
        return f"{stem}-{self._token}{next(self._numbers)}"

    def run(self, stem: str = "app", *, labels: Mapping[str, str], **options: Any) -> Container:
        """A running container; `options` are those of the Docker SDK's `containers.run`."""
        name = options.pop("name", None) or self.unique(stem)
        image = options.pop("image", self.image)
        options["environment"] = {"NAME": name, **options.get("environment", {})}
        of_its_own = "network_mode" not in options or options["network_mode"] == "none"
        options.setdefault("hostname", name if of_its_own else None)
        container = self.client.containers.run(image, detach=True, name=name, labels=dict(labels), **options)
        return self.keep(container)

    def keep(self, container: Container) -> Container:
        """Have a container removed afterwards that was made in another way."""
        self._containers.append(container)
        return container

    def network(self, stem: str = "net", **options: Any) -> Network:
        """A new bridge network."""
        network = self.client.networks.create(self.unique(stem), driver="bridge", **options)
        self._networks.append(network)
        return network

    def remove(self, container: Container) -> None:
        """Remove it at once, running or not."""
        with contextlib.suppress(NotFound):
            container.remove(force=True, v=True)

    def remove_all(self) -> None:
        """Remove every container and network of this factory."""
        while self._containers:
            self.remove(self._containers.pop())
        while self._networks:
            with contextlib.suppress(NotFound, APIError):
                self._networks.pop().remove()
