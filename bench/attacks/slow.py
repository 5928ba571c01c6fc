"""Slow clients: heads, bodies and readers that take their time."""

from __future__ import annotations

import asyncio
from itertools import repeat

from bench.attacks.arena import Arena
from bench.attacks.attack import Attack, Got
from bench.attacks.bounds import MIB
from bench.attacks.connection import SILENCE, Connection, opened

_PAUSE = 0.5  # seconds between two bytes
_SMALL_BUFFER = 4096  # bytes that a slow reader's kernel keeps
_MARGIN = 15.0  # seconds beyond a timeout until its answer counts as missing
_HEAD = b"POST / HTTP/1.1\r\nHost: good.test\r\n"
_LENGTH = b"Content-Length: 1000000\r\n\r\n"


async def _dripping(arena: Arena, count: int, start: bytes, seconds: float) -> tuple[list[Connection], Got]:
    """Clients that send `start` and then a byte now and then; what they have got after `seconds`."""
    clients = await opened(arena.port, count)
    for client in clients:
        await client.send(start)
    drips = [asyncio.ensure_future(client.drip(repeat(b"x"), _PAUSE)) for client in clients]
    outcomes = await asyncio.gather(*(client.outcome(seconds) for client in clients))
    for drip in drips:
        drip.cancel()
    return clients, Got(outcomes)


def _end(clients: list[Connection]) -> None:
    for client in clients:
        client.close()


async def slow_heads(arena: Arena) -> Got:
    bounds = arena.bounds
    clients, got = await _dripping(arena, bounds.slow, _HEAD + b"X: ", bounds.head_timeout + _MARGIN)
    _end(clients)
    return got


async def slow_bodies(arena: Arena) -> Got:
    return await _slow_bodies(arena, arena.bounds.slow)


async def crowding_bodies(arena: Arena) -> Got:
    return await _slow_bodies(arena, arena.bounds.crowding)


async def _slow_bodies(arena: Arena, count: int) -> Got:
    """A byte now and then is progress, so they are served on; then they stop, and that is their end."""
    bounds = arena.bounds
    clients, got = await _dripping(arena, count, _HEAD + _LENGTH, bounds.slow_seconds)
    later = Got()
    if got[SILENCE]:
        patience = bounds.stall_timeout + _MARGIN
        later = Got(await asyncio.gather(*(client.outcome(patience) for client in clients)))
    _end(clients)
    still = got.pop(SILENCE, 0)
    ends = Got({f"{outcome} after they stopped": count for outcome, count in later.items() if outcome != "closed"})
    return got + (ends or Got({SILENCE: still}))


async def slow_readers(arena: Arena) -> Got:
    """A KiB now and then of 8 MiB: served for as long as they read."""
    clients = await _reading(arena)
    read = [0] * len(clients)

    async def sip(number: int) -> None:
        while True:
            read[number] += len(await clients[number].read(1024))
            await asyncio.sleep(_PAUSE)

    sips = [asyncio.ensure_future(sip(number)) for number in range(len(clients))]
    await asyncio.sleep(arena.bounds.slow_seconds)
    failed = sum(sip.done() for sip in sips)
    for each in sips:
        each.cancel()
    await asyncio.gather(*sips, return_exceptions=True)
    _end(clients)
    return Got({"still reading": len(clients) - failed, "cut off": failed})


async def deaf_readers(arena: Arena) -> Got:
    """They ask for 8 MiB and read nothing of it."""
    clients = await _reading(arena)
    bounds = arena.bounds
    level = await arena.level_when(lambda level: not level.in_flight, bounds.stall_timeout * 3 + _MARGIN)
    got = Got({"cut off": bounds.slow - level.in_flight, "still served": level.in_flight})
    _end(clients)
    return got


async def _reading(arena: Arena) -> list[Connection]:
    clients = await opened(arena.port, arena.bounds.slow, _SMALL_BUFFER)
    for client in clients:
        await client.send(b"GET /%d HTTP/1.1\r\nHost: %b\r\n\r\n" % (8 * MIB, arena.host("much").encode()))
    return clients


ATTACKS = [
    Attack("slow heads: a byte every 0.5 s", slow_heads),
    Attack("slow bodies: a byte every 0.5 s", slow_bodies),
    Attack("slow bodies, more than the upstream's 512 connections", crowding_bodies),
    Attack("slow readers: 1 KiB every 0.5 s of 8 MiB", slow_readers),
    Attack("readers that do not read", deaf_readers),
]
