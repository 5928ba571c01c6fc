"""EventTimes: when the engine told of each container last, so that it can be measured how late we are.

Every time is in nanoseconds since the epoch, by the engine's clock.
"""

from __future__ import annotations

from collections.abc import Iterable

# An event that has had no effect by then will have none, and what happens later has another cause.
_REMEMBERED = 60 * 10**9  # nanoseconds


class EventTimes:
    """The last event about each container that has not been seen to have an effect."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}  # the event that came last is last

    def __repr__(self) -> str:
        return f"<EventTimes: {len(self._last)} containers>"

    def note(self, container: str, moment: int) -> None:
        """An event about it came."""
        self._last.pop(container, None)
        self._last[container] = moment
        while moment - self._last[first := next(iter(self._last))] >= _REMEMBERED:
            del self._last[first]

    def take(self, containers: Iterable[str]) -> int:
        """The earliest of the moments of `containers`, which are forgotten; 0 when no event told of any."""
        return min((self._last.pop(container) for container in containers if container in self._last), default=0)
