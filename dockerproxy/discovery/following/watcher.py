"""Watcher: the thread that keeps up a connection to the engine, for ever, and publishes snapshots.

The door from discovery into the event loop: whatever happens in discovery's threads, only `publish` is called in the
loop's thread. Knows nothing of tables and routes; an engine that is gone takes nothing away from what was published.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue

from dockerproxy.discovery.containers.fleet import Fleet
from dockerproxy.discovery.engine.client import Engine
from dockerproxy.discovery.engine.events import EngineLost, Inbox, Revived, Stop
from dockerproxy.discovery.engine.tls import EngineTls
from dockerproxy.discovery.following.backoff import Backoff
from dockerproxy.discovery.following.delivery import Delivery
from dockerproxy.discovery.following.draining import Draining
from dockerproxy.discovery.following.event_times import EventTimes
from dockerproxy.discovery.following.follower import Follower, Known, Stopped
from dockerproxy.discovery.snapshot import Snapshot
from dockerproxy.discovery.sockets import engine_host
from dockerproxy.discovery.status import DiscoveryStatus, EngineState
from dockerproxy.discovery.timing import DEFAULT_TIMING, Timing
from dockerproxy.settings.model import DockerSettings

log = logging.getLogger(__name__)


class Watcher:
    """Discovers the containers of one engine.

    publish: called in `loop`'s thread with every snapshot that differs from the one before, the first even if empty;
             when they come too fast for what they cost there, with the last one
    status:  written here, only
    away:    called in `loop`'s thread with True as soon as an engine that was followed is followed no longer, so that
             what was published may be outdated; and with False after it is followed again and what has changed
             meanwhile was published. Never before the first snapshot
    """

    def __init__(
        self,
        settings: DockerSettings,
        publish: Callable[[Snapshot], None],
        status: DiscoveryStatus,
        loop: asyncio.AbstractEventLoop,
        *,
        timing: Timing = DEFAULT_TIMING,
        away: Callable[[bool], None] | None = None,
    ) -> None:
        self._settings = settings
        self._callback = publish
        self._away_callback = away
        self._away = False
        self._status = status
        self._delivery = Delivery(loop, self._deliver)
        self._timing = timing
        self._inbox: Inbox = SimpleQueue()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._published: Snapshot | None = None
        self._event_times = EventTimes()
        self._backoff = Backoff(timing.backoff_first, timing.backoff_most)
        self._told: set[str] = set()
        self._cut = False
        self._stumbled_over = ""
        self._connected_at = math.inf

    def __repr__(self) -> str:
        known = len(self._published.containers) if self._published is not None else 0
        return f"<Watcher of {self._settings.host}: {self._status.state}, {known} labelled containers>"

    def start(self) -> None:
        """Begin to discover, in a thread; returns at once, whether there is an engine or not."""
        if not self._settings.enabled or self._thread is not None:
            return
        self._status.state = EngineState.RECONNECTING
        if not self._settings.tls_verify:
            log.warning("engine: docker.tls_verify is false: whoever is in between can play the engine")
        self._thread = threading.Thread(target=self._run, name="dockerproxy-discovery", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End discovery; after it nothing is published. Idempotent; blocks for milliseconds, with a hanging engine
        for at most two seconds."""
        self._stopping.set()
        self._inbox.put((None, Stop()))
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(self._timing.stop_wait)

    def revive(self, container: str) -> bool:
        """An operator knows that a container which was told to stop goes on serving; from any thread. Returns whether
        it can come back now: not while the engine is away, for then nobody knows whether it has ended."""
        if self._status.state is not EngineState.CONNECTED:
            return False
        self._inbox.put((None, Revived(container)))
        return True

    def _run(self) -> None:
        known = Known(Fleet(self._settings), Draining(self._timing), event_times=self._event_times)
        while not self._stopping.is_set():
            self._connected_at = math.inf
            try:
                self._follow(known)
            except Stopped:
                return
            except EngineLost as error:
                self._lost(str(error))
            except Exception as error:  # a fault of ours must not end discovery for ever
                self._stumbled(error)
            if self._was_good():
                self._backoff.reset()
            self._pause(self._backoff.next())

    def _follow(self, known: Known) -> None:
        """One connection, from its beginning to its end. Raises EngineLost, Stopped."""
        engine = Engine.connect(engine_host(self._settings), self._timing, EngineTls.of(self._settings))
        follower = Follower(
            engine, known, self._inbox, self._status, self._publish, self._settings.resync, self._timing
        )
        try:
            follower.begin()
            self._connected(engine)
            follower.follow()
        finally:
            follower.close()
            engine.close()

    def _connected(self, engine: Engine) -> None:
        again = bool(self._status.engine)
        self._status.engine = f"{engine.name} at {engine.host}"
        self._status.error = ""
        self._status.reconnects += again
        self._told.clear()
        self._connected_at = time.monotonic()
        level = logging.DEBUG if self._cut else logging.INFO
        self._cut = False
        log.log(level, "engine: connected to %s%s", self._status.engine, " again" if again else "")
        # Last: the loop's thread reads the status at any moment, and whoever sees "connected" may rely on the rest.
        self._status.state = EngineState.CONNECTED
        self._tell_away(False)

    def _tell_away(self, away: bool) -> None:
        """Tell the loop's thread whether the engine is away, if that is news."""
        if away == self._away or self._away_callback is None or self._published is None or self._stopping.is_set():
            return
        self._away = away
        with contextlib.suppress(RuntimeError):  # the loop was closed: the process is ending
            self._delivery.then(partial(self._away_callback, away))

    def _lost(self, reason: str) -> None:
        was_connected = self._status.state is EngineState.CONNECTED
        self._status.error = reason
        self._status.state = EngineState.RECONNECTING  # after the reason, so that nobody sees one without the other
        self._tell_away(True)
        if self._stopping.is_set() or reason in self._told:
            return
        if was_connected and self._was_good():
            # Filters in front of an engine cut a stream every few minutes. It is news only if it cannot be taken up.
            self._cut = True
            log.debug("engine: %s; taking it up again", reason)
            return
        self._told.add(reason)  # each reason once per outage, however often it is tried again
        if was_connected or self._cut:
            self._cut = False
            log.warning("engine: lost (%s); serving on with what is known, trying again", reason)
        else:
            log.warning("engine: not reached (%s); serving without it, trying again", reason)

    def _stumbled(self, error: Exception) -> None:
        what = f"discovery stumbled over {type(error).__name__}: {error}"
        if what != self._stumbled_over:  # it may well be the same at each try
            log.error("engine: %s; serving on with what is known, trying again", what, exc_info=error)
        self._status.error = self._stumbled_over = what
        self._status.state = EngineState.RECONNECTING
        self._tell_away(True)

    def _was_good(self) -> bool:
        """Whether the connection that ended has lasted."""
        return time.monotonic() - self._connected_at >= self._timing.backoff_reset

    def _pause(self, seconds: float) -> None:
        """Wait; Stop ends it, and what old readers queued is thrown away."""
        deadline = time.monotonic() + seconds
        while not self._stopping.is_set() and (wait := deadline - time.monotonic()) > 0:
            try:
                self._inbox.get(timeout=wait)
            except Empty:
                return

    def _publish(self, snapshot: Snapshot) -> None:
        """Hand over to the loop what has changed; called in our thread."""
        if snapshot == self._published or self._stopping.is_set():
            return
        moment = self._event_times.take(snapshot.changed_since(self._published)) if self._published is not None else 0
        self._published = snapshot
        try:
            self._delivery.put(snapshot, moment)
        except RuntimeError:  # the loop was closed: the process is ending
            self._stopping.set()
            raise Stopped from None

    def _deliver(self, snapshot: Snapshot, moment: int) -> None:
        """In the loop's thread; `moment` is when the engine told of what has changed, or 0."""
        if self._stopping.is_set():
            return
        self._callback(snapshot)
        if moment:
            self._status.lag.add(max(0.0, time.time() - moment / 1e9))
