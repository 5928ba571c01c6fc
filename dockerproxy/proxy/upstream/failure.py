"""Failure and AttemptError: why one attempt brought no usable answer."""

from __future__ import annotations

from enum import StrEnum


class Failure(StrEnum):
    """What went wrong with an attempt, in the words that statistics and logs use."""

    REFUSED = "connection refused"
    UNREACHABLE = "cannot be reached"
    CONNECT_TIMEOUT = "connecting timed out"
    BUSY = "all its connections are in use"
    DOUBTED = "may be another container by now: the engine is away"
    EXHAUSTED = "the proxy cannot open any more connections"
    LEFT = "it left before there was a connection"
    TIMEOUT = "no answer in time"
    STALLED = "the answer stalled"
    CLOSED = "closed the connection without an answer"
    CUT = "broke off in the middle of the answer"
    MALFORMED = "malformed answer"
    STATUS = "answered with a status that counts as an error"
    EXCEPTION = "the handler raised an exception"


_TIMEOUTS = frozenset({Failure.CONNECT_TIMEOUT, Failure.TIMEOUT, Failure.STALLED, Failure.BUSY})
_OUR_OWN = frozenset({Failure.BUSY, Failure.DOUBTED, Failure.EXHAUSTED, Failure.LEFT})
_NOTHING_SENT = _OUR_OWN | {Failure.REFUSED, Failure.UNREACHABLE, Failure.CONNECT_TIMEOUT}


class AttemptError(Exception):
    """An attempt that failed.

    stale: a kept-alive connection may have died before it was used again; not the upstream's error
    taken: but the application has taken the request off it, for all that is known
    """

    def __init__(self, failure: Failure, detail: str = "", *, stale: bool = False, taken: bool = False) -> None:
        super().__init__(f"{failure.value}: {detail}" if detail else failure.value)
        self.failure = failure
        self.stale = stale
        self.taken = taken

    @property
    def timed_out(self) -> bool:
        return self.failure in _TIMEOUTS

    @property
    def nothing_sent(self) -> bool:
        """Whether the upstream cannot have seen the request, so that any method may be tried again."""
        return self.failure in _NOTHING_SENT

    @property
    def counts(self) -> bool:
        """Whether it speaks against the upstream."""
        return not self.stale and self.failure not in _OUR_OWN
