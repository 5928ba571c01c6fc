"""LogLimit: how often things of one kind may be said, for lines that clients can cause in any number."""

from __future__ import annotations

# A person looks for the id of one failed request: the first ones of a kind are all told, a flood is summed up.
BURST = 20  # lines at once
INTERVAL = 1.0  # seconds until one more may be said
_KINDS = 1000  # kinds remembered


class LogLimit:
    """A token bucket per kind. It has no clock: `now` is in monotonic seconds."""

    __slots__ = ("_kinds",)

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[float, int]] = {}  # kind -> when its bucket is full again, times unsaid

    def __repr__(self) -> str:
        return f"<LogLimit: {len(self._kinds)} kinds>"

    def unsaid(self, kind: str, now: float, burst: int = BURST) -> int | None:
        """How often this was not said since it was said last, or None when it is not to be said now either.

        burst: how many may be said at once
        """
        full_at, unsaid = self._kinds.get(kind, (now, 0))
        full_at = max(full_at, now)
        if full_at - now > (burst - 1) * INTERVAL:
            self._kinds[kind] = (full_at, unsaid + 1)
            return None
        if len(self._kinds) >= _KINDS:
            self._kinds.clear()
        self._kinds[kind] = (full_at + INTERVAL, 0)
        return unsaid
