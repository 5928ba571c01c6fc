"""Attack: what it is called, what should come of it, and how it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from bench.attacks.arena import Arena

Got = Counter[str]


class Attack(NamedTuple):
    """One attack. got: what its clients got, and how often."""

    name: str
    run: Callable[[Arena], Awaitable[Got]]
