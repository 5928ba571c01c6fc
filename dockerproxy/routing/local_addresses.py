"""Addresses that only this machine and its link reach: loopback, link-local, a cloud's metadata. Pure.

Whoever may have a proxy fetch from them gets what is meant for the machine alone: RFC 1122 section 3.2.1.3 (loopback,
this host), RFC 3927 and RFC 4291 section 2.5.6 (link-local); clouds tell secrets to whoever asks from the machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Networks = Sequence[Network]

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_KINDS: tuple[tuple[str, tuple[Network, ...]], ...] = (
    ("a loopback address", (*LOOPBACK, ip_network("0.0.0.0/8"), ip_network("::/128"))),
    ("a link-local address", (ip_network("169.254.0.0/16"), ip_network("fe80::/10"))),
    (
        "where a cloud tells a machine its secrets",
        tuple(map(ip_network, (
            "fd00:ec2::/32", "fd20:ce::254/128", "fd00:42::42/128", "100.100.100.200/32", "192.0.0.192/32",
            "168.63.129.16/32",
        ))),
    ),
)  # fmt: skip
# RFC 6052 section 2.1, RFC 3056 section 2: addresses of IPv4 are in the last, or behind the first, bits.
_NAT64 = IPv6Network("64:ff9b::/96")
_BYTES = 4  # of an address of IPv4
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,8}|0[0-7]{0,11}|[1-9][0-9]{0,9}")
# RFC 6761 section 6.3, and what distributions write in /etc/hosts.
_LOOPBACK_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")


def why_local(host: str, permitted: Networks = ()) -> str:
    """What is local about a host, as in `a loopback address`; "" if nothing is, or it is in a permitted network.

    host: an address, or a name; of a name only those are known that stand for loopback everywhere
    """
    name = host.lower().rstrip(".")
    if name in _LOOPBACK_NAMES or name.endswith(".localhost"):
        return "" if any(network.overlaps(own) for network in permitted for own in LOOPBACK
                         if network.version == own.version) else _KINDS[0][0]  # fmt: skip
    address = address_of(host)
    if address is None or any(address in network for network in permitted):
        return ""
    return next((kind for kind, networks in _KINDS if any(address in network for network in networks)), "")


def address_of(host: str) -> Address | None:
    """The address that it is, that of IPv4 where one of IPv6 contains it; None for a name."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return _old_form(host)
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def is_address(host: str) -> bool:
    """Whether it is an address, so that nothing has to be looked up."""
    return address_of(host) is not None


def _old_form(host: str) -> IPv4Address | None:
    """`127.1`, `0x7f.0.0.1`, `0177.0.0.1`, `2130706433`: what inet_aton, and so every resolver, takes for an address.

    The last number fills all bytes that are left.
    """
    parts = host.rstrip(".").split(".")
    if len(parts) > _BYTES or not all(map(_NUMBER.fullmatch, parts)):
        return None
    *first, last = (int(part, 16 if part[:2] in ("0x", "0X") else 8 if part[0] == "0" else 10) for part in parts)
    if any(number > 255 for number in first) or last >= 256 ** (_BYTES - len(first)):
        return None
    value = sum(number << 8 * (_BYTES - 1 - place) for place, number in enumerate(first))
    return IPv4Address(value + last)
