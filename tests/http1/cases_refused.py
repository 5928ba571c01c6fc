"""Requests that are not good, and the answer to each of them: framing conflicts, grammar, hosts, targets, limits.

Where a request could hide another one, its body is that other one.
"""

from __future__ import annotations

from .outcomes import Dropped, Refused, RequestCase, chunked, get, post

EVIL = b"GET /evil HTTP/1.1\r\nHost: wire.test\r\n\r\n"
HIDDEN = b"0\r\n\r\n" + EVIL
HELLO = b"5\r\nhello\r\n0\r\n\r\n"
LENGTH = b"Content-Length: %d"
TE = b"Transfer-Encoding: chunked"
NOT_IMPLEMENTED = Refused(501, "not_implemented")
# The whole body has come, so the next request is not in doubt.
TOO_LARGE = Refused(413, "body_too_large", closes=False)
UNKNOWN_HOST = Refused(404, "unknown_host", closes=False)


def refused(
    name: str, rfc: str, sent: bytes, outcome: Refused | Dropped | None = None, *, ends: bool = False
) -> RequestCase:
    return RequestCase(name, rfc, sent, outcome or Refused(), ends)


def length(value: bytes, body: bytes = b"hello") -> RequestCase:
    return refused(f"length {value[:24]!r}", "9110 8.6", post(b"Content-Length: " + value, body=body))


LENGTHS = (
    *(
        length(value)
        for value in (b"+5", b"-5", b"0x5", b"0o5", b"5.0", b"5e0", b"five", b"5 5", b"5;x=1", b'"5"', b"5_0", b"",
        b",",
                      b"5,", b",5", b"5, 5", b"5, 6", b"\xd9\xa5", b"\x0b5", b"5\x0c", b"5\x00", b"\x1c5", b"\xa05",
                      b"18446744073709551621", b"9" * 400)
    ),
    refused("two different lengths", "9112 6.3", post(LENGTH % len(EVIL), b"Content-Length: 0", body=EVIL)),
    refused("two different lengths, the smaller first", "9112 6.3",
            post(b"Content-Length: 0", LENGTH % len(EVIL), body=EVIL)),
    refused("two equal lengths", "9112 6.3", post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello")),
    refused("length on a folded line", "9112 5.2", post(b"Content-Length:\r\n 5", body=b"hello")),
    refused("space before the colon of length", "9112 5.1", post(b"Content-Length : 5", body=b"hello")),
    refused("cr inside the name of length", "9112 2.2", post(b"Content\rLength: 5", body=b"hello")),
    refused("body shorter than its length", "9112 8", post(b"Content-Length: 10", body=b"hello"), Dropped(), ends=True),
    refused("body of four gigabytes that ends", "9112 8", post(b"Content-Length: 4294967301", body=b"hello"),
            Dropped(), ends=True),
    refused("body over the limit", "9110 15.5.14",
            post(b"Content-Length: 11", body=b"hello world").replace(b"wire.test", b"bounded.test"),
            TOO_LARGE),
    refused("chunked body over the limit", "9110 15.5.14",
            chunked(b"b\r\nhello world\r\n0\r\n\r\n").replace(b"wire.test", b"bounded.test"), TOO_LARGE),
)  # fmt: skip


def coding(value: bytes, outcome: Refused | None = None) -> RequestCase:
    """A Transfer-Encoding that is not understood, beside a length that hides a request."""
    sent = post(LENGTH % len(HIDDEN), b"Transfer-Encoding: " + value, body=HIDDEN)
    return refused(f"coding {value[:30]!r} with a length", "9112 6.1", sent, outcome)


def coding_alone(value: bytes, outcome: Refused | None = None) -> RequestCase:
    return refused(f"coding {value[:30]!r}", "9112 6.1", post(b"Transfer-Encoding: " + value, body=HELLO), outcome)


CODINGS = (
    refused("length and chunked", "9112 6.1", post(LENGTH % len(HIDDEN), TE, body=HIDDEN)),
    refused("chunked and length", "9112 6.1", post(TE, LENGTH % len(HIDDEN), body=HIDDEN)),
    refused("length zero and chunked", "9112 6.1", post(b"Content-Length: 0", TE, body=HELLO)),
    *(
        coding(value)
        for value in (b"xchunked", b"chunkedx", b"chunked x", b"identity", b"chunked, identity", b"cow, chunked, bar",
        b"",
                      b",chunked", b"'chunked'", b'"chunked"', b"=?utf-8?q?chunked?=", b"chun ked", b"chunked;q=1")
    ),
    *(
        coding(value)
        for value in (b"\x00chunked", b"\x0bchunked", b"chunked\x0c", b"\x08chunked", b"\xffchunked", b"chunked\r",
                      b"\rchunked", b"\x1fchunked", b"chunked\x7f", b"\xc2\xa0chunked")
    ),
    *(coding_alone(value) for value in (b"identity", b"chunked, gzip", b"gzip")),
    *(
        coding_alone(value, NOT_IMPLEMENTED)
        for value in (b"gzip, chunked", b"deflate ,\tChunked", b"chunked, chunked", b", chunked", b"chunked,")
    ),
    refused("chunked on two lines", "9112 6.1", post(TE, TE, body=HELLO)),
    refused("chunked, then identity on its own line", "9112 6.1", post(TE, b"Transfer-Encoding: identity", body=HELLO)),
    refused("identity on its own line, then chunked", "9112 6.1", post(b"Transfer-Encoding: identity", TE, body=HELLO)),
    refused("chunked, then an empty line of coding", "9112 6.1", post(TE, b"Transfer-Encoding:", body=HELLO)),
    refused("tab before the colon of coding", "9112 5.1", post(LENGTH % len(HIDDEN), b"Transfer-Encoding\t: chunked",
            body=HIDDEN)),
    refused("nul before the name of coding", "9112 5.1", post(LENGTH % len(HIDDEN), b"\x00" + TE, body=HIDDEN)),
    refused("nel after the name of coding", "9112 5.1", post(LENGTH % len(HIDDEN), b"Transfer-Encoding\x85: chunked",
            body=HIDDEN)),
    refused("coding folded", "9112 5.2", post(LENGTH % len(HIDDEN), b"Transfer-Encoding:\r\n chunked", body=HIDDEN)),
    refused("coding continued by folding", "9112 5.2", post(b"Transfer-Encoding: chunked\r\n , identity", body=HIDDEN)),
    refused("name of coding on two lines", "9112 5", post(LENGTH % len(HIDDEN), b"Transfer-\r\nEncoding: chunked",
            body=HIDDEN)),
    refused("coding behind a bare lf", "9112 2.2", post(LENGTH % len(HIDDEN), b"X: b\n" + TE, body=HIDDEN)),
    refused("coding behind a bare cr", "9112 2.2", post(LENGTH % len(HIDDEN), b"X: b\r" + TE, body=HIDDEN)),
    refused("coding behind lf cr", "9112 2.2", post(LENGTH % len(HIDDEN), b"X: b\n\r" + TE, body=HIDDEN)),
    refused("chunked by http 1.0", "9112 6.1", get(TE, line=b"POST / HTTP/1.0", body=HELLO)),
    refused("chunked by http 1.0 that stays", "9112 6.1", get(TE, b"Connection: keep-alive", line=b"POST / HTTP/1.0",
            body=HELLO)),
)  # fmt: skip

CHUNKS = (
    *(
        refused(f"chunk size {size[:20]!r}", "9112 7.1", chunked(size + b"\r\nhello\r\n0\r\n\r\n"))
        for size in (b"", b"g", b"5z", b"-5", b"+5", b"0x5", b"0_5", b" 5", b"\t5", b"5 ", b"5\t", b"5 5", b"5,5",
        b'"5"', b"5.0",
                     b"5\x00", b"5\x0b", b"5\r", b"5\n", b"\xef\xbc\x95", b"5:", b"0" * 16 + b"5", b"0" * 5000 + b"5")
    ),
    refused("chunk size beyond 64 bits", "9112 7.1", chunked(b"10000000000000005\r\nhello\r\n0\r\n\r\n")),
    refused("chunk size of 64 bits", "9112 7.1", chunked(b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n")),
    refused("negative last chunk", "9112 7.1", chunked(b"5\r\nhello\r\n-0\r\n\r\n")),
    refused("lf after the size", "9112 7.1", chunked(b"5\nhello\r\n0\r\n\r\n")),
    refused("lf after the data", "9112 7.1", chunked(b"5\r\nhello\n0\r\n\r\n")),
    refused("cr after the data", "9112 7.1", chunked(b"5\r\nhello\r0\r\n\r\n")),
    refused("nothing after the data", "9112 7.1", chunked(b"5\r\nhello0\r\n\r\n")),
    refused("other bytes after the data", "9112 7.1", chunked(b"5\r\nhelloXX0\r\n\r\n")),
    refused("data longer than its size", "9112 7.1", chunked(b"5\r\nhello world\r\n0\r\n\r\n")),
    refused("an empty line after the data", "9112 7.1", chunked(b"5\r\nhello\r\n\r\n0\r\n\r\n")),
    refused("lf at the very end", "9112 7.1", chunked(b"5\r\nhello\r\n0\r\n\n")),
    refused("lf after the last chunk", "9112 7.1", chunked(b"5\r\nhello\r\n0\n\r\n")),
    refused("extension without a name", "9112 7.1.1", chunked(b"5;=x\r\nhello\r\n0\r\n\r\n")),
    refused("extension that is not closed", "9112 7.1.1", chunked(b'5;a="x\r\nhello\r\n0\r\n\r\n')),
    refused("extension with a space in its name", "9112 7.1.1", chunked(b"5;a b\r\nhello\r\n0\r\n\r\n")),
    refused("extension with a bare lf", "9112 7.1.1", chunked(b"5;a\nb\r\nhello\r\n0\r\n\r\n")),
    refused("extension with a bare cr", "9112 7.1.1", chunked(b"5;a=\rb\r\nhello\r\n0\r\n\r\n")),
    refused("extension with a nul", "9112 7.1.1", chunked(b"5;a=\x00\r\nhello\r\n0\r\n\r\n")),
    refused("extension of ten thousand bytes", "9112 7.1.1",
            chunked(b"5;a=" + b"x" * 10_000 + b"\r\nhello\r\n0\r\n\r\n")),
    refused("twenty thousand bytes of extensions", "9112 7.1.1",
            chunked((b"1;a=" + b"x" * 1000 + b"\r\nh\r\n") * 20 + b"0\r\n\r\n")),
    refused("trailer without a colon", "9112 5", chunked(b"5\r\nhello\r\n0\r\nfoo\r\n\r\n")),
    refused("trailer with space before the colon", "9112 5.1", chunked(b"5\r\nhello\r\n0\r\nX : 1\r\n\r\n")),
    refused("folded trailer", "9112 5.2", chunked(b"5\r\nhello\r\n0\r\nX: 1\r\n 2\r\n\r\n")),
    refused("trailer with a bare cr", "9112 2.2", chunked(b"5\r\nhello\r\n0\r\nX: 1\rY: 2\r\n\r\n")),
    refused("trailer with a bare lf", "9112 2.2", chunked(b"5\r\nhello\r\n0\r\nX: 1\nY: 2\r\n\r\n")),
    refused("trailer that is a request line", "9112 7.1.2",
            chunked(b"0\r\nGET /evil HTTP/1.1\r\nHost: wire.test\r\n\r\n")),
    refused("twenty thousand bytes of trailers", "9110 6.5",
            chunked(b"0\r\n" + (b"X: " + b"x" * 1000 + b"\r\n") * 20 + b"\r\n")),
    refused("one trailer of twenty thousand bytes", "9110 6.5", chunked(b"0\r\nX: " + b"x" * 20_000 + b"\r\n\r\n")),
    refused("ends inside a chunk", "9112 8", chunked(b"10\r\nhello"), Dropped(), ends=True),
    refused("ends without the last chunk", "9112 8", chunked(b"5\r\nhello\r\n"), Dropped(), ends=True),
    refused("ends inside the trailers", "9112 8", chunked(b"5\r\nhello\r\n0\r\nX: 1\r\n"), Dropped(), ends=True),
)  # fmt: skip
CASES = (*LENGTHS, *CODINGS, *CHUNKS)
