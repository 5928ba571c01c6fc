"""Logs: one line per event that matters, as text or as JSON. Sets logging up and keeps the last lines; writes none."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from collections import deque
from collections.abc import Iterator
from itertools import islice
from textwrap import indent
from typing import Any, NamedTuple, TextIO

# What `dockerproxy logs` can show of the past: with the longest lines 8 to 32 MB, with usual ones 0.1.
_KEPT_LINES = 1000  # lines
_LONGEST_LINE = 8 << 10  # characters; what clients send may be in it
_LONGEST_TRACEBACK = 64 << 10  # characters; it may quote what clients send as well

_TOLD_ONCE = "told_once"
# `extra` of a record that goes to standard error alone, since it bears what lets somebody in.
ONCE = {_TOLD_ONCE: True}

# What they tell below a warning is about themselves.
_LIBRARIES = ("aiohttp", "asyncio", "docker", "urllib3")
_TEXT = "%(asctime)s %(levelname)-7s %(message)s"
_BEHIND = "    "  # before each line of a record but its first
_TIME = "%Y-%m-%dT%H:%M:%S"


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (UTC), level, message, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime(_TIME, time.gmtime(record.created))
        entry = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _bounded(record.getMessage(), _LONGEST_LINE),
        }
        if record.exc_info:
            entry["traceback"] = _bounded(self.formatException(record.exc_info), _LONGEST_TRACEBACK)
        return json.dumps(entry)  # in ASCII: U+0085 and U+2028 end lines for some readers, U+202E turns them round


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00 INFO    blog: blog-1 joined`, in local time; control characters are made harmless.

    A message is one line, whatever names and labels are in it. Only a traceback has more, and none of them begins as a
    message does: what an exception says may be a client's words.
    """

    def __init__(self) -> None:
        super().__init__(_TEXT, _TIME)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        record.message = harmless(_bounded(record.message, _LONGEST_LINE).replace("\n", "\\n"))
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802  # logging's own name
        text = _bounded(super().formatException(ei), _LONGEST_TRACEBACK)
        lines = (_bounded(line, _LONGEST_LINE) for line in text.split("\n"))
        return indent(harmless("\n".join(lines)), _BEHIND, lambda _: True)

    def formatStack(self, stack_info: str) -> str:  # noqa: N802  # logging's own name
        return indent(harmless(super().formatStack(stack_info)), _BEHIND, lambda _: True)


class Lines(NamedTuple):
    """Some lines of the log.

    lines:  in their order
    missed: how many lines before them are kept no longer, though they were asked for
    end:    the position behind the last line, to go on from
    """

    lines: list[str]
    missed: int
    end: int


class Ring(logging.Handler):
    """Keeps the last lines of the log, whatever thread writes them. A position counts all lines ever written."""

    def __init__(self, size: int = _KEPT_LINES) -> None:
        super().__init__()
        self._kept: deque[str] = deque(maxlen=size)
        self._written = 0

    def __repr__(self) -> str:
        return f"<Ring of {len(self._kept)} lines, {self._written} were written>"

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's lines; a traceback has many."""
        if getattr(record, _TOLD_ONCE, False):
            return
        try:
            lines = self.format(record).split("\n")
        except Exception:
            self.handleError(record)
            return
        self._kept.extend(line[:_LONGEST_LINE] for line in lines)
        self._written += len(lines)

    def last(self, count: int) -> Lines:
        """The last `count` lines, or as many as there are."""
        with self._locked():
            return self._from(max(self._written - count, self._written - len(self._kept)))

    def since(self, position: int) -> Lines:
        """The lines from `position` on that are still kept."""
        with self._locked():
            return self._from(position)

    def _from(self, position: int) -> Lines:
        oldest = self._written - len(self._kept)
        start = max(position, oldest)
        return Lines(list(islice(self._kept, start - oldest, None)), start - position, self._written)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """As while a record is handled."""
        self.acquire()
        try:
            yield
        finally:
            self.release()


def harmless(text: str) -> str:
    """The text without what a terminal would obey: names, labels and error texts are written by others."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


def _bounded(text: str, most: int) -> str:
    """The text, or its beginning and a sign that there was more."""
    return text if len(text) <= most else f"{text[:most]}…"


def find_ring() -> Ring | None:
    """The ring that `set_up` has made; None in a program that has set its logging up itself."""
    return next((handler for handler in logging.getLogger().handlers if isinstance(handler, Ring)), None)


class _StandardError(logging.StreamHandler[TextIO]):
    """The log of a program that has not said where its own goes."""


def set_up(log_format: str, level: str) -> None:
    """Send the log to standard error, and keep its last lines: ours, and that of the program that we are part of.

    A program that has set its logging up itself keeps that, and ours goes there, too.

    log_format: `text` or `json`; level: `debug`, `info`, `warning` or `error`
    """
    root = logging.getLogger()
    theirs = [handler for handler in root.handlers if not isinstance(handler, (_StandardError, Ring))]
    ours: list[logging.Handler] = [Ring()] if theirs else [_StandardError(sys.stderr), Ring()]
    for handler in ours:
        handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root.handlers[:] = theirs + ours
    logging.getLogger("dockerproxy").setLevel(level.upper())
    if theirs:
        return
    root.setLevel(level.upper())
    for name in _LIBRARIES:
        library = logging.getLogger(name)
        if library.level == logging.NOTSET:
            library.setLevel(max(logging.WARNING, root.level))
