"""Stopping: whether the proxy has been asked to stop, by a signal or by a program; a second signal ends it at once."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import Any

log = logging.getLogger("dockerproxy")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_KILLED_BY_SECOND_SIGNAL = 1  # exit code


class Stopping:
    """An order to stop, which may come at any time, even before the start is over."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._starting: asyncio.Task[Any] | None = None

    def __repr__(self) -> str:
        return f"<Stopping, {'asked' if self.asked else 'not asked'}>"

    @property
    def asked(self) -> bool:
        """Whether anybody has asked for it."""
        return self._asked.is_set()

    async def wait(self) -> None:
        """Return when somebody asks for it."""
        await self._asked.wait()

    def ask(self) -> None:
        """Let `wait` return."""
        self._asked.set()

    def handle_signals(self) -> None:
        """From now on SIGTERM and SIGINT ask for it; a second one ends the process."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._on_signal, number)

    def starts(self) -> None:
        """A signal cancels the task that calls this: a handler may wait for its database for ever."""
        self._starting = asyncio.current_task()

    def started(self) -> None:
        """The start is over."""
        self._starting = None

    def _on_signal(self, number: signal.Signals) -> None:
        if self.asked:
            log.warning("second %s: stopping at once", number.name)
            os._exit(_KILLED_BY_SECOND_SIGNAL)
        log.info("%s: stopping", number.name)
        self.ask()
        if self._starting is not None:
            self._starting.cancel()
