"""Entry: what the engine says of one container in `GET /containers/json`, reduced to what routing depends on.

Two equal entries give equal views, so nothing that changes by itself (the text "Up 5 minutes") may stand here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from dockerproxy.labels.reading import COMPOSE_PROJECT, COMPOSE_SERVICE, SYSTEMD_UNIT

SHORT_ID = 12  # characters; what `docker ps` shows, and what a container's hostname is made of
RUNNING, STOPPING = "running", "stopping"
CONTAINER_MODE = "container:"  # of a network mode; the id of the container whose network it uses follows
# Engines before API 1.52 tell the health only inside the text of the status: "Up 3 seconds (health: starting)".
_HEALTH_IN_STATUS = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")
# Podman's words -> Docker's; its `stopping` has none, and stays.
_STATES = {"stopped": "exited", "configured": "created", "initialized": "created"}
_EXIT_CODE = re.compile(r"\((\d+)\)")  # "Exited (137) 2 minutes ago"
_ENDED = frozenset({"exited", "restarting"})
_NETWORKS_WITHOUT_ADDRESS = frozenset({"none", "host"})


class Network(NamedTuple):
    """A container's place on one network. `address` is "" as long as it has none.

    address6: of IPv6, beside one of IPv4
    hardware: its link-layer address, in lower case, where it tells one container from another; else ""
    """

    name: str
    id: str
    address: str
    gateway: str
    address6: str = ""
    hardware: str = ""


_ANYWHERE = frozenset({"", "0.0.0.0", "::"})


class Port(NamedTuple):
    """A TCP port that the container exposes, and the port of the host that it is published at, or 0.

    address: of the host, that the port is bound to; "" for all, or where the engine does not tell
    """

    private: int
    public: int
    address: str = ""

    @property
    def anywhere(self) -> bool:
        """Whether it is bound to all addresses (of IPv4, or of IPv6)."""
        return self.address in _ANYWHERE


@dataclass(frozen=True, slots=True)
class Entry:
    """One container.

    created:  seconds since the epoch
    state:    the engine's word: created, running, paused, restarting, removing, exited, dead; and on Podman stopping
    health:   healthy, unhealthy, starting, or "" without a health check
    networks: by name, without `none` and `host`
    exit_code: of one that has ended, or ""
    owner:     name of the container whose network it uses, or ""
    owner_ports: that one's ports, among which are those that are published for both
    """

    id: str
    name: str
    created: float
    state: str
    health: str
    network_mode: str
    labels: Mapping[str, str]
    networks: tuple[Network, ...]
    ports: tuple[Port, ...]
    exit_code: str = ""
    owner: str = ""
    owner_ports: tuple[Port, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Entry:
        """From one item of the engine's list. Raises whatever comes of one that is not as the engine writes them."""
        told = (data.get("State") or "").lower()
        state = _STATES.get(told, told)
        return cls(
            id=data["Id"],
            name=_name(data),
            created=float(data.get("Created") or 0),
            state=state,
            health=_health(data),
            network_mode=(data.get("HostConfig") or {}).get("NetworkMode") or "",
            labels=dict(data.get("Labels") or {}),
            networks=_networks(data),
            ports=_ports(data),
            exit_code=_exit_code(data) if state in _ENDED else "",
        )

    @property
    def service(self) -> str:
        """Its compose service, else the systemd service that it is, as Quadlet makes them, or ""."""
        return self.labels.get(COMPOSE_SERVICE) or _of_unit(self.labels.get(SYSTEMD_UNIT, ""))

    @property
    def project(self) -> str:
        """Its compose project, or ""."""
        return self.labels.get(COMPOSE_PROJECT, "")

    @property
    def exposed(self) -> tuple[int, ...]:
        """Its exposed TCP ports, in order."""
        return tuple(sorted({port.private for port in self.ports}))

    def published(self, port: int) -> tuple[Port, ...]:
        """Where the host publishes its own TCP port `port`."""
        return tuple(each for each in (*self.ports, *self.owner_ports) if each.private == port and each.public)

    @property
    def connected(self) -> str:
        """The name of the container that a network is to be connected to, so that it is reached there."""
        return self.owner or self.name


def _of_unit(unit: str) -> str:
    """`blog.service`, `container-blog.service` -> blog; `web@2.service` -> web: a template's instances are replicas."""
    name, _, kind = unit.rpartition(".")
    return name.partition("@")[0].removeprefix("container-") if kind == "service" else ""


def _name(data: Mapping[str, Any]) -> str:
    """Its name without the slash; names with a second slash are links from other containers."""
    names = [str(name).lstrip("/") for name in data.get("Names") or () if name.count("/") <= 1]
    return names[0] if names else str(data["Id"])[:SHORT_ID]


def _health(data: Mapping[str, Any]) -> str:
    told = data.get("Health")
    if isinstance(told, Mapping):
        status = str(told.get("Status") or "")
        return "" if status == "none" else status
    found = _HEALTH_IN_STATUS.search(data.get("Status") or "")
    return str(found[1]) if found else ""


def _exit_code(data: Mapping[str, Any]) -> str:
    found = _EXIT_CODE.search(data.get("Status") or "")
    return str(found[1]) if found else ""


def _networks(data: Mapping[str, Any]) -> tuple[Network, ...]:
    told = (data.get("NetworkSettings") or {}).get("Networks") or {}
    return tuple(
        Network(
            name,
            place.get("NetworkID") or "",
            place.get("IPAddress") or place.get("GlobalIPv6Address") or "",
            place.get("Gateway") or place.get("IPv6Gateway") or "",
            place.get("GlobalIPv6Address") or "",
            _hardware(place),
        )
        for name, place in sorted(told.items())
        if place is not None and name not in _NETWORKS_WITHOUT_ADDRESS
    )


def _hardware(place: Mapping[str, Any]) -> str:
    """Its link-layer address, unless it follows from that of IPv4, as older engines make it: then it tells nobody."""
    told = str(place.get("MacAddress") or "").lower()
    numbers = str(place.get("IPAddress") or "").split(".")
    derived = ":".join(("02", "42", *(f"{int(number):02x}" for number in numbers if number.isdecimal())))
    return "" if told == derived else told


def _ports(data: Mapping[str, Any]) -> tuple[Port, ...]:
    """Sorted: the engine lists them in no particular order, and an other order is no change."""
    told = data.get("Ports") or ()
    return tuple(
        sorted(
            {
                Port(port["PrivatePort"], port.get("PublicPort") or 0, str(port.get("IP") or ""))
                for port in told
                if port.get("Type") == "tcp"
            }
        )
    )
