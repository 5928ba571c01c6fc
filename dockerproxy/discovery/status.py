"""DiscoveryStatus: how discovery itself fares, for statistics, metrics and explanations. Holds no rule of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dockerproxy.discovery.containers.listing import Listing
from dockerproxy.discovery.engine.own_container import OwnContainer
from dockerproxy.stats import Latency


class EngineState(StrEnum):
    """Whether events reach us."""

    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    DISABLED = "disabled"


@dataclass(slots=True)
class DiscoveryStatus:
    """How discovery itself fares; written by the watcher, read by statistics.

    last_event_at, last_sync_at: seconds since the epoch, or None
    lag:   from the event at the engine to the table that it changed
    error: why the engine cannot be reached, in words, or ""
    own:     the proxy's own container, where it runs in one of this engine
    listing: all containers, also those without a label of ours; None as long as nothing was listed
    """

    state: EngineState = EngineState.DISABLED
    engine: str = ""
    events: int = 0
    last_event_at: float | None = None
    last_sync_at: float | None = None
    reconnects: int = 0
    lag: Latency = field(default_factory=Latency)
    error: str = ""
    listing: Listing | None = None
    own: OwnContainer | None = None
