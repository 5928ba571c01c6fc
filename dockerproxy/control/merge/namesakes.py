"""Namesakes: services of one name in several compose projects, which may have nothing to do with each other.

A route that no label names is called as the compose service. Where the service of the same name of another project is
to be elsewhere, it is another application, and its route is called `<project>-<service>`. Services at the same place
share one route: so one version of a project can take over from another.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.routing.route import Domain, PathRule

_Service = tuple[str, str]  # a service's name and its compose project
_Rank = tuple[bool, float, str]  # whoever says where it is to be comes first, then the oldest


class _Place(NamedTuple):
    """Where a service is to be."""

    domains: tuple[Domain, ...]
    path: PathRule | None
    methods: tuple[str, ...] | None


class Namesakes:
    """How the routes of services are called. No route is renamed while there are containers of it, or it lingers,
    unless another project has the name and is to be elsewhere."""

    def __init__(self) -> None:
        self._named: dict[_Service, tuple[str, _Place]] = {}

    def __repr__(self) -> str:
        return f"<Namesakes: {', '.join(route for route, _ in self._named.values()) or 'none'}>"

    def apart(
        self, snapshots: Sequence[Snapshot], firm: Container[str], known: Collection[str]
    ) -> tuple[Snapshot, ...]:
        """The snapshots, with the names of routes that are not to be taken for another project's.

        firm:  names of routes that containers may join, from whatever project
        known: names of docker routes that there are, also of those that linger
        """
        places = _places(snapshots, firm)
        self._named = {
            service: (route, place)
            for service, (route, place) in self._named.items()
            if service in places or route in known
        }
        self._name(places | {service: place for service, (_, place) in self._named.items() if service not in places})
        renamed = {service: self._named[service][0] for service in places if self._named[service][0] != service[0]}
        return tuple(_renamed(snapshot, renamed) for snapshot in snapshots) if renamed else tuple(snapshots)

    def _name(self, places: Mapping[_Service, _Place]) -> None:
        """Name all services anew, also those that are away: whoever moves away from a name leaves it to them."""
        namesakes: dict[str, list[_Service]] = {}
        for service in places:
            namesakes.setdefault(service[0], []).append(service)
        for name, services in namesakes.items():
            if len(services) == 1:  # nearly always
                (service,) = services
                self._named[service] = self._named.get(service, (name, None))[0], places[service]
            else:
                self._name_apart(services, places)

    def _name_apart(self, services: Sequence[_Service], places: Mapping[_Service, _Place]) -> None:
        """Services of one name: whoever is at one place has one name, and nobody else has it."""
        shared: dict[_Place, list[_Service]] = {}
        for service in services:
            shared.setdefault(places[service], []).append(service)
        held = [(place, group, *self._held(group, place)) for place, group in shared.items()]
        # Of several that have a name, whoever stays where it was keeps it; only then come those without one.
        held.sort(key=lambda each: (not each[2], not each[3]))
        taken: set[str] = set()
        for place, group, *names in held:
            name, project = group[0]
            wanted = (*names[0], *names[1], name, f"{project}-{name}")
            route = next(route for route in wanted if route not in taken)
            taken.add(route)
            self._named.update(dict.fromkeys(group, (route, place)))

    def _held(self, group: Sequence[_Service], place: _Place) -> tuple[list[str], list[str]]:
        """The names that those of one place have, from there and from elsewhere.

        Without those that begin with another project: they are for its own, should it be elsewhere now.
        """
        own = {group[0][0], *(f"{project}-{name}" for name, project in group)}
        named = [self._named[service] for service in group if service in self._named]
        stay = [route for route, where in named if where == place and route in own]
        return stay, [route for route, where in named if where != place and route in own]


def _places(snapshots: Sequence[Snapshot], firm: Container[str]) -> dict[_Service, _Place]:
    """Where each service is to be, by the oldest of its containers that says so; in that order."""
    found: dict[_Service, tuple[_Rank, RouteWish]] = {}
    for snapshot in snapshots:
        for container in snapshot.containers:
            for wish in container.wishes:
                if not wish.project or wish.route in firm:
                    continue
                service = wish.route, wish.project
                rank = not wish.says_where, container.created, container.id
                if service not in found or rank < found[service][0]:
                    found[service] = rank, wish
    ordered = sorted(found.items(), key=lambda item: item[1][0])
    return {service: _place(wish) for service, (_, wish) in ordered}


def _place(wish: RouteWish) -> _Place:
    return _Place(wish.domains or (wish.default_domain,), wish.path, wish.methods)


def _renamed(snapshot: Snapshot, names: Mapping[_Service, str]) -> Snapshot:
    return replace(snapshot, containers=tuple(_view(container, names) for container in snapshot.containers))


def _view(container: ContainerView, names: Mapping[_Service, str]) -> ContainerView:
    if not any(wish.project and (wish.route, wish.project) in names for wish in container.wishes):
        return container
    wishes = (replace(wish, route=names.get((wish.route, wish.project), wish.route)) for wish in container.wishes)
    return replace(container, wishes=tuple(wishes))
