"""Delivery: the way of snapshots from discovery's thread to the loop's, which has requests to serve beside them.

What a snapshot costs there depends on how many containers there are. One is handed over at once, if the one before is
long enough ago for what it cost; else it waits, and gives way to a later one meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

from dockerproxy.discovery.snapshot import Snapshot

# Of the loop's time at most this part is spent on snapshots, however fast containers come and go …
_SHARE = 0.1
# … as long as none has to wait for longer: who is told to stop shall get no new requests.
_MOST = 0.05  # seconds
_AT_ONCE = 0.001  # seconds; no timer is as exact


class Delivery:
    """Hands snapshots over.

    take: called in the loop's thread with each snapshot that is not outdated yet, and the moment that was given with it
          or, if it was not 0, with an outdated one before it
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Callable[[Snapshot, int], None]) -> None:
        self._loop = loop
        self._take = take
        self._waiting: tuple[Snapshot, int] | None = None
        self._next = 0.0  # when the next one may be handed over
        self._after: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"<Delivery: {'one waits' if self._waiting else 'nothing waits'}>"

    def put(self, snapshot: Snapshot, moment: int) -> None:
        """Give a snapshot, from any thread. Raises RuntimeError when the loop is closed."""
        self._enter(partial(self._come, snapshot, moment))

    def then(self, call: Callable[[], None]) -> None:
        """Call in the loop's thread when all that was given before has been handed over. Raises RuntimeError when the
        loop is closed."""
        self._enter(partial(self._come_after, call))

    def _enter(self, call: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(call)

    def _come_after(self, call: Callable[[], None]) -> None:
        if self._waiting is None:
            call()
        else:
            self._after.append(call)

    def _come(self, snapshot: Snapshot, moment: int) -> None:
        if self._waiting is not None:
            self._waiting = snapshot, self._waiting[1] or moment
            return
        self._waiting = snapshot, moment
        wait = self._next - time.monotonic()
        if wait < _AT_ONCE:
            self._hand_over()
        else:
            self._loop.call_later(wait, self._hand_over)

    def _hand_over(self) -> None:
        assert self._waiting is not None
        waiting, self._waiting = self._waiting, None
        began = time.monotonic()
        try:
            self._take(*waiting)
        finally:
            now = time.monotonic()
            self._next = now + min(_MOST, (now - began) * (1 / _SHARE - 1))
            after, self._after = self._after, []
            for call in after:
                call()
