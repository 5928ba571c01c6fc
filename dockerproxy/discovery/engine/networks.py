"""KnownNetworks: which of the engine's networks do not lead from the host to their containers. No I/O.

The list of containers does not tell what a network is like. So the engine is asked for its networks once, and again
when a container is on one that was not among them; what a network is like is fixed when it is created.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any, NamedTuple

from dockerproxy.discovery.engine.entry import Network

# https://docs.docker.com/engine/network/drivers/bridge/: the host has no address in such a network.
_BRIDGE = "com.docker.network.bridge."
_MODES = ("gateway_mode_ipv4", "gateway_mode_ipv6")
_ISOLATED = "isolated"
_OVERLAY = "overlay"


class NetworkKind(NamedTuple):
    """What keeps the host away from it, in words, for each kind of addresses; "" for nothing."""

    ipv4: str = ""
    ipv6: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NetworkKind:
        """From one item of `GET /networks`."""
        if data.get("Driver") == _OVERLAY:
            return cls(*2 * ("it is an overlay, which leads from container to container only",))
        options = data.get("Options") or {}
        return cls(*(f"{mode}=isolated" if options.get(_BRIDGE + mode) == _ISOLATED else "" for mode in _MODES))


_OPEN = NetworkKind()


class KnownNetworks:
    """What is known, by the network's id."""

    def __init__(self) -> None:
        self._kinds: dict[str, NetworkKind] = {}

    def __repr__(self) -> str:
        return f"<KnownNetworks: {len(self._kinds)}>"

    def lacks(self, networks: Set[str]) -> bool:
        """Whether the engine is to be asked, for containers on these."""
        return not networks <= self._kinds.keys()

    def learn(self, networks: Set[str], listed: Iterable[Mapping[str, Any]]) -> None:
        """Take `GET /networks`; nothing bad is assumed of those of `networks` that are not in it."""
        known = {str(each.get("Id")): NetworkKind.from_json(each) for each in listed}
        self._kinds = {**{network: self._kinds.get(network, _OPEN) for network in networks}, **known}

    def from_host(self, network: Network) -> Network | None:
        """The network with an address that the host reaches; None if there is none."""
        kind = self._kinds.get(network.id, _OPEN)
        if not (kind.ipv6 if ":" in network.address else kind.ipv4):
            return network
        return network._replace(address=network.address6) if network.address6 and not kind.ipv6 else None

    def why_not(self, network: Network) -> str:
        """What keeps the host away from it, in words."""
        kind = self._kinds.get(network.id, _OPEN)
        return kind.ipv4 or kind.ipv6
