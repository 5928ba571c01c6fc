"""Handlers: in-process upstreams.

For the data plane a handler is one more upstream, only that connecting to it makes a socket pair, whose other end
aiohttp serves. So one code path serves, counts, limits and logs every request.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from dockerproxy.web.context import Control
from dockerproxy.web.handlers.application import Groups, application_of
from dockerproxy.web.handlers.loading import check_target, load_object

# The data plane ends idle connections; a handler that did so first would look like a fault.
_KEEPALIVE = 3600.0  # seconds
# The data plane has already judged the head by its own limits, which can be set; these are only out of the way.
_LINE_SIZE = 1 << 20  # bytes
_FIELD_COUNT = 10_000  # fields
# The data plane has drained before handlers are closed: what still runs then serves nobody.
_SHUTDOWN = 2.0  # seconds

log = logging.getLogger("dockerproxy.web")


class Handlers:
    """The handlers of all routes, by key; each is started at the first connection to it.

    groups:  route name, path as sent -> named groups of the route's path regex
    control: what admin handlers work on; may be set later, but before the first connection
    """

    def __init__(self, groups: Groups, control: Control | None = None) -> None:
        self.control = control
        self._groups = groups
        self._hosts: dict[str, _Host] = {}
        self._closed = False

    def __repr__(self) -> str:
        running = sum(host.running for host in self._hosts.values())
        return f"<Handlers: {len(self._hosts)} known, {running} running>"

    def __contains__(self, key: object) -> bool:
        return key in self._hosts

    def register(self, key: str, target: Any, *, decodes: bool = True) -> None:
        """Make `target` known as `key`: a handler, a View, an Application, or a function that makes one.

        decodes: whether it gets the bodies of requests without their Content-Encoding
        Raises SettingsError when it cannot be any of them.
        """
        check_target(key, target)
        known = self._hosts.get(key)
        if known is not None and known.target is target:
            return
        # One Application can be run once, however many routes lead to it.
        same = (host for host in self._hosts.values() if host.target is target)
        self._hosts[key] = next(same, None) or _Host(key, target, decodes)

    def load(self, name: str) -> Any:
        """Import and register `module:name`; once. Raises SettingsError, with what is wrong in words."""
        known = self._hosts.get(name)
        if known is not None:
            return known.target
        target = load_object(name)
        self.register(name, target)
        return target

    def prepare(self, handlers: Mapping[str, Any]) -> None:
        """Register or load many: key -> the handler, or None if it is to be loaded. Raises SettingsError."""
        for key, target in handlers.items():
            if target is None:
                self.load(key)
            else:
                self.register(key, target)

    async def connect(self, key: str) -> socket.socket:
        """A connection to the handler: our end of a socket pair, non-blocking.

        Raises ConnectionRefusedError when there is no such handler, or it does not start (the log says why).
        """
        host = self._hosts.get(key)
        if host is None or self._closed:
            raise ConnectionRefusedError(f"no handler is running as {key}")
        server = await host.server(self._groups, self.control)
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
        for host in dict.fromkeys(self._hosts.values()):
            await host.close()


class _Host:
    """One target and its server."""

    def __init__(self, name: str, target: Any, decodes: bool) -> None:
        self.name = name
        self._decodes = decodes
        self.target = target
        self._starting = asyncio.Lock()
        self._runner: web.AppRunner | None = None
        self._app: web.Application | None = None

    def __repr__(self) -> str:
        return f"<handler {self.name}, {'running' if self.running else 'not running'}>"

    @property
    def running(self) -> bool:
        return self._runner is not None

    async def server(self, groups: Groups, control: Control | None) -> web.Server:
        async with self._starting:
            if self._runner is None:
                self._runner = await self._started(groups, control)
        server = self._runner.server
        if server is None:  # closed while we waited
            raise ConnectionRefusedError(f"handler {self.name} is stopped")
        return server

    async def close(self) -> None:
        async with self._starting:
            if self._runner is not None:
                await self._end(self._runner)

    async def _started(self, groups: Groups, control: Control | None) -> web.AppRunner:
        """A start that fails (its database is not up yet) is tried again at the next connection."""
        runner: web.AppRunner | None = None
        try:
            if self._app is None:
                self._app = await application_of(self.target, self.name, groups, control)
            runner = _runner(self._app, self._decodes)
            await runner.setup()
        except Exception as error:
            log.exception("handler %s does not start", self.name)
            if runner is not None:
                await self._end(runner)
            raise ConnectionRefusedError(f"handler {self.name} does not start: {error}") from error
        return runner

    async def _end(self, runner: web.AppRunner) -> None:
        try:
            await runner.cleanup()
        except Exception:
            log.exception("handler %s failed while it was stopped", self.name)


def _runner(app: web.Application, decodes: bool) -> web.AppRunner:
    return web.AppRunner(
        app,
        auto_decompress=decodes,
        handle_signals=False,
        handler_cancellation=True,  # a client that leaves cancels its upstream, and a handler is one
        access_log=None,
        keepalive_timeout=_KEEPALIVE,
        tcp_keepalive=False,
        max_line_size=_LINE_SIZE,
        max_field_size=_LINE_SIZE,
        max_headers=_FIELD_COUNT,
        shutdown_timeout=_SHUTDOWN,
    )
