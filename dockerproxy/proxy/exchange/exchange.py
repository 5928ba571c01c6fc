"""Exchange: one client request and its one answer.

It chooses an upstream, gets a connection, sends the request, relays the answer, and tries again where that is
allowed (the five rules in docs/matching.md). All of it is synchronous: callbacks of the front, of the pool and of
the upstream connection move it on, so a plain request needs no task and no timer.

It works on a head and two streams of bytes; how these look on the client's wire is the front's business.
"""

from __future__ import annotations

import time
from asyncio import TimerHandle
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockerproxy.http1.head import RequestHead, ResponseHead
from dockerproxy.proxy.answers import ANSWERS
from dockerproxy.proxy.exchange.attempt import Attempt
from dockerproxy.proxy.exchange.client import Client
from dockerproxy.proxy.exchange.gate import Passage, take_word
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.exchange.request_body import RequestBody
from dockerproxy.proxy.exchange.restriction import restrain
from dockerproxy.proxy.exchange.retry import Retry, may_repeat, stays_repeatable
from dockerproxy.proxy.https import set_hsts
from dockerproxy.proxy.tunnel import Tunnel
from dockerproxy.proxy.upstream.failure import AttemptError, Failure

if TYPE_CHECKING:
    from dockerproxy.proxy.plane import DataPlane
    from dockerproxy.proxy.upstream.http1 import UpstreamConnection


class Exchange:
    """One request of one client on one route.

    request_body: None for a request without one
    stats:        where it is counted; its live route may have others by the time it ends
    passage:      there only at a gate
    error_code:   when this exchange asks a handler for an error page, what the page is about, else ""
    """

    __slots__ = (
        "_answered", "_attempt", "_begun", "_client", "_collecting", "_done", "_held", "_plane", "_retry", "_started",
        "_timer", "_waits_since", "__weakref__",
        "error_code", "head", "live", "passage", "request_body", "stats",
    )  # fmt: skip

    def __init__(
        self, plane: DataPlane, client: Client, head: RequestHead, live: LiveRoute, error_code: str = ""
    ) -> None:
        self.head = head
        self.live = live
        self.error_code = error_code
        self.passage: Passage
        self.request_body = RequestBody(head.length, live.options.max_body) if head.length else None
        self._plane = plane
        self._client = client
        self._started = self._waits_since = time.monotonic()
        self._attempt: Attempt | None = None
        self._retry: Retry | None = None
        self._timer: TimerHandle | None = None
        self._begun = self._collecting = self._held = self._answered = self._done = False
        stats = self.stats = live.stats
        stats.requests += 1
        stats.in_flight += 1
        if stats.quiet:
            stats.stir()

    def __repr__(self) -> str:
        state = "done" if self._done else "relaying" if self._answered else "held" if self._held else "waiting"
        return f"<Exchange {self.head.method} {self.head.target} on {self.live.route.name}: {state}, {self._retry!r}>"

    # Called by the front

    def start(self) -> None:
        """Make an attempt, if the route allows. What is known of the body was given before."""
        self._begun = True
        if self.request_body is not None and self.request_body.too_large:
            self.show_error("body_too_large")
        elif self.live.restricted and restrain(self, self._client, self._plane.https_port):
            return
        elif self.request_body is not None and self.live.crowded and not self.request_body.all_there(self.head):
            self._collecting = True  # clients that send slowly would else take the connections that others need
        else:
            self._next_attempt()

    def body(self, data: bytes) -> None:
        """The next part of the request's body."""
        body = self.request_body
        if body is None or self._done:
            return
        connection = self._connection()
        body.add(data, flowing=connection is not None)
        if self._begun and body.too_large:
            self.give_up("body_too_large")
        elif connection is not None:
            connection.send_body(data)
        elif body.full:
            self._client.valve.close()
            self._collected()

    def body_end(self, trailers: Sequence[bytes]) -> None:
        """The request's body is complete."""
        body = self.request_body
        if body is None or self._done:
            return
        body.end(trailers)
        connection = self._connection()
        if connection is not None:
            connection.end_body(body.trailers)
        self._collected()

    def give_up(self, code: str) -> None:
        """End the exchange from our side, whatever state it is in; `code` is what the client is told."""
        if self._done:
            return
        self._abandon()
        if self._answered:
            self._finish(shown=True)
            self._client.abort()
        else:
            self.show_error(code)

    def client_lost(self) -> None:
        """The client has gone: whatever goes on upstream is cancelled."""
        if not self._done:
            self._abandon()
            self._finish()

    def client_full(self) -> None:
        """The client does not take more for now."""
        connection = self._connection()
        if connection is not None:
            connection.valve.close()

    def client_drained(self) -> None:
        """The client takes more again."""
        connection = self._connection()
        if connection is not None:
            connection.valve.open()

    # Called by the live route

    def wake(self) -> None:
        """What it waited for is there, or the route is gone."""
        self._cancel_timer()
        if self.live.gone:
            self.live = self._plane.instead_of(self.live, self.head)
            if self.request_body is not None:
                self.request_body.allow(self.live.options.max_body)
        if self.live.gone:
            self.show_error("no_upstream")
        else:
            self.start()

    # Called by the pool

    def connected(self, connection: UpstreamConnection) -> None:
        """A connection to the chosen upstream is there."""
        attempt = self._attempt
        if self._done or attempt is None:
            connection.rest()
        else:
            self._send(attempt, connection)

    def connect_failed(self, error: AttemptError) -> None:
        """There is no connection to the chosen upstream."""
        if not self._done:
            self._attempt_failed(error)

    # Called by the upstream connection

    def interim(self, head: ResponseHead) -> None:
        """An interim answer; HTTP/1.0 knows none (RFC 9110 section 15.2)."""
        if self.head.minor and not self._done:
            self._client.interim(head)

    def answered(self, head: ResponseHead, data: bytes, done: bool) -> None:
        """The head of the answer, with what has come of the body; `done` when that is all."""
        attempt = self._attempt
        assert attempt is not None
        if head.failed or head.status in self.live.options.error_statuses:
            if self._answered_badly(attempt, head, done):
                return
        else:
            attempt.succeeded()
        self._answered = True
        self.stats.answers[head.status // 100] += 1
        if self._client.record is not None:
            attempt.answered_at = time.monotonic()
        if self.live.hsts and self._client.origin.speaks_https(self.head):
            set_hsts(head, self.live.hsts)
        if self.error_code:
            self._plane.pages.mark(self._client, self.head, self.error_code, head)
        if done:
            self._finish()
        self._client.respond(head, data, done)

    def received(self, data: bytes, done: bool, trailers: Sequence[bytes]) -> None:
        """The next part of the answer's body."""
        if done:
            self._finish()
        self._client.send(data, done, trailers)

    def upgraded(self, head: ResponseHead, data: bytes) -> None:
        """The upstream switches protocols."""
        attempt = self._attempt
        assert attempt is not None
        connection = attempt.connection
        assert connection is not None
        if not self.head.upgrade:
            attempt.leave()
            self._attempt_failed(AttemptError(Failure.MALFORMED, "101 without having been asked to switch protocols"))
            return
        attempt.succeeded()
        self._answered = True
        self.stats.answers[head.status // 100] += 1
        valves = self._client.valve, connection.valve
        timeout = self.live.options.tunnel_timeout
        tunnel = Tunnel(self._client.transport, connection.transport, valves, self._finish, timeout)
        connection.join(tunnel)
        self._client.tunnel(tunnel, head, data)

    def failed(self, error: AttemptError) -> None:
        """The connection broke, or what came over it was no answer."""
        if self._answered:
            self._broke_off(error)
        else:
            self._attempt_failed(error)

    def upstream_full(self) -> None:
        """The upstream does not take more of the body for now."""
        self._client.valve.close()

    def upstream_drained(self) -> None:
        """The upstream takes more again."""
        self._client.valve.open()

    # Attempts

    def _next_attempt(self) -> None:
        """Choose an upstream and get a connection to it."""
        self._timer = None
        now = time.monotonic()
        live = self.live
        upstream = live.balancer.choose(self._retry.tried if self._retry is not None else (), now)
        if upstream is None:
            self._wait(now)
            return
        live.stats.retries += self._retry is not None
        pool = self._plane.pool(upstream, live)
        attempt = self._attempt = Attempt(live, upstream, pool, now)
        connection = pool.take_idle()
        if connection is None:
            pool.request(self, live.options.connect_timeout)
        elif connection.usable(now, repeatable=stays_repeatable(self.head.method, self.request_body)):
            self._send(attempt, connection)
        else:
            connection.close()
            pool.request(self, live.options.connect_timeout)

    def _send(self, attempt: Attempt, connection: UpstreamConnection) -> None:
        """Send the head, and what has come of the body; what is to come may flow, unless that is too much already."""
        if self.request_body is not None and not self.request_body.ended:
            self._client.valve.open()
        attempt.send(connection, self, self._client)

    def _attempt_failed(self, error: AttemptError) -> None:
        """Count the error, and try again where that is allowed."""
        attempt = self._attempt
        assert attempt is not None
        if error.stale and self._repeatable():
            self._attempt = attempt.renewed()
            attempt.pool.request(self, self.live.options.connect_timeout)
            return
        attempt.failed(error)
        retry = self._retry = self._retry or Retry(self.live.options, attempt.started)
        retry.failed(attempt.upstream.key, error)
        handler = bool(attempt.upstream.handler)  # there is only one, and it is in this process
        code = retry.exhausted() if handler else retry.refusal(repeatable=self._repeatable())
        if code:
            self.show_error(code)
        else:
            self._next_attempt()

    def _repeatable(self) -> bool:
        body = self.request_body
        return may_repeat(self.head.method, self.live.options) and (body is None or body.replayable)

    def _wait(self, now: float) -> None:
        """No upstream to try: pause until the next round, or be held until there is one."""
        if not self.live.balancer.has_upstream:
            self.hold(now)
            return
        assert self._retry is not None
        pause = self._retry.pause(now)
        if pause is None:
            self.show_error(self._retry.exhausted())
        else:
            self._timer = self._plane.loop.call_later(pause, self._next_attempt)

    def hold(self, now: float) -> None:
        """Wait until there is an upstream, or a pause is over."""
        if not self._held:
            self._held = True
            self.live.stats.held += 1
        if self._retry is not None:
            self._retry.tried.clear()
        self._waits_since = min(self._waits_since, now)
        code, seconds = self.live.hold(self, now - self._waits_since)
        if code:
            self.show_error(code)
        elif seconds < float("inf"):
            self._timer = self._plane.loop.call_later(seconds, self._held_too_long)
        else:
            self._waits_since = float("inf")  # a pause is no waiting; what comes after it is

    def _held_too_long(self) -> None:
        self.live.unhold(self)
        self.show_error("no_upstream")

    def _answered_badly(self, attempt: Attempt, head: ResponseHead, done: bool) -> bool:
        """An answer that is an error. False when it is to be relayed all the same, for there is no other."""
        if head.failed:
            return take_word(self, attempt, head, done)
        error = AttemptError(Failure.STATUS, str(head.status))
        if not self._repeatable():
            attempt.count(error)
            return False
        attempt.leave_unless(done)
        self._attempt_failed(error)
        return True

    def _abandon(self) -> None:
        """Leave whatever is under way, without a verdict on the upstream."""
        self._cancel_timer()
        self.live.unhold(self)
        if self._attempt is not None:
            self._attempt.abandon(self)

    def _connection(self) -> UpstreamConnection | None:
        attempt = self._attempt
        return attempt.connection if attempt is not None and not self._done else None

    # The end

    def _broke_off(self, error: AttemptError) -> None:
        """The answer broke off after its head had gone out: the client must see that it is not whole."""
        attempt = self._attempt
        assert attempt is not None
        attempt.failed(error)
        head = self.head
        self.live.log_error("cut", f"the answer of {attempt.upstream.name} to {head.method} {head.path}: {error}")
        self._finish(shown=not self.live.gated)
        self._client.abort()

    def show_error(self, code: str, text: str = "", fields: Sequence[tuple[str, str]] = ()) -> None:
        """Answer with the error page of the route, or with ours: with `text` in place of the code's words, and with
        `fields`, which only ours can have."""
        pages, attempt, status = self._plane.pages, self._attempt, ANSWERS[code].status
        if status >= 400:
            why = self._retry.words(attempt.upstream.name) if self._retry is not None and attempt is not None else ""
            pages.log_shown(self.live, self.head, code, why)
        self.stats.answers[status // 100] += 1
        self._finish(shown=status >= 400)
        page = None if self.error_code or fields else pages.of_route(self.live.route)
        hsts = self.live.hsts
        pages.show(self._client, self.head, self.error_code or code, page, text=text, more=fields, hsts=hsts)

    def _finish(self, *, shown: bool = False) -> None:
        """Count the exchange as over; `shown` when the client was shown an error."""
        if self._done:
            return
        self._done = True
        self._cancel_timer()
        stats = self.stats
        stats.in_flight -= 1
        stats.errors_shown += shown
        stats.latency.add(time.monotonic() - self._started)
        record = self._client.record
        if record is not None and not self.error_code:
            failed = self._retry.attempts if self._retry is not None else 0
            record.exchanged(self.live, failed + self._answered, self._attempt, self.request_body)
        self._client.valve.open()

    def _collected(self) -> None:
        """The body is here, or as much of it as can be kept."""
        if self._collecting:
            self._collecting = False
            self._next_attempt()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
