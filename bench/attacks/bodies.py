"""Bodies: 1 GiB to a slow reader and to a slow upstream, and files whose bytes must be the same."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time

from bench.attacks.arena import Arena
from bench.attacks.attack import Attack, Got
from bench.attacks.bounds import MIB
from bench.attacks.connection import Connection

_WARM = 64 * MIB  # before the measurement, so that what every first transfer takes does not count
_PIECE = 1 << 16
_KIB = 1024


async def _skip(client: Connection, size: int, rate: float, seconds: float) -> int:
    """Read `size` bytes at `rate` bytes a second, for at most `seconds`; how many were read."""
    start, read = time.monotonic(), 0
    while read < size and time.monotonic() - start < seconds:
        piece = await client.read(min(_PIECE, size - read))
        if not piece:
            break
        read += len(piece)
        await asyncio.sleep(max(0.0, read / rate - (time.monotonic() - start)))
    return read


def _growth(arena: Arena, before: int, moved: int) -> Got:
    return Got({f"memory grew by {max(0, arena.most_memory - before) / _KIB:.0f} KiB, {moved // MIB} MiB moved": 1})


async def download(arena: Arena) -> Got:
    """A fast upstream offers 1 GiB, and the client takes 1 MiB a second."""
    bounds = arena.bounds
    client = await Connection.open(arena.port, 1 << 18)
    await _download(arena, client, _WARM, math.inf, math.inf)
    before = arena.most_memory = arena.memory
    read = await _download(arena, client, bounds.offered, bounds.rate, bounds.large_seconds)
    client.close()
    return _growth(arena, before, read)


async def _download(arena: Arena, client: Connection, size: int, rate: float, seconds: float) -> int:
    await client.send(b"GET /%d HTTP/1.1\r\nHost: %b\r\n\r\n" % (size, arena.host("much").encode()))
    head = await client.read(_PIECE)
    return await _skip(client, size - (len(head) - head.index(b"\r\n\r\n") - 4), rate, seconds)


async def upload(arena: Arena) -> Got:
    """A fast client offers 1 GiB, and the upstream takes 1 MiB a second."""
    bounds = arena.bounds
    client = await Connection.open(arena.port)
    host = arena.host("takes").encode()
    await _send(client, host, _WARM)
    await client.outcome(bounds.stall_timeout)
    arena.rate = float(bounds.rate)
    before = arena.most_memory = arena.memory
    sending = asyncio.ensure_future(_send(client, host, bounds.offered))
    await asyncio.wait([sending], timeout=bounds.large_seconds)
    moved = int(min(bounds.large_seconds * bounds.rate, bounds.offered))
    got = _growth(arena, before, moved)
    sending.cancel()
    client.reset()
    arena.rate = float(1 << 40)
    return got


async def _send(client: Connection, host: bytes, size: int) -> None:
    await client.send(b"PUT / HTTP/1.1\r\nHost: %b\r\nContent-Length: %d\r\n\r\n" % (host, size))
    piece = b"x" * _PIECE
    for _ in range(size // _PIECE):
        await client.send(piece)


async def same_bytes(arena: Arena) -> Got:
    """A file of 100 MiB, five times at once."""
    wanted = hashlib.sha256(bytes(range(256)) * (arena.bounds.file // 256)).hexdigest()

    async def one() -> str:
        client = await Connection.open(arena.port)
        request = b"GET /%d HTTP/1.1\r\nHost: %b\r\n\r\n" % (arena.bounds.file, arena.host("much").encode())
        await client.send(request)
        data = await client.read()
        found = hashlib.sha256(body := data[data.index(b"\r\n\r\n") + 4 :])
        left = arena.bounds.file - len(body)
        while left and (data := await client.read(min(left, 1 << 20))):
            found.update(data)
            left -= len(data)
        client.close()
        return "the same bytes" if found.hexdigest() == wanted else "other bytes"

    return Got(await asyncio.gather(*(one() for _ in range(5))))


ATTACKS = [
    Attack("1 GiB from a fast upstream to a reader at 1 MiB/s", download),
    Attack("1 GiB from a fast client to an upstream at 1 MiB/s", upload),
    Attack("100 MiB, five times at once", same_bytes),
]
