"""What a byte costs must not grow with how many stand beside it: else a small flood is a large one.

Compared with itself, never with a clock: ten times the bytes may cost ten times as much, and some more, but not a
hundred times.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest

from dockerproxy.http1.field_lines import Limits
from dockerproxy.http1.forwarded import hops
from dockerproxy.http1.framing import ChunkedDecoder
from dockerproxy.http1.head import MessageError
from dockerproxy.http1.request_parser import RequestParser, check_partial
from dockerproxy.http1.response_parser import ResponseParser
from dockerproxy.routing import PathRule, Route, RouteTable

from ..support.client import Client
from ..support.scene import Scene

LIMITS = Limits(64 << 10, 100, 8 << 10)
SMALL, TIMES = 6_000, 10  # bytes, and how many times more
# Linear work is ten times as much, quadratic a hundred times; a busy machine lies somewhere in between.
BOUND = 40

Feed = Callable[[bytes], object]


def request(fields: bytes) -> None:
    RequestParser(LIMITS, b"me").parse(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields)


def response(fields: bytes) -> None:
    ResponseParser(LIMITS).parse(b"HTTP/1.1 200 OK\r\n" + fields)


def chunked(data: bytes) -> None:
    ChunkedDecoder().feed(data)


def partial(data: bytes) -> None:
    check_partial(data, LIMITS)


UNITS = {
    "blanks in a field": (b"X: x", b" ", b"x"),
    "tabs and blanks in a field": (b"X: x", b" \t", b"x"),
    "a list of words": (b"X: ", b"a ", b""),
    "commas in Connection": (b"Connection: ", b",", b""),
    "members of Connection": (b"Connection: ", b"a,", b"b"),
    "commas in Via": (b"Via: ", b"1.1 x,", b""),
    "a long name": (b"", b"x", b": y"),
    "no colon": (b"", b"x", b""),
    "empty-looking lines": (b"X: y", b"\r\n ", b""),
}
BODIES = {
    "one-byte chunks": (b"", b"1\r\nx\r\n", b""),
    "blanks in an extension": (b"1;a", b" ", b"\r\n"),
    "many extensions": (b"1", b";a", b"\r\n"),
    "an open quoted string": (b'1;a="', b"\\\\", b"\r\n"),
    "many quoted strings": (b"1", b';a=""', b"\r\n"),
    "trailers": (b"0\r\n", b"a:b\r\n", b"\r\n"),
    "blanks in a trailer": (b"0\r\nX: x", b" ", b"x\r\n\r\n"),
}


WAYS = {
    "hops": (b"", b"for=1,", b"for=1"),
    "parameters": (b"", b"a=b;", b"c=d"),
    "an open quoted string": (b'for="', b"\\\\", b""),
    "many quoted strings": (b"", b'for="\\"",', b"for=1"),
    "blanks": (b"for=1", b" ", b"x"),
}
SPELLINGS = {
    "encoded letters": ("/", "%61", ""),
    "slashes": ("/", "/", ""),
    "segments that go up": ("/", "a/../", ""),
    "encoded segments that go up": ("/", "a/%2e%2e/", ""),
    "encoded slashes": ("/", "%2f..", ""),
    "backslashes": ("/", "\\a", ""),
    "parameters": ("/", ";a/", ""),
    "blanks": ("/", "%20", "x"),
    "all of it": ("/", "%2f..;\\%5c//./%20", ""),
}
TABLE = RouteTable(
    [Route("site", "a"), Route("deep", "a", "/a/b/c/d"), Route("one", "a", PathRule.regex("^/x[0-9]+$"))]
)


def cost(feed: Feed, data: bytes) -> float:
    """Seconds of this processor, the least of several."""
    least = float("inf")
    for _ in range(3):
        before = time.process_time()
        with contextlib.suppress(MessageError):
            feed(data)
        least = min(least, time.process_time() - before)
    return least


def assert_in_proportion(feed: Feed, start: bytes, unit: bytes, end: bytes) -> None:
    few = cost(feed, start + unit * (SMALL // len(unit)) + end)
    many = cost(feed, start + unit * (TIMES * SMALL // len(unit)) + end)
    assert many <= BOUND * max(few, 50e-6), f"{SMALL} bytes cost {few:.6f} s, {TIMES} times as many {many:.6f} s"


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("feed", [request, response, partial])
def test_the_cost_of_a_head_is_in_proportion_to_its_size(feed: Feed, name: str) -> None:
    assert_in_proportion(feed, *UNITS[name])


@pytest.mark.parametrize("name", WAYS)
def test_the_cost_of_the_way_that_a_proxy_tells_is_in_proportion_to_its_length(name: str) -> None:
    assert_in_proportion(lambda value: hops([value]), *WAYS[name])


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_cost_of_a_path_is_in_proportion_to_its_length_however_it_is_written(name: str) -> None:
    start, unit, end = (part.encode() for part in SPELLINGS[name])
    few, many = (
        cost(lambda path: TABLE.match("a", "GET", path.decode()), start + unit * (size // len(unit)) + end)
        for size in (800, 8000)
    )
    assert many <= BOUND * max(few, 50e-6), f"800 bytes cost {few:.6f} s, ten times as many {many:.6f} s"


@pytest.mark.parametrize("name", BODIES)
def test_the_cost_of_a_chunked_body_is_in_proportion_to_its_size(name: str) -> None:
    assert_in_proportion(chunked, *BODIES[name])


def test_the_cost_of_chunks_does_not_grow_with_what_came_in_the_same_read() -> None:
    few, many = (cost(chunked, b"1\r\nx\r\n" * count) for count in (5_000, 100_000))
    assert many <= 4 * 20 * few


HEAVY = [
    b"GET / HTTP/1.1\r\nHost: test\r\nX: x" + b" " * 60_000 + b"x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: x" + b" " * 16_000 + b"x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 1000,
]


@pytest.mark.parametrize("heavy", HEAVY, ids=["blanks", "chunks", "trailer", "pipeline"])
async def test_a_good_request_is_answered_beside_heavy_ones(scene: Scene, heavy: bytes) -> None:
    await scene.proxy(await scene.upstream(), max_body="1m")
    heavies: list[Client] = [await scene.client() for _ in range(3)]
    for client in heavies:
        await client.send(heavy)
    assert (await scene.get()).text == "a"
    for client in heavies:
        assert (await client.answer()).status in (200, 400)
