"""ExceptionLog: what is logged of exceptions in handlers and middlewares, whom clients may make fail in any number.

The first ones at each place are told with a traceback, a flood is summed up. What is a client's fault alone is told
nowhere: a body that breaks off, or is not encoded as it says.
"""

from __future__ import annotations

import logging
import time

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from dockerproxy.proxy.log_limit import LogLimit

_CLIENTS_FAULT = (HttpProcessingError, web.RequestPayloadError, ConnectionError)


class ExceptionLog:
    """Writes them to one logger."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._limit = LogLimit()

    def __repr__(self) -> str:
        return f"<ExceptionLog to {self._log.name}>"

    def tell(self, error: BaseException, message: str, *args: object) -> None:
        """Log an error that came out of `error`, if it is to be told."""
        more = self.more(error)
        if more is not None:
            self._log.error(f"{message}%s", *args, more, exc_info=error)

    def more(self, error: BaseException) -> str | None:
        """What is said behind it of those before, or None when it is not to be told."""
        unsaid = self._limit.unsaid(_place(error), time.monotonic())
        if unsaid is None:
            return None
        return f" (and {unsaid} more like it before)" if unsaid else ""


class ServerLog(logging.Filter):
    """What aiohttp itself logs of the requests that it serves, let through as complaints are."""

    def __init__(self) -> None:
        super().__init__()
        self._exceptions = ExceptionLog(logging.getLogger("dockerproxy.web"))

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is told."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        if isinstance(error, _CLIENTS_FAULT):
            return False
        more = self._exceptions.more(error)
        if more:
            record.msg = f"{record.msg}{more}"
        return more is not None


def server_log() -> logging.Logger:
    """The log of one of aiohttp's servers."""
    log = logging.getLogger("dockerproxy.web.server")
    if not log.filters:
        log.addFilter(ServerLog())
    return log


def _place(error: BaseException) -> str:
    """The kind of an error, and where it was raised."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    where = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}" if traceback is not None else ""
    return f"{type(error).__name__} {where}"
