"""AddressBook: where a container is reached, by rules in a fixed order, or why it cannot be.

Never a choice by chance: among several networks that would do, the only one, else the compose project's
`<project>_default`, else the first by name. Pure: the proxy's own place is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dockerproxy.discovery.entry import Entry, Network
from dockerproxy.discovery.own_container import OwnContainer
from dockerproxy.discovery.reading import RouteReading
from dockerproxy.errors import DockerproxyError
from dockerproxy.routing.route import DEFAULT_PORTS
from dockerproxy.settings.model import DockerSettings

HOST_MODE = "host"
NO_NETWORK = "none"
CONTAINER_MODE = "container:"


class NoAddress(DockerproxyError):
    """The container cannot be reached; the message is the reason, with what mends it."""


class Address(NamedTuple):
    """Where to connect."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class AddressBook:
    """The address of any container, as seen from the proxy.

    own: the proxy's own container, or None when it runs on the host
    key: option -> the label to write for it, for messages
    """

    def __init__(self, settings: DockerSettings, own: OwnContainer | None, key: Callable[[str], str]) -> None:
        self._settings = settings
        self._own = own
        self._key = key

    def __repr__(self) -> str:
        return f"<AddressBook as seen from {self._own or 'the host'}>"

    def find(self, entry: Entry, route: RouteReading) -> Address:
        """Where `entry` answers for `route`. Raises NoAddress."""
        if entry.network_mode.startswith(CONTAINER_MODE):
            raise NoAddress("it uses the network of another container; put the labels on that container instead")
        if entry.network_mode == HOST_MODE:
            return Address(self._host_address(), self._port_on_host(route))
        if self._settings.address == "published":
            return self._published(entry, self._port(entry, route))
        network = self._network(entry, route.network or self._settings.network)
        return Address(network.address, self._port(entry, route))

    def _port(self, entry: Entry, route: RouteReading) -> int:
        if route.port is not None:
            return route.port
        exposed = entry.exposed
        usual = DEFAULT_PORTS[route.scheme]
        if len(exposed) == 1:
            return exposed[0]
        if usual in exposed:
            return usual
        label = f"the label {self._key('port')}=<port the application listens on>"
        if not exposed:
            raise NoAddress(f"it exposes no TCP port; add {label}")
        raise NoAddress(f"it exposes the ports {', '.join(map(str, exposed))} and none is {usual}; add {label}")

    def _port_on_host(self, route: RouteReading) -> int:
        if route.port is None:
            raise NoAddress(
                "it uses the host's network, so the engine does not know its port;"
                f" add the label {self._key('port')}=<port the application listens on>"
            )
        return route.port

    def _host_address(self) -> str:
        """The host itself, as seen from where the proxy is."""
        if self._own is None or self._own.on_host:
            return self._settings.published_host
        if not self._own.host_gateway:
            raise NoAddress(
                "it uses the host's network, which cannot be reached from the proxy's container; start the proxy with"
                " --add-host host.docker.internal:host-gateway"
            )
        return self._own.host_gateway

    def _published(self, entry: Entry, port: int) -> Address:
        public = entry.published(port)
        if public is None:
            raise NoAddress(
                f"its port {port} is not published, and docker.address=published is set;"
                f" publish it, for example with --publish 127.0.0.1::{port}"
            )
        return Address(self._settings.published_host, public)

    def _network(self, entry: Entry, wanted: str | None) -> Network:
        if entry.network_mode == NO_NETWORK:
            raise NoAddress("it was started without a network (--network none); start it anew with one")
        if not entry.networks:
            raise NoAddress(f"it is on no network; run: docker network connect {wanted or 'bridge'} {entry.name}")
        candidates = _named(entry, wanted) if wanted else self._reachable(entry)
        ready = [network for network in candidates if network.address]
        if not ready:
            raise NoAddress(f"it has no address on network {_names(candidates)} yet")
        return _preferred(entry, ready)

    def _reachable(self, entry: Entry) -> Sequence[Network]:
        """Its networks that lead from the proxy to it: from the host all of them, else those that both share."""
        own = self._own
        if own is None or own.on_host:
            return entry.networks
        shared = [network for network in entry.networks if own.shares(network)]
        if not shared:
            raise NoAddress(
                f"it shares no network with the proxy (it is on {_names(entry.networks)}, the proxy on"
                f" {_names(own.networks) or 'none'}); run: docker network connect {entry.networks[0].name} {own.name}"
            )
        return shared


def _named(entry: Entry, wanted: str) -> Sequence[Network]:
    """The network called `wanted`, by the engine or in the compose file of the container's project."""
    for name in (wanted, f"{entry.project}_{wanted}"):
        found = [network for network in entry.networks if network.name == name]
        if found:
            return found
    raise NoAddress(
        f"it is not on network {wanted} (it is on {_names(entry.networks)});"
        f" run: docker network connect {wanted} {entry.name}"
    )


def _preferred(entry: Entry, networks: Sequence[Network]) -> Network:
    default = f"{entry.project}_default"
    return next((network for network in networks if network.name == default), networks[0])


def _names(networks: Sequence[Network]) -> str:
    return ", ".join(network.name for network in networks)
