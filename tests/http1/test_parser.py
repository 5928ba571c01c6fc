"""The parsers of heads, the field rules and the writers, alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerproxy.http1.field_lines import Limits
from dockerproxy.http1.head import CHUNKED, UNTIL_CLOSE, MessageError, RequestHead, ResponseHead
from dockerproxy.http1.headers import list_members, underscore_twin
from dockerproxy.http1.request_parser import RequestParser, check_partial, skip_empty_line
from dockerproxy.http1.response_parser import ResponseParser
from dockerproxy.http1.writer import framing_line, interim_block, request_block, response_block, switching_block

LIMITS = Limits(size=2000, fields=20, target=100)


@pytest.fixture
def requests() -> RequestParser:
    return RequestParser(LIMITS, b"dockerproxy-0123abcd")


@pytest.fixture
def responses() -> ResponseParser:
    return ResponseParser(LIMITS)


def block(*lines: str, start: str = "GET / HTTP/1.1", host: str = "Host: h.test") -> bytes:
    return "\r\n".join([start, host, *lines]).encode("latin-1")


# Requests


def test_a_head_says_what_the_proxy_asks_for(requests: RequestParser) -> None:
    head = requests.parse(block("Accept: */*", "Content-Length: 5", "TE: trailers", start="POST /a?b=c HTTP/1.1"))
    assert (head.method, head.target, head.path, head.host, head.minor) == ("POST", "/a?b=c", "/a", "h.test", 1)
    assert (head.length, head.framed, head.keep_alive, head.te_trailers) == (5, True, True, True)
    assert head.lines == [b"Accept: */*"]
    assert repr(head) == "<RequestHead POST /a?b=c host='h.test' length=5>"


def test_a_head_is_the_same_when_its_lines_are_known_already(requests: RequestParser) -> None:
    text = block("Accept: */*", "Connection: X-Hop", "X-Hop: 1", "Expect: 100-continue", "Via: 1.1 x", "X-Real-IP: 1")
    heads = [requests.parse(text) for _ in range(3)]
    assert len({repr([getattr(head, name) for name in RequestHead.__slots__]) for head in heads}) == 1


@given(st.lists(st.sampled_from(["X-A: 1", "x-a:2", "Cookie: c", "Connection: x-a", "Connection: close",
"Host: h.test", "Content-Length: 1",
                                 "Transfer-Encoding: chunked", "X : 1", "Upgrade: websocket",
                                 "X-Forwarded-For: 1.2.3.4"]), max_size=6),
       st.lists(st.sampled_from(["X-A: 1", "Connection: x-a", "Cookie: d"]), max_size=3))  # fmt: skip
def test_what_came_before_on_the_connection_changes_nothing(lines: list[str], earlier: list[str]) -> None:
    fresh, used = (RequestParser(LIMITS, b"me") for _ in range(2))
    used.parse(block(*earlier))
    outcomes = []
    for parser in (fresh, used):
        try:
            head = parser.parse(block(*lines))
        except MessageError as error:
            outcomes.append(error.code)
        else:
            outcomes.append(repr([getattr(head, name) for name in RequestHead.__slots__]))
    assert outcomes[0] == outcomes[1]


def test_secrets_are_not_kept(requests: RequestParser) -> None:
    requests.parse(
        block("Authorization: Bearer s3cret", "Cookie: sid=s3cret", "Proxy-Authorization: s3cret", "X-Plain: kept")
    )
    kept = b" ".join(requests._remembered)
    assert b"kept" in kept
    assert b"s3cret" not in kept


def test_a_flood_of_lines_that_never_repeat_does_not_stay_in_memory(requests: RequestParser) -> None:
    for number in range(10_000):
        requests.parse(block(f"X-Number: {number}"))
    assert len(requests._remembered) < 5000


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ((), True),
        (("Connection: close",), False),
        (("Connection: keep-alive, close",), False),
        (("Connection: x", "Connection: close"), False),
    ],
)
def test_a_connection_is_kept_unless_it_is_asked_to_close(
    requests: RequestParser, lines: tuple[str, ...], kept: bool
) -> None:
    assert requests.parse(block(*lines)).keep_alive is kept


def test_an_http_1_0_connection_is_closed_unless_it_is_asked_to_stay(requests: RequestParser) -> None:
    assert not requests.parse(block(start="GET / HTTP/1.0")).keep_alive
    assert requests.parse(block("Connection: Keep-Alive", start="GET / HTTP/1.0")).keep_alive


def test_claims_about_the_client_are_set_apart(requests: RequestParser) -> None:
    head = requests.parse(block("X-Forwarded-For: 1.1.1.1", "x-forwarded-for: 2.2.2.2", "Forwarded: for=x"))
    assert head.claimed == {b"x-forwarded-for": [b"1.1.1.1", b"2.2.2.2"], b"forwarded": [b"for=x"]}
    assert head.lines == []


def test_ones_own_name_in_via_is_a_loop_in_any_case(requests: RequestParser) -> None:
    assert requests.parse(block("Via: 1.1 a, 1.1 DockerProxy-0123ABCD")).loop
    assert not requests.parse(block("Via: 1.1 dockerproxy-ffffffff")).loop
    assert requests.parse(
        block("Dockerproxy-Hops: dockerproxy-ffffffff", "dockerproxy-hops: DockerProxy-0123ABCD")
    ).loop
    assert not requests.parse(block("Dockerproxy-Hops: dockerproxy-ffffffff")).loop


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"GET /" + b"a" * 100 + b" HTTP/1.1\r\nHost: h", "target_too_long"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 2000, "head_too_large"),
        (b"GET / HTTP/1.1\r\nHost: h" + b"\r\nX: 1" * 20, "head_too_large"),
        (b"GET / HTTP/3.0\r\nHost: h", "version_not_supported"),
        (b"CONNECT h:1 HTTP/1.1\r\nHost: h", "not_implemented"),
        (b"GET / HTTP/1.1", "bad_request"),
    ],
)
def test_limits_and_versions_have_codes_of_their_own(requests: RequestParser, text: bytes, code: str) -> None:
    with pytest.raises(MessageError) as caught:
        requests.parse(text)
    assert caught.value.code == code
    assert caught.value.detail


@given(st.binary(max_size=60), st.integers(0, 40))
def test_any_bytes_are_parsed_or_refused_but_never_anything_else(noise: bytes, place: int) -> None:
    text = block("X: 1", "Content-Length: 5")
    for parser in (RequestParser(LIMITS, b"me"), ResponseParser(LIMITS)):
        try:
            head = parser.parse(text[:place] + noise + text[place:])
        except MessageError:
            continue
        assert all(b"\r" not in line and b"\n" not in line and b"\0" not in line for line in head.lines)


# Heads that are not complete


@pytest.mark.parametrize("data", [b"", b"G", b"GET / HTTP/1.1\r", b"GET / HTTP/1.1\r\nX: caf\xe9"])
def test_the_beginning_of_a_good_head_may_go_on(data: bytes) -> None:
    check_partial(data, LIMITS)


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\n", b"GET /\rx", b"\x16\x03\x01", b"GET / HTTP/1.1\r\nX: \x00", b"A\r\nB\nC\r\n"]
)
def test_what_can_no_longer_become_a_good_head_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(MessageError) as caught:
        check_partial(data, LIMITS)
    assert caught.value.code == "bad_request"


def test_a_head_that_grows_too_large_is_refused_before_its_end() -> None:
    with pytest.raises(MessageError, match="larger than 2000 bytes") as caught:
        check_partial(b"GET /" + b"a" * 2000, LIMITS)
    assert caught.value.code == "target_too_long"
    with pytest.raises(MessageError) as caught:
        check_partial(b"GET / HTTP/1.1\r\nX: " + b"a" * 2000, LIMITS)
    assert caught.value.code == "head_too_large"


def test_one_empty_line_before_a_request_is_ignored() -> None:
    assert skip_empty_line(b"\r\nGET") == b"GET"
    assert skip_empty_line(b"\r\n\r\nGET") == b"\r\nGET"
    assert skip_empty_line(b"GET\r\n") == b"GET\r\n"


# Responses


@pytest.mark.parametrize(
    ("lines", "length", "keep_alive"),
    [
        ("Content-Length: 5", 5, True),
        ("Transfer-Encoding: chunked", CHUNKED, True),
        ("X: 1", UNTIL_CLOSE, True),
        ("Content-Length: 5\r\nConnection: close", 5, False),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", CHUNKED, False),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive", CHUNKED, False),
    ],
)
def test_an_answer_says_where_it_ends_and_whether_another_may_follow(
    responses: ResponseParser, lines: str, length: int, keep_alive: bool
) -> None:
    head = responses.parse(f"HTTP/1.1 200 OK\r\n{lines}".encode())
    assert (head.length, head.keep_alive) == (length, keep_alive)


def test_an_answer_is_named_in_logs_by_its_status(responses: ResponseParser) -> None:
    assert repr(responses.parse(b"HTTP/1.1 404 Not Found\r\nContent-Length: 3")) == "<ResponseHead 404 length=3>"


def test_an_answer_may_have_any_host_field_for_it_means_nothing_there(responses: ResponseParser) -> None:
    head = responses.parse(b"HTTP/1.1 200 OK\r\nHost: https://example.com/\r\nHost: \r\nContent-Length: 0")
    assert head.lines == [b"Host: https://example.com/", b"Host: "]


def test_the_mark_of_a_failed_handler_does_not_go_to_the_client(responses: ResponseParser) -> None:
    head = responses.parse(b"HTTP/1.1 500 X\r\nDockerproxy-Exception: ValueError\r\nX: 1")
    assert (head.failed, head.lines) == (b"ValueError", [b"X: 1"])


# Writers


def answer(status: int = 200, length: int = UNTIL_CLOSE, length_field: int = -1) -> ResponseHead:
    head = ResponseHead(status, 1, b"HTTP/1.1 %d X\r\n" % status)
    head.length, head.length_field = length, length_field
    return head


@pytest.mark.parametrize(
    ("head", "bodiless", "whole", "minor", "line"),
    [
        (answer(length=5), False, -1, 1, b"Content-Length: 5"),
        (answer(length=CHUNKED), False, -1, 1, b"Transfer-Encoding: chunked"),
        (answer(length=CHUNKED), False, -1, 0, b""),
        (answer(length=CHUNKED), False, 7, 1, b"Content-Length: 7"),
        (answer(length=CHUNKED), False, 7, 0, b"Content-Length: 7"),
        (answer(), False, -1, 1, b"Transfer-Encoding: chunked"),
        (answer(), True, 0, 1, b""),
        (answer(length=0, length_field=5), True, 0, 1, b"Content-Length: 5"),
        (answer(304, length_field=5), True, 0, 1, b"Content-Length: 5"),
        (answer(204, length_field=0), True, 0, 1, b""),
    ],
)
def test_framing_is_written_by_us(head: ResponseHead, bodiless: bool, whole: int, minor: int, line: bytes) -> None:
    assert framing_line(head, bodiless, whole, minor) == line


@pytest.mark.parametrize(
    ("minor", "keep_alive", "connection"),
    [
        (1, True, b""),
        (1, False, b"Connection: close\r\n"),
        (0, False, b"Connection: close\r\n"),
        (0, True, b"Connection: keep-alive\r\n"),
    ],
)
def test_connection_is_written_where_it_is_not_what_the_version_means_anyway(
    minor: int, keep_alive: bool, connection: bytes
) -> None:
    head = answer()
    head.lines = [b"X: 1"]
    assert response_block(head, b"Date: now", b"Content-Length: 0", minor, keep_alive) == (
        b"HTTP/1.1 200 X\r\nX: 1\r\nDate: now\r\nContent-Length: 0\r\n" + connection + b"\r\n"
    )


def test_interim_and_switching_heads() -> None:
    head = answer(103)
    assert interim_block(head) == b"HTTP/1.1 103 X\r\n\r\n"
    head.lines, head.upgrade = [b"X: 1"], b"websocket"
    assert interim_block(head) == b"HTTP/1.1 103 X\r\nX: 1\r\n\r\n"
    assert switching_block(head) == b"HTTP/1.1 103 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX: 1\r\n\r\n"


def test_a_request_is_written_anew(requests: RequestParser) -> None:
    head = requests.parse(
        block("X: 1", "Expect: 100-continue", "Content-Length: 2", "TE: trailers", start="PUT /a HTTP/1.1")
    )
    assert request_block(head, "/b", b"Host: other", b"Via: 1.1 me\r\n") == (
        b"PUT /b HTTP/1.1\r\nHost: other\r\nX: 1\r\nContent-Length: 2\r\nConnection: TE\r\nTE: trailers\r\n"
        b"Expect: 100-continue\r\nVia: 1.1 me\r\n\r\n"
    )


# Field rules


@pytest.mark.parametrize(
    ("name", "twin"),
    [(b"x_forwarded_for", True), (b"content_length", True), (b"transfer-encoding", False), (b"transfer_encoding", True),
     (b"dockerproxy_remote", True), (b"x_custom", False), (b"host", False), (b"x.forwarded.prefix", True),
     (b"x!forwarded~proto", True), (b"content.length", True), (b"dockerproxy.remote", True), (b"x.real'ip", True),
     (b"front.end.https", True), (b"x.custom", False), (b"x-forwarded-for", False)],
)  # fmt: skip
def test_names_that_an_application_may_take_for_ours_are_known(name: bytes, twin: bool) -> None:
    assert underscore_twin(name) is twin


def test_list_members_are_lower_case_without_empty_ones() -> None:
    assert list_members(b" Close,, X-Hop\t,") == [b"close", b"x-hop"]
