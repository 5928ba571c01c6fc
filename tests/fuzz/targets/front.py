"""The whole proxy: arbitrary bytes in arbitrary pieces from a client; its upstream sees only well-formed requests, and
only those that the client has sent as requests."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from ...http1.oracle import sent_requests
from ...http1.wire import Client, Wire, running_wire
from .heads import RequestHeads
from .target import Unexpected, must

_HIDDEN = b"GET /evil HTTP/1.1\r\nHost: wire.test\r\n\r\n"


class WholeProxy:
    """A proxy with real connections on both sides. The first two bytes of an input say how the rest is cut."""

    words: Sequence[bytes] = (
        *RequestHeads.words, b"GET /1 HTTP/1.1\r\nHost: wire.test\r\n\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", _HIDDEN,
        b"POST /2 HTTP/1.1\r\nHost: wire.test\r\nContent-Length: %d\r\n\r\n" % len(_HIDDEN) + _HIDDEN,
        b"POST /3 HTTP/1.1\r\nHost: wire.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"Host: wire.test\r\n", b"bounded.test", b"get.test", b"[::1]",
    )  # fmt: skip

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self._folder = tempfile.TemporaryDirectory()
        self._wire: Wire = self._loop.run_until_complete(self._start())

    def check(self, data: bytes) -> None:
        if len(data) < 2:
            return
        with Unexpected("the proxy does not serve others any longer"):
            self._loop.run_until_complete(self._send(data[2:], data[0] or 1, data[1] or 1))
        recorder = self._wire.recorder
        must(not recorder.faults, f"malformed at the upstream: {recorder.faults}")
        seen = [(*message.line.split(b" ")[:2], message.body) for message in recorder.requests]
        sent = [tuple(request) for request in sent_requests(data[2:])]
        must(_in_order(seen, map(_origin_form, sent)), f"the upstream saw {seen}, of {sent}")

    def close(self) -> None:
        self._loop.run_until_complete(self._stack.aclose())
        self._loop.close()
        self._folder.cleanup()

    async def _start(self) -> Wire:
        return await self._stack.enter_async_context(running_wire(Path(self._folder.name)))

    async def _send(self, data: bytes, first: int, size: int) -> None:
        self._wire.recorder.forget()
        async with self._wire.client() as client:
            await client.send(data[:first])
            await client.send(data[first:], size * 16)
            await self._settled()
            await _end(client)
        await self._wire.fence()

    async def _settled(self) -> None:
        """Wait until no more requests arrive at the upstream."""
        count = -1
        while count != len(self._wire.recorder.requests):
            count = len(self._wire.recorder.requests)
            await self._wire.fence()


async def _end(client: Client) -> None:
    try:
        client.end()
    except OSError:  # the proxy was quicker
        return
    await client.until_closed()


def _origin_form(request: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The request with its absolute-form target as the upstream is to see it (RFC 9112 section 3.2.2)."""
    method, target, body = request
    _, found, rest = target.partition(b"://")
    if not found or target.startswith(b"/"):
        return request
    slash = min((place for place in map(rest.find, (b"/", b"?")) if place >= 0), default=len(rest))
    path = rest[slash:]
    if method == b"OPTIONS" and not path:
        return method, b"*", body
    return method, path if path.startswith(b"/") else b"/" + path, body


def _in_order(few: Iterable[object], many: Iterable[object]) -> bool:
    left = iter(many)
    return all(item in left for item in few)
