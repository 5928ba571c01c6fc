"""Follower: discovery for the life of one connection: subscribe, list, act on events, look whether the engine lives.

Runs in the watcher's thread and ends by EngineLost, or when the inbox says Stop. What must survive the connection (the
containers as last listed, who drains, which events were seen) is handed in.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Set
from dataclasses import dataclass, field, replace
from queue import Empty
from typing import Any

from dockerproxy.discovery.containers.fleet import Fleet
from dockerproxy.discovery.engine.client import Engine, StopProfile
from dockerproxy.discovery.engine.events import (
    KILL,
    OWN_SIGNAL,
    TERM,
    Ended,
    EngineLost,
    Event,
    EventReader,
    Inbox,
    Message,
    Revived,
    Stop,
    Subscribed,
    Timeline,
)
from dockerproxy.discovery.engine.exposed_ports import ExposedPorts
from dockerproxy.discovery.engine.unlisted import Unlisted
from dockerproxy.discovery.following.draining import Draining
from dockerproxy.discovery.following.ended_by_hand import EndedByHand
from dockerproxy.discovery.following.event_times import EventTimes
from dockerproxy.discovery.following.exits import Exits
from dockerproxy.discovery.following.pace import Pace
from dockerproxy.discovery.following.relisting import Relisting
from dockerproxy.discovery.snapshot import Snapshot
from dockerproxy.discovery.status import DiscoveryStatus
from dockerproxy.discovery.timing import Timing

# Up to so many containers are listed by id, which costs the engine and us little; beyond it, the whole list is cheaper.
MOST_BY_ID = 50
HEALTHY, UNHEALTHY = "healthy", "unhealthy"
# Before the first event, `since` goes by our own clock; the engine's may be a little behind.
CLOCK_MARGIN = 5  # seconds

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The inbox said Stop."""


@dataclass(slots=True)
class Known:
    """What is known of one engine, and survives every connection to it."""

    fleet: Fleet
    draining: Draining
    timeline: Timeline = field(default_factory=Timeline)
    event_times: EventTimes = field(default_factory=EventTimes)
    exits: Exits = field(default_factory=Exits)
    endings: EndedByHand = field(default_factory=EndedByHand)
    exposed: ExposedPorts = field(default_factory=ExposedPorts)
    unlisted: Unlisted = field(default_factory=Unlisted)
    stop_profiles: dict[str, StopProfile] = field(default_factory=dict)

    def keep(self, containers: Set[str]) -> None:
        """Forget all other containers: of some the end is not told, while there is no connection."""
        self.exposed.keep(containers)
        self.unlisted.keep(containers)
        self.exits.keep(containers)
        self.endings.keep(containers)
        self.stop_profiles = {each: profile for each, profile in self.stop_profiles.items() if each in containers}


class Follower:
    """Follows one connected engine.

    resync:  seconds between whole lists without any event
    publish: takes each snapshot, equal ones too
    """

    def __init__(
        self,
        engine: Engine,
        known: Known,
        inbox: Inbox,
        status: DiscoveryStatus,
        publish: Callable[[Snapshot], None],
        resync: float,
        timing: Timing,
    ) -> None:
        self._engine = engine
        self._known = known
        self._inbox = inbox
        self._status = status
        self._publish = publish
        self._resync = resync
        self._timing = timing
        self._reader = EventReader(engine, self._since(), inbox)
        self._dirty: set[str] = set()
        self._restarted: set[str] = set()
        self._relisting = Relisting()
        self._list_all_at = math.inf
        self._list_after = 0.0
        self._list_pace = Pace(timing.list_burst, timing.list_every)
        self._ping_at = math.inf

    def __repr__(self) -> str:
        return f"<Follower of {self._engine!r}, {len(self._dirty)} containers to list>"

    def begin(self) -> None:
        """Subscribe, then list: nothing falls in between. Raises EngineLost, Stopped."""
        self._known.unlisted.doubt()
        self._reader.start()
        deadline = time.monotonic() + self._timing.request_timeout
        while not isinstance(message := self._next(deadline - time.monotonic()), Subscribed):
            if message is None:
                raise EngineLost(f"{self._engine.host} does not send events in time: the engine hangs or is overloaded")
            self._handle(message)
        self._list_all()

    def follow(self) -> None:
        """Act on events and on the clock. Raises EngineLost, Stopped; never returns."""
        while True:
            self._take_events()
            self._list_if_due()
            self._look_after_draining()
            self._ping_if_due()

    def close(self) -> None:
        """End the stream of events."""
        self._reader.close()

    def _since(self) -> int:
        """From when events are to be repeated, in seconds: nothing that happens while we connect may be lost."""
        last = self._known.timeline.last_moment
        return last // 10**9 if last else int(time.time()) - CLOCK_MARGIN

    def _take_events(self) -> None:
        """Wait for something to do; take all that is queued, and tell at once who drains."""
        before = set(self._known.draining.containers)
        message = self._next(self._next_due() - time.monotonic())
        while message is not None:
            self._handle(message)
            message = self._next(0)
        # One that was started again in the meantime waits for its list, which is due now, too.
        if self._known.draining.containers - before - self._restarted:
            self._publish_snapshot()

    def _next(self, seconds: float) -> Message | None:
        """The next message of our reader, or None after `seconds`. Raises Stopped."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                wait = deadline - time.monotonic()
                reader, message = self._inbox.get(block=wait > 0, timeout=wait if wait > 0 else None)
            except Empty:
                return None
            if isinstance(message, Stop):
                raise Stopped
            if reader is self._reader or isinstance(message, Revived):
                return message

    def _next_due(self) -> float:
        list_at = self._list_after if self._dirty else self._list_all_at
        waiting = self._known.draining.next_due(), self._relisting.next_due()
        return min(list_at, self._list_all_at, self._ping_at, *waiting)

    def _handle(self, message: Message) -> None:
        if isinstance(message, Ended):
            raise EngineLost(message.reason)
        if isinstance(message, Revived) and message.container in self._known.draining:
            self._lives_on(message.container, "an operator says so")
        if isinstance(message, Event) and self._known.timeline.is_new(message):
            self._status.events += 1
            self._status.last_event_at = time.time()
            self._act_on(message)

    def _act_on(self, event: Event) -> None:
        ends = event.container in self._known.fleet and self._ends(event)
        by_hand = ends and event.action == "die" and self._engine.stopped_by_hand(event.container)
        self._note_ending(event, ends, by_hand)
        if ends:
            self._log_exit(event, by_hand)
            self._begin_draining(event)
            self._known.event_times.note(event.container, event.moment)
            self._restarted.discard(event.container)
        if event.action == "kill":
            if not event.signal:  # whichever it was; its exit code will tell
                self._known.exits.signalled(event.container, killed=True)
            return  # nothing that a list could tell has changed
        if event.action == "start":
            self._restarted.add(event.container)
            self._known.exits.survived(event.container)
        if event.action == "health_status" and self._known.draining.recovers(event.container, event.health == HEALTHY):
            self._lives_on(event.container, "its health check, which had failed, succeeds again")
        if not self._known.unlisted.heard(event):
            return  # a check that has found what the one before has found
        if event.action == "destroy":
            self._known.stop_profiles.pop(event.container, None)
        if event.container:
            self._known.event_times.note(event.container, event.moment)
            self._dirty.add(event.container)
            self._relisting.begin(event.container, event.action, time.monotonic())
        else:
            self._list_all_at = 0.0

    def _begin_draining(self, event: Event) -> None:
        unhealthy = self._known.fleet.health(event.container) == UNHEALTHY
        self._known.draining.begin(
            event.container, time.monotonic(), moment=event.moment, signal=max(event.signal, 0), unhealthy=unhealthy
        )

    def _lives_on(self, container: str, why: str) -> None:
        """It was told to stop, and is known not to."""
        view = self._known.fleet.served(container)
        if view is not None:
            log.info("%s: was told to stop, but lives on: %s", view.name, why)
        self._known.draining.end(container)
        self._known.exits.survived(container)
        self._known.endings.lives(container)
        self._dirty.add(container)

    def _log_exit(self, event: Event, by_hand: bool | None) -> None:
        """Tell of an end that nobody asked for, if it is one of a container that was routed.

        by_hand: whether the engine says that it was asked for; None: it does not say
        """
        exits = self._known.exits
        if event.action == "kill":
            exits.signalled(event.container, killed=event.signal == KILL)
            return
        view = self._known.fleet.served(event.container)  # a list may have been faster than the event
        if view is None:
            exits.survived(event.container)
            return
        line = exits.ended(
            event.container,
            view.name,
            event.exit_code,
            time.monotonic(),
            by_hand=by_hand,
            program=self._engine.program,
        )
        if line is not None:
            log.log(line.level, "%s", line.text)

    def _note_ending(self, event: Event, ends: bool, by_hand: bool | None) -> None:
        """What tells whether a person has ended it; `ends`: as `_ends` says; `by_hand`: as the engine says."""
        endings, now = self._known.endings, time.monotonic()
        if event.action == "start":
            endings.lives(event.container)
        elif event.action == "destroy" and (event.container in self._known.fleet or event.container in endings):
            endings.removed(event.container, now)
        elif (event.action == "stop" and event.container in self._known.fleet) or (ends and event.action == "kill"):
            endings.signalled(event.container)
        elif ends:
            if by_hand:
                endings.signalled(event.container)
            endings.died(event.container, now)

    def _ends(self, event: Event) -> bool:
        """Whether the container has died, which a list may not show yet, or got a signal that it is stopped by."""
        if event.action != "kill":
            return event.action == "die"
        if event.signal in (TERM, KILL, OWN_SIGNAL):
            return True
        profile = self._stop_profile(event.container)
        return profile is not None and event.signal == profile.signal != 0

    def _stop_profile(self, container: str) -> StopProfile | None:
        known = self._known.stop_profiles.get(container)
        if known is None:
            known = self._engine.stop_profile(container)
            if known is not None:
                self._known.stop_profiles[container] = known
        return known

    def _list_if_due(self) -> None:
        now = time.monotonic()
        self._dirty.update(self._relisting.due(now))
        if len(self._dirty) > MOST_BY_ID:
            self._list_all_at = min(self._list_all_at, self._list_after)
        if now >= self._list_all_at:
            self._resync_now()
        elif self._dirty and now >= self._list_after:
            self._list_some()

    def _resync_now(self) -> None:
        """List all; if that shows a change that no event told of, the stream is not to be trusted any more."""
        announced = bool(self._dirty or self._relisting) or self._list_all_at == 0.0
        before = self._routed()
        self._list_all()
        if not announced and self._inbox.empty() and self._routed() != before:
            raise EngineLost("its event stream had fallen silent")

    def _routed(self) -> frozenset[str]:
        snapshot = self._known.fleet.snapshot(self._known.draining.containers)
        return frozenset(view.id for view in snapshot.containers if view.routed)

    def _list_all(self) -> None:
        began = time.monotonic()
        listed = self._listed_by_engine()
        self._known.fleet.replace(listed)
        self._known.keep({data["Id"] for data in listed})
        self._look_for_restarts()
        self._list_all_at = time.monotonic() + self._resync
        self._listed(began)

    def _look_for_restarts(self) -> None:
        """Whom an event told to stop, may have been started anew without another event, while we were not connected."""
        for container in list(self._known.draining.containers):
            if self._known.fleet.alive(container):
                started = self._engine.started_at(container)
                if self._known.draining.began_before(container, started):
                    self._restarted.add(container)
                    self._known.exits.survived(container)
                    self._known.endings.lives(container)

    def _list_some(self) -> None:
        began = time.monotonic()
        self._known.fleet.update(self._dirty, self._listed_by_engine(self._dirty))
        self._listed(began)

    def _listed_by_engine(self, ids: Collection[str] = ()) -> list[dict[str, Any]]:
        """All containers, or these, each with what its list leaves out."""
        listed = self._engine.containers(ids)
        self._known.unlisted.complete(listed, self._known.fleet.concerns, self._engine.inspected)
        self._known.exposed.complete(listed, self._known.fleet.lacks_port, self._engine.exposed_ports)
        return listed

    def _listed(self, began: float) -> None:
        if self._known.fleet.lacks_networks():
            self._known.fleet.learn_networks(self._engine.networks())
        now = time.monotonic()
        self._list_pace.took(now)
        pause = min(self._timing.coalesce, (now - began) * self._timing.coalesce_factor)
        self._list_after = max(now + pause, self._list_pace.next())
        self._ping_at = now + self._timing.ping_every
        self._status.last_sync_at = time.time()
        self._status.listing = self._known.fleet.listing
        self._status.own = self._known.fleet.own
        # Only now: until it is listed anew, a container that died or came back is known as it was when told to stop.
        for container in list(self._known.draining.containers):
            if container in self._restarted or not self._known.fleet.alive(container):
                self._known.draining.end(container)
        for container in self._dirty:
            self._relisting.listed(container, self._known.fleet.state(container))
        self._dirty.clear()
        self._restarted.clear()
        self._publish_snapshot()

    def _publish_snapshot(self) -> None:
        snapshot = self._known.fleet.snapshot(self._known.draining.containers)
        self._publish(replace(snapshot, endings=self._known.endings.found))

    def _look_after_draining(self) -> None:
        """Of those that take long: ask whether their signal was one to stop them, and for how long they may take."""
        now = time.monotonic()
        draining = self._known.draining
        for container in draining.to_look_up(now):
            profile = self._stop_profile(container)
            if profile is not None and draining.signal(container) not in (KILL, profile.signal or TERM, 0):
                self._lives_on(container, "that is not the signal that it is stopped by")
            draining.set_grace(container, profile.grace if profile is not None else None)
        for container in draining.overdue(now):
            self._tell_overdue(container)

    def _tell_overdue(self, container: str) -> None:
        view = self._known.fleet.served(container)
        if view is None or not self._known.fleet.alive(container):
            return
        log.warning(
            "%s: was told to stop and still runs; it gets no requests until its end or its next start; if it is"
            " to go on serving: dockerproxy undrain %s", view.name, view.name,
        )  # fmt: skip

    def _ping_if_due(self) -> None:
        if time.monotonic() >= self._ping_at:
            self._engine.ping()
            self._ping_at = time.monotonic() + self._timing.ping_every
