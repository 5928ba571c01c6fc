"""Request and response heads: no exception but MessageError, what is forwarded is well-formed, and where another
parser accepts the head as well, it sees the same method, target, host and length."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockerproxy.http1.field_lines import Limits
from dockerproxy.http1.head import CHUNKED, MessageError, RequestHead, ResponseHead
from dockerproxy.http1.request_parser import RequestParser, check_partial
from dockerproxy.http1.response_parser import ResponseParser
from dockerproxy.http1.writer import request_block

from .others import Seen, other_parsers
from .target import Unexpected, must

LIMITS = Limits(64 << 10, 100, 8 << 10)
FIELDS = [
    b"Host: a\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close, x\r\n",
    b"Connection: Upgrade\r\n", b"Upgrade: websocket\r\n", b"Expect: 100-continue\r\n", b"TE: trailers\r\n",
    b"X-Forwarded-For: 1.2.3.4\r\n", b"Via: 1.1 x\r\n", b"Cookie: a=b\r\n", b"Content_Length: 1\r\n",
    b"\r\n", b"\r", b"\n", b"\x00", b" ", b"\t", b":", b",", b"chunked", b"0", b"+1", b"0x1", b"\x80", b"identity",
]  # fmt: skip
_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[ \t]?[\t -~\x80-\xff]*")
_ONE_BYTE_LESS = 3  # places at which an unfinished head is looked at


class RequestHeads:
    """RequestParser."""

    words: Sequence[bytes] = (
        *FIELDS, b"GET / HTTP/1.1\r\n", b"POST ", b"OPTIONS *", b"http://b/", b" HTTP/1.0", b"HTTP/2.0", b"#", b"?",
    )  # fmt: skip

    def __init__(self) -> None:
        self._others = other_parsers()

    def check(self, data: bytes) -> None:
        block = data.partition(b"\r\n\r\n")[0]
        _check_unfinished(block)
        # Two parsers, so that what one remembers of lines cannot change what it says.
        parser = RequestParser(LIMITS, b"me")
        with Unexpected("parsing", MessageError) as refused:
            head = parser.parse(block)
        with Unexpected("parsing again", MessageError) as refused_again:
            again = parser.parse(block)
        must(refused.raised == refused_again.raised, "the second look at a head has another outcome")
        if refused.raised:
            return
        must(_told(head) == _told(again), f"the second look says {_told(again)}, the first {_told(head)}")
        _check_forwarded(head)
        for other in self._others:
            seen = other.request(block + b"\r\n\r\n")
            if seen is not None:
                _compare_requests(type(other).__name__, head, seen)

    def close(self) -> None:
        for other in self._others:
            other.close()


class ResponseHeads:
    """ResponseParser."""

    words: Sequence[bytes] = (
        *FIELDS,
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 ",
        b"HTTP/1.1 304 \r\n",
        b"HTTP/1.1 101 x\r\n",
        b"999",
    )

    def __init__(self) -> None:
        self._others = other_parsers()

    def check(self, data: bytes) -> None:
        block = data.partition(b"\r\n\r\n")[0]
        with Unexpected("parsing", MessageError) as refused:
            head = ResponseParser(LIMITS).parse(block)
        if refused.raised:
            return
        for line in head.lines:
            must(_LINE.fullmatch(line) is not None, f"a malformed line would be forwarded: {line!r}")
        for other in self._others:
            seen = other.response(block + b"\r\n\r\n")
            if seen is not None:
                _compare_responses(type(other).__name__, head, seen)

    def close(self) -> None:
        for other in self._others:
            other.close()


def _check_unfinished(block: bytes) -> None:
    """What a head is refused for before it is complete, it is refused for when it is."""
    for cut in range(1, _ONE_BYTE_LESS + 1):
        part = block[: len(block) * cut // _ONE_BYTE_LESS]
        with Unexpected("an unfinished head", MessageError) as refused:
            check_partial(part, LIMITS)
        if refused.raised:
            with Unexpected("the whole of it", MessageError) as whole:
                RequestParser(LIMITS, b"me").parse(block)
            must(whole.raised, f"{part!r} is refused, but not what it becomes")


def _told(head: RequestHead) -> tuple[object, ...]:
    return tuple(getattr(head, name) for name in RequestHead.__slots__)


def _check_forwarded(head: RequestHead) -> None:
    """The head as it is written for the upstream: one request line, fields, one framing at most."""
    block = request_block(head, head.target, head.host_fields or b"Host: upstream", b"")
    must(block.endswith(b"\r\n\r\n") and block.count(b"\r\n\r\n") == 1, f"not one head: {block!r}")
    start, *lines = block[:-4].split(b"\r\n")
    must(start.count(b" ") == 2, f"a malformed request line: {start!r}")
    names = [line.partition(b":")[0].lower() for line in lines]
    for line in lines:
        must(_LINE.fullmatch(line) is not None, f"a malformed line would be forwarded: {line!r}")
    framing = names.count(b"content-length") + names.count(b"transfer-encoding")
    must(framing <= 1 and names.count(b"host") == 1, f"ambiguous: {block!r}")


def _compare_requests(who: str, head: RequestHead, seen: Seen) -> None:
    method, target = seen.start
    must(method == head.method, f"{who} sees method {method!r}, we {head.method!r}")
    if target.startswith("/"):
        must(target == head.target, f"{who} sees target {target!r}, we {head.target!r}")
        hosts = [host.removesuffix(":") for host in seen.host]
        must(hosts == [head.host] or (not hosts and not head.host), f"{who} sees host {seen.host}, we {head.host!r}")
    _compare_lengths(who, head.length, 0, seen)


def _compare_responses(who: str, head: ResponseHead, seen: Seen) -> None:
    must(seen.start == (str(head.status),), f"{who} sees status {seen.start}, we {head.status}")
    if head.status >= 200 and head.status not in (204, 304):
        _compare_lengths(who, head.length, -2, seen)


def _compare_lengths(who: str, length: int, without: int, seen: Seen) -> None:
    """`without` is our length of a message that says nothing of it."""
    must(seen.chunked == (length == CHUNKED), f"{who} sees chunked: {seen.chunked}, we length {length}")
    if length != CHUNKED:
        lengths = {int(text) for text in seen.length} or {without}
        must(lengths == {length}, f"{who} sees lengths {lengths}, we {length}")
