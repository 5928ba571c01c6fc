"""How late discovery is: from the event at the engine to the snapshot that it changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dockerproxy.demo import ContainerSpec, EmbeddedEngine
from dockerproxy.discovery import ContainerView, Snapshot
from dockerproxy.discovery.following.event_times import EventTimes
from tests.discovery.support import watching

SECOND = 10**9  # nanoseconds
ONE, TWO = (ContainerView(name, name, 1.0, "running") for name in ("one", "two"))


def test_the_earliest_event_about_what_has_changed_counts_once() -> None:
    event_times = EventTimes()
    event_times.note("one", 5)
    event_times.note("two", 7)
    event_times.note("other", 1)

    assert event_times.take(["one", "two", "never told of"]) == 5
    assert event_times.take(["one", "two"]) == 0
    assert event_times.take(["other"]) == 1


def test_of_several_events_about_a_container_the_last_one_counts() -> None:
    event_times = EventTimes()
    event_times.note("one", 5)
    event_times.note("one", 9)
    assert event_times.take(["one"]) == 9


def test_an_event_without_effect_is_forgotten_after_a_minute() -> None:
    event_times = EventTimes()
    event_times.note("old", 5 * SECOND)
    event_times.note("young", 6 * SECOND)
    event_times.note("one", 65 * SECOND)
    assert repr(event_times) == "<EventTimes: 2 containers>"
    assert event_times.take(["old"]) == 0
    assert event_times.take(["young"]) == 6 * SECOND


def test_a_snapshot_knows_what_came_went_or_changed() -> None:
    before = Snapshot("engine", (ONE, TWO))
    assert Snapshot("engine", (ONE, TWO)).changed_since(before) == []
    assert Snapshot("engine", (ONE,)).changed_since(before) == ["two"]
    assert Snapshot("engine", (ONE, replace(TWO, state="paused"))).changed_since(before) == ["two"]
    assert before.changed_since(Snapshot("engine", (TWO,))) == ["one"]


async def test_the_lag_is_measured_for_what_an_event_told_and_for_nothing_else(path: Path) -> None:
    labels = {"dockerproxy.host": "blog.localhost"}
    first, second = (ContainerSpec(name, labels=labels) for name in ("first", "second"))
    async with EmbeddedEngine(path, [first]) as engine, watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"first"})
        assert watched.status.lag.count == 0  # it was there before us

        await engine.containers.add(second)
        await watched.sees(lambda seen: seen.routed() == {"first", "second"})
        assert watched.status.lag.count >= 1
        assert 0 <= watched.status.lag.total < 60
