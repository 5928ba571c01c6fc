"""Discovered: the containers of an engine as they are at one moment, for whoever does not want to follow them.

Blocking; for commands that end.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from dockerproxy.discovery.containers.fleet import Fleet
from dockerproxy.discovery.engine.client import Engine
from dockerproxy.discovery.engine.exposed_ports import ExposedPorts
from dockerproxy.discovery.engine.tls import EngineTls
from dockerproxy.discovery.engine.unlisted import Unlisted
from dockerproxy.discovery.snapshot import Snapshot
from dockerproxy.discovery.sockets import engine_host
from dockerproxy.discovery.status import DiscoveryStatus, EngineState
from dockerproxy.discovery.timing import DEFAULT_TIMING
from dockerproxy.settings.model import DockerSettings


class Discovered(NamedTuple):
    """What there is, and where it comes from."""

    snapshot: Snapshot
    status: DiscoveryStatus


def discover_once(settings: DockerSettings) -> Discovered:
    """Ask the engine of these settings once. Raises EngineLost."""
    engine = Engine.connect(engine_host(settings), DEFAULT_TIMING, EngineTls.of(settings))
    with contextlib.closing(engine):
        listed = engine.containers()
        fleet = Fleet(settings)
        Unlisted().complete(listed, fleet.concerns, engine.inspected)
        ExposedPorts().complete(listed, fleet.lacks_port, engine.exposed_ports)
        return discover_listed(listed, f"{engine.name} at {engine.host}", settings, engine.networks)


def discover_listed(
    listed: Iterable[Mapping[str, Any]],
    source: str,
    settings: DockerSettings,
    networks: Callable[[], Iterable[Mapping[str, Any]]] = tuple,
) -> Discovered:
    """Take containers as `GET /containers/json` lists them.

    source:   where they come from, for people
    networks: the engine's networks, asked for if it matters what they are like
    """
    fleet = Fleet(settings)
    fleet.replace(listed)
    if fleet.lacks_networks():
        fleet.learn_networks(networks())
    status = DiscoveryStatus(EngineState.CONNECTED, engine=source, last_sync_at=time.time(), listing=fleet.listing)
    return Discovered(fleet.snapshot(set()), status)
