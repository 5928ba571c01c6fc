"""HandlerServer: one handler, and the aiohttp server that it runs in once it is started."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import web

from dockerproxy.errors import HandlerError
from dockerproxy.web.context import Control
from dockerproxy.web.handlers.application import Groups, application_of, has_startup
from dockerproxy.web.handlers.exception_log import server_log

# The data plane ends idle connections; a handler that did so first would look like a fault.
_KEEPALIVE = 3600.0  # seconds
# The data plane has already judged the head by its own limits, which can be set; these are only out of the way.
_LINE_SIZE = 1 << 30  # bytes
_FIELD_COUNT = 1 << 30  # fields
# The data plane has drained before handlers are closed: what still runs then serves nobody.
_SHUTDOWN = 2.0  # seconds
# Longer than a start that waits for nothing takes.
_SLOW_START = 5.0  # seconds

log = logging.getLogger("dockerproxy.web")


class HandlerServer:
    """One handler and its server.

    target: what was given
    prefix: the part of the path that an Application is below and is not shown, or ""
    """

    def __init__(self, name: str, target: Any, prefix: str, decodes: bool) -> None:
        self.name = name
        self.target = target
        self.prefix = prefix
        self._decodes = decodes
        self._starting = asyncio.Lock()
        self._runner: web.AppRunner | None = None
        self._app: web.Application | None = None

    def __repr__(self) -> str:
        return f"<handler {self.name}, {'running' if self.running else 'not running'}>"

    @property
    def running(self) -> bool:
        return self._runner is not None

    @property
    def has_startup(self) -> bool:
        """Whether there is something that may be done, and may fail, before the first request."""
        return has_startup(self.target)

    async def server(self, groups: Groups, control: Control | None) -> web.Server:
        """The server, started at the first call. Raises HandlerError; a start that fails (its database is not up yet)
        is tried again at the next call."""
        async with self._starting:
            if self._runner is None:
                self._runner = await self._started(groups, control)
        server = self._runner.server
        if server is None:  # closed while we waited
            raise HandlerError(f"handler {self.name} is stopped")
        return server

    async def close(self) -> None:
        """Stop it; an Application runs its shutdown and cleanup hooks."""
        async with self._starting:
            if self._runner is not None:
                await self._end(self._runner)

    async def _started(self, groups: Groups, control: Control | None) -> web.AppRunner:
        runner: web.AppRunner | None = None
        slow = asyncio.get_running_loop().call_later(
            _SLOW_START, log.warning, "handler %s has not started after %g s; it is waited for", self.name, _SLOW_START
        )
        try:
            if self._app is None:
                self._app = await application_of(self.target, self.name, groups, control, self.prefix)
            runner = _runner(self._app, self._decodes)
            await runner.setup()
        except BaseException as error:
            if runner is not None:
                await self._end(runner)
            if not isinstance(error, Exception):  # whoever starts it is to stop
                raise
            log.error("handler %s does not start", self.name, exc_info=_outside(error))
            raise HandlerError(f"handler {self.name} does not start: {_words(error)}") from error
        finally:
            slow.cancel()
        return runner

    async def _end(self, runner: web.AppRunner) -> None:
        try:
            await runner.cleanup()
        except Exception:
            log.exception("handler %s failed while it was stopped", self.name)


def _words(error: Exception) -> str:
    """`OSError: the database is not up yet`; what we say ourselves needs no kind."""
    return str(error) if isinstance(error, HandlerError) else f"{type(error).__name__}: {error}"


def _outside(error: Exception) -> Exception | None:
    """The error, if it comes out of other people's code, who will want to see where."""
    return None if isinstance(error, HandlerError) else error


def _runner(app: web.Application, decodes: bool) -> web.AppRunner:
    return web.AppRunner(
        app,
        auto_decompress=decodes,
        handle_signals=False,
        handler_cancellation=True,  # a client that leaves cancels its upstream, and a handler is one
        access_log=None,
        logger=server_log(),
        keepalive_timeout=_KEEPALIVE,
        tcp_keepalive=False,
        max_line_size=_LINE_SIZE,
        max_field_size=_LINE_SIZE,
        max_headers=_FIELD_COUNT,
        shutdown_timeout=_SHUTDOWN,
    )
