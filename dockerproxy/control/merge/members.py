"""CurrentMembers: who is there, and the parts that containers have in routes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import NamedTuple

from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot

ContainerKey = tuple[str, str]  # engine, id


class Member(NamedTuple):
    """One container's part in a route.

    former: whether it has left the route; what it said of it still counts, its upstream does not
    """

    key: ContainerKey
    container: ContainerView
    wish: RouteWish
    former: bool = False

    @property
    def age(self) -> tuple[float, str, str]:
        """The older container wins."""
        return _age(self.container)


class _Entry(NamedTuple):
    """A container, and its parts in routes."""

    age: tuple[float, str, str]
    key: ContainerKey
    container: ContainerView
    members: tuple[Member, ...]


class CurrentMembers:
    """Who is there, oldest first.

    containers: with their keys
    members:    each container's parts in routes
    """

    __slots__ = ("_entries", "containers", "members")

    def __init__(self, snapshots: Iterable[Snapshot] = (), before: CurrentMembers | None = None) -> None:
        """before: who was there before; for most containers, nothing has changed"""
        known = before._entries if before is not None else {}
        self._entries: dict[ContainerKey, _Entry] = {}
        for snapshot in snapshots:
            for container in snapshot.containers:
                key = snapshot.engine, container.id
                entry = known.get(key)
                if entry is None or entry.container is not container:
                    entry = _entry(key, container)
                self._entries[key] = entry
        entries = sorted(self._entries.values(), key=itemgetter(0))
        self.containers = [(entry.key, entry.container) for entry in entries]
        self.members = [member for entry in entries for member in entry.members]

    def __repr__(self) -> str:
        return f"<CurrentMembers: {len(self.containers)} containers with {len(self.members)} parts>"


def _entry(key: ContainerKey, container: ContainerView) -> _Entry:
    members = tuple(Member(key, container, wish) for wish in container.wishes)
    return _Entry(_age(container), key, container, members)


def label_of(member: Member, option: str, prefix: str) -> str:
    """The label that says so, else the one that would."""
    plain, named = f"{prefix}.{option}", f"{prefix}.{member.wish.route}.{option}"
    if option == "route":
        return plain
    several = len(member.container.wishes) > 1
    return next((key for key in (named, plain) if key in member.container.labels), named if several else plain)


def _age(container: ContainerView) -> tuple[float, str, str]:
    return container.created, container.name, container.id
