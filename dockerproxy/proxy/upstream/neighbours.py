"""Neighbours: the link-layer address of who is at an address of IPv4 on a network that this machine is on.

Linux tells of it in /proc/net/arp (arp(7)). A connection that stands went to whoever is told there.
"""

from __future__ import annotations

from pathlib import Path

_TABLE = Path("/proc/net/arp")
_ADDRESS, _FLAGS, _HARDWARE = 0, 2, 3  # columns
_COMPLETE = 0x2  # ATF_COM


def hardware_of(address: str, table: Path = _TABLE) -> str:
    """`8e:1f:03:aa:10:02`, in lower case; "" where nobody tells: another system, another link, IPv6."""
    try:
        lines = table.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return ""
    for columns in map(str.split, lines):
        if len(columns) > _HARDWARE and columns[_ADDRESS] == address and int(columns[_FLAGS], 16) & _COMPLETE:
            return columns[_HARDWARE].lower()
    return ""
