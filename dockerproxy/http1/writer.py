"""Writing heads: always built anew, framing written by us, never passed through.

Sans-I/O: values in, bytes out, one join per head.
"""

from __future__ import annotations

from dockerproxy.http1.head import CHUNKED, RequestHead, ResponseHead

CRLF = b"\r\n"
_CHUNKED_LINE = b"Transfer-Encoding: chunked"
_CLOSE_LINE = b"Connection: close"
_KEEP_ALIVE_LINE = b"Connection: keep-alive"


def request_block(head: RequestHead, target: str, host_line: bytes, added: bytes) -> bytes:
    """The head of a request to an upstream, with its empty line.

    target:    origin-form, as the upstream is to see it
    host_line: the Host line without CRLF
    added:     field lines of ours, each with CRLF
    """
    lines = [f"{head.method} {target} HTTP/1.1".encode(), host_line, *head.lines]
    if head.length == CHUNKED:
        lines.append(_CHUNKED_LINE)
    elif head.framed:
        lines.append(b"Content-Length: %d" % head.length)
    if head.upgrade:
        lines.append(b"Connection: Upgrade\r\nUpgrade: " + head.upgrade)
    elif head.te_trailers:
        lines.append(b"Connection: TE\r\nTE: trailers")
    if head.expect:
        lines.append(b"Expect: 100-continue")
    lines.append(added)
    return CRLF.join(lines) + CRLF


def response_block(head: ResponseHead, date: bytes, framing: bytes, minor: int, keep_alive: bool) -> bytes:
    """The head of a response to a client, with its empty line.

    date:    the line with the date, without CRLF, or b"" where the head has one
    framing: the line that says where the body ends, without CRLF, or b""
    minor:   of the client's HTTP version
    """
    lines = head.lines
    if date:
        lines.append(date)
    if framing:
        lines.append(framing)
    if not keep_alive:
        lines.append(_CLOSE_LINE)
    elif not minor:
        lines.append(_KEEP_ALIVE_LINE)
    lines.append(CRLF)
    return head.line + CRLF.join(lines)


def framing_line(head: ResponseHead, bodiless: bool, whole: int, minor: int) -> bytes:
    """The line that says where the body of an answer ends, or b"" where closing the connection says it.

    bodiless: the answer has no body whatever its fields say (HEAD, 204, 304)
    whole:    bytes of the body when all of it is known, else -1
    """
    if bodiless:
        if head.length_field < 0 or head.status == 204 or head.status < 200:
            return b""
        return b"Content-Length: %d" % head.length_field
    if head.length >= 0:
        return b"Content-Length: %d" % head.length
    if whole >= 0:
        return b"Content-Length: %d" % whole
    return _CHUNKED_LINE if minor else b""


def interim_block(head: ResponseHead) -> bytes:
    """An interim answer (1xx), with its empty line."""
    return head.line + CRLF.join([*head.lines, CRLF]) if head.lines else head.line + CRLF


def switching_block(head: ResponseHead) -> bytes:
    """A 101 answer, with its empty line."""
    return head.line + CRLF.join([b"Connection: Upgrade", b"Upgrade: " + head.upgrade, *head.lines, CRLF])
