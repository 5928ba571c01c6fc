"""Behaviours: upstreams that answer with much, take little, or break in every way. Each is a server on its own port."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from bench.attacks.bounds import MIB

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)
_BODY = b"0123456789" * 2
_WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + _BODY
_PIECE = bytes(range(256)) * 256  # 64 KiB
_LONG = 3600.0  # seconds; until the proxy has had enough

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """`GET /<bytes>`: as many, as fast as they are taken."""
    while True:
        size = int((await _head(reader)).split()[1].strip(b"/"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // len(_PIECE)):
            writer.write(_PIECE)
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(_PIECE[: size % len(_PIECE)])


def slow_taker(rate: Callable[[], float]) -> Behaviour:
    """Takes a body at `rate()` bytes a second, and answers with its size."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await _head(reader)).lower()
            size = int(head.partition(b"content-length:")[2].split()[0])
            left = size
            while left:
                piece = await reader.readexactly(min(left, MIB // 8))
                left -= len(piece)
                await asyncio.sleep(len(piece) / rate())
            answer = b"%d" % size
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))

    return take


async def one_byte_a_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _head(reader)
    writer.write(_WHOLE[: -len(_BODY)])
    for byte in _BODY[:8]:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1.0)
    writer.write(_BODY[8:])


async def one_byte_a_second_in_the_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _head(reader)
    for byte in _WHOLE:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1.0)


async def closes_in_the_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _head(reader)
    writer.write(_WHOLE[:25])


async def closes_in_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _head(reader)
    writer.write(_WHOLE[:-1])


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _head(reader)
    _reset(writer)


async def resets_in_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await closes_in_the_body(reader, writer)
    await writer.drain()
    await asyncio.sleep(0.05)
    _reset(writer)


async def never_answers(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(_LONG)


async def stops_in_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await closes_in_the_body(reader, writer)
    await writer.drain()
    await asyncio.sleep(_LONG)


FAULTS: dict[str, Behaviour] = {
    "one byte a second": one_byte_a_second,
    "one byte a second, from the head on": one_byte_a_second_in_the_head,
    "closes in the head": closes_in_the_head,
    "closes in the body": closes_in_the_body,
    "resets": resets,
    "resets in the body": resets_in_the_body,
    "accepts and never answers": never_answers,
    "stops in the body": stops_in_the_body,
}


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    writer.transport.abort()


async def serve(behaviour: Behaviour, port: int) -> asyncio.Server:
    """A server that behaves so on 127.0.0.1:`port`."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the proxy has closed, or this program ends
        finally:
            writer.close()

    return await asyncio.start_server(one, "127.0.0.1", port, backlog=4096)
