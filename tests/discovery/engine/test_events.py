"""Events: which lines of the engine's stream matter, and what they say."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from dockerproxy.discovery.engine.events import (
    _REMEMBERED,
    Ended,
    Event,
    EventReader,
    Inbox,
    Subscribed,
    Timeline,
    signal_number,
)
from dockerproxy.discovery.engine.podman import PODMAN_FILTERS, podman_event
from tests.support.waiting import DEADLINE

ID = "a" * 64


def line(action: str, kind: str = "container", **attributes: str) -> dict[str, Any]:
    """A line of `GET /events`, as Docker 20.10 writes it."""
    actor = ID if kind == "container" else "n" * 64
    return {
        "Type": kind,
        "Action": action,
        "Actor": {"ID": actor, "Attributes": {"image": "web", **attributes}},
        "scope": "local",
        "time": 1_700_000_000,
        "timeNano": 1_700_000_000_123_456_789,
    }


@pytest.mark.parametrize(
    "action",
    ["create", "start", "die", "stop", "pause", "unpause", "health_status: healthy", "rename", "update", "destroy"],
)
def test_container_events_that_matter(action: str) -> None:
    event = Event.from_json(line(action))
    assert event == Event("container", action.split(":")[0], ID, 0, 1_700_000_000_123_456_789)


@pytest.mark.parametrize(("podman", "docker"), [("remove", "destroy"), ("died", "die")])
def test_what_podman_calls_otherwise_is_understood(podman: str, docker: str) -> None:
    assert podman_event(line(podman)) == Event.from_json(line(docker))
    assert podman in PODMAN_FILTERS["event"]


@pytest.mark.parametrize("action", ["exec_start: /bin/check", "exec_die", "attach", "top", "resize"])
def test_other_container_events_do_not(action: str) -> None:
    assert Event.from_json(line(action)) is None


def test_a_kill_tells_its_signal() -> None:
    event = Event.from_json(line("kill", signal="15"))
    assert event is not None
    assert event.signal == 15


def test_an_engine_may_write_a_signal_as_a_number() -> None:
    event = Event.from_json({**line("kill"), "Actor": {"ID": ID, "Attributes": {"signal": 15}}})
    assert event is not None
    assert event.signal == 15


class Stream:
    """What the reader of events is given."""

    def __iter__(self) -> Iterator[Event]:
        event = Event.from_json({**line("die"), "timeNano": 0, "time": [1]})
        assert event is not None
        yield event

    def close(self) -> None:
        """Nothing is open."""

    release = close


class Source:
    """An engine whose events nobody understands."""

    def events(self, _since: int) -> Any:
        return Stream()


def test_an_event_that_cannot_be_read_ends_the_stream_with_a_reason() -> None:
    inbox: Inbox = SimpleQueue()
    EventReader(Source(), 0, inbox).start()
    messages = [inbox.get(timeout=DEADLINE)[1] for _ in range(2)]
    assert isinstance(messages[0], Subscribed)
    assert isinstance(messages[1], Ended)
    assert messages[1].reason.startswith("it sent an event that cannot be read (TypeError")


def test_network_events_are_about_a_container() -> None:
    event = Event.from_json(line("connect", "network", container=ID, name="front"))
    assert event is not None
    assert event.container == ID
    nameless = Event.from_json(line("disconnect", "network"))
    assert nameless is not None
    assert nameless.container == ""
    assert Event.from_json(line("create", "network")) is None
    assert Event.from_json(line("pull", "image")) is None


def test_old_engines_write_status_and_id() -> None:
    event = Event.from_json({"status": "die", "id": ID, "from": "web", "time": 1_700_000_000})
    assert event == Event("container", "die", ID, 0, 1_700_000_000_000_000_000)


@pytest.mark.parametrize(
    ("text", "number"),
    [("15", 15), ("SIGTERM", 15), ("quit", 3), ("SIGRTMIN+3", 37), ("RTMIN", 34), ("SIGWINCH", 28), ("", 0), ("X", 0)],
)
def test_signals_by_name_or_number(text: str, number: int) -> None:
    assert signal_number(text) == number


def test_a_replayed_event_is_not_new_and_late_ones_are() -> None:
    timeline = Timeline()
    first, second = Event("container", "die", ID, 0, 2), Event("container", "start", ID, 0, 1)
    assert [timeline.is_new(event) for event in (first, second, first, second)] == [True, True, False, False]


def test_only_the_latest_events_are_remembered() -> None:
    timeline = Timeline()
    events = [Event("container", "die", ID, 0, moment) for moment in range(1, _REMEMBERED + 2)]
    assert all(timeline.is_new(event) for event in events)
    assert timeline.last_moment == _REMEMBERED + 1
    assert not timeline.is_new(events[1])
    assert timeline.is_new(events[0])
