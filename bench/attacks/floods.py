"""Floods: more of something than any client in use sends."""

from __future__ import annotations

import asyncio
from itertools import repeat

from bench.attacks.arena import Arena
from bench.attacks.attack import Attack, Got
from bench.attacks.connection import opened

_HEAD = b"GET / HTTP/1.1\r\nHost: good.test\r\n"
_CHUNKED = b"POST / HTTP/1.1\r\nHost: good.test\r\nTransfer-Encoding: chunked\r\n\r\n"
_PATIENCE = 30.0  # seconds
_PAUSE = 0.001  # seconds between two pieces
_ONE_BYTE = b"1\r\nx\r\n"

FLOODS: dict[str, tuple[bytes, bytes]] = {
    "fields without end": (_HEAD, b"X: y\r\n" * 200),
    "one field without end": (_HEAD + b"X: ", b"y" * 4096),
    "a target without end": (b"GET /", b"a" * 4096),
    "a field of 60,000 blanks": (_HEAD + b"X: x" + b" " * 60_000 + b"x\r\n\r\n", b""),
    "a chunk extension without end": (_CHUNKED + b"1;a=", b"b" * 4096),
    "an extension at every chunk": (_CHUNKED, b"1;" + b"a" * 1000 + b"\r\nx\r\n"),
    "trailers without end": (_CHUNKED + b"0\r\n", b"X: y\r\n" * 200),
    "100,000 chunks of one byte": (_CHUNKED + _ONE_BYTE * 100_000 + b"0\r\n\r\n", b""),
    "requests for hosts that nobody knows": (
        b"".join(b"GET / HTTP/1.1\r\nHost: h%d.example\r\n\r\n" % number for number in range(2000)), b""),
}  # fmt: skip


def flood(start: bytes, piece: bytes) -> Attack:
    """The attack of clients that send `start`, and `piece` again and again."""

    async def run(arena: Arena) -> Got:
        clients = await opened(arena.port, arena.bounds.flooding)

        async def one(number: int) -> str:
            sending = asyncio.ensure_future(clients[number].drip([start], _PAUSE))
            if piece:
                sending = asyncio.ensure_future(clients[number].drip([start, *repeat(piece, 1000)], _PAUSE))
            outcome = await clients[number].outcome(_PATIENCE)
            sending.cancel()
            clients[number].close()
            return outcome

        return Got(await asyncio.gather(*(one(number) for number in range(len(clients)))))

    return Attack("", run)


ATTACKS = [flood(*pieces)._replace(name=f"flood: {name}") for name, pieces in FLOODS.items()]
