"""What an upstream may answer, and what the client sees of it.

After each row the client (where its connection stays) and the upstream are asked for one more plain request, so a
connection that is out of step shows.
"""

from __future__ import annotations

from .outcomes import CLOSED, PLAIN_REQUEST, RESET, Cut, Relayed, ResponseCase, Shown, Step, post

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH_5 = b"Content-Length: 5\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: wire.test\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\nHost: wire.test\r\n\r\n"
OLD_STAYING = b"GET / HTTP/1.0\r\nHost: wire.test\r\nConnection: keep-alive\r\n\r\n"
CLOSE = b"Connection: close\r\n\r\n"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"

HELLO_5 = Relayed(OK + LENGTH_5, b"hello")
HELLO_CHUNKED = Relayed(OK + CHUNKED, b"hello")
BROKEN = Shown()


def row(
    name: str, rfc: str, *steps: Step, outcome: Relayed | Shown | Cut, request: bytes = PLAIN_REQUEST
) -> ResponseCase:
    return ResponseCase(name, rfc, steps, outcome, request)


def good(name: str, rfc: str, *steps: Step, head: bytes, body: bytes = b"hello", request: bytes = PLAIN_REQUEST,
reused: bool = True,
         closes: bool = False) -> ResponseCase:  # fmt: skip
    return row(name, rfc, *steps, outcome=Relayed(head, body, reused, closes), request=request)


def broken(name: str, rfc: str, *steps: Step, request: bytes = PLAIN_REQUEST) -> ResponseCase:
    return row(name, rfc, *steps, outcome=BROKEN, request=request)


BODIES = (
    row("length", "9112 6.2", OK + LENGTH_5 + b"hello", outcome=HELLO_5),
    good("length zero", "9112 6.2", OK + b"Content-Length: 0\r\n\r\n", head=OK + b"Content-Length: 0\r\n\r\n",
         body=b""),
    row("length with leading zeros", "9110 8.6", OK + b"Content-Length: 0005\r\n\r\nhello", outcome=HELLO_5),
    row("two equal lengths", "9112 6.3", OK + b"Content-Length: 5\r\n" + LENGTH_5 + b"hello", outcome=HELLO_5),
    row("chunked", "9112 7.1", OK + CHUNKED + HELLO, outcome=HELLO_5),
    row("chunked in parts", "9112 7.1", OK + CHUNKED, b"2\r\nhe\r\n", b"3\r\nllo\r\n", b"0\r\n\r\n",
        outcome=HELLO_CHUNKED),
    row("chunked in any case", "9112 7", OK + b"transfer-ENCODING: Chunked\r\n\r\n", HELLO, outcome=HELLO_CHUNKED),
    row("chunk extensions end here", "9112 7.1.1", OK + CHUNKED, b"5;a=b\r\nhello\r\n0;z\r\n\r\n",
        outcome=HELLO_CHUNKED),
    row("length in parts", "9112 6.2", OK + LENGTH_5, b"he", b"llo", outcome=HELLO_5),
    good("until close", "9112 6.3", OK + b"\r\n", b"hello", CLOSED, head=OK + CHUNKED, reused=False),
    good("until close with nothing", "9112 6.3", OK + b"\r\n", CLOSED, head=OK + CHUNKED, body=b"", reused=False),
    good("http 1.0 until close", "9112 6.3", b"HTTP/1.0 200 OK\r\n\r\n", b"hello", CLOSED, head=OK + CHUNKED,
         reused=False),
    good("http 1.0 with a length", "9112 9.3", b"HTTP/1.0 200 OK\r\n" + LENGTH_5 + b"hello", head=OK + LENGTH_5,
         reused=False),
    good("http 1.0 that stays", "9112 9.3", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + LENGTH_5 + b"hello",
         head=OK + LENGTH_5),
    good("chunked by http 1.0 is not trusted further", "9112 6.1",
         b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + CHUNKED, HELLO, head=OK + CHUNKED, reused=False),
    good("length and chunked", "9112 6.3", OK + b"Content-Length: 3\r\n" + CHUNKED, HELLO, head=OK + CHUNKED,
         reused=False),
    good("length and chunked that stays", "9112 6.3",
         OK + b"Connection: keep-alive\r\nContent-Length: 3\r\n" + CHUNKED, HELLO,
         head=OK + CHUNKED, reused=False),
    good("chunked and length zero", "9112 6.3", OK + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", HELLO,
         head=OK + CHUNKED, reused=False),
    good("a megabyte", "9112 6.2", OK + b"Content-Length: 1048576\r\n\r\n" + b"m" * 1048576,
         head=OK + b"Content-Length: 1048576\r\n\r\n", body=b"m" * 1048576),
    good("trailers", "9112 7.1.2", OK + CHUNKED, b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", head=OK + CHUNKED,
         body=b"hello"),
)  # fmt: skip

WITHOUT_A_BODY = (
    good("204", "9110 15.3.5", b"HTTP/1.1 204 No Content\r\n\r\n", head=b"HTTP/1.1 204 No Content\r\n\r\n", body=b""),
    good("204 with a length of zero", "9110 8.6", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
         head=b"HTTP/1.1 204 No Content\r\n\r\n", body=b""),
    good("204 with a body", "9112 6.3", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
         head=b"HTTP/1.1 204 No Content\r\n\r\n", body=b"", reused=False),
    good("204 with a chunked body", "9112 6.3", b"HTTP/1.1 204 No Content\r\n" + CHUNKED + HELLO,
         head=b"HTTP/1.1 204 No Content\r\n\r\n", body=b"", reused=False),
    good("304 tells a length", "9110 15.4.5", b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n" + LENGTH_5,
         head=b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n" + LENGTH_5, body=b""),
    good("304 with a body", "9112 6.3", b"HTTP/1.1 304 Not Modified\r\n" + LENGTH_5 + b"hello",
         head=b"HTTP/1.1 304 Not Modified\r\n" + LENGTH_5, body=b"", reused=False),
    good("head tells a length", "9110 9.3.2", OK + LENGTH_5, head=OK + LENGTH_5, body=b"", request=HEAD),
    good("head of a chunked answer", "9110 9.3.2", OK + CHUNKED, head=OK + b"\r\n", body=b"", request=HEAD),
    good("head of an answer until close", "9110 9.3.2", OK + b"\r\n", head=OK + b"\r\n", body=b"", request=HEAD),
    good("head with a body", "9112 6.3", OK + LENGTH_5 + b"hello", head=OK + LENGTH_5, body=b"", request=HEAD,
         reused=False),
    good("head answered with a hidden answer", "9112 6.3", OK + b"Content-Length: %d\r\n\r\n" % len(EVIL) + EVIL,
         head=OK + b"Content-Length: %d\r\n\r\n" % len(EVIL), body=b"", request=HEAD, reused=False),
)  # fmt: skip

STATUS_LINES = (
    good("no reason", "9112 4", b"HTTP/1.1 200 \r\n" + LENGTH_5 + b"hello", head=b"HTTP/1.1 200 \r\n" + LENGTH_5),
    good("no space before no reason", "9112 4", b"HTTP/1.1 200\r\n" + LENGTH_5 + b"hello",
         head=b"HTTP/1.1 200 \r\n" + LENGTH_5),
    good("a long reason", "9112 4", b"HTTP/1.1 200 All is well\r\n" + LENGTH_5 + b"hello",
         head=b"HTTP/1.1 200 All is well\r\n" + LENGTH_5),
    *(
        good(f"status {status}", "9110 15", b"HTTP/1.1 %d Some\r\n" % status + LENGTH_5 + b"hello",
             head=b"HTTP/1.1 %d Some\r\n" % status + LENGTH_5)
        for status in (201, 206, 299, 301, 404, 418, 499, 500, 502, 503, 599)
    ),
    *(
        broken(f"status line {line[:24]!r}", "9112 4", line + b"\r\n" + LENGTH_5 + b"hello", CLOSED)
        for line in (b"garbage", b"HTTP/2.0 200 OK", b"HTTP/1.2 200 OK", b"HTTP/1,1 200 OK", b"HTTP/11.1 200 OK",
        b"http/1.1 200 OK",
                     b"HTTP/1.1 000 OK", b"HTTP/1.1 099 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 abc OK",
                     b"HTTP/1.1  200 OK", b"HTTP/1.1 +20 OK", b"HTTP/1.1", b" HTTP/1.1 200 OK", b"200 OK",
                     b"HTTP/1.1\t200 OK", b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 O\rK", b"HTTP/1.1 200 OK\n",
                     b"ICY 200 OK",
                     b"\r\n\r\nHTTP/1.1 200 OK")
    ),
)  # fmt: skip

HEADS = (
    good("fields keep their order and case", "9110 5.3",
         OK + b"x-B: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2, c\r\n" + LENGTH_5 + b"hello",
         head=OK + b"x-B: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2, c\r\n" + LENGTH_5),
    good("white space around values", "9110 5.5", OK + b"X: \t 1 \t\r\n" + LENGTH_5 + b"hello",
         head=OK + b"X: 1\r\n" + LENGTH_5),
    good("hop-by-hop fields end here", "9110 7.6.1",
         OK + b"Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nConnection: X-Hop\r\nX-Hop: 1\r\nUpgrade: h2\r\n"
         + LENGTH_5 + b"hello",
         head=OK + LENGTH_5),
    good("connection close of the upstream is not the client's", "9112 9.6",
         OK + b"Connection: close\r\n" + LENGTH_5 + b"hello", CLOSED,
         head=OK + LENGTH_5, reused=False),
    good("end-to-end fields cannot be nominated", "9110 7.6.1",
         OK + b"Connection: Cache-Control\r\nCache-Control: no-store\r\n" + LENGTH_5 + b"hello",
         head=OK + b"Cache-Control: no-store\r\n" + LENGTH_5),
    *(
        broken(f"field {line[:24]!r}", "9112 5", OK + line + b"\r\n" + LENGTH_5 + b"hello", CLOSED)
        for line in (b"Foo", b": x", b"X : 1", b"X(Y: 1", b"X: a\x00b", b"X: a\rSet-Cookie: evil=1",
        b"X: a\nSet-Cookie: evil=1",
                     b"X: a\r\n b", b" X: 1", b"Content-Length : 5", b"X: a\x7f", b"X\x00: 1")
    ),
    *(
        broken(f"length {value!r}", "9112 6.3", OK + b"Content-Length: " + value + b"\r\n\r\nhello", CLOSED)
        for value in (b"abc", b"0x5", b"-5", b"+5", b"5 5", b"5, 5", b"5,6", b"", b"5.0", b"9" * 30)
    ),
    broken("two different lengths", "9112 6.3", OK + b"Content-Length: 6\r\n" + LENGTH_5 + b"hello!", CLOSED),
    *(
        broken(f"coding {value!r}", "9112 6.1", OK + b"Transfer-Encoding: " + value + b"\r\n\r\n" + HELLO, CLOSED)
        for value in (b"xchunked", b"identity", b"chunked, identity", b"gzip, chunked", b"", b"chunked, chunked",
        b"\x0bchunked")
    ),
    broken("chunked on two lines", "9112 6.1", OK + b"Transfer-Encoding: chunked\r\n" + CHUNKED + HELLO, CLOSED),
    broken("lf only", "9112 2.2", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", CLOSED),
    broken("closed without a byte", "9112 8", CLOSED),
    broken("reset without a byte", "9112 8", RESET),
    broken("closed inside the status line", "9112 8", b"HTTP/1.1 20", CLOSED),
    broken("closed inside the head", "9112 8", OK + b"Content-Le", CLOSED),
    broken("closed before the empty line", "9112 8", OK + b"Content-Length: 5\r\n", CLOSED),
    broken("ten thousand fields", "9110 5.4", OK + b"X: 1\r\n" * 10_000 + LENGTH_5 + b"hello"),
    broken("a field of a hundred thousand bytes", "9110 5.4",
           OK + b"X: " + b"x" * 100_000 + b"\r\n" + LENGTH_5 + b"hello"),
    broken("a head that never ends", "9110 5.4", OK, *(b"X: " + b"x" * 10_000 + b"\r\n",) * 10),
    broken("a reason of a hundred thousand bytes", "9112 4",
           b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n" + LENGTH_5 + b"hello"),
    broken("a post is not sent twice", "9110 9.2.2", CLOSED, request=post(b"Content-Length: 5", body=b"hello")),
)  # fmt: skip

EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
WORKING = b"HTTP/1.1 102 Processing\r\n\r\n"

INTERIM = (
    good("103, then 200", "8297 2", EARLY + OK + LENGTH_5 + b"hello", head=EARLY + OK + LENGTH_5),
    good("three 102, then 200", "9110 15.2", WORKING * 3 + OK + LENGTH_5 + b"hello", head=WORKING * 3 + OK + LENGTH_5),
    good("a 103 with hop-by-hop and framing fields", "9110 15.2",
         b"HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\nConnection: X\r\nX: 1\r\nLink: </a>\r\n\r\n"
         + OK + LENGTH_5 + b"hello",
         head=EARLY + OK + LENGTH_5),
    good("no interim answers for http 1.0", "9110 15.2", EARLY + OK + LENGTH_5 + b"hello",
         head=OK + b"Content-Length: 5\r\nConnection: close\r\n\r\n", request=OLD, closes=True),
    row("a thousand 102", "9110 15.2", WORKING * 1000 + OK + LENGTH_5 + b"hello", CLOSED,
        outcome=Shown(interim=WORKING * 32)),
    row("closed after a 103", "9110 15.2", EARLY, CLOSED, outcome=Shown(interim=EARLY)),
    row("garbage after a 103", "9112 4", EARLY + b"garbage\r\n\r\n", CLOSED, outcome=Shown(interim=EARLY)),
    broken("101 that nobody asked for", "9110 15.2.2",
           b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
)  # fmt: skip

ENDS = (
    good("bytes behind the length", "9112 6.3", OK + LENGTH_5 + b"hello, world", head=OK + LENGTH_5, reused=False),
    good("an answer behind the length", "9112 9.2", OK + LENGTH_5 + b"hello" + EVIL, head=OK + LENGTH_5, reused=False),
    good("bytes behind the last chunk", "9112 9.2", OK + CHUNKED + HELLO + EVIL, head=OK + LENGTH_5, reused=False),
    good("an answer behind the last chunk in parts", "9112 9.2", OK + CHUNKED, HELLO + EVIL, head=OK + CHUNKED,
         reused=False),
    row("closed before the length", "9112 8", OK + b"Content-Length: 10\r\n\r\n", b"hello", CLOSED,
        outcome=Cut(OK + b"Content-Length: 10\r\n\r\n", b"hello")),
    row("closed inside a chunk", "9112 8", OK + CHUNKED, b"a\r\nhello", CLOSED, outcome=Cut(OK + CHUNKED, b"hello")),
    row("closed between chunks", "9112 8", OK + CHUNKED, b"5\r\nhello\r\n", CLOSED,
        outcome=Cut(OK + CHUNKED, b"hello")),
    row("closed inside the trailers", "9112 8", OK + CHUNKED, b"5\r\nhello\r\n0\r\nX: 1\r\n", CLOSED,
        outcome=Cut(OK + CHUNKED, b"hello")),
    row("three hundred thousand of a million bytes", "9112 8", OK + b"Content-Length: 1000000\r\n\r\n", b"z" * 300_000,
        CLOSED,
        outcome=Cut(OK + b"Content-Length: 1000000\r\n\r\n", b"z" * 300_000)),
    *(
        row(f"chunk size {size!r}", "9112 7.1", OK + CHUNKED, b"5\r\nhello\r\n", size + b"\r\nx\r\n0\r\n\r\n",
            outcome=Cut(OK + CHUNKED, b"hello"))
        for size in (b"", b"-1", b"g", b"0x1", b"1 1", b"f" * 17, b"1\n", b"1;\x00")
    ),
    row("chunk data too long", "9112 7.1", OK + CHUNKED, b"5\r\nhello\r\n", b"1\r\nxx\r\n0\r\n\r\n",
        outcome=Cut(OK + CHUNKED, b"hello")),
    row("malformed trailer", "9112 7.1.2", OK + CHUNKED, b"5\r\nhello\r\n", b"0\r\nfoo\r\n\r\n",
        outcome=Cut(OK + CHUNKED, b"hello")),
    broken("bad first chunk beside the head", "9112 7.1", OK + CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n"),
)  # fmt: skip

OLD_CLIENTS = (
    good("length for http 1.0", "9112 9.3", OK + LENGTH_5 + b"hello", head=OK + b"Content-Length: 5\r\n" + CLOSE,
         request=OLD, closes=True),
    good("length for http 1.0 that stays", "9112 9.3", OK + LENGTH_5 + b"hello",
         head=OK + b"Content-Length: 5\r\nConnection: keep-alive\r\n\r\n", request=OLD_STAYING),
    good("chunked for http 1.0", "9112 6.1", OK + CHUNKED, HELLO, head=OK + CLOSE, request=OLD, closes=True),
    good("chunked for http 1.0 that would stay", "9112 6.1", OK + CHUNKED, HELLO, head=OK + CLOSE, request=OLD_STAYING,
         closes=True),
    good("until close for http 1.0", "9112 6.3", OK + b"\r\n", b"hello", CLOSED, head=OK + CLOSE, request=OLD,
         reused=False, closes=True),
)  # fmt: skip

LARGE_POST = post(b"Content-Length: 1000000", body=b"x" * 1000)

EARLY_ANSWERS = (
    ResponseCase("answer before the body is there", "9112 9.3", (b"HTTP/1.1 413 Too Large\r\n" + LENGTH_5 + b"hello",),
                 Relayed(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n" + CLOSE, b"hello", reused=False,
                         closes=True),
                 LARGE_POST, early=True),
    ResponseCase("answer and close before the body is there", "9112 9.6",
                 (b"HTTP/1.1 413 Too Large\r\nConnection: close\r\n" + LENGTH_5 + b"hello", CLOSED),
                 Relayed(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n" + CLOSE, b"hello", reused=False,
                         closes=True),
                 LARGE_POST, early=True),
)  # fmt: skip

CASES = (*BODIES, *WITHOUT_A_BODY, *STATUS_LINES, *HEADS, *INTERIM, *ENDS, *OLD_CLIENTS, *EARLY_ANSWERS)
