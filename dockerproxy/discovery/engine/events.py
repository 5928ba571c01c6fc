"""The engine's events: which matter, the stream they come in, and the thread that reads it.

The reader only queues: the engine drops events for whoever is slow to read. What an event means for the
containers is the follower's business.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from dockerproxy.errors import DockerproxyError

if TYPE_CHECKING:  # the SDK's HTTP library, for its types alone
    from requests import Response

# https://docs.docker.com/reference/api/engine/: what can change whether and where a container is reached, or
# what there is to be explained. The exec
# events of health checks are the bulk of all events, and not among them.
MATTERING: Mapping[str, frozenset[str]] = {
    "container": frozenset(
        {
            "create", "start", "die", "stop", "kill", "pause", "unpause", "health_status", "rename", "update",
            "destroy",
        }
    ),
    "network": frozenset({"connect", "disconnect"}),
}  # fmt: skip
EVENT_FILTERS = {"type": sorted(MATTERING), "event": sorted(frozenset().union(*MATTERING.values()))}
# What the engine keeps of past events is 256 of all kinds; a replay cannot be longer.
_REMEMBERED = 512
# Real-time signals have numbers from here on Linux, as libc counts them; systemd in a container stops by RTMIN+3.
_RTMIN = 34


class EngineLost(DockerproxyError):
    """The engine cannot be reached, or not any more; the message says why, and what mends it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event that matters.

    container: the id of the container that it is about, or "" when the engine did not say
    signal:    for kill, the signal's number, OWN_SIGNAL, or 0 if the engine does not say
    moment:    the engine's clock, in nanoseconds since the epoch
    exit_code: for die, as the engine writes it, or ""
    health:    for health_status, what the check found, or ""
    """

    kind: str
    action: str
    container: str
    signal: int
    moment: int
    exit_code: str = ""
    health: str = field(default="", compare=False)  # the moment tells apart two of them

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Event | None:
        """From one line of the stream; None if it does not matter."""
        kind = data.get("Type") or "container"
        action, _, detail = str(data.get("Action") or data.get("status") or "").partition(":")
        if action not in MATTERING.get(kind, ()):
            return None
        actor = data.get("Actor") or {}
        attributes = actor.get("Attributes") or {}
        about = attributes.get("container") if kind == "network" else actor.get("ID") or data.get("id")
        moment = data.get("timeNano") or int(data.get("time") or 0) * 10**9
        signal = signal_number(str(attributes.get("signal") or ""))
        exit_code = str(attributes.get("exitCode") or "")
        health = detail.strip() if action == "health_status" else ""
        return cls(kind, action, about or "", signal, moment, exit_code, health)


def signal_number(text: str) -> int:
    """`15`, `SIGTERM`, `TERM`, `SIGRTMIN+3` -> the number on Linux; 0 if it is none."""
    if text.isdecimal():
        return int(text)
    name = text.upper().removeprefix("SIG")
    if name.startswith("RTMIN"):
        offset = name.removeprefix("RTMIN").lstrip("+")
        return _RTMIN + int(offset) if offset.isdecimal() else _RTMIN
    # The table of Linux: the proxy may run elsewhere than the engine, where some have other numbers.
    return _SIGNALS.get(name, 0)


_SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "TERM": 15, "CONT": 18, "STOP": 19,
            "TSTP": 20, "WINCH": 28, "PWR": 30}  # fmt: skip
TERM, KILL = _SIGNALS["TERM"], _SIGNALS["KILL"]
OWN_SIGNAL = -1  # the one that the container is stopped by, whichever that is


class Timeline:
    """Which events were seen already, over all connections: a replay after a reconnect repeats some.

    By identity, not by time: events may overtake each other, and an engine's clock may be set back.
    """

    def __init__(self) -> None:
        self._seen: deque[Event] = deque(maxlen=_REMEMBERED)
        self._known: set[Event] = set()
        self.last_moment = 0

    def __repr__(self) -> str:
        return f"<Timeline up to {self.last_moment}>"

    def is_new(self, event: Event) -> bool:
        """Whether it is the first time that `event` comes; it is remembered."""
        if event in self._known:
            return False
        if len(self._seen) == _REMEMBERED:
            self._known.discard(self._seen[0])
        self._seen.append(event)
        self._known.add(event)
        self.last_moment = event.moment or self.last_moment
        return True


class EventStream:
    """An open stream of events; closing it from any thread wakes its reader.

    read: one line of it -> the event, or None if it does not matter
    """

    def __init__(self, response: Response, read: Callable[[Mapping[str, Any]], Event | None]) -> None:
        self._response = response
        self._event = read
        # A descriptor of our own: to shut a connection down through it can neither race with the reader's closing
        # nor hit a stranger's descriptor of the same number.
        self._socket = socket.socket(fileno=os.dup(response.raw.fileno()))
        _without_timeout(response)

    def __iter__(self) -> Iterator[Event]:
        """Events that matter, until the stream ends. Raises OSError, ValueError."""
        # The engine sends each event as one chunk that ends with a line feed.
        for line in self._response.iter_lines(chunk_size=None):
            event = self._event(json.loads(line)) if line else None
            if event is not None:
                yield event

    def close(self) -> None:
        """End the stream; also a reader that waits in it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def release(self) -> None:
        """Give back what the reading side holds; for the reading thread."""
        self._response.close()


def _without_timeout(response: Response) -> None:
    """The head had to come in time; events may take for ever. Without the socket, silence ends the stream."""
    connection = getattr(response.raw, "connection", None)
    sock = getattr(connection, "sock", None)
    if sock is not None:
        sock.settimeout(None)


class Subscribed:
    """The engine has accepted the subscription: what happens from now on comes as an event."""


class Stop:
    """The watcher is to end."""


@dataclass(frozen=True, slots=True)
class Revived:
    """A container that was told to stop is to serve all the same: an operator says so."""

    container: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The stream is over, and why."""

    reason: str


Message = Subscribed | Event | Ended | Revived | Stop
Inbox = SimpleQueue[tuple["EventReader | None", Message]]


class EventSource(Protocol):
    """Where a stream can be opened: the engine."""

    def events(self, since: int) -> EventStream:
        """The stream from `since` (seconds since the epoch, the engine's clock) on. Raises EngineLost."""
        ...


class EventReader:
    """A thread that opens one stream of events and queues what comes, under its own name, until the stream ends."""

    def __init__(self, source: EventSource, since: int, inbox: Inbox) -> None:
        self._source = source
        self._since = since
        self._inbox = inbox
        self._stream: EventStream | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="dockerproxy-events", daemon=True)

    def __repr__(self) -> str:
        return f"<EventReader {'closed' if self._closed else 'open'}>"

    def start(self) -> None:
        """Open the stream, in the thread."""
        self._thread.start()

    def close(self) -> None:
        """End the stream; the thread ends by itself. Idempotent."""
        with self._lock:
            self._closed = True
            stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _run(self) -> None:
        reason = "its event stream ended"
        try:
            self._read()
        except EngineLost as error:
            reason = str(error)
        except (OSError, ValueError, AttributeError):  # AttributeError: the HTTP library's socket closed under a read
            reason = "its event stream broke off"
        except Exception as error:
            reason = f"it sent an event that cannot be read ({type(error).__name__}: {error})"
        finally:
            self._inbox.put((self, Ended(reason)))

    def _read(self) -> None:
        stream = self._source.events(self._since)
        try:
            if self._keep(stream):
                self._inbox.put((self, Subscribed()))
                for event in stream:
                    self._inbox.put((self, event))
        finally:
            self.close()
            stream.release()

    def _keep(self, stream: EventStream) -> bool:
        with self._lock:
            if not self._closed:
                self._stream = stream
                return True
        stream.close()
        return False
