"""Record: what the access log tells of one request. Made only where somebody takes records."""

from __future__ import annotations

import time
from collections.abc import Callable

from dockerproxy.http1.head import RequestHead

Recorder = Callable[["Record"], None]


class Record:
    """One request and its answer. Times are seconds, and None where that point was not reached.

    began:      since the epoch
    client:     the client's address, behind trusted proxies the one they tell
    lines:      the request's field lines
    received:   bytes of the request's body; sent: of the answer's
    queue:      from the request's head until the attempt that answered began
    connect:    from there until it had a connection
    first_byte: from there until the head of its answer
    total:      from the request's head until the answer's end
    cut:        whether the answer did not become whole
    """

    __slots__ = (
        "_clock", "_recorder", "attempts", "began", "client", "connect", "cut", "first_byte", "host", "id", "lines",
        "method", "minor", "queue", "received", "route", "sent", "status", "target", "total", "upstream",
    )  # fmt: skip

    def __init__(self, recorder: Recorder, head: RequestHead, client: str) -> None:
        self._recorder = recorder
        self._clock = time.monotonic()
        self.began = time.time()
        self.client = client
        self.id = head.id
        self.method, self.target, self.minor, self.host, self.lines = (
            head.method, head.target, head.minor, head.host, head.lines
        )  # fmt: skip
        self.route = self.upstream = ""
        self.attempts = self.status = self.sent = self.received = 0
        self.queue: float | None = None
        self.connect: float | None = None
        self.first_byte: float | None = None
        self.total = 0.0
        self.cut = False

    def __repr__(self) -> str:
        return f"<Record {self.id}: {self.method} {self.host}{self.target} {self.status}>"

    def exchanged(self, route: str, received: int) -> None:
        """Note the name of the route, and how many bytes of the request's body have come."""
        self.route = route
        self.received = received

    def attempted(self, attempts: int, upstream: str, times: tuple[float, float, float]) -> None:
        """Note how many attempts there were, and of the last one the name of its upstream and its times.

        times: monotonic seconds at which it began, its head went out, and one came back; 0 where that did not happen
        """
        self.attempts = attempts
        if not upstream:
            return
        started, sent, answered = times
        self.upstream = upstream
        self.queue = started - self._clock
        if sent:
            self.connect = sent - started
            if answered:
                self.first_byte = answered - sent

    def end(self, *, cut: bool = False) -> None:
        """The answer is over: give the record to whoever takes it."""
        self.cut = cut
        if not self.status and not cut:
            self.status = 101  # only a tunnel comes to a good end without an answer
        self.total = time.monotonic() - self._clock
        self._recorder(self)
