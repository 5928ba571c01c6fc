"""OwnContainer: the container that the proxy itself runs in, if it does: its name and its networks.

Found by what Linux tells a process about itself, and believed only if the engine lists a container with that id: a
proxy inside the container of another engine is, to this engine, on the host.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dockerproxy.discovery.engine.entry import SHORT_ID, Entry, Network, Port

HOST_NAME_FROM_INSIDE = "host.docker.internal"
# These three files are bind-mounted from the engine's folder of the container. Other mounts below such folders (the
# shm mounts) show up on the host as well and say nothing about us.
_MOUNTED_FROM = re.compile(r"containers/([0-9a-f]{64})/\S+ /etc/(?:hostname|hosts|resolv\.conf) ")
_CGROUP = re.compile(r"[/-]([0-9a-f]{64})(?:\.scope)?$", re.MULTILINE)
_HEX = re.compile(rf"[0-9a-f]{{{SHORT_ID},64}}")


@dataclass(frozen=True, slots=True)
class OwnContainer:
    """The proxy's own container.

    name:         by which networks are connected to it: of the container whose network it uses, if there is one
    on_host:      whether it uses the host's network, and so reaches whatever the host reaches
    host_gateway: where it reaches the host, or ""
    published:    its ports that the host publishes
    """

    id: str
    name: str
    networks: tuple[Network, ...] = ()
    on_host: bool = False
    host_gateway: str = ""
    published: tuple[Port, ...] = ()

    def __str__(self) -> str:
        return f"container {self.name}"

    @classmethod
    def from_entry(cls, entry: Entry, resolve: Callable[[str], str]) -> OwnContainer:
        """From the engine's word; `resolve` gives the address of a host name, or ""."""
        gateways = _gateways(entry.networks)
        return cls(
            id=entry.id,
            name=entry.connected,
            networks=entry.networks,
            on_host=entry.network_mode == "host",
            host_gateway=resolve(HOST_NAME_FROM_INSIDE) or (gateways[0] if gateways else ""),
            published=tuple(port for port in (*entry.ports, *entry.owner_ports) if port.public),
        )

    @property
    def gateways(self) -> list[str]:
        """From where clients seem to come that come through a published port."""
        return _gateways(self.networks)

    @property
    def published_as(self) -> dict[int, int]:
        """Its ports, and the first of the host's that each is published at."""
        return {port.private: port.public for port in reversed(self.published)}

    def shares(self, network: Network) -> bool:
        """Whether it is on that network, too; names are compared only where the engine tells no ids."""
        return any(own.id == network.id if own.id and network.id else own.name == network.name for own in self.networks)


def _gateways(networks: Iterable[Network]) -> list[str]:
    return [network.gateway for network in networks if network.gateway]


def own_ids(root: Path = Path("/"), hostname: str | None = None) -> frozenset[str]:
    """Ids, or beginnings of ids, that our own container may have; empty on most hosts."""
    found = set(_MOUNTED_FROM.findall(_read(root / "proc/self/mountinfo")))
    found |= set(_CGROUP.findall(_read(root / "proc/self/cgroup")))
    name = (hostname if hostname is not None else socket.gethostname()).lower()
    if _HEX.fullmatch(name):
        found.add(name)
    return frozenset(found)


def resolve(name: str, hosts: Path = Path("/etc/hosts")) -> str:
    """The address of a host name in the hosts file, where `--add-host` puts it, or "".

    DNS is not asked: a resolver that does not answer would stop discovery for many seconds.
    """
    for line in _read(hosts).splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if name in names:
            return address
    return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
