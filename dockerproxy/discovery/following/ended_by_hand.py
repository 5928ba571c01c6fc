"""EndedByHand: the containers that a person has stopped or removed, as far as the engine's events tell.

No I/O, no clock.

The engine tells of `docker stop` and `docker rm -f` by the event kill before the event die. A process that ends by
itself dies without, and what the engine then removes because it was run with `--rm` nobody has removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from dockerproxy.discovery.snapshot import Ending

_AUTO_REMOVE = 2.0  # seconds; within it after a death that nobody asked for, a removal is the engine's own
_MOST_REMOVED = 500  # of those that are gone; who had their places is known by then


class EndedByHand:
    """Who was told to stop, and who has ended so."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._died: dict[str, float] = {}  # by themselves
        self._endings: dict[str, Ending] = {}

    def __repr__(self) -> str:
        return f"<EndedByHand: {len(self._told)} containers were told to stop, {len(self._endings)} have ended so>"

    def __contains__(self, container: str) -> bool:
        return container in self._told or container in self._died or container in self._endings

    @property
    def found(self) -> Mapping[str, Ending]:
        """As they are now; this mapping does not change."""
        return dict(self._endings)

    def signalled(self, container: str) -> None:
        """A person told it to stop, by a signal or by the engine's own word for it."""
        self._told.add(container)
        if self._died.pop(container, None) is not None:  # some engines say so only when it has ended
            self._endings[container] = Ending.STOPPED

    def died(self, container: str, now: float) -> None:
        """It has ended."""
        if container in self._told:
            self._endings[container] = Ending.STOPPED
        else:
            self._died[container] = now

    def lives(self, container: str) -> None:
        """It was started, or has survived its signal."""
        self._told.discard(container)
        self._died.pop(container, None)
        self._endings.pop(container, None)

    def removed(self, container: str, now: float) -> None:
        """It is gone for good."""
        died = self._died.pop(container, None)
        self._told.discard(container)
        if died is None or now - died >= _AUTO_REMOVE:
            self._remove(container)

    def keep(self, containers: Set[str]) -> None:
        """These are all that there are: of some the end was not told, while there was no connection."""
        self._told &= containers
        self._died = {container: died for container, died in self._died.items() if container in containers}
        for container in [each for each, ending in self._endings.items() if ending is Ending.STOPPED]:
            if container not in containers:
                self._remove(container)

    def _remove(self, container: str) -> None:
        self._endings.pop(container, None)
        self._endings[container] = Ending.REMOVED
        removed = [each for each, ending in self._endings.items() if ending is Ending.REMOVED]
        for each in removed[:-_MOST_REMOVED]:
            del self._endings[each]
