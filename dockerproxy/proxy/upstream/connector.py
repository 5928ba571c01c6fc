"""Connector: makes a connection to an upstream, over TCP, over TLS, or to a handler in this process."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import partial

from dockerproxy.errors import SettingsError
from dockerproxy.http1.response_parser import ResponseParser
from dockerproxy.proxy.deadlines import Wheel
from dockerproxy.proxy.flow import MOST_UNSENT
from dockerproxy.proxy.keepalive import MOST_UNACKNOWLEDGED, UPSTREAM, bound_unacknowledged, probe
from dockerproxy.proxy.upstream.failure import AttemptError, Failure
from dockerproxy.proxy.upstream.http1 import Owner, UpstreamConnection
from dockerproxy.proxy.upstream.pool import Connect
from dockerproxy.routing.local_addresses import Networks, why_local
from dockerproxy.routing.route import Upstream
from dockerproxy.tls.client import UpstreamTls

# No descriptor, no memory is left for one more socket. EADDRNOTAVAIL is not among them: mostly it tells of an address
# of IPv6 on a machine without it.
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# Gives one end of a socket pair whose other end a handler serves.
ConnectHandler = Callable[[str], Awaitable[socket.socket]]


class Connector:
    """Makes connections for the pools, once `renew` has said how answers are read.

    exhausted: called when no descriptor is left for one; what it sets free is there for the next attempt
    """

    def __init__(self, wheel: Wheel, connect_handler: ConnectHandler, exhausted: Callable[[], None]) -> None:
        self._wheel = wheel
        self._exhausted = exhausted
        self._parser: ResponseParser  # see `renew`
        self._connect_handler = connect_handler
        self._contexts: dict[UpstreamTls, ssl.SSLContext] = {}

    def to(self, upstream: Upstream, tls: UpstreamTls) -> Connect:
        """What a pool calls to get one more connection to `upstream`."""
        return partial(self._connect, upstream, tls)

    def renew(self, parser: ResponseParser) -> None:
        """From now on new connections use `parser`, and what the files of authorities and certificates hold then."""
        self._parser = parser
        self._contexts.clear()

    async def _connect(self, upstream: Upstream, tls: UpstreamTls, owner: Owner, timeout: float) -> UpstreamConnection:
        """Connect within `timeout` seconds. Raises AttemptError."""
        connection = UpstreamConnection(owner, self._parser, self._wheel)
        try:
            async with asyncio.timeout(timeout):
                await self._open(connection, upstream, tls)
        except BaseException as error:
            connection.discard()
            if isinstance(error, TimeoutError):
                raise AttemptError(Failure.CONNECT_TIMEOUT, f"{timeout:g} s") from None
            if isinstance(error, OSError):
                if error.errno in _EXHAUSTED:
                    self._exhausted()
                raise _in_words(error) from None
            if isinstance(error, SettingsError):  # a file that was good at the start
                raise AttemptError(Failure.UNREACHABLE, str(error.problems[0])) from None
            raise
        return connection

    async def _open(self, connection: UpstreamConnection, upstream: Upstream, tls: UpstreamTls) -> None:
        loop = asyncio.get_running_loop()
        if upstream.handler:
            end = await self._connect_handler(upstream.handler)
            await loop.create_connection(lambda: connection, sock=end)
            return
        host = upstream.host if upstream.local is None else await _permitted(upstream, upstream.local)
        if upstream.scheme != "https":
            transport, _ = await loop.create_connection(lambda: connection, host, upstream.port)
            probe(transport, UPSTREAM)
            bound_unacknowledged(transport, MOST_UNACKNOWLEDGED)
            return
        context, name = self._context(tls), tls.server_name or upstream.host
        secured, _ = await loop.create_connection(
            lambda: connection, host, upstream.port, ssl=context, server_hostname=name
        )
        probe(secured, UPSTREAM)
        bound_unacknowledged(secured, MOST_UNACKNOWLEDGED)
        secured.set_write_buffer_limits(MOST_UNSENT)

    def _context(self, tls: UpstreamTls) -> ssl.SSLContext:
        context = self._contexts.get(tls)
        if context is None:
            context = self._contexts[tls] = tls.context()
        return context


async def _permitted(upstream: Upstream, local: Networks) -> str:
    """The first address of its host that it may be reached at. Raises AttemptError where there is none."""
    found = await asyncio.get_running_loop().getaddrinfo(upstream.host, upstream.port, type=socket.SOCK_STREAM)
    addresses = [str(info[4][0]) for info in found]
    refused = {address: kind for address in addresses if (kind := why_local(address, local))}
    for address in addresses:
        if address not in refused:
            return address
    address, kind = next(iter(refused.items()))
    told = f"{upstream.host} is at {address}, {kind}, where a route that was added may not lead (see local_upstreams)"
    raise AttemptError(Failure.UNREACHABLE, told)


def _in_words(error: OSError) -> AttemptError:
    """The failure behind an OSError; one that stands for several addresses counts as refused if any of them was."""
    if error.errno in _EXHAUSTED:
        return AttemptError(Failure.EXHAUSTED, error.strerror or str(error))
    if isinstance(error, ConnectionRefusedError) or "refused" in str(error).lower():
        return AttemptError(Failure.REFUSED)
    if isinstance(error, ssl.SSLCertVerificationError):
        return AttemptError(Failure.UNREACHABLE, f"its certificate is not good: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return AttemptError(Failure.UNREACHABLE, f"no TLS with it: {error.reason or error}")
    if isinstance(error, ConnectionResetError):
        return AttemptError(Failure.REFUSED, "reset while connecting")
    return AttemptError(Failure.UNREACHABLE, error.strerror or str(error))
