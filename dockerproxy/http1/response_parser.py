"""ResponseParser: a whole response head in, a ResponseHead out.

Strict where ambiguity is an attack (RFC 9112 sections 4, 6.1 to 6.3, 11.1): such a head is refused, never mended and
forwarded. Sans-I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dockerproxy.http1 import headers
from dockerproxy.http1.field_lines import HeadParser, Limits, check_line_ends, connection, drop, upgrade
from dockerproxy.http1.head import CHUNKED, MessageError, ResponseHead
from dockerproxy.http1.previous import PreviousResponse

_LENGTH = re.compile(rb"[0-9]{1,18}")  # below 2**63
_VERSION = b"HTTP/1."
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t -~\x80-\xff]*))?")


class ResponseParser(HeadParser):
    """Parses response heads."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.acts = _ACTS
        self.prepared = _PREPARED

    def parse(self, block: bytes, previous: PreviousResponse | None = None) -> ResponseHead:
        """The head in `block`, which ends before its empty line. Raises MessageError.

        previous: of the same connection, if there is one; it becomes this one
        """
        if previous is not None and block == previous.block:
            return previous.head.again()
        lines = self._split(block)
        match = _STATUS_LINE.fullmatch(lines[0])
        if match is None:
            raise MessageError("bad_response", f"a malformed status line: {lines[0][:60]!r}")
        head = ResponseHead(int(match[2]), int(match[1]), b"HTTP/1.1 %b %b\r\n" % (match[2], match[3] or b""))
        self._take_fields(head, lines, len(block))
        self._finish(head)
        if previous is not None:
            previous.remember(block, head)
        return head

    def check_partial(self, data: bytes, checked: int = 0) -> None:
        """Refuse a head that can no longer become a good one, without waiting for its end. Raises MessageError.

        checked: bytes at the start that were checked before
        """
        check_line_ends(data, checked)
        if len(data) > self.limits.size:
            raise MessageError("bad_response", f"the head is larger than {self.limits.size} bytes")
        if not data[: len(_VERSION)].startswith(_VERSION[: len(data)]):
            raise MessageError("bad_response", f"not HTTP/1.1: {data[:20]!r}")
        known = data.rfind(b"\r\n", 0, checked)  # the lines up to here are good
        lines = data[known + 2 if known >= 0 else 0 :].split(b"\r\n")[:-1]
        if known < 0 and lines and not _STATUS_LINE.fullmatch(line := lines.pop(0)):
            raise MessageError("bad_response", f"a malformed status line: {line[:60]!r}")
        for line in lines:
            if headers.split_field(line) is None:
                raise MessageError("bad_response", f"a malformed field line: {line[:60]!r}")

    def _finish(self, head: ResponseHead) -> None:
        if head.nominated is not None:
            if head.nominated.close:
                head.keep_alive = False
            elif head.nominated.keep_alive:
                head.keep_alive = True
            head.nominated.strip(head.lines)
            head.dated = head.dated and b"date" not in head.nominated.names
        if head.chunked:
            # RFC 9112 sections 6.1 and 6.3: Transfer-Encoding overrides Content-Length, and such a connection, like
            # one that speaks HTTP/1.0, is not trusted any longer.
            head.keep_alive = head.keep_alive and head.length_field < 0 and head.minor == 1
            head.length, head.length_field = CHUNKED, -1
        elif head.length_field >= 0:
            head.length = head.length_field


def _content_length(head: ResponseHead, value: bytes) -> None:
    if not _LENGTH.fullmatch(value):
        raise MessageError("bad_response", f"a malformed Content-Length: {value[:40]!r}")
    if head.length_field not in (-1, int(value)):
        raise MessageError("bad_response", "two different Content-Length fields")
    head.length_field = int(value)


def _transfer_encoding(head: ResponseHead, value: bytes) -> None:
    if value.lower() != b"chunked" or head.chunked:
        raise MessageError("bad_response", f"Transfer-Encoding {value[:40]!r}; only chunked is understood")
    head.chunked = True


def _date(head: ResponseHead, value: bytes) -> None:
    head.dated = True
    head.lines.append(b"Date: " + value)


def _failed(head: ResponseHead, value: bytes) -> None:
    head.failed = value


_PREPARED: dict[bytes, Callable[[bytes], Any]] = {b"connection": headers.Nomination.of}

_ACTS: dict[bytes, Callable[..., None]] = {
    b"x-dockerproxy-reason": drop,  # only we say it
    b"connection": connection,
    b"content-length": _content_length,
    b"date": _date,
    b"dockerproxy-exception": _failed,
    b"keep-alive": drop,
    b"proxy-connection": drop,
    b"te": drop,
    b"transfer-encoding": _transfer_encoding,
    b"upgrade": upgrade,
}
