"""RequestParser: a whole request head in, a RequestHead out.

Strict where ambiguity is an attack (RFC 9112 sections 3.2, 6.1 to 6.3, 11.2): such a head is refused, never mended and
forwarded. Sans-I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dockerproxy.http1 import headers
from dockerproxy.http1.field_lines import HeadParser, Limits, check_line_ends, connection, drop, upgrade
from dockerproxy.http1.head import CHUNKED, MessageError, RequestHead
from dockerproxy.http1.previous import PreviousRequest

# A name of RFC 1035 section 2.3.4 and a port; hosts are remembered, and must not fill the memory.
_LONGEST_WAY = 2048  # bytes; nobody passes a hundred proxies unless they go round
_LONGEST_HOST = 255 + len(":65535")
_LENGTH = re.compile(rb"[0-9]{1,18}")  # below 2**63
_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP/([0-9])\.([0-9])")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)([^#]*)", re.IGNORECASE)

_Act = Callable[[RequestHead, bytes], None]


def skip_empty_line(data: bytes) -> bytes:
    """`data` without the one empty line that may stand before a request line (RFC 9112 section 2.2)."""
    return data.removeprefix(b"\r\n")


def check_partial(data: bytes, limits: Limits, checked: int = 0) -> None:
    """Refuse a head that can no longer become a good one, without waiting for its end. Raises MessageError.

    checked: bytes at the start that were checked before, so that a head that comes in crumbs is not read over and over
    """
    check_line_ends(data, checked)
    if len(data) > limits.size:
        code = "head_too_large" if b"\r\n" in data[: limits.target + 64] else "target_too_long"
        raise MessageError(code, f"the head is larger than {limits.size} bytes")


class RequestParser(HeadParser):
    """Parses request heads.

    identity: how this proxy is known to itself, to recognise its own requests
    """

    def __init__(self, limits: Limits, identity: bytes) -> None:
        super().__init__(limits)
        self._identity = identity.lower()
        self.prepared = _PREPARED
        self.acts = {
            **_ACTS,
            **{name: self._claimed(name) for name in headers.FORWARDED},
            headers.VIA: self._passed(headers.VIA),
            headers.HOPS: self._passed(headers.HOPS),
        }

    def parse(self, block: bytes, previous: PreviousRequest | None = None) -> RequestHead:
        """The head in `block`, which ends before its empty line. Raises MessageError.

        previous: of the same connection, if there is one; it becomes this one
        """
        line, _, fields = block.partition(b"\r\n")
        if previous is not None and fields == previous.fields and previous.parser is self:
            head = self._again(line, previous)
            if head is not None and len(block) <= self.limits.size:
                return head
        lines = self._split(block)
        head = self._request_line(line)
        self._take_fields(head, lines, len(block))
        origin_form = head.target.startswith("/")  # else the host is that of the target, and not of the fields
        self._finish(head)
        if previous is not None and origin_form:
            previous.remember(line, fields, head, self)
        return head

    def _again(self, line: bytes, previous: PreviousRequest) -> RequestHead | None:
        """A head with the fields of the previous one, or None where they may mean something else."""
        known = previous.head
        if line == previous.line:
            return RequestHead(known.method, known.target, known.minor).with_fields_of(known)
        head = self._request_line(line)
        if head.minor != known.minor or not head.target.startswith("/") or "#" in head.target:
            return None
        return head.with_fields_of(known)

    def _request_line(self, line: bytes) -> RequestHead:
        match = _REQUEST_LINE.fullmatch(line)
        if match is None:
            raise MessageError("bad_request", f"a malformed request line: {line[:60]!r}")
        method, target, major, minor = match.groups()
        if major != b"1" or minor not in b"01":
            raise MessageError("version_not_supported", f"HTTP/{major.decode()}.{minor.decode()}")
        if len(target) > self.limits.target:
            raise MessageError("target_too_long", f"the target is longer than {self.limits.target} bytes")
        if method == b"CONNECT":
            raise MessageError("not_implemented", "CONNECT is not for a reverse proxy")
        return RequestHead(method.decode(), target.decode(), 1 if minor == b"1" else 0)

    def _finish(self, head: RequestHead) -> None:
        """Rules that hold between fields and for the target."""
        if not head.target.startswith("/"):
            self._other_form(head)
        elif "#" in head.target:
            raise MessageError("bad_request", "a fragment in the request target")
        if not head.host_fields and head.minor == 1:
            raise MessageError("bad_request", "no Host field")
        if head.length == CHUNKED and head.minor == 0:
            raise MessageError("bad_request", "Transfer-Encoding in an HTTP/1.0 request")
        if head.nominated is not None:
            self._nominated(head, head.nominated)
        else:
            head.upgrade = b""
        if head.minor == 0:
            head.expect = False

    def _other_form(self, head: RequestHead) -> None:
        """Absolute-form and asterisk-form (RFC 9112 sections 3.2.2 and 3.2.4)."""
        if head.target == "*" and head.method == "OPTIONS":
            return
        match = _ABSOLUTE.fullmatch(head.target)
        if match is None or not match[1]:
            raise MessageError("bad_request", "the request target is neither a path nor an http URL")
        if not head.host_fields and head.minor == 1:
            raise MessageError("bad_request", "no Host field")
        head.host_fields = b""
        _host(head, _checked_host(match[1].encode()))
        if not head.host.partition(":")[0]:
            raise MessageError("bad_request", "no host in the request target")  # RFC 9110 section 4.2.1
        if head.method == "OPTIONS" and not match[2]:
            head.target = "*"  # RFC 9112 section 3.2.4
        else:
            head.target = match[2] if match[2].startswith("/") else f"/{match[2]}"

    def _nominated(self, head: RequestHead, nominated: headers.Nomination) -> None:
        """Connection's say: what to keep of the connection, and which fields end here."""
        if nominated.close:
            head.keep_alive = False
        elif nominated.keep_alive:
            head.keep_alive = True
        # An upgrade to h2c would carry requests past the table unseen.
        if head.upgrade and (not nominated.upgrade or head.minor == 0 or b"h2c" in head.upgrade.lower()):
            head.upgrade = b""
        nominated.strip(head.lines)

    def _other_act(self, name: bytes) -> Callable[..., None] | None:
        return self._claimed(name) if headers.is_forwarded(name) else None

    def _claimed(self, name: bytes) -> _Act:
        def act(head: RequestHead, value: bytes) -> None:
            head.claimed = head.claimed or {}
            head.claimed.setdefault(name, []).append(value)

        return act

    def _passed(self, name: bytes) -> _Act:
        """What a field does that says where a request has been."""
        note = self._claimed(name)

        def act(head: RequestHead, value: bytes) -> None:
            head.loop = head.loop or self._identity in value.lower() or len(value) > _LONGEST_WAY
            note(head, value)

        return act


def _host(head: RequestHead, host: str) -> None:
    if head.host_fields:
        raise MessageError("bad_request", "more than one Host field")
    head.host = host
    head.host_fields = b"Host: " + host.encode()


def _checked_host(value: bytes) -> str:
    """The Host field's value as a string (RFC 9110 section 7.2)."""
    text = value.decode("latin-1")
    match = headers.HOST.fullmatch(text)
    if match is None or len(text) > _LONGEST_HOST or (match[2] and int(match[2]) > 65535):
        raise MessageError("bad_request", f"a malformed Host: {text[:60]!r}")
    return text.removesuffix(":")


def _frame_once(head: RequestHead) -> None:
    """Refuse a second field that says where the body ends (RFC 9112 sections 6.1 and 6.3)."""
    if head.framed:
        raise MessageError("bad_request", "more than one of Content-Length and Transfer-Encoding")
    head.framed = True


def _content_length(head: RequestHead, value: bytes) -> None:
    _frame_once(head)
    if not _LENGTH.fullmatch(value):
        raise MessageError("bad_request", f"a malformed Content-Length: {value[:40]!r}")
    head.length = int(value)


def _transfer_encoding(head: RequestHead, value: bytes) -> None:
    _frame_once(head)
    if value.lower() != b"chunked":
        known = headers.list_members(value)[-1:] == [b"chunked"]
        code = "not_implemented" if known and b"," in value else "bad_request"
        raise MessageError(code, f"Transfer-Encoding {value[:40]!r}; only chunked is understood")
    head.length = CHUNKED


def _expect(head: RequestHead, value: bytes) -> None:
    if value.lower() != b"100-continue" and head.minor == 1:
        raise MessageError("expectation_failed", f"Expect: {value[:40]!r}; only 100-continue is understood")
    head.expect = True


def _te(head: RequestHead, value: bytes) -> None:
    head.te_trailers = b"trailers" in headers.list_members(value)


_PREPARED: dict[bytes, Callable[[bytes], Any]] = {b"connection": headers.Nomination.of, b"host": _checked_host}

_ACTS: dict[bytes, Callable[..., None]] = {
    b"connection": connection,
    b"content-length": _content_length,
    b"expect": _expect,
    b"host": _host,
    b"keep-alive": drop,
    b"proxy-connection": drop,
    b"te": _te,
    b"transfer-encoding": _transfer_encoding,
    b"upgrade": upgrade,
}
