"""Bench: who sits out until when.

One Bench belongs to one route. It counts errors in a row, benches an upstream after N of them, lets one
attempt through when the time is up (probation), and doubles the time for an upstream that fails again.
It has no clock: `now` is an argument, in seconds of any monotonic clock. It never chooses: that is the Balancer.
"""

from __future__ import annotations

from typing import NamedTuple

# A repeated bench doubles, but an upstream that was mended is back within a coffee break.
LONGEST_BENCH = 15 * 60.0  # seconds
FIRST_BENCH_OF_NEWCOMER = 1.0  # seconds
_MOST_DOUBLINGS = 30  # far beyond the longest bench, and no overflow


class UpstreamStatus(NamedTuple):
    """What statistics tell of an upstream.

    state:         `up`, `benched`, `probation` or `draining`
    benched_until: monotonic seconds, or None
    benched_since: monotonic seconds, or None
    """

    state: str
    consecutive_errors: int
    benched_until: float | None
    benched_since: float | None = None


class _Record:
    """The errors of one upstream since its last success.

    imposed: whether its bench was not earned by errors, but set from outside
    """

    __slots__ = ("benches", "errors", "imposed", "probing", "since", "until")

    def __init__(self) -> None:
        self.errors = 0
        self.benches = 0
        self.until: float | None = None
        self.since: float | None = None
        self.probing = False
        self.imposed = False


class Bench:
    """The upstreams of one route that have erred since their last success.

    A container runs some time before it listens, and under load its first errors gather within milliseconds. So
    until it has answered once, its first bench lasts a second, and each further one twice as long.

    consecutive_errors: errors in a row after which an upstream is benched
    duration:           seconds that the first bench lasts
    """

    __slots__ = ("_newcomers", "_records", "consecutive_errors", "duration")

    def __init__(self, consecutive_errors: int, duration: float) -> None:
        self.consecutive_errors = consecutive_errors
        self.duration = duration
        self._records: dict[str, _Record] = {}
        self._newcomers: set[str] = set()

    def __repr__(self) -> str:
        benched = sum(record.until is not None for record in self._records.values())
        return f"<Bench: {benched} benched, {len(self._records) - benched} with errors>"

    def is_newcomer(self, key: str) -> bool:
        """Whether it may only be starting up: a container that has not answered yet."""
        return key in self._newcomers

    def available(self, key: str, now: float) -> bool:
        """Whether the upstream may be chosen: not benched, and nobody is trying it on probation."""
        record = self._records.get(key)
        return record is None or record.until is None or (now >= record.until and not record.probing)

    def begin(self, key: str, now: float) -> bool:
        """Note that an attempt begins. True when it is the one attempt of a probation."""
        record = self._records.get(key)
        if record is None or record.until is None or now < record.until:
            return False
        record.probing = True
        return True

    def success(self, key: str) -> bool:
        """Reset the count and end any bench. True when the upstream had been benched."""
        if self._newcomers:
            self._newcomers.discard(key)
        record = self._records.pop(key, None)
        if record is None:
            return False
        if record.imposed and not record.probing:
            # An attempt from before the bench came to its end; it says nothing that whoever set it did not know.
            record.errors = 0
            self._records[key] = record
            return False
        return record.until is not None

    def error(self, key: str, now: float) -> bool:
        """Count an error. True when it benches the upstream."""
        record = self._records.setdefault(key, _Record())
        record.errors += 1
        on_probation, record.probing = record.probing, False
        if record.until is None and record.errors < self.consecutive_errors:
            return False
        if record.until is not None and not on_probation:
            return False  # an attempt from before the bench came to its end
        first = min(FIRST_BENCH_OF_NEWCOMER, self.duration) if key in self._newcomers else self.duration
        doubled = first * 2 ** min(record.benches, _MOST_DOUBLINGS)
        record.until = now + min(doubled, max(LONGEST_BENCH, self.duration))
        record.since = now
        record.benches += 1
        record.imposed = False
        return True

    def impose(self, key: str, until: float, now: float | None = None) -> None:
        """Bench an upstream whatever it has done; errors that were counted stay counted."""
        record = self._records.setdefault(key, _Record())
        record.until = until
        record.since = now
        record.probing = False
        record.imposed = True

    def release(self, key: str) -> bool:
        """End the bench of one upstream, with all that was counted. True when it was benched."""
        record = self._records.get(key)
        if record is None or record.until is None:
            return False
        del self._records[key]
        return True

    def abandon(self, key: str) -> bool:
        """An attempt ended without a verdict (its client left). True when it was on probation."""
        record = self._records.get(key)
        if record is None or not record.probing:
            return False
        record.probing = False
        return True

    def join(self, key: str, *, newcomer: bool) -> None:
        """An upstream joins, or joins anew: what was known of it counts no more.

        newcomer: whether it may only be starting up
        """
        self._records.pop(key, None)
        if newcomer:
            self._newcomers.add(key)

    def leave(self, key: str) -> None:
        """An upstream has gone."""
        self._records.pop(key, None)
        self._newcomers.discard(key)

    def release_all(self) -> None:
        """All come back at once: never refuse while something might answer."""
        self._records.clear()

    def next_release(self, now: float) -> float:
        """When the next bench ends, or infinity."""
        ends = [record.until for record in self._records.values() if record.until is not None and record.until > now]
        return min(ends, default=float("inf"))

    def status(self, key: str, now: float) -> UpstreamStatus:
        """The state of one upstream, draining aside."""
        record = self._records.get(key)
        if record is None:
            return UpstreamStatus("up", 0, None)
        if record.until is None:
            return UpstreamStatus("up", record.errors, None)
        state = "benched" if now < record.until else "probation"
        return UpstreamStatus(state, record.errors, record.until, record.since)
