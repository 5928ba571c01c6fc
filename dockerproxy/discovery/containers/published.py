"""Published ports: at which address of the host, and which of its ports, a port of a container answers. Pure.

The address that a port is bound to counts: behind another one nobody listens. A port that is bound to all addresses
answers at the setting `docker.published_host`, as far as that is of the same kind (IPv4 or IPv6).
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from dockerproxy.discovery.engine.entry import Port

_LOOPBACK_OF = {4: "127.0.0.1", 6: "::1"}
_LOCALHOST = "localhost"

Ip = IPv4Address | IPv6Address


def published_at(ports: Iterable[Port], host: str, on_host: bool) -> tuple[str, int] | None:
    """Where to connect for a container's port, or None if no address leads there from the proxy.

    ports:   of the engine's list, those of this port that are published
    host:    the setting `docker.published_host`
    on_host: whether the proxy reaches the loopback addresses of this machine
    """
    reached = [
        (not port.anywhere, _version(port.address), port.public, address)
        for port in ports
        if (address := _reached(port, host, on_host)) is not None
    ]
    # Those that are bound to all addresses first, IPv4 before IPv6, then the lowest.
    *_, public, address = min(reached, default=(True, 0, 0, ""))
    return (address, public) if address else None


def _reached(port: Port, host: str, on_host: bool) -> str | None:
    """The address to connect to for one row of the engine's list."""
    own = _ip(host)
    bound = _ip(port.address)
    if port.anywhere or bound is None:
        return _of_version(host, own, _version(port.address)) if port.address else host
    if not bound.is_loopback:
        return str(bound)
    if own is None and host != _LOCALHOST:
        return host  # such as host.docker.internal, behind which Docker Desktop hands on what is bound to loopback
    return str(bound) if on_host and (own is None or own.is_loopback) else None


def _of_version(host: str, own: Ip | None, version: int) -> str | None:
    """`host`, where it may have an address of this version; else the loopback address in the place of the other."""
    if own is None and host == _LOCALHOST:
        return _LOOPBACK_OF[version]
    if own is None or own.version == version:
        return host
    return _LOOPBACK_OF[version] if own.is_loopback else None


def _version(address: str) -> int:
    return 6 if ":" in address else 4


def _ip(text: str) -> Ip | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
