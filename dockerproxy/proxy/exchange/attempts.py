"""Attempts: which upstreams one exchange asks, one after the other, until one answers (the five rules in
docs/matching.md).

It chooses an upstream, gets a connection, and does so again where that is allowed; it waits between rounds, and for an
upstream where there is none. What is sent, what an answer is, and who gets it, is the exchange's business.
"""

from __future__ import annotations

import time
from asyncio import TimerHandle

from dockerproxy.http1.head import RequestHead
from dockerproxy.proxy.exchange.attempt import Attempt
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.exchange.request_body import RequestBody
from dockerproxy.proxy.exchange.retry import Retry, may_repeat, stays_repeatable
from dockerproxy.proxy.exchange.shared import Shared
from dockerproxy.proxy.upstream.failure import AttemptError
from dockerproxy.proxy.upstream.http1 import UpstreamConnection


class Attempts:
    """The attempts of one exchange. It is a part of it: the exchange fills it in, and says what is left open here.

    live:         the route in use, whose upstreams are asked
    request_body: None for a request without one
    """

    __slots__ = (
        "__weakref__", "_attempt", "_done", "_held", "_retry", "_shared", "_started", "_timer", "_waits_since",
        "head", "live", "request_body",
    )  # fmt: skip

    head: RequestHead
    live: LiveRoute
    request_body: RequestBody | None
    _attempt: Attempt | None
    _done: bool
    _held: bool  # whether it was counted as one that had to wait
    _retry: Retry | None
    _shared: Shared
    _started: float
    _timer: TimerHandle | None
    _waits_since: float

    # What the exchange says

    def start(self) -> None:
        """Make an attempt, if the route allows."""
        raise NotImplementedError

    def _send(self, attempt: Attempt, connection: UpstreamConnection) -> None:
        """Send the request."""
        raise NotImplementedError

    def show_error(self, code: str) -> None:
        """There is no answer, and there will be none: tell the client."""
        raise NotImplementedError

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

    # Called by the live route

    def wake(self) -> None:
        """What it waited for is there, or the route is gone."""
        self._cancel_timer()
        if self.live.gone:
            self.live = self._shared.routes.instead_of(self.live, self.head)
            if self.request_body is not None:
                self.request_body.allow(self.live.options.max_body)
        if self.live.gone:
            self.show_error("no_upstream")
        else:
            self.start()

    # One attempt after the other

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
        options = live.options
        pool = self._shared.pools.pool(upstream, live.tls, options.max_connections)
        attempt = self._attempt = Attempt(live, upstream, pool, now)
        connection = pool.take_idle()
        if connection is None and pool.watch is not None:
            connection = self._standing(attempt, now)
        if connection is None:
            pool.request(self, options.connect_timeout)
        elif connection.usable(now, repeatable=stays_repeatable(self.head.method, self.request_body)):
            self._send(self._attempt, connection)
        else:
            connection.close()
            self._attempt.pool.request(self, options.connect_timeout)

    def _standing(self, attempt: Attempt, now: float) -> UpstreamConnection | None:
        """A connection that stands already, to another upstream than the attempt was to go to: while the engine is
        away, it is certain who is at its other end."""
        live, tried = self.live, self._retry.tried if self._retry is not None else ()
        for upstream in live.balancer.upstreams:
            if upstream.key not in tried and live.balancer.status(upstream, now).state == "up":
                pool = self._shared.pools.pool(upstream, live.tls, live.options.max_connections)
                connection = pool.take_idle()
                if connection is not None:
                    attempt.abandon(self)
                    self._attempt = Attempt(live, upstream, pool, now)
                    return connection
        return None

    def _attempt_failed(self, error: AttemptError) -> None:
        """Count the error, and try again where that is allowed."""
        attempt = self._attempt
        assert attempt is not None
        if error.stale and self._repeatable() and not (error.taken and len(self.live.balancer.rotation) > 1):
            self._renew(attempt)
            return
        attempt.connection = None
        retry = self._retry = self._retry or Retry(self.live.options, attempt.started)
        starting = attempt.upstream.published and attempt.live.balancer.is_starting(attempt.upstream)
        retry.failed(attempt.upstream.key, error, starting=starting)
        if attempt.over(error):
            retry.blame.note(attempt.live, attempt.upstream, error)
        handler = bool(attempt.upstream.handler)  # there is only one, and it is in this process
        code = retry.exhausted() if handler else retry.refusal(repeatable=self._repeatable())
        if code:
            self.show_error(code)
        else:
            self._next_attempt()

    def _renew(self, attempt: Attempt) -> None:
        """The attempt anew, over a new connection; or another one where its upstream is not there any more."""
        if attempt.pool.retired:
            attempt.unsent()
            self._attempt = None
            self._next_attempt()
        else:
            self._attempt = attempt.renewed()
            attempt.pool.request(self, self.live.options.connect_timeout)

    def _repeatable(self) -> bool:
        body = self.request_body
        return may_repeat(self.head.method, self.live.options) and (body is None or body.replayable)

    def _abandon(self) -> None:
        """Leave whatever is under way, without a verdict on the upstream."""
        self._cancel_timer()
        self.live.unhold(self)
        if self._attempt is not None:
            self._attempt.abandon(self)

    # Waiting

    def hold(self, now: float) -> None:
        """Wait until there is an upstream, or a pause is over."""
        if not self._held:
            self._held = True
            self.live.stats.held += 1
        if self._retry is not None:
            self._retry.begin_anew()
        self._waits_since = min(self._waits_since, now)
        code, seconds = self.live.hold(self, now - self._waits_since)
        if code:
            self.show_error(code)
        elif seconds < float("inf"):
            self._timer = self._shared.loop.call_later(seconds, self._held_too_long)
        else:
            self._waits_since = float("inf")  # a pause is no waiting; what comes after it is

    def _wait(self, now: float) -> None:
        """No upstream to try: pause until the next round, or be held until there is one."""
        rotation, retry = self.live.balancer.rotation, self._retry
        if not rotation:
            self.wake() if self.live.gone else self.hold(now)
            return
        assert retry is not None
        if not retry.all_asked(upstream.key for upstream in rotation):
            pause = retry.pause(now)
        elif any(upstream.container for upstream in rotation):
            pause = retry.last_look(now)
        else:
            pause = None
        if pause is None:
            self.show_error(retry.exhausted())
        else:
            self._timer = self._shared.loop.call_later(pause, self._next_attempt)

    def _held_too_long(self) -> None:
        self.live.unhold(self)
        self.show_error("no_upstream")

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
