"""RequestHead and ResponseHead: what a parsed head says, as plain values.

They hold what the rest of the proxy asks for. The fields that are forwarded stay what they are on the wire:
whole lines, already checked, hop-by-hop ones left out.
"""

from __future__ import annotations

from dockerproxy.http1.headers import Nomination

# Body lengths that are not a number of bytes.
CHUNKED = -1
UNTIL_CLOSE = -2


class MessageError(Exception):
    """A message that breaks the rules of RFC 9110 or 9112; it is never forwarded.

    code:   the name of the answer, a key of `proxy.answers`
    detail: what was wrong, for the log and the answer's text
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class RequestHead:
    """A request's head.

    method:      as sent
    target:      origin-form, such as `/a?b=c`, or `*`; an absolute-form target is taken apart
    host:        value of the Host field, or of the target's authority; "" for HTTP/1.0 without one
    minor:       0 or 1, of HTTP/1.x
    lines:       field lines that are forwarded, without CRLF, in order
    host_fields: the Host line to forward, or b""
    length:      bytes of the body, or CHUNKED
    framed:      whether the client sent Content-Length or Transfer-Encoding
    keep_alive:  whether the client lets the connection be used again
    expect:      whether the client waits for 100 (Continue)
    upgrade:     value of Upgrade when Connection nominates it, or b""
    claimed:     what is said of the way here, by lower-case name: X-Forwarded-*, Forwarded and their kin, believed only
                 from trusted proxies, and Via
    loop:        whether it has passed this very proxy before
    te_trailers: whether the client takes trailers
    id:          its name in the log, or "" as long as nobody asked
    """

    __slots__ = (
        "claimed",
        "expect",
        "framed",
        "host",
        "host_fields",
        "id",
        "keep_alive",
        "length",
        "lines",
        "loop",
        "method",
        "minor",
        "nominated",
        "target",
        "te_trailers",
        "upgrade",
    )

    def __init__(self, method: str, target: str, minor: int) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        self.host = ""
        self.host_fields = b""
        self.lines: list[bytes] = []
        self.length = 0
        self.framed = False
        self.keep_alive = minor == 1
        self.expect = False
        self.upgrade = b""
        self.nominated: Nomination | None = None
        self.claimed: dict[bytes, list[bytes]] | None = None
        self.loop = False
        self.te_trailers = False
        self.id = ""

    def __repr__(self) -> str:
        return f"<RequestHead {self.method} {self.target} host={self.host!r} length={self.length}>"

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def plain(self) -> bool:
        """Whether its fields say nothing but what is forwarded, where the request is for, and of the connection."""
        return not (
            self.framed or self.expect or self.upgrade or self.loop or self.te_trailers or self.claimed is not None
        )

    def with_fields_of(self, other: RequestHead) -> RequestHead:
        """This one, with the fields of a plain head of the same version, which stays as it is."""
        self.host = other.host
        self.host_fields = other.host_fields
        self.lines = other.lines.copy()
        self.keep_alive = other.keep_alive
        return self


class ResponseHead:
    """A response's head.

    status:     100 to 599 and beyond
    line:       the status line to forward, with CRLF
    lines:      field lines that are forwarded, without CRLF; Content-Length and Transfer-Encoding are not among them
    length:     bytes of the body, CHUNKED or UNTIL_CLOSE; for an answer without a body see `length_field`
    length_field: what Content-Length said, or -1 (HEAD and 304 tell a length without having a body)
    keep_alive: whether the upstream lets the connection be used again
    upgrade:    value of Upgrade in a 101, or b""
    dated:      whether a Date field is among the lines
    failed:     name of the exception in a handler of ours, or b""
    """

    __slots__ = (
        "chunked",
        "dated",
        "failed",
        "keep_alive",
        "length",
        "length_field",
        "line",
        "lines",
        "minor",
        "nominated",
        "status",
        "upgrade",
    )

    def __init__(self, status: int, minor: int, line: bytes) -> None:
        self.status = status
        self.minor = minor
        self.line = line
        self.lines: list[bytes] = []
        self.length = UNTIL_CLOSE
        self.length_field = -1
        self.chunked = False
        self.keep_alive = minor == 1
        self.upgrade = b""
        self.nominated: Nomination | None = None
        self.failed = b""
        self.dated = False

    def __repr__(self) -> str:
        return f"<ResponseHead {self.status} length={self.length}>"

    @property
    def plain(self) -> bool:
        """Whether it is final, and says nothing between a handler and us."""
        return self.status >= 200 and not self.failed

    def again(self) -> ResponseHead:
        """A plain head anew, for those who change it."""
        head = ResponseHead(self.status, self.minor, self.line)
        head.lines = self.lines.copy()
        head.length = self.length
        head.length_field = self.length_field
        head.chunked = self.chunked
        head.keep_alive = self.keep_alive
        head.upgrade = self.upgrade
        head.dated = self.dated
        return head
