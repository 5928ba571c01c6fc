"""DateField: the date of answers that have none.

Whoever answers a request himself dates the answer, and whoever forwards one without a date adds the time at which it
was received (RFC 9110 section 6.6.1): caches count an answer's age from it.
"""

from __future__ import annotations

import time
from email.utils import formatdate


class DateField:
    """The field line, made once a second."""

    __slots__ = ("_line", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._line = b""

    def __repr__(self) -> str:
        return f"<DateField {self._line.decode() or 'not asked for yet'}>"

    def line(self) -> bytes:
        """The line for now, without CRLF."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._line = b"Date: " + formatdate(second, usegmt=True).encode()
        return self._line
