"""Handshake: a client connection over TLS until both sides have agreed; a Front takes it from there.

It counts among the clients from the beginning, so that connections which never finish use up no more than others.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import time
from collections.abc import Callable
from typing import cast

from dockerproxy.proxy.downstream.clients import Clients
from dockerproxy.proxy.flow import MOST_UNSENT
from dockerproxy.tasks import Tasks

log = logging.getLogger(__name__)


# Closing over TLS takes as long as the client takes to read what is left. The front looks whether it does; this is only
# for what the front does not see, and knows nothing of progress.
_FAREWELL = 10  # times `stall_timeout`


class Handshake(asyncio.Protocol):
    """One handshake.

    The listening socket gives it a plain transport, of which it keeps the socket only: asyncio would tell nobody of a
    handshake that fails, so that those under way could not be counted.

    front: makes the protocol that takes it from there
    """

    __slots__ = ("_clients", "_context", "_front", "_tasks", "_work", "idle_since")

    def __init__(
        self, clients: Clients, front: Callable[[], asyncio.Protocol], context: ssl.SSLContext, tasks: Tasks
    ) -> None:
        self._clients = clients
        self._front = front
        self._context = context
        self._tasks = tasks
        self._work: asyncio.Task[None] | None = None
        self.idle_since: float | None = None  # a client that means it is done in no time

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing has been read yet, so nothing is lost with the transport."""
        try:
            if self._clients.begin(self):
                descriptor = os.dup(transport.get_extra_info("socket").fileno())
                self.idle_since = time.monotonic()
                self._work = self._tasks.start(
                    self._shake_hands(socket.socket(fileno=descriptor)), name="TLS handshake"
                )
        except OSError as error:  # no descriptor is left, which the event loop says in the log as well
            self._clients.handshakes.discard(self)
            log.debug("a client over TLS was turned away: %s", error)
        finally:
            cast(asyncio.Transport, transport).abort()

    def evict(self) -> None:
        """Leave at once, for somebody else."""
        self.idle_since = None
        if self._work is not None:
            self._work.cancel()

    async def _shake_hands(self, sock: socket.socket) -> None:
        """Agree with the client, within the time that it has for a head."""
        clients = self._clients
        try:
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                self._front, sock, ssl=self._context,
                ssl_handshake_timeout=clients.limits.head_timeout,
                ssl_shutdown_timeout=_FAREWELL * clients.limits.stall_timeout,
            )  # fmt: skip
            transport.set_write_buffer_limits(MOST_UNSENT)
        except OSError as error:  # as a rule no fault of ours: scanners, plain http, browsers that mistrust it
            log.debug("no TLS with a client: %s", getattr(error, "reason", None) or error)
        finally:
            clients.handshakes.discard(self)
