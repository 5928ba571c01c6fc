"""Fleet: all containers of one engine as last listed, and the snapshot that follows from them.

Takes whole lists and lists of some containers; keeps the view of every container that did not change, so that a
snapshot costs little and equal ones compare fast. No I/O, no clock.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Set
from typing import Any, NamedTuple

from dockerproxy.discovery.containers.address import AddressBook
from dockerproxy.discovery.containers.listing import Listing
from dockerproxy.discovery.containers.reader import ContainerReader
from dockerproxy.discovery.containers.shared_network import owner_of, through_owner
from dockerproxy.discovery.engine.entry import RUNNING, SHORT_ID, STOPPING, Entry
from dockerproxy.discovery.engine.networks import KnownNetworks
from dockerproxy.discovery.engine.own_container import OwnContainer, own_ids, resolve
from dockerproxy.discovery.snapshot import ContainerView, Snapshot
from dockerproxy.labels.native import LabelReader
from dockerproxy.labels.reading import Dialect
from dockerproxy.labels.reason import Code
from dockerproxy.settings.model import DockerSettings

log = logging.getLogger("dockerproxy.discovery")

_ALIVE = frozenset({RUNNING, STOPPING, "paused"})


class _Known(NamedTuple):
    """A view, and what it was made of.

    served: whether it is routed or, if it is not alive, was when it last was
    """

    entry: Entry
    draining: bool
    view: ContainerView
    served: bool


class Fleet:
    """The containers that bear labels of ours, and beside them the strangers.

    own: ids that the proxy's own container may have
    """

    def __init__(
        self, settings: DockerSettings, own: Collection[str] | None = None, dialect: Dialect | None = None
    ) -> None:
        self._settings = settings
        self._own_ids = tuple(own_ids() if own is None else own)
        self._dialect = dialect or LabelReader(settings.label_prefix, settings.default_domain)
        self._own: OwnContainer | None = None
        self._own_entry: Entry | None = None
        self._own_listed: Entry | None = None
        self._entries: dict[str, Entry] = {}
        self._strangers: dict[str, Entry] = {}
        self._known: dict[str, _Known] = {}
        self._unreadable: set[str] = set()
        self._on_networks: set[str] = set()
        self._owners: set[str] = set()
        self._networks = KnownNetworks()
        self._reader = self._new_reader()

    def __repr__(self) -> str:
        return f"<Fleet of {len(self._entries)}, seen from {self._own or 'the host'}>"

    def __contains__(self, container: str) -> bool:
        """Whether it bears labels of ours, or one that does uses its network."""
        return container in self._entries or container in self._owners

    @property
    def own(self) -> OwnContainer | None:
        """The proxy's own container, when the engine lists it."""
        return self._own

    @property
    def listing(self) -> Listing:
        """All containers as they are now."""
        return Listing(self._entries, self._strangers, self._reader, self._resolved)

    def lacks_networks(self) -> bool:
        """Whether it matters what the networks of its containers are like, and is not known of each."""
        from_host = self._own is None or self._own.on_host
        return from_host and self._settings.address == "container" and self._networks.lacks(self._on_networks)

    def learn_networks(self, listed: Iterable[Mapping[str, Any]]) -> None:
        """Take the engine's list of networks."""
        self._networks.learn(self._on_networks, listed)

    def concerns(self, data: Mapping[str, Any]) -> bool:
        """Whether the container in this item of the engine's list bears labels of ours, or is our own."""
        own = bool(self._own_ids) and str(data["Id"]).startswith(self._own_ids)
        return own or self._dialect.mentions(data.get("Labels") or {})

    def lacks_port(self, data: Mapping[str, Any]) -> bool:
        """Whether a container would be routed if this item of the engine's list did show a port of it."""
        entry = self._read(data) if not data.get("Ports") else None
        if entry is None or not self._dialect.mentions(entry.labels):
            return False
        if owner_of(entry):
            routes = self._dialect.read(entry.labels, entry.name, entry.service).routes
            return entry.state == RUNNING and any(route.port is None for route in routes)
        # Its networks are without the host's, where a port that is exposed tells nothing.
        return bool(entry.networks) and any(reason.code is Code.NO_PORT for reason in self._reader.view(entry).reasons)

    def replace(self, listed: Iterable[Mapping[str, Any]]) -> None:
        """Take a whole list."""
        self._entries = {}
        self._strangers = {}
        self._on_networks = set()
        self._owners = set()
        told, self._unreadable = self._unreadable, set()
        self._take(listed, told)

    def update(self, containers: Collection[str], listed: Iterable[Mapping[str, Any]]) -> None:
        """Take a list of `containers` only; those of them that are not listed are gone."""
        # Whoever was given the old ones keeps them.
        self._entries, self._strangers = dict(self._entries), dict(self._strangers)
        for container in containers:
            self._entries.pop(container, None)
            self._strangers.pop(container, None)
        self._take((data for data in listed if data["Id"] in containers), self._unreadable)

    def state(self, container: str) -> str:
        """The engine's word for its state; "" if it is not there, or none of our business."""
        entry = self._entries.get(container)
        if entry is None and container in self._owners:
            entry = self._strangers.get(container)
        if entry is None and self._own_entry is not None and self._own_entry.id == container:
            entry = self._own_entry
        return entry.state if entry is not None else ""

    def health(self, container: str) -> str:
        """What its health check has found; "" if it has none, or is none of our business."""
        entry = self._entries.get(container)
        return entry.health if entry is not None else ""

    def served(self, container: str) -> ContainerView | None:
        """What was made of it for the last snapshot, if it is routed there or was when it was last listed alive."""
        known = self._known.get(container)
        return known.view if known is not None and known.served else None

    def alive(self, container: str) -> bool:
        """Whether it has processes that may still be answering."""
        return self.state(container) in _ALIVE

    def snapshot(self, draining: Set[str]) -> Snapshot:
        """All that is known, with the upstreams of the containers in `draining` marked so."""
        known = {
            id_: self._look(self._resolved(entry), self._drains(entry, draining))
            for id_, entry in self._entries.items()
        }
        self._known = known
        views = [each.view for each in known.values()]
        views.sort(key=lambda view: (view.created, view.id))
        return Snapshot(self._settings.host, tuple(views))

    def _drains(self, entry: Entry, draining: Set[str]) -> bool:
        return entry.id in draining or owner_of(entry) in draining or entry.state == STOPPING

    def _take(self, listed: Iterable[Mapping[str, Any]], told: Set[str]) -> None:
        """told: the containers of which it was said already that they cannot be read"""
        for data in listed:
            entry = self._read(data, told)
            if entry is None:
                continue
            ours = self._dialect.mentions(entry.labels)
            if ours:
                self._on_networks.update(network.id for network in entry.networks if network.id)
                self._owners.update(filter(None, [owner_of(entry)]))
            (self._entries if ours else self._strangers)[entry.id] = entry
            if self._own_ids and entry.id.startswith(self._own_ids):
                self._own_listed = entry
        for owner in filter(None, map(self._find, self._owners)):
            self._on_networks.update(network.id for network in owner.networks if network.id)
        if self._own_listed is not None:
            self._take_own(self._resolved(self._own_listed))

    def _find(self, name: str) -> Entry | None:
        """By id or, for engines that tell it, by name."""
        found = self._entries.get(name) or self._strangers.get(name)
        others = (*self._entries.values(), *self._strangers.values())
        return found or next((entry for entry in others if entry.name == name), None)

    def _resolved(self, entry: Entry) -> Entry:
        """With the networks of another container, if it uses those."""
        return through_owner(entry, self._find) if owner_of(entry) else entry

    def _read(self, data: Mapping[str, Any], told: Set[str] | None = None) -> Entry | None:
        """What nobody has foreseen in what the engine says of one container costs that container only."""
        try:
            return Entry.from_json(data)
        except Exception as error:
            if told is not None:
                if data["Id"] not in told:
                    log.warning(
                        "container %s is left out: what the engine says of it cannot be read (%s: %s)",
                        data["Id"][:SHORT_ID], type(error).__name__, error,
                    )  # fmt: skip
                self._unreadable.add(data["Id"])
            return None

    def _take_own(self, entry: Entry) -> None:
        """Our own networks decide about everyone's address, so that all views are made anew when they change."""
        if entry == self._own_entry:
            return
        self._own_entry = entry
        self._own = OwnContainer.from_entry(entry, resolve)
        self._known = {}
        self._reader = self._new_reader()

    def _look(self, entry: Entry, draining: bool) -> _Known:
        known = self._known.get(entry.id)
        if known is not None and known.draining == draining and (known.entry is entry or known.entry == entry):
            return known
        view = self._reader.view(entry, draining)
        served_before = known is not None and known.served and entry.state not in _ALIVE
        return _Known(entry, draining, view, view.routed or served_before)

    def _new_reader(self) -> ContainerReader:
        return ContainerReader(self._dialect, AddressBook(self._settings, self._own, self._dialect.key, self._networks))
