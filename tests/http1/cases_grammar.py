"""Requests whose head is not good: request lines, line endings, field names and values, hosts, limits."""

from __future__ import annotations

from .cases_refused import EVIL, NOT_IMPLEMENTED, UNKNOWN_HOST, refused
from .outcomes import Dropped, Refused, RequestCase, get, post

TOO_LARGE = Refused(431, "head_too_large")
WRONG_VERSION = Refused(505, "version_not_supported")


def line(name: str, text: bytes, rfc: str = "9112 3", outcome: Refused | None = None) -> RequestCase:
    """A request line with a good Host field after it."""
    return refused(name, rfc, text + b"\r\nHost: wire.test\r\n\r\n", outcome)


LINES = (
    line("two spaces before the target", b"GET  / HTTP/1.1"),
    line("two spaces before the version", b"GET /  HTTP/1.1"),
    line("space before the method", b" GET / HTTP/1.1"),
    line("space after the version", b"GET / HTTP/1.1 "),
    line("tabs between the parts", b"GET\t/\tHTTP/1.1"),
    line("form feeds between the parts", b"GET\x0c/\x0cHTTP/1.1"),
    line("no target", b"GET HTTP/1.1"),
    line("empty target", b"GET  HTTP/1.1"),
    line("no version", b"GET /"),
    line("only a method", b"GET"),
    line("space in the target", b"GET /a b HTTP/1.1"),
    line("target without a slash", b"GET a HTTP/1.1", "9112 3.2"),
    line("authority as a target", b"GET wire.test:80 HTTP/1.1", "9112 3.2.3"),
    line("asterisk for get", b"GET * HTTP/1.1", "9112 3.2.4"),
    line("fragment", b"GET /a#b HTTP/1.1", "9112 3.2"),
    line("fragment in a url", b"GET http://wire.test/a#b HTTP/1.1", "9112 3.2.2"),
    line("another scheme", b"GET ftp://wire.test/ HTTP/1.1", "9112 3.2.2"),
    line("url without a host", b"GET http:///a HTTP/1.1", "9110 4.2.1"),
    line("url with a port but no host", b"GET http://:80/a HTTP/1.1", "9110 4.2.1"),
    line("url with a user", b"GET http://user@wire.test/ HTTP/1.1", "9110 4.2.4"),
    line("url with a bad port", b"GET http://wire.test:x/ HTTP/1.1", "9110 7.2"),
    line("url with one slash", b"GET http:/wire.test/ HTTP/1.1", "9112 3.2.2"),
    *(
        line(f"byte {byte:#04x} in the target", b"GET /%c HTTP/1.1" % byte, "9112 3.2")
        for byte in (0x00, 0x01, 0x09, 0x0A, 0x0B, 0x0D, 0x7F, 0x80, 0xE9)
    ),
    line("utf-8 in the target", "GET /é HTTP/1.1".encode(), "9112 3.2"),
    *(line(f"method {name!r}", name + b" / HTTP/1.1", "9110 9.1") for name in (b"GE(T", b"GET:", b"G\xc9T", b'"GET"',
    b"GET,", b"")),
    *(
        line(f"version {name!r}", b"GET / " + name)
        for name in (b"HTTP/1.10", b"HTTP/1", b"HTTP/11", b"HTTP/ 1.1", b"HTTP/1. 1", b"HTTP 1.1", b"http/1.1",
        b"HTTPS/1.1", b"ICE/1.0",
                     b"HTTP/\r1.1", b"HTTP/x.y", b"HTTP/1.1x")
    ),
    *(
        line(f"version {name!r}", b"GET / " + name, "9110 15.6.6", WRONG_VERSION)
        for name in (b"HTTP/0.9", b"HTTP/2.0", b"HTTP/3.0", b"HTTP/9.9", b"HTTP/1.2", b"HTTP/1.9")
    ),
    refused("the preface of http 2", "9113 3.4", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", WRONG_VERSION),
    refused("a tls client hello", "8446 4.1.2", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    line("connect", b"CONNECT wire.test:443 HTTP/1.1", "9110 9.3.6", NOT_IMPLEMENTED),
    line("connect with a path", b"CONNECT / HTTP/1.1", "9110 9.3.6", NOT_IMPLEMENTED),
    refused("two empty lines before the request", "9112 2.2", b"\r\n\r\n" + get()),
    refused("a bare lf before the request", "9112 2.2", b"\n" + get()),
    refused("http 0.9", "9112 C.2.1", b"GET /\r\n\r\n"),
)  # fmt: skip

ENDINGS = (
    refused("lf only", "9112 2.2", b"GET / HTTP/1.1\nHost: wire.test\n\n"),
    refused("cr only", "9112 2.2", b"GET / HTTP/1.1\rHost: wire.test\r\r"),
    refused("lf after the request line", "9112 2.2", b"GET / HTTP/1.1\nHost: wire.test\r\n\r\n"),
    refused("lf after a field", "9112 2.2", b"GET / HTTP/1.1\r\nHost: wire.test\nX: 1\r\n\r\n"),
    refused("lf at the end of the head", "9112 2.2", b"GET / HTTP/1.1\r\nHost: wire.test\r\n\n"),
    refused("lf lf hides a request", "9112 2.2", get(b"X: 1\n\n" + EVIL[:-4])),
    refused("cr cr lf", "9112 2.2", b"GET / HTTP/1.1\r\r\nHost: wire.test\r\n\r\n"),
    refused("lf cr", "9112 2.2", get(b"X: 1\n\rY: 2")),
    refused("cr inside a value", "9112 2.2", get(b"X: 1\rY: 2")),
    refused("cr at the end of a value", "9112 2.2", get(b"X: 1\r")),
    refused("head that does not end", "9112 8", b"GET / HTTP/1.1\r\nHost: wire.test\r\nX: 1", Dropped(), ends=True),
    refused("request line that does not end", "9112 8", b"GET / HT", Dropped(), ends=True),
)  # fmt: skip

FIELDS = (
    refused("folded value", "9112 5.2", get(b"X: 1\r\n 2")),
    refused("value folded with a tab", "9112 5.2", get(b"X: 1\r\n\t2")),
    refused("fold of nothing", "9112 5.2", get(b"X: 1\r\n ")),
    refused("white space before the first field", "9112 2.2", b"GET / HTTP/1.1\r\n X: 1\r\nHost: wire.test\r\n\r\n"),
    refused("no colon", "9112 5", get(b"X")),
    refused("no name", "9112 5", get(b": x")),
    refused("space before the colon", "9112 5.1", get(b"X : 1")),
    refused("space in a name", "9112 5.1", get(b"X Y: 1")),
    *(
        refused(f"{byte!r} in a name", "9110 5.6.2", get(b"X" + byte + b"Y: 1"))
        for byte in (b"(", b")", b'"', b",", b"/", b";", b"<", b"=", b">", b"?", b"@", b"[", b"\\", b"]", b"{", b"}",
        b"\x7f", b"\xa0",
                     b"\xef", b"\x01", b"\x00", b"\t", "ë".encode())
    ),
    *(
        refused(f"byte {byte:#04x} in a value", "9110 5.5", get(b"X: a%cb" % byte))
        for byte in (0x00, 0x01, 0x07, 0x08, 0x0B, 0x0C, 0x0E, 0x1B, 0x1F, 0x7F)
    ),
    refused("nul at the end of a value", "9110 5.5", get(b"X: a\x00")),
    refused("unknown expectation", "9110 10.1.1", get(b"Expect: 200-ok"), Refused(417, "expectation_failed")),
    refused("expectation with something before it", "9110 10.1.1",
            post(b"Content-Length: %d" % len(EVIL), b"Expect: y 100-continue", body=EVIL),
                 Refused(417, "expectation_failed")),
)  # fmt: skip


def host(value: bytes) -> RequestCase:
    return refused(f"host {value[:24]!r}", "9110 7.2", b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n")


HOSTS = (
    refused("no host", "9112 3.2", b"GET / HTTP/1.1\r\n\r\n"),
    refused("no host beside a url", "9112 3.2", b"GET http://wire.test/ HTTP/1.1\r\n\r\n"),
    refused("two hosts", "9112 3.2", get(b"Host: other.test")),
    refused("two equal hosts", "9112 3.2", get(b"Host: wire.test")),
    refused("an empty host, then a good one", "9112 3.2", b"GET / HTTP/1.1\r\nHost:\r\nHost: wire.test\r\n\r\n"),
    refused("two hosts beside a url", "9112 3.2", get(b"Host: wire.test", line=b"GET http://wire.test/ HTTP/1.1")),
    refused("a bad host beside a url", "9112 3.2", b"GET http://wire.test/ HTTP/1.1\r\nHost: a b\r\n\r\n"),
    *(
        host(value)
        for value in (b"wire.test, other.test", b"wire.test other.test", b"wire.test/", b"wire.test?x", b"wire.test#x",
        b'wire.test"',
                      b"user@wire.test", b"wire.test\x00", b"wire.test\rX: y", b"wire.test\\x", b"\xc3\xa9.test",
                      b"wire.test:abc",
                      b"wire.test:-80", b"wire.test:+80", b"wire.test:99999", b"wire.test:80:80", b"wire.test:123456",
                      b"[::1",
                      b"::1", b"[::1]x", b"[wire.test]", b"%77ire.test", b"<wire.test>", b"wire.test:80\x00")
    ),
    refused("folded host", "9112 5.2", b"GET / HTTP/1.1\r\nHost: wire.test\r\n .other.test\r\n\r\n"),
    refused("space before the colon of host", "9112 5.1", b"GET / HTTP/1.1\r\nHost : wire.test\r\n\r\n"),
    refused("empty host", "9110 15.5.5", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", UNKNOWN_HOST),
    refused("unknown host", "9110 15.5.5", b"GET / HTTP/1.1\r\nHost: other.test\r\n\r\n", UNKNOWN_HOST),
    refused("url of an unknown host", "9112 3.2.2", get(line=b"GET http://other.test/ HTTP/1.1"), UNKNOWN_HOST),
    refused("http 1.0 without a host", "9112 3.2", b"GET / HTTP/1.0\r\n\r\n", Refused(404, "unknown_host")),
    refused("method that the route does not take", "9110 15.5.6",
            b"DELETE / HTTP/1.1\r\nHost: get.test\r\n\r\n", Refused(405, "unknown_method", closes=False)),
)  # fmt: skip

LIMITS = (
    refused("a field too many", "9110 5.4", get(*(b"X: %d" % number for number in range(100))), TOO_LARGE),
    refused("ten thousand fields", "9110 5.4", get(*(b"X: 1" for _ in range(10_000))), TOO_LARGE),
    refused("value of a hundred thousand bytes", "9110 5.4", get(b"X: " + b"x" * 100_000), TOO_LARGE),
    refused("head of a hundred thousand bytes", "9110 5.4", get(*(b"X: " + b"x" * 4000 for _ in range(25))), TOO_LARGE),
    refused("head that never ends", "9110 5.4", b"GET / HTTP/1.1\r\nHost: wire.test\r\nX: " + b"x" * 100_000,
            TOO_LARGE),
    refused("name of a hundred thousand bytes", "9110 5.4", get(b"X" * 100_000 + b": 1"), TOO_LARGE),
    line("target a byte too long", b"GET /" + b"a" * 8192 + b" HTTP/1.1", "9112 3", Refused(414, "target_too_long")),
    line("target of a hundred thousand bytes", b"GET /" + b"a" * 100_000 + b" HTTP/1.1", "9112 3",
         Refused(414, "target_too_long")),
    refused("target that never ends", "9112 3", b"GET /" + b"a" * 100_000, Refused(414, "target_too_long")),
)  # fmt: skip
CASES = (*LINES, *ENDINGS, *FIELDS, *HOSTS, *LIMITS)
