"""Reading: what the labels of one container ask for, in words that no dialect of labels shows through.

A dialect (`labels.LabelReader` is the one there is) turns labels into a Reading; `containers` turns a Reading and
what the engine says into a ContainerView. Only values here: no I/O, nothing of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from dockerproxy.labels.reason import Reason
from dockerproxy.routing.route import Domain, PathRule

# Set by Docker Compose (https://github.com/docker/compose, labels.go), v1 and v2 alike.
COMPOSE_PROJECT = "com.docker.compose.project"
COMPOSE_SERVICE = "com.docker.compose.service"
COMPOSE_ONEOFF = "com.docker.compose.oneoff"
COMPOSE_VERSION = "com.docker.compose.version"
# Set by Podman where systemd runs the container: by Quadlet, and by units of `podman generate systemd`.
SYSTEMD_UNIT = "PODMAN_SYSTEMD_UNIT"


@dataclass(frozen=True, slots=True)
class RouteReading:
    """What one container's labels ask of one route; None where they say nothing.

    default_domain: where the route is if nobody says anything
    by_service:     whether no label names the route, so that it is called as the compose service
    port, network:  how the container is to be reached
    options:        RouteOptions fields by name, checked, only those that were given
    labels:         which label says so, by option
    """

    name: str
    default_domain: Domain
    domains: tuple[Domain, ...] | None = None
    path: PathRule | None = None
    methods: tuple[str, ...] | None = None
    port: int | None = None
    scheme: str = "http"
    network: str | None = None
    weight: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    by_service: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What one container's labels ask for.

    mentioned: whether there is any label of this dialect
    routes:    the routes it wants to join; empty when it may or can not
    reasons:   what is wrong with a label, or why the container does not join
    """

    mentioned: bool = False
    routes: tuple[RouteReading, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def wanted(self) -> bool:
        """Whether the container asks for any route."""
        return bool(self.routes)


class Dialect(Protocol):
    """A way of writing routes as labels."""

    def mentions(self, labels: Mapping[str, str]) -> bool:
        """Whether any of the labels is of this dialect; called for every container at every list."""
        ...

    def read(self, labels: Mapping[str, str], container: str, service: str = "") -> Reading:
        """The routes that the labels ask for.

        container: name of the container
        service:   name of its compose service, or ""
        """
        ...

    def key(self, option: str) -> str:
        """The label to write for `option`, for messages: `dockerproxy.port`."""
        ...
