"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

# Seconds; only a fault takes that long, even on a busy machine. Less than the minute after which the proxy gives up
# by itself, so that what it has to do at once is not taken for done then.
DEADLINE = 50.0
_POLL = 0.003  # seconds


async def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Return as soon as `condition` holds. Raises AssertionError when it does not come to hold."""
    loop = asyncio.get_running_loop()
    end = loop.time() + DEADLINE
    while not condition():
        assert loop.time() < end, f"waited {DEADLINE:g} s in vain for {what}"
        await asyncio.sleep(_POLL)


async def settled(measure: Callable[[], int], polls: int = 60) -> int:
    """The value of `measure` once it has not changed for many polls in a row."""
    last, same = measure(), 0
    end = asyncio.get_running_loop().time() + DEADLINE
    while same < polls and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(_POLL)
        now = measure()
        same = same + 1 if now == last else 0
        last = now
    return last
