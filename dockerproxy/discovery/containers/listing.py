"""Listing: all containers as they were last listed, for questions beside routing: who is a stranger, and what if.

A stranger bears no label of ours. It takes no part in routing; it is known so that a person who asks for it is told
that it exists, and what it needs. A listing never changes, the fleet makes new ones: another thread may read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from dockerproxy.discovery.containers.reader import ContainerReader
from dockerproxy.discovery.engine.entry import Entry
from dockerproxy.discovery.snapshot import ContainerView


class Listing:
    """Entries by id: those with labels of ours, and the strangers."""

    __slots__ = ("_ours", "_reader", "_resolved", "_strangers")

    def __init__(
        self,
        ours: Mapping[str, Entry],
        strangers: Mapping[str, Entry],
        reader: ContainerReader,
        resolved: Callable[[Entry], Entry],
    ) -> None:
        self._ours = ours
        self._resolved = resolved
        self._strangers = strangers
        self._reader = reader

    def __repr__(self) -> str:
        return f"<Listing: {len(self._ours)} with labels of ours, {len(self._strangers)} strangers>"

    @property
    def strangers(self) -> tuple[Entry, ...]:
        """The containers without a label of ours."""
        return tuple(self._strangers.values())

    def what_if(self, container: str, labels: Mapping[str, str]) -> ContainerView | None:
        """What would be made of a container if these were all of its labels; None if there is no such container."""
        entry = self._ours.get(container) or self._strangers.get(container)
        return None if entry is None else self._reader.view(replace(self._resolved(entry), labels=labels))
