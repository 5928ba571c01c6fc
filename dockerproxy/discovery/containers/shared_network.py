"""Whoever uses the network of another container (`--network container:NAME`, `network_mode: service:NAME`) is reached
where that one is: the engine's list tells neither networks nor published ports of it. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dockerproxy.discovery.engine.entry import CONTAINER_MODE, RUNNING, Entry

_MOST_STEPS = 4  # Docker allows one; whoever allows more has no circles


def owner_of(entry: Entry) -> str:
    """The id (or the name) of the container whose network it uses; "" if it is its own."""
    return entry.network_mode.removeprefix(CONTAINER_MODE) if entry.network_mode.startswith(CONTAINER_MODE) else ""


def through_owner(entry: Entry, find: Callable[[str], Entry | None]) -> Entry:
    """The entry with networks and published ports of the container whose network it uses; that one's name, if it does
    not run.

    find: an entry by id or name
    """
    for _ in range(_MOST_STEPS):
        owner = find(owner_of(entry)) if owner_of(entry) else None
        if owner is None:
            break
        if owner.state != RUNNING:
            return replace(entry, owner=owner.name)
        entry = replace(
            entry,
            network_mode=owner.network_mode,
            networks=owner.networks,
            owner=owner.name,
            owner_ports=owner.ports,
        )
    return entry
