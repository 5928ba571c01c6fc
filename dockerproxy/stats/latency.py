"""Latency: a histogram of seconds, from which percentiles are read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

# Ten bounds to a factor of ten, as in the series R10 of ISO 3, but with bounds that people write: a percentile read
# from them is off by at most an eighth.
_STEPS = ("1", "1.25", "1.6", "2", "2.5", "3.2", "4", "5", "6.3", "8")
_SMALLEST, _LARGEST = -4, 2  # powers of ten: from 0.1 ms to 200 s
_MOST = 200.0  # seconds


def _bounds() -> tuple[float, ...]:
    bounds = [float(f"{step}e{power}") for power in range(_SMALLEST, _LARGEST + 1) for step in _STEPS]
    return tuple(bound for bound in bounds if bound <= _MOST)


LATENCY_BOUNDS = _bounds()


def _middle(index: int) -> float:
    """What a duration in this bucket is taken for: the value that is off by the same part from both ends."""
    if index == 0:
        return LATENCY_BOUNDS[0]
    lower, upper = LATENCY_BOUNDS[index - 1], LATENCY_BOUNDS[min(index, len(LATENCY_BOUNDS) - 1)]
    return 2 * lower * upper / (lower + upper)


def _lower(index: int) -> float:
    """What every duration in this bucket is longer than."""
    return LATENCY_BOUNDS[index - 1] if index else 0.0


class Latency:
    """A histogram of seconds with fixed, exponential buckets.

    total: seconds of all durations together
    """

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        self._counts = [0] * (len(LATENCY_BOUNDS) + 1)
        self.total = 0.0

    @classmethod
    def of(cls, counts: Sequence[int]) -> Latency:
        """The histogram of `counts`, as the property gives them; its total is unknown."""
        found = cls()
        found._counts[:] = counts
        return found

    @property
    def count(self) -> int:
        """How many durations were counted."""
        return sum(self._counts)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many durations lie in each bucket: up to each of LATENCY_BOUNDS, and at last beyond them all."""
        return tuple(self._counts)

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(LATENCY_BOUNDS, seconds)] += 1
        self.total += seconds

    def up_to(self) -> list[int]:
        """How many durations were at most as long as each of LATENCY_BOUNDS, and at last how many there were."""
        return list(accumulate(self._counts))

    def percentile(self, fraction: float) -> float | None:
        """Seconds below which `fraction` (0 to 1) of the durations lie, or None without any."""
        seen = self.up_to()
        if not seen[-1]:
            return None
        found = _middle(bisect_left(seen, fraction * seen[-1]))
        return min(found, self._most()) if self.total else found

    def _most(self) -> float:
        """Seconds that no duration is longer than: what is left of the total when all others are as short as they can
        be in their buckets. With a single duration, its length."""
        last = max(index for index, count in enumerate(self._counts) if count)
        least = sum(count * _lower(index) for index, count in enumerate(self._counts))
        return self.total - least + _lower(last)
