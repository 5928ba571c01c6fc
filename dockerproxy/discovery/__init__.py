"""Discovery: WHO is running. Watches the engine and publishes whole snapshots; the only importer of the Docker SDK.

following/   Watcher: from the events of an engine to snapshots in the event loop
containers/  Fleet: what the engine says of containers -> Snapshot
engine/      Engine, Entry: everything that is said to the engine and by it
once.py      the containers at one moment, without following them
sockets.py   where an engine is when nobody says it
status.py    DiscoveryStatus: how discovery itself fares
snapshot.py  Snapshot, ContainerView, RouteWish: what comes out
timing.py    how long discovery waits for what

Calls run from following down to snapshot; containers/ is pure. What labels ask for, `dockerproxy.labels` says; another
engine makes the same snapshots.
"""

from dockerproxy.discovery.following.watcher import Watcher
from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.discovery.status import DiscoveryStatus, EngineState
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.labels.table import LABELS

__all__ = [
    "LABELS",
    "Code",
    "ContainerView",
    "DiscoveryStatus",
    "EngineState",
    "Reason",
    "RouteWish",
    "Snapshot",
    "Watcher",
]
