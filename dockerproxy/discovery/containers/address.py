"""AddressBook: where a container is reached, by rules in a fixed order, or why it cannot be.

Never a choice by chance: among several networks that would do, the only one, else the compose project's
`<project>_default`, else the first by name. Pure: the proxy's own place is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dockerproxy.discovery.containers.published import published_at
from dockerproxy.discovery.engine.entry import CONTAINER_MODE, Entry, Network
from dockerproxy.discovery.engine.networks import KnownNetworks
from dockerproxy.discovery.engine.own_container import OwnContainer
from dockerproxy.discovery.snapshot import Reach
from dockerproxy.errors import DockerproxyError
from dockerproxy.labels.reading import RouteReading
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.route import DEFAULT_PORTS
from dockerproxy.settings.model import DockerSettings

HOST_MODE = "host"
NO_NETWORK = "none"
_MOST_PORTS = 4  # that are put forward, one of which will be the right one
_ONLY_ONE = "it is the only one that the container is on"
_ONLY_SHARED = "it is the only one that the proxy shares with the container"
_PUBLISHED = "docker.address=published is set"


class NoAddress(DockerproxyError):
    """The container cannot be reached; the message is the reason."""

    def __init__(self, code: Code, what: str, mend: str = "") -> None:
        self.reason = Reason(code, what, mend)
        super().__init__(self.reason)


class Address(NamedTuple):
    """Where to connect, and why there.

    hardware: the link-layer address of who is there, where it is known and tells one container from another; else ""
    published: whether it is a port of the host, from which the engine relays to the container
    """

    host: str
    port: int
    reach: Reach
    hardware: str = ""
    published: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class AddressBook:
    """The address of any container, as seen from the proxy.

    own: the proxy's own container, or None when it runs on the host
    key: option -> the label to write for it, for messages
    networks: what is known of them; it may come to know more
    """

    def __init__(
        self,
        settings: DockerSettings,
        own: OwnContainer | None,
        key: Callable[[str], str],
        networks: KnownNetworks | None = None,
    ) -> None:
        self._settings = settings
        self._own = own
        self._key = key
        self._networks = networks or KnownNetworks()

    def __repr__(self) -> str:
        return f"<AddressBook as seen from {self._own or 'the host'}>"

    def find(self, entry: Entry, route: RouteReading) -> Address:
        """Where `entry` answers for `route`. Raises NoAddress."""
        if entry.network_mode.startswith(CONTAINER_MODE):
            raise without_owner(entry)
        if entry.network_mode == HOST_MODE:
            reach = Reach("host", "it uses the host's network", self._says("port", route))
            return Address(self._host_address(), self._port_on_host(route), reach)
        if self._settings.address == "published":
            port, why_port = self._port(entry, route)
            host, public = self._published(entry, port)
            reach = Reach("", _PUBLISHED, f"{port} is published as {public}, and {why_port}")
            return Address(host, public, reach, published=True)
        network, why_network = self._network(entry, route)
        if entry.owner:
            why_network += f", and it uses the network of container {entry.owner}"
        port, why_port = self._port(entry, route)
        return Address(network.address, port, Reach(network.name, why_network, why_port), network.hardware)

    def _says(self, option: str, route: RouteReading) -> str:
        return f"the label {route.labels.get(option) or self._key(option)} says so"

    def _labels(self, ports: Sequence[int]) -> str:
        """`dockerproxy.port=8080 or dockerproxy.port=9090`; of very many the first."""
        return " or ".join(f"{self._key('port')}={port}" for port in ports[:_MOST_PORTS])

    def _port(self, entry: Entry, route: RouteReading) -> tuple[int, str]:
        """The port inside the container, and why this one."""
        exposed = entry.exposed
        if route.port is not None:
            others = ", ".join(map(str, exposed)) if route.port not in exposed else ""
            though = f", though the container exposes {others}" if others else ""
            return route.port, self._says("port", route) + though
        usual = DEFAULT_PORTS[route.scheme]
        if len(exposed) == 1:
            return exposed[0], "it is the only TCP port that the container exposes"
        if usual in exposed:
            return usual, f"it is the usual port of {route.scheme}, and the container exposes it"
        if not exposed:
            mend = f"add the label {self._key('port')}=<port the application listens on>"
            raise NoAddress(Code.NO_PORT, "it exposes no TCP port", mend)
        ports = ", ".join(map(str, exposed))
        mend = f"add the label {self._labels(exposed)}, whichever the application listens on"
        raise NoAddress(Code.SEVERAL_PORTS, f"it exposes the ports {ports} and none is {usual}", mend)

    def _port_on_host(self, route: RouteReading) -> int:
        if route.port is None:
            raise NoAddress(
                Code.NO_PORT,
                "it uses the host's network, so the engine does not know its port",
                f"add the label {self._key('port')}=<port the application listens on>",
            )
        return route.port

    def _host_address(self) -> str:
        """The host itself, as seen from where the proxy is."""
        if self._own is None or self._own.on_host:
            return self._settings.published_host
        if not self._own.host_gateway:
            raise NoAddress(
                Code.HOST_NOT_REACHED,
                "it uses the host's network, which cannot be reached from the proxy's container",
                "start the proxy with --add-host host.docker.internal:host-gateway",
            )
        return self._own.host_gateway

    def _published(self, entry: Entry, port: int) -> tuple[str, int]:
        """The host's address and port where the container's port answers."""
        published = entry.published(port)
        if not published:
            raise NoAddress(
                Code.NOT_PUBLISHED,
                f"its port {port} is not published, and docker.address=published is set",
                f"publish it, for example with --publish 127.0.0.1::{port}",
            )
        host = self._settings.published_host
        found = published_at(published, host, self._own is None or self._own.on_host)
        if found is None:
            bound = ", ".join(f"[{each.address}]" if ":" in each.address else each.address for each in published)
            raise NoAddress(
                Code.NOT_PUBLISHED,
                f"its port {port} is published at {bound} only, where docker.published_host={host} does not lead",
                f"publish it at all addresses, for example with --publish {port}, or set docker.published_host to an"
                " address that does",
            )
        return found

    def _network(self, entry: Entry, route: RouteReading) -> tuple[Network, str]:
        """The network to reach it over, and why this one."""
        wanted = route.network or self._settings.network
        if entry.network_mode == NO_NETWORK and not entry.networks:  # it keeps the mode when it is connected later
            what = "it was started without a network (--network none)"
            # The engine connects nothing to a container that is still on `none`.
            connect = f"docker network connect {wanted or self._own_network()} {entry.connected}"
            raise NoAddress(
                Code.NO_NETWORK, what, f"run: docker network disconnect none {entry.connected} && {connect}"
            )
        if not entry.networks:
            mend = f"run: docker network connect {wanted or self._own_network()} {entry.connected}"
            raise NoAddress(Code.NO_NETWORK, "it is on no network", mend)
        candidates = self._from_here(entry, _named(entry, wanted)) if wanted else self._reachable(entry)
        ready = [network for network in candidates if network.address]
        if not ready:
            raise NoAddress(Code.NO_ADDRESS, f"it has no address on network {_names(candidates)} yet")
        if wanted:
            return ready[0], self._says("network", route) if route.network else "the setting docker.network says so"
        return self._preferred(entry, ready)

    def _own_network(self) -> str:
        """One over which the proxy reaches containers."""
        own = self._own
        return own.networks[0].name if own is not None and not own.on_host and own.networks else "bridge"

    def _preferred(self, entry: Entry, networks: Sequence[Network]) -> tuple[Network, str]:
        shared = self._own is not None and not self._own.on_host
        if len(networks) == 1:
            return networks[0], _ONLY_SHARED if shared else _ONLY_ONE
        several = f"of the {len(networks)} that {'the proxy shares with the container' if shared else 'it is on'}"
        default = f"{entry.project}_default"
        for network in networks:
            if network.name == default:
                return network, f"it is the compose project's default, {several}"
        why = f"it is the first by name {several}; the label {self._key('network')} chooses another"
        return networks[0], why

    def _from_here(self, entry: Entry, networks: Sequence[Network]) -> Sequence[Network]:
        """Those of these networks that lead to it, with the addresses by which they do. Raises NoAddress."""
        if self._own is not None and not self._own.on_host:
            return networks
        reached = [there for network in networks if (there := self._networks.from_host(network)) is not None]
        if not reached:
            first = networks[0]
            raise NoAddress(
                Code.ISOLATED_NETWORK,
                f"its network {first.name} does not lead to it from the host, where the proxy runs"
                f" ({self._networks.why_not(first)})",
                f"run: docker network connect bridge {entry.connected}; or run the proxy in a container on network"
                f" {first.name}",
            )
        return reached

    def _reachable(self, entry: Entry) -> Sequence[Network]:
        """Its networks that lead from the proxy to it: from the host all of them, else those that both share."""
        own = self._own
        if own is None or own.on_host:
            return self._from_here(entry, entry.networks)
        shared = [network for network in entry.networks if own.shares(network)]
        if not shared:
            raise NoAddress(
                Code.NO_SHARED_NETWORK,
                f"it shares no network with the proxy (it is on {_names(entry.networks)}, the proxy on"
                f" {_names(own.networks) or 'none'})",
                f"run: docker network connect {entry.networks[0].name} {own.name}",
            )
        return shared


def without_owner(entry: Entry) -> NoAddress:
    """Of one that uses the network of a container which is not there, or does not run."""
    if entry.owner:
        what = f"it uses the network of container {entry.owner}, which does not run"
        return NoAddress(Code.ANOTHERS_NETWORK, what, f"run: docker start {entry.owner} && docker restart {entry.name}")
    return NoAddress(
        Code.ANOTHERS_NETWORK,
        "it uses the network of another container, which is not there any more",
        "create it anew when that one is there; or put the labels on that container instead",
    )


def _named(entry: Entry, wanted: str) -> Sequence[Network]:
    """The network called `wanted`, by the engine or in the compose file of the container's project."""
    for name in (wanted, f"{entry.project}_{wanted}"):
        found = [network for network in entry.networks if network.name == name]
        if found:
            return found
    raise NoAddress(
        Code.UNKNOWN_NETWORK,
        f"it is not on network {wanted} (it is on {_names(entry.networks)})",
        f"run: docker network connect {wanted} {entry.connected}",
    )


def _names(networks: Sequence[Network]) -> str:
    return ", ".join(network.name for network in networks)
