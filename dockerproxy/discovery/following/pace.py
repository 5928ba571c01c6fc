"""Pace: how soon the next of something may follow. At once while it is rare, evenly spaced when it goes on and on.

It has no clock: `now` is an argument, in seconds of any monotonic clock. It is the generic cell rate algorithm (ITU-T
I.371, annex A), a token bucket that keeps one number.
"""

from __future__ import annotations


class Pace:
    """Lets `burst` follow each other at once, and in the long run one in `every` seconds."""

    def __init__(self, burst: int, every: float) -> None:
        self._every = every
        self._ahead = (burst - 1) * every
        self._even = 0.0  # when the next one would come if all were evenly spaced

    def __repr__(self) -> str:
        return f"<Pace of one in {self._every:g} s, {self._ahead / self._every + 1:.0f} at once>"

    def took(self, now: float) -> None:
        """Note that one was had."""
        self._even = max(self._even, now) + self._every

    def next(self) -> float:
        """The moment from which on the next one may be had; it may have passed."""
        return self._even - self._ahead
