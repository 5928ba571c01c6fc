"""Snapshot: all that discovery sees at one moment, as frozen values.

Discovery always sends whole snapshots, so that nobody has to keep a history to know the present. Two equal
snapshots mean that nothing changed. Neutral on purpose: another engine, Swarm or another dialect of labels
makes the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from dockerproxy.labels.reason import Reason
from dockerproxy.routing.route import Domain, PathRule, Upstream


class Reach(NamedTuple):
    """How a container is reached for one route, and why so.

    network: as the engine calls it, or "" where none is used
    """

    network: str = ""
    why_network: str = ""
    why_port: str = ""


NO_REACH = Reach()
# Who has ended is told by its connections.
_ALIVE = ("running", "starting", "paused")


@dataclass(frozen=True, slots=True)
class RouteWish:
    """What one container asks of one route, and the upstream that it brings.

    domains, path, methods: None where the container says nothing, so that a joined route keeps its own
    default_domain:         where the route is if nobody says anything
    options:                per-route settings by their names, checked, only those that were given
    reach:                  over which network and port, and why
    project:                the compose project, where the route is called as a service of it; else ""
    """

    route: str
    upstream: Upstream
    default_domain: Domain
    domains: tuple[Domain, ...] | None = None
    path: PathRule | None = None
    methods: tuple[str, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    reach: Reach = NO_REACH
    project: str = ""

    @property
    def says_where(self) -> bool:
        """Whether the container itself says where the route is to be."""
        return self.domains is not None or self.path is not None or self.methods is not None

    @property
    def address(self) -> str:
        """`host:port` of the upstream."""
        return self.upstream.address.partition("://")[2]


@dataclass(frozen=True, slots=True)
class ContainerView:
    """What discovery made of one container.

    id:       the engine's id, whole
    created:  seconds since the epoch, for "the older wins"
    wishes:   the routes it joins; empty when it is not routed
    reasons:  why it is not routed, or what was wrong with a label although it is
    mentioned: whether it bears any of our labels; one that does not is left out of reports
    labels:   all of its labels, ours and others, as the engine tells them
    networks: the names of the engine's networks that it is on
    exposed:  its TCP ports, in order
    addresses: those that it has on its networks
    """

    id: str
    name: str
    created: float
    state: str
    wishes: tuple[RouteWish, ...] = ()
    reasons: tuple[Reason, ...] = ()
    mentioned: bool = True
    labels: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    networks: tuple[str, ...] = ()
    exposed: tuple[int, ...] = ()
    addresses: tuple[str, ...] = field(default=(), compare=False)

    @property
    def routed(self) -> bool:
        return bool(self.wishes)

    @property
    def address(self) -> str:
        """`host:port` of its first upstream, or ""."""
        return self.wishes[0].address if self.wishes else ""


class Ending(StrEnum):
    """How a person ended a container."""

    STOPPED = "stopped"  # it was told to stop, and has ended
    REMOVED = "removed"  # it is gone for good


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All labelled containers of one engine, ordered by creation time.

    endings: ids of containers that a person has ended and nobody has started again; those that are gone for long are
             left out. A crash is none, nor is what the engine does by itself.
    """

    engine: str
    containers: tuple[ContainerView, ...] = ()
    endings: Mapping[str, Ending] = field(default_factory=dict)

    def lost_since(self, before: Snapshot) -> set[tuple[str, str]]:
        """The upstreams' addresses that running containers have no more, each with the id of its container.

        Of an address that is reached by a published port, or of the host's, nothing is known.
        """
        now = {view.id: view for view in self.containers}
        lost = set()
        for old in before.containers:
            view = now.get(old.id)
            if view is None or view is old or view.state not in _ALIVE:
                continue
            for wish in old.wishes:
                upstream = wish.upstream
                if upstream.host in old.addresses and upstream.host not in view.addresses:
                    lost.add((upstream.address, upstream.container))
        return lost

    def changed_since(self, before: Snapshot) -> list[str]:
        """The ids of the containers that came, went, or are another view now."""
        old = {view.id: view for view in before.containers}
        changed = []
        for view in self.containers:
            known = old.pop(view.id, None)
            if known is not view and known != view:  # most are the very same
                changed.append(view.id)
        return [*changed, *old]
