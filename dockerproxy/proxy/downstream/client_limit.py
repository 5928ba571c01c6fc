"""ClientLimit: how many clients there may be, and who has to go for a new one when there are so many.

Whoever keeps a connection open without a request under way takes a place that somebody else could use. When all places
are taken, the connection that has been idle longest is closed; only when none is idle, the new one is turned away.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from dockerproxy.stats import ProxyStats

# Descriptors for all that is neither a client nor an upstream: listening sockets, the engine, files, the event loop.
OWN_DESCRIPTORS = 64
# A look at all connections finds this part of them, so that looking costs each new client next to nothing.
_FOUND_AT_ONCE = 16
_LEAST_FOUND = 16
# Where all are busy: how many times as long as the look itself took it is not looked again.
_REST = 20
# Seconds between two lines of one kind in the log.
_BETWEEN_LINES = 60.0

log = logging.getLogger(__name__)


def places(descriptors: int) -> int:
    """How many clients these descriptors are enough for: each may need a second one, to an upstream."""
    return max(1, (descriptors - OWN_DESCRIPTORS) // 2)


def descriptors_for(clients: int) -> int:
    """How many descriptors are enough for so many clients."""
    return 2 * clients + OWN_DESCRIPTORS


class Evictable(Protocol):
    """Whoever takes a place: a connection, or a handshake."""

    @property
    def idle_since(self) -> float | None:
        """Since when nothing is under way, in seconds of the monotonic clock; None while something is."""

    def evict(self) -> None:
        """Leave at once, for somebody else."""


class ClientLimit:
    """The places for clients."""

    def __init__(self, stats: ProxyStats, now: Callable[[], float] = time.monotonic) -> None:
        self._stats = stats
        self._now = now
        self._longest_idle: deque[tuple[float, Evictable]] = deque()
        self._look_after = 0.0
        self._tell_after = {True: 0.0, False: 0.0}

    def __repr__(self) -> str:
        return f"<ClientLimit, {self._stats.connections_evicted} evicted, {self._stats.connections_refused} refused>"

    def make(self, evictables: Callable[[], Iterable[Evictable]]) -> bool:
        """Close the connection that has been idle longest. False when none is idle, and somebody has to be refused.

        evictables: all of them, asked for when they have to be looked at
        """
        evicted = self.evict(evictables)
        if not evicted:
            self._stats.connections_refused += 1
        self._tell(evicted)
        return evicted

    def evict(self, evictables: Callable[[], Iterable[Evictable]]) -> bool:
        """The same for another reason: nobody is refused."""
        evicted = self._evict() or (self._look(evictables) and self._evict())
        self._stats.connections_evicted += evicted
        return evicted

    def _evict(self) -> bool:
        while self._longest_idle:
            since, occupant = self._longest_idle.popleft()
            if occupant.idle_since == since:  # else it has been used since it was looked at
                occupant.evict()
                return True
        return False

    def _look(self, evictables: Callable[[], Iterable[Evictable]]) -> bool:
        now = self._now()
        if now < self._look_after:
            return False
        idle = [(since, occupant) for occupant in evictables() if (since := occupant.idle_since) is not None]
        count = max(_LEAST_FOUND, len(idle) // _FOUND_AT_ONCE)
        self._longest_idle.extend(heapq.nsmallest(count, idle, key=lambda found: found[0]))
        if not idle:
            end = self._now()
            self._look_after = end + _REST * (end - now)
        return bool(idle)

    def _tell(self, evicted: bool) -> None:
        """Both go on for as long as somebody wants it, so it is told now and then, with how many there were."""
        now = self._now()
        if now < self._tell_after[evicted]:
            return
        self._tell_after[evicted] = now + _BETWEEN_LINES
        stats = self._stats
        what = "the one that was idle longest is closed" if evicted else "none is idle, so a new one is refused"
        log.warning(
            "%d clients are connected, no more may be (max_clients, open files): %s; closed so far: %d, refused: %d",
            stats.connections_limit, what, stats.connections_evicted, stats.connections_refused,
        )  # fmt: skip
