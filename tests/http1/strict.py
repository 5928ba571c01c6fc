"""A reader of HTTP/1.1 messages that takes nothing but what RFC 9110 and 9112 allow, written apart from the package.

It judges what the proxy wrote: what this reader refuses, a recipient might understand in more than one way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(_TOKEN + rb" (/[!-~]*|\*) HTTP/1\.1")
_STATUS_LINE = re.compile(rb"HTTP/1\.1 [1-9][0-9]{2} [\t -~\x80-\xff]*")
_FIELD = re.compile(rb"(" + _TOKEN + rb"): ([!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
_SIZE = re.compile(rb"[0-9a-f]{1,15}")


class Malformed(Exception):
    """The message is not valid, whatever may still come."""


@dataclass(slots=True)
class Message:
    """One message; `end` is where it ends in the bytes that were read, or -1 while it is not complete.

    head:   with its empty line
    body:   decoded; as much as has come
    framed: `chunked`, `length`, `close` or `none`
    """

    head: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    trailers: list[bytes] = field(default_factory=list)
    framed: str = "none"
    end: int = -1

    @property
    def complete(self) -> bool:
        return self.end >= 0

    @property
    def line(self) -> bytes:
        return self.head.partition(b"\r\n")[0]

    @property
    def status(self) -> int:
        return int(self.line.split(b" ")[1])

    def values(self, name: bytes) -> list[bytes]:
        return [value for known, value in self.fields if known.lower() == name]

    @property
    def canonical(self) -> bytes:
        """The message with a chunked body as one chunk: how it was cut into chunks tells nothing."""
        if self.framed != "chunked":
            return self.head + self.body
        data = b"%x\r\n%b\r\n" % (len(self.body), self.body) if self.body else b""
        return self.head + data + b"0\r\n" + b"".join(line + b"\r\n" for line in self.trailers) + b"\r\n"


def read_request(data: bytes) -> Message | None:
    """The request at the start of `data`, complete or not; None while its head is not. Raises Malformed."""
    message = _head(data, _REQUEST_LINE)
    if message is None:
        return None
    if len(message.values(b"host")) != 1:
        raise Malformed(f"{len(message.values(b'host'))} Host fields")
    return _with_body(message, data, otherwise="none")


def read_response(data: bytes, method: str, *, closed: bool) -> Message | None:
    """The response at the start of `data`, complete or not; None while its head is not. Raises Malformed.

    method: of the request; closed: whether nothing more will come
    """
    message = _head(data, _STATUS_LINE)
    if message is None:
        return None
    framing = message.values(b"content-length") + message.values(b"transfer-encoding")
    if message.status < 200 or message.status == 204:
        if framing:
            raise Malformed(f"framing fields in a {message.status}")
    elif method != "HEAD" and message.status != 304:
        message = _with_body(message, data, otherwise="close")
        if message.framed == "close" and closed:
            message.end = len(data)
        return message
    message.end = len(message.head)
    return message


def _head(data: bytes, start: re.Pattern[bytes]) -> Message | None:
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    line, *lines = data[:end].split(b"\r\n")
    if not start.fullmatch(line):
        raise Malformed(f"start line {line[:80]!r}")
    return Message(data[: end + 4], _fields(lines))


def _fields(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    fields = []
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise Malformed(f"field line {line[:80]!r}")
        fields.append((match[1], match[2] or b""))
    return fields


def _with_body(message: Message, data: bytes, otherwise: str) -> Message:
    """Take the body after the head; `otherwise` is the framing when no field tells it."""
    start = len(message.head)
    lengths, codings = message.values(b"content-length"), message.values(b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise Malformed("more than one field tells the length of the body")
    if codings:
        if codings != [b"chunked"]:
            raise Malformed(f"Transfer-Encoding {codings[0]!r}")
        message.framed = "chunked"
        _chunks(message, data, start)
    elif lengths:
        if not re.fullmatch(rb"[0-9]{1,18}", lengths[0]):
            raise Malformed(f"Content-Length {lengths[0]!r}")
        message.framed = "length"
        message.body = data[start : start + int(lengths[0])]
        message.end = start + int(lengths[0]) if len(message.body) == int(lengths[0]) else -1
    else:
        message.framed = otherwise
        message.body = data[start:] if otherwise == "close" else b""
        message.end = -1 if otherwise == "close" else start
    return message


def _chunks(message: Message, data: bytes, at: int) -> None:
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return
        line = data[at:end]
        if not _SIZE.fullmatch(line):
            raise Malformed(f"chunk size {line[:40]!r}")
        at, size = end + 2, int(line, 16)
        if not size:
            break
        message.body += data[at : at + size]
        if len(data) < at + size + 2:
            return
        if data[at + size : at + size + 2] != b"\r\n":
            raise Malformed("chunk data is not followed by CRLF")
        at += size + 2
    _trailers(message, data, at)


def _trailers(message: Message, data: bytes, at: int) -> None:
    while (end := data.find(b"\r\n", at)) >= 0:
        if end == at:
            message.end = at + 2
            _fields(message.trailers)
            return
        message.trailers.append(data[at:end])
        at = end + 2
