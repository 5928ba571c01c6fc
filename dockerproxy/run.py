"""Running a Server to its end on the fastest event loop there is; used by the command line and by Proxy."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from dockerproxy.errors import DockerproxyError
from dockerproxy.process import logs
from dockerproxy.process.exit_codes import EXIT_FAILED, EXIT_OK
from dockerproxy.process.memory import fix_thresholds
from dockerproxy.server import Server
from dockerproxy.settings import Settings, tell_source

# Discovery reads and compares containers in a thread of its own, and whenever it does, the loop's thread waits for its
# turn: at most so long instead of Python's 5 ms, which every read and write of a request may have to wait once.
_SWITCH_INTERVAL = 0.0005  # seconds

log = logging.getLogger("dockerproxy")


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's loop where it is installed, else the standard one, which is slower."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def set_up_log(settings: Settings, config: str | None) -> None:
    """Send the log where these settings say, and begin it with where they were read from."""
    logs.set_up(settings.log_format, settings.log_level)
    log.info("%s", tell_source(config))


def run_to_end(main: Coroutine[Any, Any, None]) -> int:
    """Run `main`; the exit code is 1 when it raises an error of ours, whose message is logged."""
    fix_thresholds()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(main)
    except DockerproxyError as error:
        for line in str(error).splitlines():
            log.error("%s", line)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_FAILED
    return EXIT_OK


async def serve(server: Server, started: Callable[[], None] = lambda: None) -> None:
    """Start, call `started`, serve until a signal, stop within the grace period."""
    server.handle_signals()
    try:
        await server.start()
    except asyncio.CancelledError:
        if not server.stopping:
            raise
        log.info("stopped before it had started")
        return
    started()
    try:
        await server.run()
    finally:
        await server.stop()
    log.info("stopped")
