"""AccessLog: takes records and writes their lines from a thread of its own; a slow reader holds up no request."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections import deque

from dockerproxy.access_log.lines import Line
from dockerproxy.proxy.record import Record

# A line is on its way within this time; one write then carries many.
_PAUSE = 0.1  # seconds
# About 30 MB: minutes of a busy site, while whoever reads the log is restarted.
MOST_WAITING = 100_000  # lines
_MOST_SIZE = 32 << 20  # characters; clients may see to it that lines are long
_AT_ONCE = 256 << 10  # characters
# What the reader of the log has not taken by then is given up, so that the proxy can stop.
_LAST_WAIT = 5.0  # seconds

log = logging.getLogger("dockerproxy.access_log")


class AccessLog:
    """Lines on their way to a file descriptor. `start` before the first record, `close` after the last.

    dropped: lines that were given up because nobody read the ones before
    """

    def __init__(self, line: Line, descriptor: int, most_waiting: int = MOST_WAITING) -> None:
        self._line = line
        self._descriptor = descriptor
        self._most_waiting = most_waiting
        self._waiting: deque[str] = deque()
        self._came = self._went = 0  # characters; each is counted by one thread alone
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access log", daemon=True)
        self.dropped = 0

    def __repr__(self) -> str:
        return f"<AccessLog: {len(self._waiting)} lines waiting, {self.dropped} dropped>"

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def __call__(self, record: Record) -> None:
        """Take a record. It never waits."""
        if len(self._waiting) < self._most_waiting and self._came - self._went < _MOST_SIZE:
            line = self._line(record)
            self._waiting.append(line)
            self._came += len(line)
        else:
            self.dropped += 1

    def close(self) -> None:
        """Write what is waiting, and end; blocks for some seconds at most."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(_LAST_WAIT)
        if self._waiting:
            log.warning("%d lines of the access log were given up: nobody reads standard output", len(self._waiting))

    def _run(self) -> None:
        told = 0
        try:
            while not self._closing.wait(_PAUSE):
                self._write()
                if self.dropped > told and len(self._waiting) < self._most_waiting:
                    log.warning("%d lines of the access log were dropped: they were read too slowly",
                                self.dropped - told)  # fmt: skip
                    told = self.dropped
            self._write()
        except OSError as error:
            log.error("the access log ends: standard output cannot be written (%s)", error.strerror)
            self._most_waiting = 0
            self._waiting.clear()

    def _write(self) -> None:
        """Write all that waits now. Lines leave the queue only when they are written."""
        while self._waiting:
            lines = self._next_lines()
            data = "".join(lines).encode("utf-8", "replace")
            while data:
                data = data[self._put(data) :]
            for _ in lines:
                self._went += len(self._waiting.popleft())

    def _next_lines(self) -> list[str]:
        """Some of those that wait: few enough for the loop not to wait while they are put together."""
        lines, size = [], 0
        for index in range(min(len(self._waiting), 1000)):
            lines.append(self._waiting[index])
            size += len(lines[-1])
            if size >= _AT_ONCE:
                break
        return lines

    def _put(self, data: bytes) -> int:
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:  # whoever started us left it non-blocking
            select.select((), (self._descriptor,), (), _PAUSE)
            return 0
