"""Strangers: the containers that bear no label of ours, and what would become of each if it did.

They take no part in routing. They are known so that a person who asks for one is told that it exists, and what it
needs. An instance never changes: the fleet makes a new one, so that another thread may read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dockerproxy.discovery.containers import ContainerReader
from dockerproxy.discovery.entry import Entry
from dockerproxy.discovery.snapshot import ContainerView


class Strangers:
    """The entries of containers without a label of ours, by id.

    enable: the label that lets a container join
    """

    __slots__ = ("_enable", "_entries", "_reader")

    def __init__(self, entries: Mapping[str, Entry], reader: ContainerReader, enable: str) -> None:
        self._entries = entries
        self._reader = reader
        self._enable = enable

    def __repr__(self) -> str:
        return f"<Strangers: {len(self._entries)}>"

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def with_label(self, stranger: Entry) -> ContainerView:
        """What would be made of it if it bore the label that lets it join."""
        return self._reader.view(replace(stranger, labels={**stranger.labels, self._enable: "true"}))
