"""Balancer: the next upstream for an attempt.

Smooth weighted round robin as nginx does it: equal weights are a plain rotation, unequal ones are interleaved
as evenly as they can be. The order is worked out once per set of available upstreams and then only walked, so
a choice costs the same for three upstreams and for three hundred. No clock: `now` is an argument, in seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce
from math import gcd

from dockerproxy.routing.bench import Bench, UpstreamStatus
from dockerproxy.routing.route import Source, Upstream

_NEVER = float("inf")


class Balancer:
    """The round robin over the upstreams of one route, and their bench."""

    __slots__ = (
        "_available",
        "_bench",
        "_current",
        "_cursor",
        "_last",
        "_period",
        "_recheck",
        "_sequence",
        "upstreams",
    )

    def __init__(self, upstreams: Sequence[Upstream], bench: Bench) -> None:
        self.upstreams: tuple[Upstream, ...] = ()
        self._bench = bench
        self._last = ""
        self._recheck = 0.0
        self._available: list[Upstream] = []
        self.update(upstreams)

    def __repr__(self) -> str:
        return f"<Balancer of {len(self.upstreams)}: {len(self._available)} available, {self._bench!r}>"

    @property
    def rotation(self) -> list[Upstream]:
        """The upstreams in rotation; a benched one is."""
        return [upstream for upstream in self.upstreams if upstream.in_rotation]

    @property
    def has_upstream(self) -> bool:
        """Whether any upstream is in rotation; a benched one is."""
        return any(upstream.in_rotation for upstream in self.upstreams)

    def update(self, upstreams: Sequence[Upstream]) -> None:
        """Take a new set of upstreams. One that was not there before starts without a bench."""
        known = {upstream.key for upstream in self.upstreams}
        for upstream in upstreams:
            if upstream.key not in known:
                self._bench.join(upstream.key, newcomer=upstream.source is Source.DOCKER)
        for key in known.difference(upstream.key for upstream in upstreams):
            self._bench.leave(key)
        self.upstreams = tuple(upstreams)
        self._recheck = 0.0

    def limits(self, consecutive_errors: int, duration: float) -> None:
        """Take new limits for the bench; who is benched stays so."""
        self._bench.consecutive_errors = consecutive_errors
        self._bench.duration = duration

    def choose(self, tried: Collection[str], now: float) -> Upstream | None:
        """The next upstream whose key is not in `tried`, or None when there is none.

        When all are benched, all come back at once; and where all others have been tried, a benched one is better than
        none.
        """
        if now >= self._recheck:
            self._renew(now)
        if not self._available:
            return None
        upstream = self._next()
        if tried and upstream.key in tried:
            if all(other.key in tried for other in self._available):
                return next((other for other in self.upstreams if other.in_rotation and other.key not in tried), None)
            while upstream.key in tried:  # in order, so that no neighbour bears all second attempts
                upstream = self._next()
        self._last = upstream.key
        if self._bench.begin(upstream.key, now):
            self._recheck = 0.0
        return upstream

    def is_starting(self, upstream: Upstream) -> bool:
        """Whether it may only be starting up: a container that has not answered yet."""
        return self._bench.is_newcomer(upstream.key)

    def succeeded(self, upstream: Upstream) -> bool:
        """An attempt brought an answer. True when that ended a bench."""
        if not self._bench.success(upstream.key):
            return False
        self._recheck = 0.0
        return True

    def failed(self, upstream: Upstream, now: float) -> bool:
        """An attempt was an error. True when that benched the upstream."""
        if not self._bench.error(upstream.key, now):
            return False
        self._recheck = 0.0
        return True

    def abandoned(self, upstream: Upstream) -> None:
        """An attempt ended without a verdict."""
        if self._bench.abandon(upstream.key):
            self._recheck = 0.0

    def impose(self, upstream: Upstream, until: float, now: float | None = None) -> None:
        """Bench `upstream` whatever it has done, until `until`, or until all others are benched too."""
        self._bench.impose(upstream.key, until, now)
        self._recheck = 0.0

    def release(self, upstream: Upstream) -> bool:
        """End the bench of `upstream` at once. True when it was benched, or on probation."""
        if not self._bench.release(upstream.key):
            return False
        self._recheck = 0.0
        return True

    def status(self, upstream: Upstream, now: float) -> UpstreamStatus:
        """What statistics tell of `upstream`."""
        status = self._bench.status(upstream.key, now)
        return status if upstream.in_rotation else status._replace(state="draining")

    def _renew(self, now: float) -> None:
        """Work out who is available, and begin the order anew after the one chosen last."""
        candidates = [upstream for upstream in self.upstreams if upstream.in_rotation]
        available = [upstream for upstream in candidates if self._bench.available(upstream.key, now)]
        if candidates and not available:
            self._bench.release_all()
            available = candidates
        keys = [upstream.key for upstream in available]
        start = keys.index(self._last) + 1 if self._last in keys else 0
        self._available = available[start:] + available[:start]
        self._sequence: list[Upstream] = []
        self._cursor = 0
        self._current = [0] * len(available)
        divisor = reduce(gcd, (upstream.weight for upstream in available), 0)
        self._period = sum(upstream.weight for upstream in available) // max(1, divisor)
        self._recheck = self._bench.next_release(now)

    def _next(self) -> Upstream:
        """The next in order; the order is extended until one period of it is known."""
        if self._cursor == len(self._sequence):
            if self._cursor == self._period:
                self._cursor = 0
            else:
                self._sequence.append(self._step())
        upstream = self._sequence[self._cursor]
        self._cursor += 1
        return upstream

    def _step(self) -> Upstream:
        """One step of smooth weighted round robin: raise all by their weight, lower the highest by the total."""
        current, available = self._current, self._available
        total = best = 0
        for index, upstream in enumerate(available):
            current[index] += upstream.weight
            total += upstream.weight
            if current[index] > current[best]:
                best = index
        current[best] -= total
        return available[best]
