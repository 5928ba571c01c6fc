"""Timing: how long discovery waits for what; all in seconds. The values are reasons, not settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """The figures of one watcher; another set is for tests."""

    # Events that come while a list is under way, or shortly after it, wait for the next list: at most so long …
    coalesce: float = 0.05
    # … and not longer than so many times what the last list took: a list of one container takes about 3 ms, and the
    # start of a container announces itself as two events (network connect, start) a few milliseconds apart.
    coalesce_factor: float = 2.0
    # Where containers come and go all the time, that is hundreds of lists a second. So many may follow each other like
    # that, for what happens now and then is to be seen at once; beyond them, there is one in so many seconds.
    list_burst: int = 5
    list_every: float = 0.04
    # The event stream has no end of its own when the engine hangs, so that the engine is asked now and then.
    ping_every: float = 10.0
    ping_timeout: float = 3.0
    # A busy engine takes seconds to list a thousand containers; beyond this it is given up.
    request_timeout: float = 10.0
    backoff_first: float = 0.1
    backoff_most: float = 10.0
    # A connection that lasted so long was a good one: the next failure starts with a short pause again.
    backoff_reset: float = 1.0
    # The engine's own default between the stop signal and SIGKILL.
    stop_grace: float = 10.0
    # The engine needs a moment to see that a container died before a survivor is taken for one.
    stop_margin: float = 1.0
    # Most containers are gone by then; only of those that are not, the grace of their own is asked for.
    grace_lookup: float = 1.0
    # `stop` waits for the threads so long; a request to a hanging engine is left to itself.
    stop_wait: float = 1.5


DEFAULT_TIMING = Timing()
