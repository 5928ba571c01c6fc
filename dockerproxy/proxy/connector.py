"""Connector: makes a connection to an upstream, over TCP, over TLS, or to a handler in this process."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import partial

from dockerproxy.http1.parser import ResponseParser
from dockerproxy.proxy.deadlines import Wheel
from dockerproxy.proxy.failure import AttemptError, Failure
from dockerproxy.proxy.pool import Connect, Pool
from dockerproxy.proxy.upstream import UpstreamConnection
from dockerproxy.routing.route import Upstream

# Gives one end of a socket pair whose other end a handler serves.
ConnectHandler = Callable[[str], Awaitable[socket.socket]]


class Connector:
    """Makes connections for the pools."""

    def __init__(self, wheel: Wheel, parser: ResponseParser, connect_handler: ConnectHandler) -> None:
        self._wheel = wheel
        self._parser = parser
        self._connect_handler = connect_handler
        self._contexts: dict[bool, ssl.SSLContext] = {}

    def to(self, upstream: Upstream, *, tls_verify: bool) -> Connect:
        """What a pool calls to get one more connection to `upstream`."""
        return partial(self._connect, upstream, tls_verify)

    async def _connect(self, upstream: Upstream, tls_verify: bool, pool: Pool, timeout: float) -> UpstreamConnection:
        """Connect within `timeout` seconds. Raises AttemptError."""
        connection = UpstreamConnection(pool, self._parser, self._wheel)
        try:
            async with asyncio.timeout(timeout):
                await self._open(connection, upstream, tls_verify)
        except BaseException as error:
            connection.discard()
            if isinstance(error, TimeoutError):
                raise AttemptError(Failure.CONNECT_TIMEOUT, f"{timeout:g} s") from None
            if isinstance(error, OSError):
                raise _in_words(error) from None
            raise
        return connection

    async def _open(self, connection: UpstreamConnection, upstream: Upstream, tls_verify: bool) -> None:
        loop = asyncio.get_running_loop()
        if upstream.handler:
            end = await self._connect_handler(upstream.handler)
            await loop.create_connection(lambda: connection, sock=end)
            return
        context = self._context(tls_verify) if upstream.scheme == "https" else None
        await loop.create_connection(lambda: connection, upstream.host, upstream.port, ssl=context)

    def _context(self, verify: bool) -> ssl.SSLContext:
        context = self._contexts.get(verify)
        if context is None:
            context = self._contexts[verify] = ssl.create_default_context()
            if not verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
        return context


def _in_words(error: OSError) -> AttemptError:
    """The failure behind an OSError; one that stands for several addresses counts as refused if any of them was."""
    if isinstance(error, ConnectionRefusedError) or "refused" in str(error).lower():
        return AttemptError(Failure.REFUSED)
    if isinstance(error, ConnectionResetError):
        return AttemptError(Failure.REFUSED, "reset while connecting")
    return AttemptError(Failure.UNREACHABLE, error.strerror or str(error))
