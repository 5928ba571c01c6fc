"""Retry: what one exchange has tried, and whether it may try again (rules 2 and 5, and RFC 9110 section 9.2.2).

No clock: `now` is an argument, in monotonic seconds. Made at the first error, so a request that goes well
pays nothing for it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from dockerproxy.proxy.exchange.blame import Blame
from dockerproxy.proxy.exchange.request_body import RequestBody
from dockerproxy.proxy.upstream.failure import AttemptError, Failure
from dockerproxy.settings.options import RouteOptions

# RFC 9110 section 9.2.2.
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
# Between rounds over all upstreams: long enough for a restart to make progress, too short to be noticed at first.
FIRST_PAUSE = 0.025  # seconds
LONGEST_PAUSE = 1.0  # seconds
# The engine tells within milliseconds that a container has ended, as a rule; the table follows within 50 ms.
LAST_LOOK = 1.0  # seconds


class Retry:
    """The attempts of one exchange.

    started:  when the first one began; what a request was held before that does not count
    attempts: attempts that failed
    tried:    keys of the upstreams that are not to be tried in this round
    last:     the last error
    blame:    whose the errors are
    """

    __slots__ = ("_asked", "_deadline", "_last_look", "_most", "_round", "attempts", "blame", "last", "tried")

    def __init__(self, options: RouteOptions, started: float) -> None:
        self.attempts = 0
        self.tried: set[str] = set()
        self.blame = Blame()
        self._asked: set[str] = set()  # keys of the upstreams that have got the request, and will not get it again
        self._last_look: float | None = None
        self.last: AttemptError | None = None
        self._most = options.max_attempts
        self._deadline = started + options.retry_deadline
        self._round = 0

    def __repr__(self) -> str:
        return f"<Retry after {self.attempts} attempts, round {self._round}: {self.last}>"

    def failed(self, key: str, error: AttemptError, *, starting: bool = False) -> None:
        """Note an attempt that failed at the upstream with this key.

        starting: whether it may only be starting up behind a published port: Docker takes connections there before the
                  application listens, and closes them, so nobody has got the request
        """
        self.attempts += 1
        self.last = error
        self.tried.add(key)
        if not error.nothing_sent and not (starting and error.failure is Failure.CLOSED):
            self._asked.add(key)

    def begin_anew(self) -> None:
        """All upstreams had left: who comes now is another one, or was started anew."""
        self.tried.clear()
        self._asked.clear()

    def all_asked(self, keys: Iterable[str]) -> bool:
        """Whether all of these have got the request."""
        return self._asked.issuperset(keys)

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
        """Seconds until the next round, or None when it would begin too late. All upstreams that have not got the
        request count as untried again."""
        pause = min(FIRST_PAUSE * 2**self._round, LONGEST_PAUSE) * random.uniform(0.75, 1.25)
        self._round += 1
        self.tried = self._asked.copy()
        return None if now + pause >= self._deadline else pause

    def last_look(self, now: float) -> float | None:
        """Seconds until it is looked again whether somebody else has come, after all have been asked, or None.

        Only where the last one broke off without a word: its container may have ended, of which the engine has yet to
        tell.
        """
        assert self.last is not None
        if self.last.failure is not Failure.CLOSED:
            return None
        if self._last_look is None:
            self._last_look = now + LAST_LOOK
        return FIRST_PAUSE if now + FIRST_PAUSE < self._last_look else None

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
