"""Discovery: WHO is running. Watches the engine and publishes whole snapshots; the only importer of the Docker SDK.

watcher.py        Watcher: the thread; connects for ever, publishes into the event loop
  follower.py     Follower: one connection: subscribe, list, act on events and on the clock
    engine.py     Engine: the SDK, with its errors in words (engine_words.py)
    events.py     EventReader, EventStream, Event: the stream of events and the thread that only queues it
    draining.py   Draining: who was told to stop
    moments.py    Moments: when the engine told of a container, to measure how late we are
    deaths.py     Deaths: who ended without being told to; turns.py: Turns: who does so again and again
    settling.py   Settling: who is listed again, because events come before the engine's list shows what they tell
    fleet.py      Fleet: all containers as last listed -> Snapshot
      own_container.py  OwnContainer: the container that the proxy itself runs in
      containers.py     ContainerReader: an Entry and what its labels ask for -> ContainerView
        address.py      AddressBook: where a container is reached, or why not
        labels.py       LabelReader: labels -> Reading (reading.py); the labels are in label_table.py
          label_guess.py    LabelGuess: which label was probably meant
          traefik_labels.py what labels for Traefik would be in ours
          wished.py         Wished: which hosts labels are about, well written or not
      listing.py        Listing: all containers, also those without labels, and what would be with other labels
      entry.py          Entry: one item of the engine's list, reduced to what matters
  delivery.py     Delivery: the way of snapshots to the loop's thread, which has requests to serve beside them
  backoff.py, pace.py, timing.py   pauses and deadlines
glance.py         the containers at one moment, without following them; inspection.py: from docker inspect
reason.py         Reason, Code: why, in words and in one word
snapshot.py       Snapshot, ContainerView, RouteWish: what comes out

Calls run from watcher down to snapshot. Everything from `fleet` down is pure: no I/O, no clock. Another dialect of
labels stands beside `labels.LabelReader`; another engine makes the same snapshots.
"""

from dockerproxy.discovery.label_table import LABELS
from dockerproxy.discovery.reason import Code, Reason
from dockerproxy.discovery.snapshot import (
    ContainerView,
    DiscoveryStatus,
    EngineState,
    RouteWish,
    Snapshot,
)
from dockerproxy.discovery.watcher import Watcher

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
