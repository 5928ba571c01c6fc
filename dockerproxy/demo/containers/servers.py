"""Servers: what listens (or does not) for a running container, on 127.0.0.1.

They know nothing of containers, events or Docker.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from dockerproxy.demo.containers.answers import ANSWERS, Answer
from dockerproxy.demo.spec import ContainerSpec, split_address

LOOPBACK = "127.0.0.1"

# Connections. The kernel's queue of a container that has much to do: no test means to measure it.
BACKLOG = 1024

# Seconds. How long an answered request may take to leave when the container stops.
FLUSH = 1.0


class Server(Protocol):
    """What every kind of server can do."""

    async def open(self) -> tuple[str, int]:
        """Take a port; the address it can be reached at. Raises OSError."""

    async def finish(self) -> None:
        """Close the listener and return when what was in flight is answered."""

    def abort(self) -> None:
        """Drop everything at once."""

    def pause(self) -> None:
        """Leave requests unanswered, as a frozen process does: the kernel still accepts for it."""

    def resume(self) -> None:
        """Answer again."""

    @property
    def in_flight(self) -> int:
        """Requests that are being answered."""


class WebServer:
    """A real web server on a port of its own."""

    def __init__(self, name: Callable[[], str], answer: Answer) -> None:
        self._name = name
        self._answer = answer
        self._server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._listener: asyncio.Server | None = None
        self._awake = _raised_event()
        self._idle = _raised_event()
        self._in_flight = 0
        self._finishing = False

    def __repr__(self) -> str:
        return f"<WebServer of {self._name()}: {self._in_flight} in flight>"

    @property
    def in_flight(self) -> int:
        return self._in_flight

    async def open(self) -> tuple[str, int]:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._server, LOOPBACK, 0, backlog=BACKLOG)
        port: int = self._listener.sockets[0].getsockname()[1]
        return LOOPBACK, port

    async def finish(self) -> None:
        self._finishing = True
        self._close_listener()
        self._server.pre_shutdown()
        await self._idle.wait()
        await self._server.shutdown(FLUSH)

    def abort(self) -> None:
        self._close_listener()
        for connection in self._server.connections:
            if connection.transport is not None:
                connection.transport.abort()

    def pause(self) -> None:
        self._awake.clear()

    def resume(self) -> None:
        self._awake.set()

    def _close_listener(self) -> None:
        if self._listener is not None:
            self._listener.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._in_flight += 1
        self._idle.clear()
        try:
            await self._awake.wait()
            response = await self._answer(request, self._name())
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()
        if self._finishing:
            response.force_close()
        return response


class ClosedPort:
    """A port that is taken but on which nobody listens: connections are refused, and nobody else can get it."""

    in_flight = 0

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def __repr__(self) -> str:
        return f"<ClosedPort {'taken' if self._socket else 'free'}>"

    async def open(self) -> tuple[str, int]:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind((LOOPBACK, 0))
        port: int = self._socket.getsockname()[1]
        return LOOPBACK, port

    async def finish(self) -> None:
        self.abort()

    def abort(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def pause(self) -> None:
        """Nobody listens, paused or not."""

    def resume(self) -> None:
        """Nobody listens, paused or not."""


class Elsewhere:
    """A server that somebody else runs: its life is not ours."""

    in_flight = 0

    def __init__(self, address: str) -> None:
        self._address = split_address(address)

    def __repr__(self) -> str:
        return f"<Elsewhere {self._address[0]}:{self._address[1]}>"

    async def open(self) -> tuple[str, int]:
        return self._address

    async def finish(self) -> None:
        """Not ours to end."""

    def abort(self) -> None:
        """Not ours to end."""

    def pause(self) -> None:
        """Not ours to pause."""

    def resume(self) -> None:
        """Not ours to pause."""


def server_for(spec: ContainerSpec, name: Callable[[], str]) -> Server:
    """The server that does what the spec says."""
    if spec.address is not None:
        return Elsewhere(spec.address)
    answer = ANSWERS.get(spec.replies)
    return WebServer(name, answer) if answer else ClosedPort()


def _raised_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
