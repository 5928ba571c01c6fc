"""Draining: the containers that were told to stop, until they have died or turned out to survive.

`now` (time.monotonic) is an argument of everything. Knows nothing of the engine.
"""

from __future__ import annotations

import math
from collections.abc import Set

from dockerproxy.discovery.timing import Timing


class _Drain:
    """One container's time between the signal and its death, or its return."""

    __slots__ = ("begun", "grace", "look_at")

    def __init__(self, begun: float, grace: float | None, look_at: float) -> None:
        self.begun = begun
        self.grace = grace
        self.look_at = look_at


class Draining:
    """Who is draining, and when to look at whom again."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._drains: dict[str, _Drain] = {}

    def __repr__(self) -> str:
        return f"<Draining: {len(self._drains)} containers>"

    def __contains__(self, container: str) -> bool:
        return container in self._drains

    @property
    def containers(self) -> Set[str]:
        """Ids of those that drain now."""
        return self._drains.keys()

    def begin(self, container: str, now: float) -> None:
        """It was told to stop (again)."""
        known = self._drains.get(container)
        grace = known.grace if known is not None else None
        self._drains[container] = _Drain(now, grace, math.inf if grace is not None else now + self._timing.grace_lookup)

    def end(self, container: str) -> None:
        """It died, or is not draining after all."""
        self._drains.pop(container, None)

    def to_look_up(self, now: float) -> list[str]:
        """Those that took so long that their own grace matters; each is named once."""
        found = [container for container, drain in self._drains.items() if drain.look_at <= now]
        for container in found:
            self._drains[container].look_at = math.inf
        return found

    def set_grace(self, container: str, grace: float | None) -> None:
        """The time that this container has between its stop signal and SIGKILL; None: the engine's default."""
        if container in self._drains:
            self._drains[container].grace = self._timing.stop_grace if grace is None else grace

    def survivors(self, now: float) -> list[str]:
        """Those whose grace has passed; they no longer drain."""
        found = [container for container, drain in self._drains.items() if self._end(drain) <= now]
        for container in found:
            del self._drains[container]
        return found

    def next_due(self) -> float:
        """When to ask again for `to_look_up` and `survivors`; infinity for never."""
        return min((min(drain.look_at, self._end(drain)) for drain in self._drains.values()), default=math.inf)

    def _end(self, drain: _Drain) -> float:
        grace = self._timing.stop_grace if drain.grace is None else drain.grace
        return drain.begun + grace + self._timing.stop_margin
