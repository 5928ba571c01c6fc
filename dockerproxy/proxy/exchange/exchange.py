"""Exchange: one client request and its one answer.

It looks at what the route has against the request, lets `Attempts` find an upstream, sends the request there, and
relays the answer. All of it is synchronous: callbacks of the client, of the pool and of the upstream connection move it
on, so a plain request needs no task and no timer.

It works on a head and two streams of bytes; how these look on the client's wire is the client's business.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from copy import copy

from dockerproxy.http1.head import RequestHead, ResponseHead
from dockerproxy.proxy.answers import ANSWERS
from dockerproxy.proxy.exchange.attempt import Attempt
from dockerproxy.proxy.exchange.attempts import Attempts
from dockerproxy.proxy.exchange.client import Client
from dockerproxy.proxy.exchange.gate import GateRoute, Passage, take_word
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.exchange.request_body import RequestBody
from dockerproxy.proxy.exchange.restriction import restriction
from dockerproxy.proxy.exchange.shared import Shared
from dockerproxy.proxy.https import set_hsts
from dockerproxy.proxy.prefix import rewrite
from dockerproxy.proxy.record import Record
from dockerproxy.proxy.tunnel import Tunnel
from dockerproxy.proxy.upstream.failure import AttemptError, Failure
from dockerproxy.proxy.upstream.http1 import UpstreamConnection


class Exchange(Attempts):
    """One request of one client on one route.

    stats:      where it is counted; its live route may have others by the time it ends
    error_code: when this exchange asks a handler for an error page, what the page is about, else ""
    """

    __slots__ = ("_answered", "_begun", "_client", "_collecting", "_passage", "error_code", "stats")

    def __init__(
        self, shared: Shared, client: Client, head: RequestHead, live: LiveRoute, error_code: str = ""
    ) -> None:
        self.head = head
        self.live = live
        self.error_code = error_code
        self.request_body = RequestBody(head.length, live.options.max_body) if head.length else None
        self._shared = shared
        self._client = client
        self._passage: Passage | None = None  # there only at a gate
        self._started = self._waits_since = time.monotonic()
        self._attempt = None
        self._retry = None
        self._timer = None
        self._begun = self._collecting = self._held = self._answered = self._done = False
        stats = self.stats = live.stats
        stats.requests += 1
        stats.in_flight += 1
        if stats.idle:
            stats.mark_active()

    def __repr__(self) -> str:
        state = "done" if self._done else "relaying" if self._answered else "held" if self._held else "waiting"
        return f"<Exchange {self.head.method} {self.head.target} on {self.live.route.name}: {state}, {self._retry!r}>"

    @property
    def passage(self) -> Passage:
        """What a gate and this exchange leave for each other, once it has asked the gate."""
        assert self._passage is not None
        return self._passage

    # Called by the client

    def start(self) -> None:
        """Make an attempt, if the route allows. What is known of the body was given before."""
        self._begun = True
        if self.request_body is not None and self.request_body.too_large:
            self.show_error("body_too_large")
        elif self.live.restricted and self._restrained():
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

    # Called by all clients together

    def addresses_lost(self, lost: Collection[tuple[str, str]]) -> None:
        """These addresses, each with the id of its container, are not that container's any more: nobody answers from
        there, and nobody will say so."""
        if self._passage is not None:
            self._passage.addresses_lost(lost)
        attempt, connection = self._attempt, self._connection()
        if attempt is None or connection is None:
            return
        if (attempt.upstream.address, attempt.upstream.container) in lost:
            connection.lost_address(self)

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
        if self._retry is not None:
            self._retry.blame.upstreams()
        self._answered = True
        self.stats.answers[head.status // 100] += 1
        if self._client.record is not None:
            attempt.answered_at = time.monotonic()
        if self.live.edits:
            self._edit(head, attempt)
        if self.error_code:
            self._shared.pages.mark(self._client, self.head, self.error_code, head)
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
        wrong = "" if self.head.upgrade else "101 without having been asked to switch protocols"
        if self.request_body is not None and not self.request_body.ended:
            wrong = "101 before it had the whole request"  # RFC 9110 section 7.8: what is sent next is still its body
        if wrong:
            attempt.leave()
            self._attempt_failed(AttemptError(Failure.MALFORMED, wrong))
            return
        attempt.succeeded()
        if self._retry is not None:
            self._retry.blame.upstreams()
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

    # Called by the attempts

    def introduce(self) -> bytes:
        """What a handler of ours is told beside, in field lines with CRLF."""
        told = b""
        live = self.live
        upgrade = self.head.upgrade
        if isinstance(live, GateRoute):
            self._passage, self.head = live.let_in(self._client, self.head)
            told = live.introduction(self)
        if upgrade and self.request_body is not None:  # aiohttp would take the body for the other protocol
            self.head = copy(self.head)
            self.head.upgrade = b""
        if self.error_code:
            told += f"Dockerproxy-Error: {ANSWERS[self.error_code].status} {self.error_code}\r\n".encode()
        return told

    def _send(self, attempt: Attempt, connection: UpstreamConnection) -> None:
        """Send the head, and what has come of the body; what is to come may flow, unless that is too much already."""
        if self.request_body is not None and not self.request_body.ended:
            self._client.valve.open()
        attempt.send(connection, self, self._client)

    def _restrained(self) -> bool:
        """Answer or hold a request that its route does not let through. False when it does."""
        head, origin = self.head, self._client.origin
        found = restriction(self.live, head, origin.speaks_https(head), origin.asked_for(head, self._shared.https_port))
        if found is None:
            return False
        if found.code:
            self.show_error(found.code, found.text, found.fields)
        else:
            self.hold(0.0)
        return True

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
        if self._passage is not None:
            self._passage.leave()
        super()._abandon()

    def _connection(self) -> UpstreamConnection | None:
        attempt = self._attempt
        return attempt.connection if attempt is not None and not self._done else None

    def _edit(self, head: ResponseHead, attempt: Attempt) -> None:
        """Do what the route does to the heads of answers."""
        live = self.live
        if live.rewrites:
            rewrite(head, live.prefix, self.head, attempt.upstream)
        if live.hsts and self._client.origin.speaks_https(self.head):
            set_hsts(head, live.hsts)

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
        pages, attempt, status = self._shared.pages, self._attempt, ANSWERS[code].status
        if status >= 400:
            why = self._retry.words(attempt.upstream.name) if self._retry is not None and attempt is not None else ""
            pages.log_shown(self.live, self.head, code, why)
        if self._retry is not None:
            self._retry.blame.unanswered()
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
        if self._retry is not None:
            self._retry.blame.nobody()
        stats = self.stats
        stats.in_flight -= 1
        stats.errors_shown += shown
        stats.latency.add(time.monotonic() - self._started)
        if self._client.record is not None and not self.error_code:
            self._tell(self._client.record)
        self._client.valve.open()

    def _collected(self) -> None:
        """The body is here, or as much of it as can be kept."""
        if self._collecting:
            self._collecting = False
            self._next_attempt()

    def _tell(self, record: Record) -> None:
        """Note what was done. At a gate only what the client did: what happened behind it was noted there before."""
        record.exchanged(self.live.route.name, self.request_body.size if self.request_body is not None else 0)
        if self.live.gated:
            return
        failed = self._retry.attempts if self._retry is not None else 0
        attempt = self._attempt
        if attempt is None:
            record.attempted(failed, "", (0.0, 0.0, 0.0))
        else:
            times = attempt.started, attempt.sent_at, attempt.answered_at
            record.attempted(failed + self._answered, attempt.upstream.name, times)
