"""Storm: one attack after the other; what its clients got, what good clients saw, and whether the level returned."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.attacks.arena import Arena, Level
from bench.attacks.attack import Attack, Got
from bench.attacks.good import CLIENTS, Served

_CALM = 3.0  # seconds in which good clients are alone
_LEAST = 2.0  # seconds; good clients are watched at least that long
_SETTLE = 1.0  # seconds after an attack, before the level is looked at
_MIB = 1 << 20
TITLES = [
    "attack", "what its clients got", "good ones served", "failed", "p99 ms", "longest ms", "peak MiB", "afterwards",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One attack. peak: most memory while it went on, in bytes."""

    name: str
    got: Got
    good: Served
    peak: int
    after: Level

    def cells(self) -> list[str]:
        got = ", ".join(f"{count:,} times {what}" if count > 1 else what for what, count in (+self.got).most_common())
        failed = ", ".join(f"{count} times {what}" for what, count in self.good.failures.items()) or "0"
        back = f"{self.after.connections - CLIENTS} more connections, {self.after.memory / _MIB:.0f} MiB"
        p99, longest = (_ms(seconds) for seconds in (self.good.p99, self.good.longest))
        return [self.name, got or "—", f"{self.good.answers:,}", failed, p99, longest, f"{self.peak / _MIB:.0f}", back]


def _ms(seconds: float) -> str:
    return "—" if math.isnan(seconds) else f"{seconds * 1000:.1f}"


async def calm(_arena: Arena) -> Got:
    """Nobody attacks."""
    await asyncio.sleep(_CALM)
    return Got()


async def storm(arena: Arena, attacks: Sequence[Attack]) -> list[Row]:
    """All of it; each row is told as soon as it is there."""
    rows = []
    for attack in [Attack("calm", calm), *attacks, Attack("calm again", calm)]:
        arena.begin()
        got, _ = await asyncio.gather(attack.run(arena), asyncio.sleep(_LEAST))
        good = await arena.end()
        await asyncio.sleep(_SETTLE)
        row = Row(attack.name, got, good, arena.most_memory, await arena.level_at_rest())
        rows.append(row)
        print(" | ".join(row.cells()), flush=True)
    return rows
