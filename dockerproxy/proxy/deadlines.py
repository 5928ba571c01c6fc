"""Deadlines: one timer for all connections.

A connection sets its `deadline` as often as it likes, which costs an assignment; the wheel looks at it only when
the time it was first asked to look has come, and looks again later if the deadline has moved. So there is no
timer per request. Deadlines are kept to a tick, never early.
"""

from __future__ import annotations

import asyncio
import logging
import time

log = logging.getLogger(__name__)

NEVER = float("inf")
TICK = 0.25  # seconds; timeouts are seconds long, so nobody notices a quarter


class Timed:
    """Something with a deadline. `expired` is called once the deadline has passed."""

    __slots__ = ("deadline", "slot")

    def __init__(self) -> None:
        self.deadline = NEVER
        self.slot = 0

    def expired(self, now: float) -> None:
        """The deadline has passed; it is NEVER again."""
        raise NotImplementedError


class Wheel:
    """Watches the deadlines of many Timed objects with one timer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, set[Timed]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = int(time.monotonic() / TICK)

    def __repr__(self) -> str:
        return f"<Wheel: {len(self)} watched>"

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))

    def schedule(self, item: Timed, deadline: float) -> None:
        """Give `item` a deadline in monotonic seconds, or none (NEVER)."""
        item.deadline = deadline
        if deadline == NEVER:
            return
        slot = int(deadline / TICK) + 1
        if item.slot and item.slot <= slot:
            return
        self._unlink(item)
        self._link(item, slot)

    def forget(self, item: Timed) -> None:
        """Watch `item` no longer."""
        item.deadline = NEVER
        self._unlink(item)

    def stop(self) -> None:
        """Watch nothing any longer."""
        self._slots.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _link(self, item: Timed, slot: int) -> None:
        item.slot = max(slot, self._next)
        self._slots.setdefault(item.slot, set()).add(item)
        if self._timer is None:
            self._next = int(time.monotonic() / TICK)
            self._timer = self._loop.call_later(TICK, self._turn)

    def _unlink(self, item: Timed) -> None:
        if not item.slot:
            return
        items = self._slots.get(item.slot)
        if items is not None:
            items.discard(item)
            if not items:
                del self._slots[item.slot]
        item.slot = 0

    def _turn(self) -> None:
        """Look at every slot whose time has come."""
        now = time.monotonic()
        current = int(now / TICK)
        due = range(self._next, current + 1) if current - self._next < len(self._slots) else sorted(self._slots)
        self._next = current + 1
        for slot in list(due):
            if slot <= current:
                self._look(self._slots.pop(slot, ()), now)
        self._timer = self._loop.call_later(TICK, self._turn) if self._slots else None

    def _expire(self, item: Timed, now: float) -> None:
        try:
            item.expired(now)
        except Exception:
            log.exception("the deadline of %r could not be handled", item)

    def _look(self, items: set[Timed] | tuple[()], now: float) -> None:
        for item in items:
            item.slot = 0
            if item.deadline <= now:
                item.deadline = NEVER
                self._expire(item, now)
            elif item.deadline != NEVER:
                self._link(item, int(item.deadline / TICK) + 1)
