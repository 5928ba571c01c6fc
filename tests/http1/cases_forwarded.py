"""Requests that are good, and how each of them looks to the upstream: framing, fields, targets, methods, versions."""

from __future__ import annotations

from .outcomes import PAUSE, Forwarded, Refused, RequestCase, chunked, get, post, seen

PLAIN = seen(b"GET /")
LENGTH_5 = seen(b"POST /", b"Content-Length: 5", body=b"hello")
CHUNKED_5 = seen(b"POST /", b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")
_TCP = b"Connection: Upgrade\r\nUpgrade: tcp"
UPGRADE_5 = seen(b"POST /", b"Content-Length: 5", _TCP, body=b"hello")
UPGRADE_CHUNKED_5 = seen(b"POST /", b"Transfer-Encoding: chunked", _TCP, body=b"5\r\nhello\r\n0\r\n\r\n")
TE = b"Transfer-Encoding: chunked"
EVIL = b"GET /evil HTTP/1.1\r\nHost: wire.test\r\n\r\n"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"


def one(request: bytes, *, closes: bool = False, interim: tuple[int, ...] = ()) -> Forwarded:
    return Forwarded((request,), closes, interim=interim)


def with_fields(*fields: bytes) -> Forwarded:
    """A GET that is seen with these fields."""
    return one(seen(b"GET /", *fields))


BODIES = (
    RequestCase("length", "9112 6.2", post(b"Content-Length: 5", body=b"hello"), one(LENGTH_5)),
    RequestCase("length zero", "9112 6.3", post(b"Content-Length: 0"), one(seen(b"POST /", b"Content-Length: 0"))),
    RequestCase("length with leading zeros", "9110 8.6", post(b"Content-Length: 0005", body=b"hello"), one(LENGTH_5)),
    RequestCase("length in another case", "9110 5.1", post(b"cOnTeNt-LeNgTh: 5", body=b"hello"), one(LENGTH_5)),
    RequestCase("no length, no body", "9112 6.3", post(), one(seen(b"POST /"))),
    RequestCase("get with a body", "9110 9.3.1", get(b"Content-Length: 5", body=b"hello"),
                one(seen(b"GET /", b"Content-Length: 5", body=b"hello"))),
    RequestCase("head with a body", "9110 9.3.2", get(b"Content-Length: 5", line=b"HEAD / HTTP/1.1", body=b"hello"),
                one(seen(b"HEAD /", b"Content-Length: 5", body=b"hello"))),
    RequestCase("body that looks like a request", "9112 6.2",
                post(b"Content-Length: %d" % len(EVIL), body=EVIL),
                one(seen(b"POST /", b"Content-Length: %d" % len(EVIL), body=EVIL))),
    RequestCase("body of all bytes", "9110 6.4", post(b"Content-Length: 256", body=bytes(range(256))),
                one(seen(b"POST /", b"Content-Length: 256", body=bytes(range(256))))),
    RequestCase("a megabyte", "9112 6.2", post(b"Content-Length: 1048576", body=b"m" * 1048576),
                one(seen(b"POST /", b"Content-Length: 1048576", body=b"m" * 1048576))),
    RequestCase("body up to the limit", "9110 15.5.14",
                post(b"Content-Length: 10", body=b"0123456789").replace(b"wire.test", b"bounded.test"),
                one(seen(b"POST /", b"Content-Length: 10", body=b"0123456789", host=b"bounded.test"))),
    RequestCase("content-encoding is not framing", "9110 8.4",
                post(b"Content-Encoding: chunked", b"Content-Length: 5", body=b"hello"),
                one(seen(b"POST /", b"Content-Encoding: chunked", b"Content-Length: 5", body=b"hello"))),
)  # fmt: skip

CHUNKS = (
    RequestCase("chunked", "9112 7.1", chunked(HELLO), one(CHUNKED_5)),
    RequestCase("chunked in any case", "9112 7", post(b"TRANSFER-encoding: ChUnKeD", body=HELLO), one(CHUNKED_5)),
    RequestCase("chunked with white space around", "9110 5.5", post(b"Transfer-Encoding: \tchunked \t", body=HELLO),
                one(CHUNKED_5)),
    RequestCase("chunked get", "9110 9.3.1", get(TE, body=HELLO), one(seen(b"GET /", TE, body=HELLO))),
    RequestCase("several chunks", "9112 7.1", chunked(b"2\r\nhe\r\n1\r\nl\r\n2\r\nlo\r\n0\r\n\r\n"), one(CHUNKED_5)),
    RequestCase("empty chunked body", "9112 7.1", chunked(b"0\r\n\r\n"), one(seen(b"POST /", TE, body=b"0\r\n\r\n"))),
    RequestCase("size in upper case", "9112 7.1", chunked(b"A\r\n0123456789\r\n0\r\n\r\n"),
                one(seen(b"POST /", TE, body=b"a\r\n0123456789\r\n0\r\n\r\n"))),
    RequestCase("size with leading zeros", "9112 7.1", chunked(b"0005\r\nhello\r\n000\r\n\r\n"), one(CHUNKED_5)),
    RequestCase("extensions end here", "9112 7.1.1", chunked(b'5;a=b;c="d;e"\r\nhello\r\n0;z\r\n\r\n'), one(CHUNKED_5)),
    RequestCase("extension with bad white space", "9112 7.1.1", chunked(b"5;a = b\r\nhello\r\n0\r\n\r\n"),
                one(CHUNKED_5)),
    RequestCase("extension with an escaped quote", "9110 5.6.4", chunked(b'5;a="\\"x"\r\nhello\r\n0\r\n\r\n'),
                one(CHUNKED_5)),
    RequestCase("data that looks like an end", "9112 7.1", chunked(b"7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"),
                one(seen(b"POST /", TE, body=b"7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"))),
    RequestCase("two thousand chunks", "9112 7.1", chunked(b"1\r\nx\r\n" * 2000 + b"0\r\n\r\n"),
                one(seen(b"POST /", TE, body=b"7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n"))),
    RequestCase("trailer", "9112 7.1.2", chunked(b"5\r\nhello\r\n0\r\nX-Sum: \t1 \r\n\r\n", b"Trailer: X-Sum"),
                one(seen(b"POST /", b"Trailer: X-Sum", TE, body=b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"))),
    *(
        RequestCase(f"trailer {name.decode()} ends here", "9110 6.5.1",
                    chunked(b"5\r\nhello\r\n0\r\n" + name + b": 7\r\n\r\n"), one(CHUNKED_5))
        for name in (b"Content-Length", b"transfer-encoding", b"Host", b"Connection", b"Authorization", b"Cookie",
                     b"X-Forwarded-For", b"Content-Type", b"Trailer", b"Expect", b"Via", b"Dockerproxy-Remote",
                     b"Content_Length")
    ),
)  # fmt: skip

FIELDS = (
    RequestCase("white space around values", "9110 5.5", get(b"X-A: \t v \t ", b"X-B:v"),
                with_fields(b"X-A: v", b"X-B: v")),
    RequestCase("white space inside a value", "9110 5.5", get(b"X-A: a \t b"), with_fields(b"X-A: a \t b")),
    RequestCase("empty values", "9110 5.5", get(b"X-A:", b"X-B: "), with_fields(b"X-A: ", b"X-B: ")),
    RequestCase("every character of a name", "9110 5.6.2", get(b"x!#$%&'*+.^`|~9: 1"),
                with_fields(b"x!#$%&'*+.^`|~9: 1")),
    RequestCase("names keep their case and order", "9110 5.3", get(b"x-B: 1", b"X-a: 2", b"x-B: 3"),
                with_fields(b"x-B: 1", b"X-a: 2", b"x-B: 3")),
    RequestCase("two cookie lines", "6265 5.4", get(b"Cookie: a=1", b"Cookie: b=2"),
                with_fields(b"Cookie: a=1", b"Cookie: b=2")),
    RequestCase("obs-text", "9110 5.5", get(b"X-A: caf\xe9 \xf0\x9f\x90\xb3"),
                with_fields(b"X-A: caf\xe9 \xf0\x9f\x90\xb3")),
    RequestCase("value with colons and quotes", "9110 5.5", get(b'X-A: a: "b, c'), with_fields(b'X-A: a: "b, c')),
    RequestCase("underscore in a name", "9110 5.1", get(b"X_A: 1", b"X-A: 2"), with_fields(b"X_A: 1", b"X-A: 2")),
    RequestCase("a hundred fields", "9110 5.4", get(*(b"X: %d" % number for number in range(99))),
                with_fields(*(b"X: %d" % number for number in range(99)))),
    RequestCase("a long value", "9110 5.4", get(b"Cookie: " + b"c" * 60_000), with_fields(b"Cookie: " + b"c" * 60_000)),
    RequestCase("host comes last", "9110 7.2", b"GET / HTTP/1.1\r\nX-A: 1\r\nHost: wire.test\r\n\r\n",
                with_fields(b"X-A: 1")),
    RequestCase("proxy-authorization is passed on", "9110 11.7.2", get(b"Proxy-Authorization: Basic eA=="),
                with_fields(b"Proxy-Authorization: Basic eA==")),
)  # fmt: skip

HOP_BY_HOP = (
    *(
        RequestCase(f"{name.decode()} ends here", "9110 7.6.1", get(name + b": x"), with_fields())
        for name in (b"Keep-Alive", b"Proxy-Connection", b"Connection", b"Upgrade", b"TE")
    ),
    RequestCase("nominated fields end here", "9110 7.6.1", get(b"X-Hop: 1", b"Connection: x-hop, X-2", b"X-2: 2",
                b"X-3: 3"),
                with_fields(b"X-3: 3")),
    RequestCase("several connection fields", "9110 7.6.1", get(b"Connection: X-1", b"X-1: 1", b"Connection: ,X-2,",
                b"X-2: 2"),
                with_fields()),
    *(
        RequestCase(f"{name.decode()} cannot be nominated", "9110 7.6.1",
                    get(b"Connection: " + name, name + b": x"), with_fields(name + b": x"))
        for name in (b"Authorization", b"Cookie", b"Content-Type", b"Cache-Control")
    ),
    RequestCase("host cannot be nominated", "9110 7.6.1", get(b"Connection: Host"), with_fields()),
    RequestCase("content-length cannot be nominated", "9110 7.6.1",
                post(b"Connection: Content-Length", b"Content-Length: 5", body=b"hello"), one(LENGTH_5)),
    RequestCase("transfer-encoding cannot be nominated", "9110 7.6.1",
                post(b"Connection: Transfer-Encoding", TE, body=HELLO), one(CHUNKED_5)),
    RequestCase("our own fields cannot be nominated", "9110 7.6.1",
                get(b"Connection: X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Real-IP, Via"),
                    with_fields()),
    RequestCase("trailers are welcome", "9110 10.1.4", get(b"Connection: TE", b"TE: trailers"),
                with_fields(b"Connection: TE", b"TE: trailers")),
    RequestCase("only trailers of te is passed on", "9110 10.1.4", get(b"Connection: TE", b"TE: deflate, trailers"),
                with_fields(b"Connection: TE", b"TE: trailers")),
    RequestCase("connection close", "9112 9.6", get(b"Connection: close"), one(PLAIN, closes=True)),
    RequestCase("connection close in any case", "9112 9.6", get(b"Connection: x, CLOSE"), one(PLAIN, closes=True)),
    *(
        RequestCase(f"a client's {name.decode()} is not believed", "7239 8.1", get(name + b": 6.6.6.6"), with_fields())
        for name in (b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"X-Forwarded-Port",
                     b"X-Forwarded-Prefix", b"X-Real-IP", b"Forwarded", b"x_forwarded_for", b"X_Real-IP",
                     b"Dockerproxy-Remote", b"dockerproxy_remote", b"Content_Length", b"Transfer_Encoding")
    ),
    RequestCase("a foreign via ends here, unless the route wants it", "9110 7.6.3", get(b"Via: 1.0 fred"),
                with_fields()),
)  # fmt: skip

UPGRADES = (
    RequestCase("websocket", "9110 7.8", get(b"Connection: keep-alive, Upgrade", b"Upgrade: websocket",
                b"Sec-WebSocket-Key: eA=="),
                with_fields(b"Sec-WebSocket-Key: eA==", b"Connection: Upgrade\r\nUpgrade: websocket")),
    RequestCase("h2c is not passed on", "9113 3.1",
                get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"),
                    with_fields()),
    RequestCase("h2c among others is not passed on", "9110 7.8",
                get(b"Connection: upgrade", b"Upgrade: websocket, H2C"),
                with_fields()),
    RequestCase("upgrade with a body", "9110 7.8",
                post(b"Connection: Upgrade", b"Upgrade: tcp", b"Content-Length: 5", body=b"hello"),
                     one(UPGRADE_5)),
    RequestCase("upgrade with a chunked body", "9110 7.8",
                post(b"Connection: Upgrade", b"Upgrade: tcp", TE, body=HELLO), one(UPGRADE_CHUNKED_5)),
    RequestCase("h2c with a body is not passed on", "9110 7.8",
                post(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: 5", body=b"hello"), one(LENGTH_5)),
    RequestCase("upgrade by http 1.0 is not passed on", "9110 7.8",
                get(b"Connection: Upgrade", b"Upgrade: websocket", line=b"GET / HTTP/1.0"), one(PLAIN, closes=True)),
)  # fmt: skip

EXPECTATIONS = (
    RequestCase("body at once", "9110 10.1.1", post(b"Content-Length: 5", b"Expect: 100-continue", body=b"hello"),
                one(seen(b"POST /", b"Content-Length: 5", b"Expect: 100-continue", body=b"hello")), whole=True),
    RequestCase("client waits", "9110 10.1.1", (post(b"Content-Length: 5", b"Expect: 100-Continue"), PAUSE, b"hello"),
                one(seen(b"POST /", b"Content-Length: 5", b"Expect: 100-continue", body=b"hello"), interim=(100,))),
    RequestCase("client waits with a chunked body", "9110 10.1.1",
                (chunked(b"", b"Expect: 100-continue"), PAUSE, HELLO),
                one(seen(b"POST /", TE, b"Expect: 100-continue", body=HELLO), interim=(100,))),
    RequestCase("no interim answer for http 1.0", "9110 15.2",
                get(b"Expect: 100-continue", b"Content-Length: 5", line=b"POST / HTTP/1.0", body=b"hello"),
                one(LENGTH_5, closes=True)),
    RequestCase("an unknown expectation of http 1.0 is nothing", "9110 10.1.1",
                get(b"Expect: x", line=b"GET / HTTP/1.0"),
                one(PLAIN, closes=True)),
)  # fmt: skip


def target(name: str, sent: bytes, seen_as: bytes, rfc: str = "9112 3.2.1") -> RequestCase:
    return RequestCase(name, rfc, get(line=b"GET " + sent + b" HTTP/1.1"), one(seen(b"GET " + seen_as)))


TARGETS = (
    *(
        target(f"target {text.decode()} is left alone", text, text)
        for text in (b"/?", b"/a?b=c?d&e;f", b"//x", b"/a/../b/./c", b"/%2e%2e/a%2Fb%00", b"/%zz", b'/[1]|{x}"<>\\^`',
                     b"/a;v=1,2", b"/:80", b"/http://x/", b"/a@b")
    ),
    target("a long target", b"/" + b"a" * 8000, b"/" + b"a" * 8000, "9112 3"),
    target("absolute", b"http://wire.test/a?b", b"/a?b", "9112 3.2.2"),
    target("absolute without a path", b"http://wire.test", b"/", "9112 3.2.2"),
    target("absolute with a query only", b"http://wire.test?x", b"/?x", "9112 3.2.2"),
    target("absolute in any case", b"HTTP://wire.test/A", b"/A", "9110 4.2.3"),
    RequestCase("the authority of the target beats host", "9112 3.2.2",
                b"GET http://wire.test/a HTTP/1.1\r\nHost: other.test\r\n\r\n", one(seen(b"GET /a"))),
    RequestCase("options asterisk", "9112 3.2.4", get(line=b"OPTIONS * HTTP/1.1"), one(seen(b"OPTIONS *"))),
    RequestCase("options of a whole server in absolute form", "9112 3.2.4",
                get(line=b"OPTIONS http://wire.test HTTP/1.1"),
                one(seen(b"OPTIONS *"))),
    RequestCase("options with a path", "9112 3.2.4", get(line=b"OPTIONS http://wire.test/ HTTP/1.1"),
                one(seen(b"OPTIONS /"))),
)  # fmt: skip

HOSTS = (
    *(
        RequestCase(f"host {name.decode()!r}", "9110 7.2", b"GET / HTTP/1.1\r\nHost: " + name + b"\r\n\r\n",
                    one(seen(b"GET /", host=name, port=port)))
        for name, port in ((b"wire.test:80", b"80"), (b"wire.test:8888", b"8888"), (b"WIRE.test", b"80"),
                           (b"wire.test.", b"80"), (b"[::1]", b"80"), (b"[::1]:81", b"81"))
    ),
    RequestCase("host with an empty port", "9110 4.2.3", b"GET / HTTP/1.1\r\nHost: wire.test:\r\n\r\n", one(PLAIN)),
    RequestCase("host with white space around", "9110 5.5", b"GET / HTTP/1.1\r\nhOsT:\twire.test \t\r\n\r\n",
                one(PLAIN)),
)  # fmt: skip

METHODS_AND_VERSIONS = (
    *(
        RequestCase(f"method {name.decode()}", "9110 9.1", get(line=name + b" / HTTP/1.1"), one(seen(name + b" /")))
        for name in (b"HEAD", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"PROPFIND", b"M-SEARCH", b"BREW",
        b"get")
    ),
    RequestCase("http 1.0 closes", "9112 9.3", get(line=b"GET / HTTP/1.0"), one(PLAIN, closes=True)),
    RequestCase("http 1.0 stays when asked to", "9112 9.3", get(b"Connection: keep-alive", line=b"GET / HTTP/1.0"),
                one(PLAIN)),
    RequestCase("http 1.0 without a length has no body", "9112 6.3",
                get(line=b"POST / HTTP/1.0", body=EVIL),
                one(seen(b"POST /"), closes=True), whole=True),
)  # fmt: skip

A, B, C = (get(line=b"GET /%d HTTP/1.1" % number) for number in range(3))
SEEN_A, SEEN_B, SEEN_C = (seen(b"GET /%d" % number) for number in range(3))

PIPELINES = (
    RequestCase("three gets", "9112 9.3.2", A + B + C, Forwarded((SEEN_A, SEEN_B, SEEN_C))),
    RequestCase("post, then get", "9112 9.3.2", post(b"Content-Length: 5", body=b"hello") + B,
                Forwarded((LENGTH_5, SEEN_B))),
    RequestCase("chunked post, then get", "9112 9.3.2", chunked(HELLO) + B, Forwarded((CHUNKED_5, SEEN_B))),
    RequestCase("chunked post with trailers, then get", "9112 9.3.2", chunked(b"0\r\nX: 1\r\n\r\n") + B,
                Forwarded((seen(b"POST /", TE, body=b"0\r\nX: 1\r\n\r\n"), SEEN_B))),
    RequestCase("an empty line before a request", "9112 2.2", b"\r\n" + A, Forwarded((SEEN_A,))),
    RequestCase("an empty line between requests", "9112 2.2", post(b"Content-Length: 5", body=b"hello") + b"\r\n" + B,
                Forwarded((LENGTH_5, SEEN_B))),
    RequestCase("nothing after close", "9112 9.6", get(b"Connection: close") + B, Forwarded((PLAIN,), closes=True),
                whole=True),
    RequestCase("a bad one after a good one", "9112 9.3.2", A + b"GET /bad\r\n\r\n" + C,
                Forwarded((SEEN_A,), then=Refused())),
    RequestCase("garbage after a body", "9112 6.3", post(b"Content-Length: 5", body=b"helloGARBAGE\r\n\r\n"),
                Forwarded((LENGTH_5,), then=Refused())),
    RequestCase("an unknown host between good ones", "9110 15.5.5", A + B.replace(b"wire", b"no") + C,
                Forwarded((SEEN_A,), then=Refused(404, "unknown_host", closes=False))),
    RequestCase("half-close after a request", "9112 9.6", A, Forwarded((SEEN_A,), closes=True), ends=True),
)  # fmt: skip

CASES = (
    *BODIES,
    *CHUNKS,
    *FIELDS,
    *HOP_BY_HOP,
    *UPGRADES,
    *EXPECTATIONS,
    *TARGETS,
    *HOSTS,
    *METHODS_AND_VERSIONS,
    *PIPELINES,
)
