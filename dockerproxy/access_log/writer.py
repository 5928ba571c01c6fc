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
        if len(self._waiting) < self._most_waiting:
            self._waiting.append(self._line(record))
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
        while count := len(self._waiting):
            data = "".join(self._waiting[index] for index in range(min(count, 1000))).encode("utf-8", "replace")
            while data:
                data = data[self._put(data) :]
            for _ in range(min(count, 1000)):
                self._waiting.popleft()

    def _put(self, data: bytes) -> int:
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:  # whoever started us left it non-blocking
            select.select((), (self._descriptor,), (), _PAUSE)
            return 0
