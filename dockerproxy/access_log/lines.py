"""Record -> one line: the combined log format, or JSON. Pure.

The combined format is that of Apache httpd and nginx, with nine values behind it: route, upstream, attempts, the
times queue, connect, first byte and total in seconds, bytes of the request's body, and the request's id.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from dockerproxy.access_log.redaction import redacted_field, redacted_target
from dockerproxy.proxy.record import Record

Line = Callable[[Record], str]

# nginx's own status for a client that left before there was an answer.
CLIENT_LEFT = 499
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f"\\]')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def line_maker(form: str, headers: Sequence[str] = ()) -> Line:
    """What makes the lines.

    form:    `combined` or `json`
    headers: names of request fields that are told as well, in any case
    """
    wanted = [name.lower() for name in headers]
    return _Combined(wanted) if form == "combined" else _Json(wanted)


class _Combined:
    def __init__(self, headers: Sequence[str]) -> None:
        self._headers = headers
        self._fields = ("referer", "user-agent", *headers)
        self._second = -1
        self._stamp = ""

    def __call__(self, record: Record) -> str:
        fields = _fields(record.lines, self._fields)
        more = "".join(f' "{_safe(fields.get(name, "-"))}"' for name in self._headers)
        return (
            f"{record.client or '-'} - - [{self._time(record.began)}] "
            f'"{_safe(record.method)} {_safe(redacted_target(record.target))} HTTP/1.{record.minor}" '
            f"{_status(record)} {record.sent} "
            f'"{_safe(_referer(fields.get("referer", "-")))}" "{_safe(fields.get("user-agent", "-"))}" '
            f'"{_safe(record.host or "-")}" "{_safe(record.route or "-")}" "{_safe(record.upstream or "-")}" '
            f"{record.attempts} {_seconds(record.queue)} {_seconds(record.connect)} {_seconds(record.first_byte)} "
            f"{record.total:.6f} {record.received} {record.id}{more}\n"
        )

    def _time(self, seconds: float) -> str:
        """`10/Oct/2026:13:55:36 +0000`; English months whatever the locale, and made once a second."""
        if int(seconds) != self._second:
            self._second = int(seconds)
            now = time.gmtime(seconds)
            self._stamp = time.strftime(f"%d/{_MONTHS[now.tm_mon - 1]}/%Y:%H:%M:%S +0000", now)
        return self._stamp


class _Json:
    def __init__(self, headers: Sequence[str]) -> None:
        self._headers = headers
        self._encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def __call__(self, record: Record) -> str:
        entry: dict[str, Any] = {
            "time": _iso(record.began),
            "id": record.id,
            "client": record.client,
            "method": record.method,
            "host": record.host,
            "target": redacted_target(record.target),
            "version": f"1.{record.minor}",
            "status": _status(record),
            "cut": record.cut,
            "bytes_sent": record.sent,
            "bytes_received": record.received,
            "route": record.route or None,
            "upstream": record.upstream or None,
            "attempts": record.attempts,
            "queue": _rounded(record.queue),
            "connect": _rounded(record.connect),
            "first_byte": _rounded(record.first_byte),
            "total": _rounded(record.total),
        }
        if self._headers:
            entry["headers"] = _fields(record.lines, self._headers)
        return _one_line(self._encode(entry)) + "\n"


def _fields(lines: Iterable[bytes], wanted: Sequence[str]) -> dict[str, str]:
    """The wanted fields that are there; repeated ones joined by commas (RFC 9110 section 5.3)."""
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        key = name.decode("latin-1").lower()
        if key in wanted:
            text = redacted_field(key, value.strip().decode("latin-1"))
            found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _referer(value: str) -> str:
    """Its query may bear what the query of the request before it bore."""
    return redacted_target(value) if "?" in value and urlsplit(value).query else value


def _status(record: Record) -> int:
    return record.status or CLIENT_LEFT


def _safe(text: str) -> str:
    """Nothing that ends the line, the quotes, or drives a terminal."""
    return _UNSAFE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _one_line(text: str) -> str:
    """JSON leaves C1 control characters and the line separators of Unicode as they are."""
    return re.sub("[\x7f-\x9f\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{max(0.0, value):.6f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(max(0.0, value), 6)


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"
