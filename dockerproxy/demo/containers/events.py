"""EventLog: the engine's events, a bounded ring of the latest, and the readers of the stream.

It never waits for a reader: one that is too slow loses events, as at a real engine.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

# Events. What a real engine keeps for `since`.
EVENTS_KEPT = 256

# Events. What a real engine queues for one reader before it drops.
READER_QUEUE = 1024


@dataclass(frozen=True, slots=True)
class Event:
    """One event. type: `container` or `network`; actor_id: whose; time_ns: nanoseconds since the epoch."""

    type: str
    action: str
    actor_id: str
    attributes: Mapping[str, str]
    time_ns: int


class Reader:
    """One open stream of events."""

    def __init__(self, wants: Callable[[Event], bool]) -> None:
        self._wants = wants
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(READER_QUEUE)
        self._cut = False
        self.lost = 0

    def __repr__(self) -> str:
        return f"<Reader: {self._queue.qsize()} waiting, {self.lost} lost{', cut' if self._cut else ''}>"

    def offer(self, event: Event) -> None:
        """Queue the event if the reader wants it and keeps up."""
        if self._cut or not self._wants(event):
            return
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.lost += 1

    def cut(self) -> None:
        """Wake the reader up for the last time."""
        self._cut = True
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def next(self) -> Event | None:
        """The next event; None once the stream is cut."""
        return None if self._cut else await self._queue.get()


class EventLog:
    """The ring of the latest events, and everybody who reads the stream."""

    def __init__(self, kept: int = EVENTS_KEPT) -> None:
        self._ring: deque[Event] = deque(maxlen=kept)
        self._readers: set[Reader] = set()
        self._last_ns = 0

    def __repr__(self) -> str:
        return f"<EventLog: {len(self._ring)} events, {len(self._readers)} readers>"

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return len(self._readers)

    def emit(self, type_: str, action: str, actor_id: str, attributes: Mapping[str, str]) -> Event:
        """Keep the event and hand it to every reader."""
        # Strictly rising, so that `since` a received event never repeats or misses its neighbours.
        self._last_ns = max(time.time_ns(), self._last_ns + 1)
        event = Event(type_, action, actor_id, attributes, self._last_ns)
        self._ring.append(event)
        for reader in self._readers:
            reader.offer(event)
        return event

    def replay(self, since_ns: int, until_ns: int | None, wants: Callable[[Event], bool]) -> list[Event]:
        """The kept events from `since_ns` to `until_ns`, both included, oldest first."""
        return [
            event
            for event in self._ring
            if event.time_ns >= since_ns and (until_ns is None or event.time_ns <= until_ns) and wants(event)
        ]

    @contextmanager
    def reading(self, wants: Callable[[Event], bool]) -> Iterator[Reader]:
        """Subscribe for as long as the block lasts."""
        reader = Reader(wants)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def cut(self) -> None:
        """Break every open stream."""
        for reader in self._readers:
            reader.cut()

    def clear(self) -> None:
        """Forget the kept events, as a restarted engine does."""
        self._ring.clear()
