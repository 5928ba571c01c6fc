"""The form of the tables: what is sent, and what has to come of it.

A row is one exchange (or a pipeline of them) on a client connection of its own, through a real proxy with one
route to a recording upstream. Bytes are compared as they are, except that chunks are joined (how a body is cut into
chunks tells nothing) and that the random part of our name is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

HOST = b"wire.test"
PLAIN_REQUEST = b"GET / HTTP/1.1\r\nHost: wire.test\r\n\r\n"
# How the proxy names itself, without the random part.
HOPS = b"Dockerproxy-Hops: dockerproxy-*"


class Pause:
    """Wait until the proxy has sent something before the next bytes are sent."""


PAUSE = Pause()


def added(host: bytes = HOST, port: bytes = b"80") -> bytes:
    """The field lines that the proxy adds to each request, in their order."""
    return b"".join(
        line + b"\r\n"
        for line in (
            b"X-Forwarded-For: 127.0.0.1",
            b"X-Forwarded-Proto: http",
            b"X-Forwarded-Host: " + host,
            b"X-Forwarded-Port: " + port,
            b"X-Real-IP: 127.0.0.1",
            HOPS,
        )
    )


def seen(line: bytes, *fields: bytes, body: bytes = b"", host: bytes = HOST, port: bytes = b"80") -> bytes:
    """A request as the upstream has to see it, to the byte."""
    head = b"\r\n".join([line + b" HTTP/1.1", b"Host: " + host, *fields])
    return head + b"\r\n" + added(host, port) + b"\r\n" + body


def get(*fields: bytes, line: bytes = b"GET / HTTP/1.1", body: bytes = b"") -> bytes:
    """A request with a good Host field, and these field lines after it."""
    return b"\r\n".join([line, b"Host: " + HOST, *fields]) + b"\r\n\r\n" + body


def post(*fields: bytes, body: bytes = b"") -> bytes:
    """The same with POST."""
    return get(*fields, line=b"POST / HTTP/1.1", body=body)


def chunked(body: bytes, *fields: bytes) -> bytes:
    """A POST whose chunked body is written as given."""
    return post(*fields, b"Transfer-Encoding: chunked", body=body)


@dataclass(frozen=True, slots=True)
class Refused:
    """The client is answered with this status and code; the upstream sees nothing that is a request."""

    status: int = 400
    code: str = "bad_request"
    closes: bool = True


@dataclass(frozen=True, slots=True)
class Dropped:
    """The client's connection ends without an answer; the upstream sees no complete request."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The upstream sees exactly these requests, and the client gets its answer to each.

    closes:  whether the proxy ends the connection after that, else the next request on it is answered
    then:    an answer of the proxy's own after that
    interim: statuses of interim answers that the client sees
    """

    requests: tuple[bytes, ...]
    closes: bool = False
    then: Refused | None = None
    interim: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestCase:
    """What a client sends, and what comes of it.

    rfc:   the section that says so
    ends:  whether the client closes its sending side after that
    whole: whether the outcome holds only when all of it comes in one piece
    """

    id: str
    rfc: str
    sent: bytes | tuple[bytes | Pause, ...]
    outcome: Refused | Dropped | Forwarded
    ends: bool = False
    whole: bool = False

    @property
    def parts(self) -> tuple[bytes | Pause, ...]:
        return (self.sent,) if isinstance(self.sent, bytes) else self.sent

    @property
    def size(self) -> int:
        return sum(len(part) for part in self.parts if isinstance(part, bytes))


class Closed:
    """The upstream closes its connection."""


class Reset:
    """The upstream resets its connection."""


CLOSED = Closed()
RESET = Reset()
Step = bytes | Closed | Reset


@dataclass(frozen=True, slots=True)
class Relayed:
    """The client sees exactly these bytes: interim answers, then the answer, complete.

    reused: whether the connection to the upstream serves the next request too
    closes: whether the proxy ends the client's connection
    """

    head: bytes
    body: bytes = b""
    reused: bool = True
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """The client sees the proxy's own answer; nothing of the upstream's but `interim` heads before it."""

    status: int = 502
    code: str = "attempts_exhausted"
    interim: bytes = b""


@dataclass(frozen=True, slots=True)
class Cut:
    """The client sees the head and this much of the body, and that it is not all."""

    head: bytes
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class ResponseCase:
    """What an upstream answers, and what the client sees of it."""

    id: str
    rfc: str
    steps: tuple[Step, ...]
    outcome: Relayed | Shown | Cut
    request: bytes = PLAIN_REQUEST
    early: bool = False

    @property
    def method(self) -> str:
        return self.request.split(b" ")[0].decode()
