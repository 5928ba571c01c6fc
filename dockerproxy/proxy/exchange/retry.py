"""Retry: what one exchange has tried, and whether it may try again (rules 2 and 5, and RFC 9110 section 9.2.2).

Pure: no clock, `now` is an argument, in monotonic seconds. Made at the first error, so a request that goes well
pays nothing for it.
"""

from __future__ import annotations

import random

from dockerproxy.proxy.exchange.request_body import RequestBody
from dockerproxy.proxy.upstream.failure import AttemptError, Failure
from dockerproxy.settings.options import RouteOptions

# RFC 9110 section 9.2.2.
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
# Between rounds over all upstreams: long enough for a restart to make progress, too short to be noticed at first.
FIRST_PAUSE = 0.025  # seconds
LONGEST_PAUSE = 1.0  # seconds; while any cannot be reached, for it may be starting up
LONGEST_PAUSE_ANSWERED = 0.1  # seconds; what only answers badly does not become better by waiting


class Retry:
    """The attempts of one exchange.

    started:  when the first one began; what a request was held before that does not count
    attempts: attempts that failed
    tried:    keys of the upstreams that were tried in this round
    last:     the last error
    """

    __slots__ = ("_deadline", "_most", "_round", "_unreached", "attempts", "last", "tried")

    def __init__(self, options: RouteOptions, started: float) -> None:
        self.attempts = 0
        self.tried: set[str] = set()
        self.last: AttemptError | None = None
        self._most = options.max_attempts
        self._deadline = started + options.retry_deadline
        self._round = 0
        self._unreached = False  # whether any upstream of this round could not be reached

    def __repr__(self) -> str:
        return f"<Retry after {self.attempts} attempts, round {self._round}: {self.last}>"

    def failed(self, key: str, error: AttemptError) -> None:
        """Note an attempt that failed at the upstream with this key."""
        self.attempts += 1
        self.last = error
        self.tried.add(key)
        self._unreached = self._unreached or error.nothing_sent

    def refusal(self, *, repeatable: bool) -> str:
        """The code of the answer when there must be no further attempt, else "".

        The deadline does not count here: as long as an upstream has not been asked at all, it may be the one that
        answers. It ends the rounds, in `pause`.

        repeatable: whether the request may be sent a second time
        """
        assert self.last is not None
        if not self.last.nothing_sent and not repeatable:
            return "timed_out" if self.last.timed_out else "not_repeatable"
        if self.attempts >= self._most:
            return self.exhausted()
        return ""

    def pause(self, now: float) -> float | None:
        """Seconds until the next round, or None when it would begin too late. All upstreams count as untried again."""
        longest = LONGEST_PAUSE if self._unreached else LONGEST_PAUSE_ANSWERED
        self._unreached = False
        pause = min(FIRST_PAUSE * 2**self._round, longest) * random.uniform(0.75, 1.25)
        self._round += 1
        self.tried.clear()
        return None if now + pause >= self._deadline else pause

    def exhausted(self) -> str:
        """The code of the answer when all attempts are used up."""
        assert self.last is not None
        if self.last.failure is Failure.BUSY:
            return "overloaded"
        return "timed_out" if self.last.timed_out else "attempts_exhausted"

    def words(self, name: str) -> str:
        """For the log: what was tried; `name` is the upstream of the last attempt."""
        attempts = "1 attempt" if self.attempts == 1 else f"{self.attempts} attempts, the last one"
        return f" after {attempts} at {name}: {self.last}"


def may_repeat(method: str, options: RouteOptions) -> bool:
    """Whether a request of this method may be sent a second time."""
    return method in IDEMPOTENT or options.retry_non_idempotent


def stays_repeatable(method: str, body: RequestBody | None) -> bool:
    """Whether a request may be sent a second time even when all of it has been sent before."""
    return method in IDEMPOTENT and (body is None or body.fits)
