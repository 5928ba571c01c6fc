"""Crowds: idle connections, and connections that open and close at once."""

from __future__ import annotations

import asyncio

from bench.attacks.arena import Arena
from bench.attacks.attack import Attack, Got
from bench.attacks.connection import Connection, many, opened

_MARGIN = 20.0  # seconds beyond the timeout
_ASK = b"GET / HTTP/1.1\r\nHost: good.test\r\n\r\n"


async def idle(arena: Arena) -> Got:
    """Each asks once and then keeps its connection; what they cost is in the table as well."""
    before = arena.memory
    clients = await opened(arena.port, arena.bounds.idle)
    got = Got()

    async def ask(number: int) -> None:
        await clients[number].send(_ASK)
        got[await clients[number].outcome(_MARGIN)] += 1

    await many(len(clients), ask)
    cost = (arena.memory - before) / len(clients) / 1024
    ends = Got(await asyncio.gather(*(client.outcome(arena.bounds.idle_timeout + _MARGIN) for client in clients)))
    for client in clients:
        client.close()
    later = Got({f"{end} when idle too long": count for end, count in ends.items()})
    return got + later + Got({f"KiB of memory each: {cost:.1f}": 1})


async def hasty(arena: Arena) -> Got:
    """All connections open, then all close: half of them in order, half by a reset."""
    got = Got()
    for _ in range(arena.bounds.hasty_rounds):
        clients: list[Connection] = await opened(arena.port, arena.bounds.hasty)
        for number, client in enumerate(clients):
            if number % 4 >= 2:
                await client.send(_ASK)
            client.reset() if number % 2 else client.close()
        got["left by themselves"] += len(clients)
    return got


ATTACKS = [
    Attack("idle connections, kept alive after one request", idle),
    Attack("connections that open and close at once", hasty),
]
