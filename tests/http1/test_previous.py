"""The head that came before on a connection: reading the next one is quicker, and never different."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from dockerproxy.http1.field_lines import Limits
from dockerproxy.http1.head import MessageError, RequestHead, ResponseHead
from dockerproxy.http1.previous import PreviousRequest, PreviousResponse
from dockerproxy.http1.request_parser import RequestParser
from dockerproxy.http1.response_parser import ResponseParser

LIMITS = Limits(size=300, fields=5, target=60)
IDENTITY = b"dockerproxy-0123abcd"

REQUEST_LINES = [
    "GET / HTTP/1.1", "GET /a?b HTTP/1.1", "POST /a HTTP/1.1", "GET / HTTP/1.0", "GET /#a HTTP/1.1", "",
    "OPTIONS * HTTP/1.1", "GET http://other.test/a HTTP/1.1", "GET /\n HTTP/1.1", f"GET /{'a' * 70} HTTP/1.1",
]  # fmt: skip
REQUEST_FIELDS = [
    "Host: a.test", "Host: b.test", "Cookie: a", "Accept: */*", "Connection: close", "Connection: Accept",
    "Content-Length: 0", "Content-Length: 5", "Transfer-Encoding: chunked", "Expect: 100-continue", "TE: trailers",
    "X-Forwarded-For: 1.2.3.4", f"Via: 1.1 {IDENTITY.decode()}", "Connection: Upgrade", "Upgrade: websocket", "X : 1",
    f"X: {'a' * 200}",
]  # fmt: skip
STATUS_LINES = [
    "HTTP/1.1 200 OK", "HTTP/1.1 204 ", "HTTP/1.0 200 OK", "HTTP/1.1 101 x", "HTTP/1.1 103", "HTTP/2 200", "",
]  # fmt: skip
RESPONSE_FIELDS = [
    "Date: now", "Set-Cookie: a", "Content-Length: 5", "Content-Length: 6", "Transfer-Encoding: chunked",
    "Upgrade: websocket", "Connection: close", "Connection: keep-alive, Date", "Dockerproxy-Exception: ValueError",
    "X : 1",
]  # fmt: skip


def blocks(start_lines: list[str], fields: list[str]) -> st.SearchStrategy[list[bytes]]:
    """What comes over one connection: some heads, of which many are the same again in part or as a whole."""
    tails = st.lists(st.sampled_from(fields), max_size=4)
    heads = st.tuples(st.sampled_from(start_lines), tails).map(lambda head: "\r\n".join([head[0], *head[1]]).encode())
    few = st.lists(heads, min_size=1, max_size=3)
    return few.flatmap(lambda found: st.lists(st.sampled_from(found), min_size=2, max_size=6))


def mixed(start_lines: list[str], fields: list[str]) -> st.SearchStrategy[list[bytes]]:
    """The same fields behind several start lines, mostly good ones."""
    tails = st.lists(st.sampled_from(fields), max_size=2).map(lambda lines: [fields[0], *lines])
    tail = tails.map(lambda lines: "".join(f"\r\n{line}" for line in lines))
    starts = st.lists(st.sampled_from(start_lines), min_size=2, max_size=6)
    return st.tuples(starts, tail).map(lambda found: [f"{start}{found[1]}".encode() for start in found[0]])


def outcome(parse: Callable[[], RequestHead | ResponseHead]) -> list[str]:
    """All that a head says, or the code of its refusal. The head is spoilt afterwards, as its users may do."""
    try:
        head = parse()
    except MessageError as error:
        return [error.code]
    # `nominated` is only how it came to say what it says.
    found = [f"{name}={getattr(head, name)!r}" for name in type(head).__slots__ if name != "nominated"]
    head.lines[:] = [b"X-Other: 1"]
    head.length, head.keep_alive = 7, not head.keep_alive
    if isinstance(head, RequestHead):
        head.claimed, head.id, head.host_fields = None, "1", b""
    return found


@given(blocks(REQUEST_LINES, REQUEST_FIELDS) | mixed(REQUEST_LINES, REQUEST_FIELDS))
def test_a_request_says_the_same_whatever_came_before(heads: list[bytes]) -> None:
    previous, after = PreviousRequest(), RequestParser(LIMITS, IDENTITY)
    for block in heads:
        alone = RequestParser(LIMITS, IDENTITY)
        assert outcome(partial(after.parse, block, previous)) == outcome(partial(alone.parse, block))


@given(blocks(STATUS_LINES, RESPONSE_FIELDS))
def test_an_answer_says_the_same_whatever_came_before(heads: list[bytes]) -> None:
    previous = PreviousResponse()
    for block in heads:
        alone, after = ResponseParser(LIMITS), ResponseParser(LIMITS)
        assert outcome(partial(after.parse, block, previous)) == outcome(partial(alone.parse, block))


def test_what_one_parser_took_another_with_other_limits_reads_anew() -> None:
    previous, block = PreviousRequest(), b"GET /abcdef HTTP/1.1\r\nHost: a.test"
    RequestParser(LIMITS, IDENTITY).parse(block, previous)
    assert outcome(partial(RequestParser(LIMITS._replace(target=3), IDENTITY).parse, block, previous)) == [
        "target_too_long"
    ]


def test_a_large_head_is_not_kept_while_its_connection_is_idle() -> None:
    roomy = Limits(size=1 << 16, fields=5, target=60)
    cookie = b"a" * 4000
    request, response = PreviousRequest(), PreviousResponse()
    RequestParser(roomy, IDENTITY).parse(b"GET / HTTP/1.1\r\nHost: a.test\r\nCookie: " + cookie, request)
    ResponseParser(roomy).parse(b"HTTP/1.1 200 OK\r\nSet-Cookie: " + cookie, response)
    assert repr(request) == "<PreviousRequest of 0 bytes>"
    assert repr(response) == "<PreviousResponse of 0 bytes>"
