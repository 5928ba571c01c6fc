"""A closed loop: workers that do one thing after the other, and what came of it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from dockerproxy.tasks import Tasks

Worker = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Load:
    """What a load generator saw. seconds: of wall clock; p50, p99: seconds per request."""

    requests: int
    errors: int
    seconds: float
    p50: float
    p99: float


async def closed_loop(
    workers: Sequence[Worker], seconds: float = math.inf, *, most: float = math.inf, pause: float = 0.0
) -> Load:
    """Let every worker work until `seconds` have passed or `most` things were begun; what is begun is finished.

    workers: each does one thing per call and tells whether it went well
    pause:   seconds between two things of one worker
    """
    taken: list[float] = []
    begun = errors = 0
    start = time.monotonic()

    async def work(worker: Worker) -> None:
        nonlocal begun, errors
        while begun < most and time.monotonic() - start < seconds:
            begun += 1
            before = time.monotonic()
            errors += not await worker()
            taken.append(time.monotonic() - before)
            if pause:
                await asyncio.sleep(pause)

    tasks = Tasks("load")
    await asyncio.gather(*(tasks.start(work(worker), name=f"worker {n}") for n, worker in enumerate(workers)))
    return Load(begun, errors, time.monotonic() - start, percentile(taken, 0.50), percentile(taken, 0.99))


def percentile(values: Sequence[float], fraction: float) -> float:
    """The smallest value that at least `fraction` of all values do not exceed; NaN of none."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(fraction * len(values)) - 1)]
