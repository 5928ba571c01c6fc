"""Record -> one line: the combined log format, or JSON. Pure.

The combined format is that of Apache httpd and nginx, with nine values behind it: route, upstream, attempts, the
times queue, connect, first byte and total in seconds, bytes of the request's body, and the request's id.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from json.encoder import encode_basestring_ascii as _quoted

from dockerproxy.access_log.redaction import redacted_field, redacted_target
from dockerproxy.proxy.record import Record
from dockerproxy.settings.paths import is_plain, normalised

Line = Callable[[Record], str]

# nginx's own status for a client that left before there was an answer.
CLIENT_LEFT = 499
_LONGEST_VALUE = 4096  # characters of a field's value or of a method
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f"\\]')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def line_maker(form: str, headers: Sequence[str] = ()) -> Line:
    """What makes the lines.

    form:    `combined` or `json`
    headers: names of request fields that are told as well, in any case
    """
    wanted = [name.lower() for name in headers]
    return _Combined(wanted) if form == "combined" else _Json(wanted)


class _Seconds:
    """Writes times, each second once."""

    def __init__(self, write: Callable[[time.struct_time], str]) -> None:
        self._write = write
        self._second = -1
        self._written = ""

    def __call__(self, seconds: float) -> str:
        if int(seconds) != self._second:
            self._second = int(seconds)
            self._written = self._write(time.gmtime(seconds))
        return self._written


class _Combined:
    def __init__(self, headers: Sequence[str]) -> None:
        self._headers = headers
        self._wanted = _Wanted(("referer", "user-agent", *headers))
        self._time = _Seconds(_as_in_apache)

    def __call__(self, record: Record) -> str:
        fields = self._wanted.of(record.lines)
        told = (
            _bounded(record.method),
            redacted_target(record.target),
            _referer(fields.get("referer", "-")),
            fields.get("user-agent", "-"),
            record.host or "-",
            record.route or "-",
            record.upstream or "-",
            *[fields.get(name, "-") for name in self._headers],
        )
        if not _is_harmless("".join(told)):
            told = tuple(map(_safe, told))
        method, target, referer, agent, host, route, upstream, *more = told
        rest = "".join([f' "{value}"' for value in more])
        return (
            f"{record.client or '-'} - - [{self._time(record.began)}] "
            f'"{method} {target} HTTP/1.{record.minor}" {record.status or CLIENT_LEFT} {record.sent} '
            f'"{referer}" "{agent}" "{host}" "{route}" "{upstream}" {record.attempts} {_seconds(record.queue, "-")} '
            f"{_seconds(record.connect, '-')} {_seconds(record.first_byte, '-')} {record.total:.6f} "
            f"{record.received} {record.id}{rest}\n"
        )


class _Json:
    def __init__(self, headers: Sequence[str]) -> None:
        self._wanted = _Wanted(headers) if headers else None
        self._whole = _Seconds(_as_iso)

    def __call__(self, record: Record) -> str:
        """Put together by hand, for that costs half of what a dictionary and an encoder do."""
        more = f',"headers":{json.dumps(self._wanted.of(record.lines))}' if self._wanted is not None else ""
        return (
            f'{{"time":"{self._time(record.began)}","id":{_quoted(record.id)},"client":{_quoted(record.client)},'
            f'"method":{_quoted(_bounded(record.method))},"host":{_quoted(record.host)},'
            f'"target":{_quoted(redacted_target(record.target))},{_path(record.target)}"version":"1.{record.minor}",'
            f'"status":{record.status or CLIENT_LEFT},"cut":{"true" if record.cut else "false"},'
            f'"bytes_sent":{record.sent},"bytes_received":{record.received},'
            f'"route":{_quoted(record.route) if record.route else "null"},'
            f'"upstream":{_quoted(record.upstream) if record.upstream else "null"},"attempts":{record.attempts},'
            f'"queue":{_seconds(record.queue, "null")},"connect":{_seconds(record.connect, "null")},'
            f'"first_byte":{_seconds(record.first_byte, "null")},"total":{record.total:.6f}{more}}}\n'
        )

    def _time(self, seconds: float) -> str:
        """`2026-10-26T07:33:20.250Z`."""
        return f"{self._whole(seconds)}.{int(seconds % 1 * 1000):03d}Z"


class _Wanted:
    """Takes a few fields out of a head."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = {name.encode(): name for name in names}
        self._lengths = {len(name) for name in self._names}

    def of(self, lines: Iterable[bytes]) -> dict[str, str]:
        """Those that are there, by their names in lower case; repeated ones with commas (RFC 9110 section 5.3)."""
        found: dict[str, str] = {}
        for line in lines:
            end = line.find(b":")
            if end in self._lengths and (name := self._names.get(line[:end].lower())) is not None:
                text = redacted_field(name, line[end + 1 :].strip().decode("latin-1"))
                found[name] = _bounded(f"{found[name]}, {text}" if name in found else text)
        return found


def _path(target: str) -> str:
    """The path as it was read, where it was written otherwise."""
    path = target.partition("?")[0]
    read = path if is_plain(path) else normalised(path)
    return "" if read == path else f'"path":{_quoted(read)},'


def _as_in_apache(now: time.struct_time) -> str:
    """`10/Oct/2026:13:55:36 +0000`; English months whatever the locale."""
    return time.strftime(f"%d/{_MONTHS[now.tm_mon - 1]}/%Y:%H:%M:%S +0000", now)


def _as_iso(now: time.struct_time) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", now)


def _bounded(text: str) -> str:
    """A head may be as large as its setting says; a line of the log need not be."""
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _referer(value: str) -> str:
    """Its query may bear what the query of the request before it bore."""
    return redacted_target(value) if "?" in value else value


def _is_harmless(text: str) -> bool:
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def _safe(text: str) -> str:
    """Nothing that ends the line, the quotes, or drives a terminal."""
    return _UNSAFE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _seconds(value: float | None, unknown: str) -> str:
    return unknown if value is None else f"{max(0.0, value):.6f}"
