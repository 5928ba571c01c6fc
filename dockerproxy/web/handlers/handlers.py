"""Handlers: in-process upstreams.

For the data plane a handler is one more upstream, only that connecting to it makes a socket pair, whose other end
aiohttp serves. So one code path serves, counts, limits and logs every request.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from dockerproxy.control.base.handler_keys import name_and_prefix
from dockerproxy.errors import HandlerError, Problem, SettingsError
from dockerproxy.tasks import Tasks
from dockerproxy.web.context import Control
from dockerproxy.web.handlers.application import Groups, is_application
from dockerproxy.web.handlers.handler_server import HandlerServer
from dockerproxy.web.loading import check_target, load_object


class Handlers:
    """The handlers of all routes, by key.

    Applications are started when the proxy is, since they may have to connect to a database first, or have tasks in the
    background; all others at the first connection to them.

    groups:  route name, path as sent -> named groups of the route's path regex
    control: what admin handlers work on; may be set later, but before the first connection
    """

    def __init__(self, groups: Groups, control: Control | None = None) -> None:
        self.control = control
        self._groups = groups
        self._servers: dict[str, HandlerServer] = {}
        self._tasks = Tasks("handlers")
        self._closed = False

    def __repr__(self) -> str:
        running = sum(host.running for host in self._servers.values())
        return f"<Handlers: {len(self._servers)} known, {running} running>"

    def __contains__(self, key: object) -> bool:
        return key in self._servers

    def register(self, key: str, target: Any, *, decodes: bool = True) -> None:
        """Make `target` known as `key`: a handler, a View, an Application, or a function that makes one.

        decodes: whether it gets the bodies of requests without their Content-Encoding
        Raises SettingsError when it cannot be any of them.
        """
        check_target(key, target)
        known = self._servers.get(key)
        if known is not None and known.target is target:
            return
        name, prefix = name_and_prefix(key)
        # One Application can be run once, however many routes lead to it.
        same = [host for host in self._servers.values() if host.target is target]
        if is_application(target):
            _refuse_another_prefix(name, prefix, same)
        else:
            same = [host for host in same if host.prefix == prefix]
        self._servers[key] = same[0] if same else HandlerServer(name, target, prefix, decodes)

    def load(self, key: str) -> Any:
        """Import and register what this key is for; once. Raises SettingsError, with what is wrong in words."""
        known = self._servers.get(key)
        if known is not None:
            return known.target
        target = load_object(name_and_prefix(key)[0])
        self.register(key, target)
        return target

    def prepare(self, handlers: Mapping[str, Any]) -> None:
        """Register or load many: key -> the handler, or None if it is to be loaded. Raises SettingsError."""
        for key, target in handlers.items():
            if target is None:
                self.load(key)
            else:
                self.register(key, target)

    async def start(self) -> None:
        """Start the Applications that do not run yet. Raises HandlerError for the first that does not start."""
        for host in dict.fromkeys(self._servers.values()):
            if host.has_startup and not host.running:
                await host.server(self._groups, self.control)

    def start_soon(self) -> None:
        """The same from outside a coroutine; the log tells of what does not start, which is tried again when it is
        asked for something."""
        if any(host.has_startup and not host.running for host in self._servers.values()):
            self._tasks.start(self._start_each(), name="start")

    async def connect(self, key: str) -> socket.socket:
        """A connection to the handler: our end of a socket pair, non-blocking.

        Raises ConnectionRefusedError when there is no such handler, or it does not start (the log says why).
        """
        host = self._servers.get(key)
        if host is None or self._closed:
            raise ConnectionRefusedError(f"no handler is running as {key}")
        try:
            server = await host.server(self._groups, self.control)
        except HandlerError as error:
            raise ConnectionRefusedError(str(error)) from error
        ours, theirs = socket.socketpair()
        try:
            ours.setblocking(False)
            theirs.setblocking(False)
            await asyncio.get_running_loop().connect_accepted_socket(server, theirs)
        except BaseException:
            ours.close()
            theirs.close()
            raise
        return ours

    async def close(self) -> None:
        """Stop all handlers; Applications run their shutdown and cleanup hooks."""
        self._closed = True
        await self._tasks.cancel_all()
        for host in dict.fromkeys(self._servers.values()):
            await host.close()

    async def _start_each(self) -> None:
        for host in dict.fromkeys(self._servers.values()):
            if host.has_startup and not host.running:
                with contextlib.suppress(HandlerError):  # it is in the log
                    await host.server(self._groups, self.control)


def _refuse_another_prefix(name: str, prefix: str, same: Sequence[HandlerServer]) -> None:
    """An Application tells its own addresses, so it can be at one place only."""
    if same and same[0].prefix != prefix:
        message = (
            f"one Application cannot be below {same[0].prefix or '/'} and below {prefix or '/'}, as strip_prefix asks;"
            " give a function that makes one"
        )
        raise SettingsError(f"handler {name!r}", [Problem("", message)])
