"""Backoff: the pause before the next attempt to reach the engine: exponential, jittered, bounded, for ever."""

from __future__ import annotations

import random

# Pauses are 50 to 100 % of the nominal one: proxies that lost the same engine do not come back in step.
_LEAST_PART = 0.5


class Backoff:
    """Pauses in seconds: about `first`, then twice as long each time, at most `most`."""

    def __init__(self, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._nominal = first

    def __repr__(self) -> str:
        return f"<Backoff: next pause up to {self._nominal:g} s>"

    def next(self) -> float:
        """The pause to make now."""
        nominal, self._nominal = self._nominal, min(self._nominal * 2, self._most)
        return nominal * random.uniform(_LEAST_PART, 1)

    def reset(self) -> None:
        """Begin with the short pause again."""
        self._nominal = self._first
