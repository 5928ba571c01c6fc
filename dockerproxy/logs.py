"""Logs: one line per event that matters, as text or as JSON. Sets logging up; writes nothing itself."""

from __future__ import annotations

import json
import logging
import sys
import time

_TEXT = "%(asctime)s %(levelname)-7s %(message)s"
_TIME = "%Y-%m-%dT%H:%M:%S"


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (UTC), level, message, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime(_TIME, time.gmtime(record.created))
        entry = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00 INFO    blog: blog-1 joined`, in local time; control characters are made harmless."""

    def __init__(self) -> None:
        super().__init__(_TEXT, _TIME)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        record.message = "".join(char if char.isprintable() or char in "\n\t" else "?" for char in record.message)
        return super().formatMessage(record)


def set_up(log_format: str, level: str) -> None:
    """Send the package's log to standard error.

    log_format: `text` or `json`; level: `debug`, `info`, `warning` or `error`
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("dockerproxy").setLevel(level.upper())
