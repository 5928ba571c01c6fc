"""Gateway: what a published port does to the addresses of clients, told where something goes by these. Pure.

A proxy in a container sees clients that come through a published port from the gateway of its network: always those of
the host, and with Docker Desktop, rootless engines and over IPv6 also all others. What allows, slows down or bans by
address then takes all of them for one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from dockerproxy.control.registry import Registry
from dockerproxy.discovery.engine.own_container import OwnContainer
from dockerproxy.settings import Settings

log = logging.getLogger("dockerproxy")

# Shipped middlewares that go by the client's address.
BY_ADDRESS = frozenset({"basic_auth", "ip_allow", "rate_limit"})
_MEND = "see `What a published port does` in docs/middlewares.md"


class GatewayNotice:
    """Tells it once, as soon as it is known to be so."""

    def __init__(self) -> None:
        self._told = False

    def __repr__(self) -> str:
        return f"<GatewayNotice, {'told' if self._told else 'not told'}>"

    def look(self, own: OwnContainer | None, registry: Registry) -> None:
        """Tell it, if it is so now. Cheap enough to be asked at each change."""
        if self._told or own is None or own.on_host or not own.published:
            return
        settings = registry.settings
        gateways = [gateway for gateway in own.gateways if not _is_in(gateway, settings.trusted_proxies)]
        uses = _uses(settings, registry) if gateways else []
        if not uses:
            return
        self._told = True
        what, where = ", ".join(uses), " or ".join(gateways)
        if all(_is_loopback(port.address) for port in own.published):
            log.warning(
                "%s: go by the client's address, but all clients come through a published port and so from %s, the "
                "gateway of this container's network: they count as one; %s", what, where, _MEND,
            )  # fmt: skip
        else:
            log.info(
                "%s: go by the client's address; clients of this machine come through a published port from %s, the "
                "gateway of this container's network, and count as one (with Docker Desktop, rootless engines and over "
                "IPv6, so do all others); %s", what, where, _MEND,
            )  # fmt: skip


def _uses(settings: Settings, registry: Registry) -> list[str]:
    """The names of middlewares in use that go by the client's address."""
    defined = settings.define_middlewares.items()
    names = {name for name, definition in defined if (definition.use or name) in BY_ADDRESS}
    if not names:
        return []
    used = {name for route in registry.routes for name in route.options.middlewares if name in names}
    return sorted(used)


def _is_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(ip_address(address) in network for network in networks)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:  # "" is any
        return False
