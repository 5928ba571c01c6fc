"""What a client has sent, read as leniently as can be without guessing; written apart from the package.

The proxy may refuse more than this reader, but it must never forward what this reader does not find.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_REQUEST_LINE = re.compile(rb"([^ \r\n]+) ([^ \r\n]+) HTTP/1\.([01])")
_SIZE = re.compile(rb"([0-9A-Fa-f]+)[^\r\n]*")


class Sent(NamedTuple):
    """One complete request of the client."""

    method: bytes
    target: bytes
    body: bytes


def sent_requests(data: bytes) -> list[Sent]:
    """The complete requests in `data`, up to the first thing that is none."""
    found: list[Sent] = []
    while True:
        while data.startswith(b"\r\n"):
            data = data[2:]
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return found
        line, *lines = data[:end].split(b"\r\n")
        match = _REQUEST_LINE.fullmatch(line)
        if match is None:
            return found
        body = _body([text.partition(b":") for text in lines], data[end + 4 :])
        if body is None:
            return found
        found.append(Sent(match[1], match[2], body[0]))
        data = body[1]


def _body(fields: list[tuple[bytes, bytes, bytes]], data: bytes) -> tuple[bytes, bytes] | None:
    """The body at the start of `data` and what is behind it, or None where it is not complete or not clear."""
    known = {name.lower(): value.strip(b" \t") for name, _, value in fields}
    coding, length = known.get(b"transfer-encoding"), known.get(b"content-length", b"0")
    if coding is not None:
        return _chunked(data) if coding.lower() == b"chunked" else None
    if not length.isdigit() or len(data) < int(length):
        return None
    return data[: int(length)], data[int(length) :]


def _chunked(data: bytes) -> tuple[bytes, bytes] | None:
    body = b""
    while True:
        line, ended, data = data.partition(b"\r\n")
        match = _SIZE.fullmatch(line)
        if not ended or match is None:
            return None
        size = int(match[1], 16)
        if not size:
            break
        if len(data) < size + 2 or data[size : size + 2] != b"\r\n":
            return None
        body, data = body + data[:size], data[size + 2 :]
    while True:
        line, ended, data = data.partition(b"\r\n")
        if not ended:
            return None
        if not line:
            return body, data
