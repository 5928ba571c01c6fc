"""Draining: the containers that were told to stop, until they have ended, or somebody knows that they live on.

Time alone is no reason to believe that one lives on: the grace that a person gives (`docker stop --time`) is nowhere to
be read, and an application may go on serving until the last moment. What counts, the follower finds out: that it was
started anew, that its health check, which had failed, succeeds again, or that an operator says so.

`now` (time.monotonic) is an argument of everything. Knows nothing of the engine.
"""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass

from dockerproxy.discovery.timing import Timing


@dataclass(slots=True)
class _Drain:
    """One container's time since the signal.

    moment:    of the signal by the engine's clock, in nanoseconds since the epoch; 0 when it is not known
    signal:    its number
    look_at:   when to ask how it is stopped
    told:      whether it was told that it takes longer than its grace
    unhealthy: whether its health check has failed, and not succeeded since then
    """

    begun: float
    moment: int
    signal: int
    grace: float | None
    look_at: float
    told: bool = False
    unhealthy: bool = False


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

    def begin(self, container: str, now: float, *, moment: int = 0, signal: int = 0, unhealthy: bool = False) -> None:
        """It was told to stop (again)."""
        known = self._drains.get(container)
        grace = known.grace if known is not None else None
        look_at = math.inf if grace is not None else now + self._timing.grace_lookup
        self._drains[container] = _Drain(now, moment, signal, grace, look_at, unhealthy=unhealthy)

    def end(self, container: str) -> None:
        """It has ended, or is not draining after all."""
        self._drains.pop(container, None)

    def to_look_up(self, now: float) -> list[str]:
        """Those that took so long that it matters how they are stopped; each is named once."""
        found = [container for container, drain in self._drains.items() if drain.look_at <= now]
        for container in found:
            self._drains[container].look_at = math.inf
        return found

    def set_grace(self, container: str, grace: float | None) -> None:
        """The time that this container has between its stop signal and SIGKILL; None: the engine's default."""
        if container in self._drains:
            self._drains[container].grace = self._timing.stop_grace if grace is None else grace

    def signal(self, container: str) -> int:
        """The number of the signal that it got; 0 if it is not known."""
        drain = self._drains.get(container)
        return drain.signal if drain is not None else 0

    def began_before(self, container: str, moment: int) -> bool:
        """Whether it was told to stop before this moment (by the engine's clock, in nanoseconds)."""
        drain = self._drains.get(container)
        return drain is not None and 0 < drain.moment < moment

    def recovers(self, container: str, healthy: bool) -> bool:
        """Note what its health check has found; returns whether it succeeds after it had failed."""
        drain = self._drains.get(container)
        if drain is None:
            return False
        before, drain.unhealthy = drain.unhealthy, not healthy
        return healthy and before

    def overdue(self, now: float) -> list[str]:
        """Those that still run though their grace has passed; each is named once."""
        found = [container for container, drain in self._drains.items() if not drain.told and self._end(drain) <= now]
        for container in found:
            self._drains[container].told = True
        return found

    def next_due(self) -> float:
        """When to ask again for `to_look_up` and `overdue`; infinity for never."""
        return min((self._due(drain) for drain in self._drains.values()), default=math.inf)

    def _due(self, drain: _Drain) -> float:
        return min(drain.look_at, math.inf if drain.told else self._end(drain))

    def _end(self, drain: _Drain) -> float:
        grace = self._timing.stop_grace if drain.grace is None else drain.grace
        return drain.begun + grace + self._timing.stop_margin
