"""Listeners: the sockets that clients connect to, opened together and closed together.

Knows neither what is spoken there nor who answers: it is handed what makes a protocol for an address.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator, Sequence

from dockerproxy.errors import ListenError
from dockerproxy.settings.values import ListenAddress

# Connections that the kernel keeps until they are accepted; a page load opens six at a time.
_BACKLOG = 4096
# Bytes that the kernel takes for a client before it has sent what it has. By default it takes megabytes, and a reader
# of 20 KB/s would look as if it had stalled until they are gone. It costs nothing: 454 of 458 us per MiB.
_MOST_UNSENT = 128 << 10
_SUGGESTED_PORT = 8888

Protocols = Callable[[ListenAddress], Callable[[], asyncio.Protocol]]


class Listeners:
    """The listening sockets of one proxy.

    addresses: where they listen, with the ports that were free where any would do; kept when they are closed
    """

    def __init__(self) -> None:
        self.addresses: tuple[ListenAddress, ...] = ()
        self._open: list[asyncio.Server] = []

    def __repr__(self) -> str:
        return f"<Listeners at {', '.join(map(str, self.addresses)) or 'no address yet'}>"

    def __iter__(self) -> Iterator[asyncio.Server]:
        return iter(self._open)

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def https_port(self) -> int | None:
        """The port of the first address with TLS."""
        return next((address.port for address in self.addresses if address.tls), None)

    async def open(self, addresses: Sequence[ListenAddress], protocols: Protocols) -> None:
        """Listen at all of them. Raises ListenError; those that were opened before stay open until `close`.

        protocols: what serves a connection, by the address that it comes to
        """
        bound = []
        for address in addresses:
            listener = await _listen(address, protocols(address))
            self._open.append(listener)
            bound.append(address._replace(port=listener.sockets[0].getsockname()[1]))
        self.addresses = tuple(bound)

    def close(self) -> None:
        """Accept nothing more; connections that stand are not touched."""
        for listener in self._open:
            listener.close()
        self._open.clear()


async def _listen(address: ListenAddress, protocol: Callable[[], asyncio.Protocol]) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    try:
        listener = await loop.create_server(
            protocol, address.host or None, address.port, backlog=_BACKLOG, reuse_address=True
        )
    except OSError as error:
        raise ListenError(_why_not(address, error)) from None
    _bound_unsent(listener)
    return listener


def _bound_unsent(listener: asyncio.Server) -> None:
    """Connections inherit it from the socket that they were accepted at (Linux, macOS)."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None:
        for sock in listener.sockets:
            sock.setsockopt(socket.IPPROTO_TCP, option, _MOST_UNSENT)


def _why_not(address: ListenAddress, error: OSError) -> str:
    """Why an address cannot be listened on, and what mends it."""
    port = address.port
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken by another program; choose another one with {_listen_at(port + 1)}"
    if error.errno in (errno.EACCES, errno.EPERM):
        suggestion = _listen_at(_SUGGESTED_PORT)
        return f"not allowed to listen on port {port}; ports below 1024 need root, choose one with {suggestion}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address.host} is not an address of this machine; {_listen_at(port)} listens on all of them"
    return f"cannot listen on {address}: {error.strerror or error}"


def _listen_at(port: int) -> str:
    """Both ways, since in a container one sets a variable more easily than an argument."""
    return f"--listen :{port} or DOCKERPROXY_LISTEN=:{port}"
