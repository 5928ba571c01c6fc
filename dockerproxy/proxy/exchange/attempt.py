"""Attempt: one try of one exchange at one upstream, and how it is counted.

It begins counted as in flight and ends exactly once: succeeded, failed or abandoned.
"""

from __future__ import annotations

import logging
import time
from copy import copy
from typing import Protocol

from dockerproxy.http1.head import CHUNKED, RequestHead
from dockerproxy.http1.writer import request_block
from dockerproxy.proxy.deadlines import NEVER
from dockerproxy.proxy.exchange.client import Client
from dockerproxy.proxy.exchange.handler_head import for_handler
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.exchange.request_body import RequestBody
from dockerproxy.proxy.upstream.answer import Answering
from dockerproxy.proxy.upstream.failure import AttemptError, Failure
from dockerproxy.proxy.upstream.http1 import UpstreamConnection
from dockerproxy.proxy.upstream.pool import Pool, Requester
from dockerproxy.routing.route import Upstream

log = logging.getLogger(__name__)

_MORE_FILES = "if it is about open files, allow more: ulimit -n, LimitNOFILE of systemd, ulimits in a compose file"


class Asking(Answering, Protocol):
    """The exchange, as an attempt sees it."""

    head: RequestHead
    request_body: RequestBody | None

    def introduce(self) -> bytes:
        """What a handler of ours is told beside, in field lines with CRLF."""


class Attempt:
    """One attempt.

    connection:  the connection it goes over, or None while there is none
    started:     when it began, in monotonic seconds
    sent_at, answered_at: when its head went out and when one came back; told only where a record is taken, else 0
    """

    __slots__ = (
        "_counted", "_ended", "_stats", "answered_at", "connection", "live", "pool", "sent_at", "started", "upstream",
    )  # fmt: skip

    def __init__(self, live: LiveRoute, upstream: Upstream, pool: Pool, now: float) -> None:
        self.upstream = upstream
        self.pool = pool
        self.connection: UpstreamConnection | None = None
        self.live = live
        self.started = now
        self.sent_at = self.answered_at = 0.0
        self._ended = self._counted = False
        self._stats = live.stats.upstream(upstream.key)
        self._stats.in_flight += 1

    def __repr__(self) -> str:
        return f"<Attempt at {self.upstream.name}: {self.connection!r}>"

    def send(self, connection: UpstreamConnection, exchange: Asking, client: Client) -> None:
        """Send the head of the request, and what has come of its body, over `connection`."""
        self.connection = connection
        if client.record is not None:
            self.sent_at = time.monotonic()
        options, body = self.live.options, exchange.request_body
        timeouts = options.response_timeout or NEVER, options.stall_timeout or NEVER
        connection.begin(exchange, timeouts, without_body=exchange.head.method == "HEAD")
        block = self._request_block(exchange, client)
        if body is None:
            connection.send(block)
            return
        head = exchange.head
        connection.send_with_body(block, body.take(), chunked=head.length == CHUNKED, expect=head.expect)
        if body.ended:
            connection.end_body(body.trailers)

    def succeeded(self) -> None:
        """The upstream gave a usable answer."""
        self._ended = True
        stats = self._stats
        stats.used_successfully += 1
        stats.in_flight -= 1
        stats.total_time += time.monotonic() - self.started
        if self.live.balancer.succeeded(self.upstream):
            log.info("%s: %s answers again and is back", self.live.route.name, self.upstream.name)

    def failed(self, error: AttemptError) -> None:
        """The attempt was an error; an answer that broke off was a success before."""
        self.connection = None
        self.count(error)

    def count(self, error: AttemptError) -> None:
        """Count an error whose answer is relayed all the same; should that break off, it was one error."""
        if self.over(error):
            self.live.count_error(self.upstream, error)

    def over(self, error: AttemptError) -> bool:
        """It ends with `error`. True when that speaks against the upstream, and has yet to be counted."""
        if self._counted:
            return False
        self._counted = True
        self._end()
        if error.counts:
            return True
        self.live.balancer.abandoned(self.upstream)
        if error.failure is Failure.EXHAUSTED:
            self.live.log_error("exhausted:", f"{error}; {_MORE_FILES}")
        return False

    def unsent(self) -> None:
        """It ends without a verdict: its kept-alive connection had died unseen."""
        self._end()
        self.live.balancer.abandoned(self.upstream)

    def renewed(self) -> Attempt:
        """The attempt anew: its kept-alive connection had died unseen, which says nothing of the upstream."""
        self._end()
        return Attempt(self.live, self.upstream, self.pool, time.monotonic())

    def abandon(self, requester: Requester) -> None:
        """Leave it without a verdict on the upstream; `requester` is who asked the pool."""
        self.pool.cancel(requester)
        self.leave()
        if self._end():
            self.live.balancer.abandoned(self.upstream)

    def leave(self) -> None:
        """Take nothing more of the answer."""
        if self.connection is not None:
            self.connection.leave()
            self.connection = None

    def leave_unless(self, done: bool) -> None:
        """Take nothing more of the answer; one that is complete has given its connection back already."""
        if not done:
            self.leave()

    def _end(self) -> bool:
        """Count it as no longer in flight. False when it had ended before."""
        if self._ended:
            return False
        self._ended = True
        self._stats.in_flight -= 1
        return True

    def _request_block(self, exchange: Asking, client: Client) -> bytes:
        """The request's head as the upstream is to see it."""
        upstream, live, origin = self.upstream, self.live, client.origin
        told = exchange.introduce() if upstream.handler else b""
        head = exchange.head  # as the handler is to see it
        added = origin.fields(head)
        if upstream.handler:
            added += origin.handler_fields(head, live.route.name) + told
            lines = for_handler(head.lines)
            if lines is not head.lines:
                head = copy(head)
                head.lines = lines
        if live.prefix or head.claimed is not None:
            added += origin.prefix_field(head, live.prefix)
        if live.via:
            added += origin.via_field(head)
        host_line = head.host_fields or b"Host: " + upstream.address.partition("//")[2].encode()
        return request_block(head, live.target(head.target, upstream), host_line, added)
