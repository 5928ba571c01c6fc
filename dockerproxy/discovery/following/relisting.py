"""Relisting: containers that are listed again some moments after an event about them.

The engine tells some events (die, pause, unpause, network connect) before it has written the container's new state to
where its list is read from: Docker 20.10 writes a file to disk in between. A list made at once may so show the old
state, and no further event would correct it. `now` (time.monotonic) is an argument of everything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

# Seconds after the event. The engine's write usually takes a few milliseconds, on a busy disk a second.
STEPS = (0.02, 0.2, 2.0)

_ENDED = frozenset({"exited", "dead", "restarting", "removing"})
# The states that a list shows once it has caught up with the event. What is not here shows in no state.
EXPECTED: Mapping[str, frozenset[str]] = {
    "create": frozenset({"created", "running", "paused"}),
    "die": _ENDED,
    "stop": _ENDED,
    "start": frozenset({"running", "paused"}),
    "unpause": frozenset({"running"}),
    "pause": frozenset({"paused"}),
}


class Relisting:
    """Who is to be listed again, and when."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[float, int]] = {}
        self._actions: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<Relisting: {len(self)} containers>"

    def __len__(self) -> int:
        return len(self._begun)

    def begin(self, container: str, action: str, now: float) -> None:
        """An event about it came (again)."""
        self._begun[container] = (now, 0)
        self._actions[container] = action

    def listed(self, container: str, state: str) -> None:
        """A list shows it in this state, or, if that is "", not at all: it may be settled."""
        if not state or state in EXPECTED.get(self._actions.get(container, ""), ()):
            self._end(container)

    def due(self, now: float) -> list[str]:
        """Those to list now; each is named once for each step that has come."""
        found = [container for container, pending in self._begun.items() if _at(pending) <= now]
        for container in found:
            begun, step = self._begun[container]
            if step + 1 < len(STEPS):
                self._begun[container] = (begun, step + 1)
            else:
                self._end(container)
        return found

    def next_due(self) -> float:
        """When to ask for `due` again; infinity for never."""
        return min(map(_at, self._begun.values()), default=math.inf)

    def _end(self, container: str) -> None:
        self._begun.pop(container, None)
        self._actions.pop(container, None)


def _at(pending: tuple[float, int]) -> float:
    begun, step = pending
    return begun + STEPS[step]
