"""Faults: upstreams that misbehave, alone and with a good one at their side."""

from __future__ import annotations

import asyncio

from bench.attacks.arena import Arena
from bench.attacks.attack import Attack, Got
from bench.attacks.behaviours import FAULTS
from bench.attacks.connection import many, opened

_MARGIN = 45.0  # seconds beyond two attempts


def fault(behaviour: str, *, beside: bool) -> Attack:
    """The clients of an upstream that behaves so."""

    async def run(arena: Arena) -> Got:
        host = arena.host(f"{behaviour}+" if beside else behaviour).encode()
        clients = await opened(arena.port, arena.bounds.faulty)

        async def ask(number: int) -> None:
            await clients[number].send(b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host)

        await many(len(clients), ask)
        patience = 2 * arena.bounds.stall_timeout + _MARGIN
        got = Got(await asyncio.gather(*(client.outcome(patience) for client in clients)))
        for client in clients:
            client.close()
        return got

    return Attack(f"upstream {behaviour}{', beside a good one' if beside else ''}", run)


ATTACKS = [fault(behaviour, beside=beside) for behaviour in FAULTS for beside in (False, True)]
