"""The watcher against the embedded engine: what happens there is published here."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from dockerproxy.demo import ContainerSpec, EmbeddedEngine, Health
from dockerproxy.demo.containers.container import Container, State
from dockerproxy.demo.engine import shapes
from dockerproxy.demo.refusals import NotFound
from dockerproxy.discovery import DiscoveryStatus, EngineState, Watcher
from dockerproxy.discovery.containers.fleet import Fleet
from dockerproxy.discovery.engine.client import Engine
from dockerproxy.discovery.snapshot import Ending
from dockerproxy.discovery.timing import Timing
from dockerproxy.settings import DockerSettings
from tests.discovery.support import Watched, eventually, hanging_engine, watching

LABELS = {"dockerproxy.host": "blog.localhost", "com.docker.compose.service": "blog"}
SOON = Timing(backoff_first=0.01, backoff_most=0.05)  # takes up again soon, and is patient with a busy machine
QUICK = replace(SOON, ping_every=0.1, ping_timeout=0.3, request_timeout=0.5)  # finds silence soon, and busyness too
SURVIVES = Timing(stop_grace=0.2, stop_margin=0.1, grace_lookup=0.05)


def blog(name: str = "blog-1", labelled: Mapping[str, str] = {}, **more: object) -> ContainerSpec:
    return ContainerSpec(name, labels={**LABELS, **labelled}, **more)  # type: ignore[arg-type]  # fields of ContainerSpec


@pytest.fixture
async def engine(path: Path) -> AsyncIterator[EmbeddedEngine]:
    async with EmbeddedEngine(path, [blog("blog-1"), blog("blog-2"), ContainerSpec("stranger")]) as engine:
        yield engine


async def test_the_first_snapshot_holds_what_runs_already(engine: EmbeddedEngine) -> None:
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        assert {view.name for view in watched.snapshots[-1].containers} == {"blog-1", "blog-2"}
        assert watched.threads == {threading.main_thread().name}
        await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)
        assert watched.status.engine.endswith(f"at {engine.base_url}")
        assert watched.status.last_sync_at is not None
        assert engine.base_url in repr(watched.watcher)
        assert "2 labelled containers" in repr(watched.watcher)


async def test_a_container_that_is_only_created_is_known_at_once(engine: EmbeddedEngine) -> None:
    def known(seen: Watched) -> set[str]:
        listing = seen.status.listing
        strangers = {entry.name for entry in listing.strangers} if listing is not None else set()
        return strangers | {view.name for view in seen.snapshots[-1].containers}

    async with watching(engine.base_url, resync=3600.0) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        await engine.containers.add(ContainerSpec("plain", running=False))
        await engine.containers.add(blog("blog-3", running=False))
        await watched.sees(lambda seen: {"plain", "blog-3"} <= known(seen))
        assert watched.routed() == {"blog-1", "blog-2"}


async def test_a_port_that_the_list_does_not_show_is_asked_for_once(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(shapes, "_ports", lambda _container: [])  # so it is on an internal network
    answer = shapes.inspect

    def inspect(container: Container) -> dict[str, Any]:
        asked.append(container.name)
        return answer(container)

    monkeypatch.setattr(shapes, "inspect", inspect)
    await engine.containers.add(blog("told", labelled={"dockerproxy.port": "8080"}))
    await engine.containers.add(blog("silent", exposed=False))

    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2", "told"})
        first = watched["blog-1"]
        assert first.exposed == (first.wishes[0].upstream.port,)
        assert "exposes no TCP port" in watched["silent"].reasons[0]
        await engine.containers.add(blog("blog-3"))
        await watched.sees(lambda seen: "blog-3" in seen.routed())
        await engine.containers.pause("blog-1")
        await watched.sees(lambda seen: "blog-1" not in seen.routed())
        assert sorted(asked) == ["blog-1", "blog-2", "blog-3", "silent"]


async def test_what_networks_are_like_is_asked_once_and_again_when_there_is_a_new_one(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[dict[str, Any]]] = []
    ask = Engine.networks

    def networks(self: Engine) -> list[dict[str, Any]]:
        asked.append(ask(self))
        return asked[-1]

    monkeypatch.setattr(Engine, "networks", networks)
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        await engine.containers.add(blog("blog-3"))
        await watched.sees(lambda seen: "blog-3" in seen.routed())
        assert len(asked) == 1
        isolated = {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}
        engine.containers.networks.ensure("lonely", isolated)
        await engine.containers.add(blog("lost", networks=("lonely",)))
        await watched.sees(lambda seen: "gateway_mode_ipv4=isolated" in str(seen["lost"].reasons))
        assert len(asked) == 2


async def test_an_engine_that_does_not_tell_of_its_networks_is_followed_all_the_same(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise NotFound("no such page, as behind a socket filter")

    monkeypatch.setattr(shapes, "network_entry", refuse)
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})


async def test_an_engine_without_labelled_containers_gives_an_empty_snapshot(path: Path) -> None:
    async with EmbeddedEngine(path, [ContainerSpec("stranger")]) as engine, watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.snapshots)
        assert watched.snapshots[0].containers == ()


async def test_start_stop_rename_pause_and_removal_are_followed(engine: EmbeddedEngine) -> None:
    acts = engine.containers
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        await acts.add(blog("blog-3"))
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2", "blog-3"})
        await acts.stop("blog-3")
        await watched.sees(lambda seen: seen["blog-3"].state == "exited" and not seen["blog-3"].routed)
        await acts.start("blog-3")
        await watched.sees(lambda seen: "blog-3" in seen.routed())
        await acts.pause("blog-1")
        await watched.sees(lambda seen: seen["blog-1"].reasons and "paused" in seen["blog-1"].reasons[0])
        await acts.unpause("blog-1")
        await watched.sees(lambda seen: "blog-1" in seen.routed())
        await acts.rename("blog-2", "renamed")
        await watched.sees(lambda seen: "renamed" in seen.routed())
        await acts.remove("blog-3", force=True)
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "renamed"})
        assert watched.status.events > 0
        assert watched.status.last_event_at is not None


async def test_a_container_with_a_health_check_joins_and_leaves_with_its_health(engine: EmbeddedEngine) -> None:
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.snapshots)
        await engine.containers.add(blog("sick", health=Health.STARTING))
        await watched.sees(lambda seen: "has not succeeded yet" in str(seen["sick"].reasons))
        engine.containers.set_health("sick", Health.HEALTHY)
        await watched.sees(lambda seen: "sick" in seen.routed())
        engine.containers.set_health("sick", Health.UNHEALTHY)
        await watched.sees(lambda seen: "health check fails" in str(seen["sick"].reasons))


async def test_networks_are_followed(engine: EmbeddedEngine) -> None:
    await engine.containers.add(ContainerSpec("lost", labels={**LABELS, "dockerproxy.network": "front"}))
    engine.containers.networks.ensure("front")
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: "docker network connect front lost" in str(seen["lost"].reasons))
        await engine.containers.connect("front", "lost")
        await watched.sees(lambda seen: "lost" in seen.routed())
        await engine.containers.disconnect("front", "lost")
        await watched.sees(lambda seen: "lost" not in seen.routed())


async def test_a_stop_signal_drains_before_the_container_dies(engine: EmbeddedEngine) -> None:
    await engine.containers.add(blog("slow", stubborn=True))
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: "slow" in seen.routed())
        await engine.containers.kill("slow", "SIGTERM")
        await watched.sees(lambda seen: seen.draining() == {"slow"})
        assert watched["slow"].state == "running"
        assert watched["slow"].routed
        # A list in between must not bring it back.
        await engine.containers.add(blog("blog-3"))
        await watched.sees(lambda seen: "blog-3" in seen.routed())
        assert watched.draining() == {"slow"}
        await engine.containers.stop("slow", timeout=0)
        await watched.sees(lambda seen: seen["slow"].state == "exited")
        in_rotation = _rotation(watched, "slow")
        assert in_rotation == sorted(in_rotation, reverse=True), "once out of rotation, it never came back"


def _rotation(watched: Watched, name: str) -> list[bool]:
    """Whether the container was in rotation, snapshot by snapshot."""
    return [
        any(wish.upstream.in_rotation for wish in view.wishes)
        for snapshot in watched.snapshots
        for view in snapshot.containers
        if view.name == name
    ]


async def test_a_stop_with_a_long_grace_is_not_taken_for_a_survival(
    engine: EmbeddedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await engine.containers.add(blog("tough", stubborn=True))
    async with watching(engine.base_url, SURVIVES, resync=0.05) as watched:
        await watched.sees(lambda seen: "tough" in seen.routed())
        stopping = asyncio.create_task(engine.containers.stop("tough", timeout=None))  # as long as it takes
        await watched.sees(lambda _: "dockerproxy undrain tough" in caplog.text)
        synced = watched.status.last_sync_at or 0
        await watched.sees(lambda seen: (seen.status.last_sync_at or 0) > synced)
        engine.containers.find("tough").abort()
        await stopping
        await watched.sees(lambda seen: seen["tough"].state == "exited")
        in_rotation = _rotation(watched, "tough")
        assert in_rotation == sorted(in_rotation, reverse=True), "once out of rotation, it never came back"
    assert exits(caplog) == [], "its end is none that nobody asked for"
    assert caplog.text.count("was told to stop and still runs") == 1


async def test_a_survivor_of_the_signal_comes_back_when_its_health_check_succeeds_again(engine: EmbeddedEngine) -> None:
    await engine.containers.add(blog("tough", stubborn=True, health=Health.HEALTHY))
    async with watching(engine.base_url, SURVIVES) as watched:
        await watched.sees(lambda seen: "tough" in seen.routed())
        await engine.containers.kill("tough", "SIGTERM")
        await watched.sees(lambda seen: seen.draining() == {"tough"})
        engine.containers.set_health("tough", Health.UNHEALTHY)
        await watched.sees(lambda seen: seen["tough"].reasons)
        engine.containers.set_health("tough", Health.HEALTHY)
        await watched.sees(lambda seen: "tough" in seen.routed())


async def test_a_survivor_of_the_signal_comes_back_when_an_operator_says_so(engine: EmbeddedEngine) -> None:
    await engine.containers.add(blog("tough", stubborn=True))
    async with watching(engine.base_url, SOON) as watched:
        await watched.sees(lambda seen: "tough" in seen.routed())
        await engine.containers.kill("tough", "SIGTERM")
        await watched.sees(lambda seen: seen.draining() == {"tough"})
        await watched.sees(lambda seen: watched.watcher.revive(seen["tough"].id))
        await watched.sees(lambda seen: "tough" in seen.routed())
        await engine.stop(keep_containers=True)
        await watched.sees(lambda seen: seen.status.error)
        assert not watched.watcher.revive(watched["tough"].id), "nobody knows whether it has ended meanwhile"


async def test_one_that_was_started_anew_comes_back_though_no_event_told_of_it(engine: EmbeddedEngine) -> None:
    await engine.containers.add(blog("tough", stubborn=True))
    async with watching(engine.base_url, SOON) as watched:
        await watched.sees(lambda seen: "tough" in seen.routed())
        await engine.containers.kill("tough", "SIGTERM")
        await watched.sees(lambda seen: seen.draining() == {"tough"})
        await engine.stop(keep_containers=True)
        await engine.containers.restart("tough", timeout=0)
        engine.events.clear()
        await engine.start()
        await watched.sees(lambda seen: "tough" in seen.routed())


async def test_a_signal_that_is_not_the_one_a_container_is_stopped_by_lets_it_come_back(engine: EmbeddedEngine) -> None:
    await engine.containers.add(blog("init", stubborn=True, stop_signal="SIGWINCH"))
    async with watching(engine.base_url, SURVIVES) as watched:
        await watched.sees(lambda seen: "init" in seen.routed())
        await engine.containers.kill("init", "SIGTERM")
        await watched.sees(lambda seen: seen.drained() == {"init"})
        await watched.sees(lambda seen: "init" in seen.routed())


async def test_a_stop_signal_of_its_own_drains_and_other_signals_do_not(engine: EmbeddedEngine) -> None:
    await engine.containers.add(blog("nginx", stubborn=True, stop_signal="SIGQUIT"))
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: "nginx" in seen.routed())
        before = len(watched.snapshots)
        await engine.containers.kill("nginx", "SIGHUP")
        await watched.sees(lambda seen: seen.status.events)
        events = watched.status.events
        await engine.containers.kill("nginx", "SIGQUIT")
        await watched.sees(lambda seen: seen.draining() == {"nginx"})
        assert watched.status.events > events
        assert len(watched.snapshots) == before + 1, "SIGHUP published nothing"


async def test_a_restart_brings_it_back_at_once_with_its_new_address(engine: EmbeddedEngine) -> None:
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: "blog-1" in seen.routed())
        await engine.containers.restart("blog-1")
        new = engine.containers.find("blog-1").address
        assert new is not None
        await watched.sees(lambda seen: "blog-1" in seen.routed() and seen["blog-1"].address == f"{new[0]}:{new[1]}")


async def test_many_changes_at_once_need_few_snapshots(engine: EmbeddedEngine) -> None:
    async with watching(engine.base_url, Timing(coalesce=0.5, coalesce_factor=1000)) as watched:
        await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)
        for number in range(100):
            await engine.containers.add(blog(f"many-{number}", address="127.0.0.1:9"))
        await watched.sees(lambda seen: len(seen.routed()) == 102)
        assert len(watched.snapshots) < 40


async def test_a_container_of_which_the_engine_says_nonsense_costs_nobody_else(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    list_entry = shapes.list_entry

    def with_nonsense(container: Container, now: int) -> dict[str, Any]:
        entry: dict[str, Any] = list_entry(container, now)
        return {**entry, "Ports": [{"Type": "tcp"}]} if container.name == "odd" else entry

    monkeypatch.setattr(shapes, "list_entry", with_nonsense)
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        odd = await engine.containers.add(blog("odd"))
        await engine.containers.add(blog("blog-3"))
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2", "blog-3"})
        await engine.containers.rename("blog-3", "blog-4")
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2", "blog-4"})
        assert watched.status.state is EngineState.CONNECTED
    (told,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert told.startswith(f"container {odd.id[:12]} is left out: what the engine says of it cannot be read (KeyError:")


async def test_a_fault_of_ours_is_told_once_and_does_not_end_discovery(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = []

    def fail(fleet: Fleet, _listed: object) -> NoReturn:
        tries.append(fleet)
        raise RuntimeError("no idea")

    with monkeypatch.context() as broken:
        broken.setattr(Fleet, "replace", fail)
        async with watching(engine.base_url, SOON) as watched:
            await watched.sees(lambda seen: "stumbled over RuntimeError: no idea" in seen.status.error)
            await watched.sees(lambda _: len(tries) > 3)
            broken.undo()
            await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)
            await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
            assert watched.status.error == ""
    assert sum("stumbled over" in record.getMessage() for record in caplog.records) == 1


async def test_the_engine_may_come_later(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dockerproxy.discovery")
    async with watching(f"unix://{path}", SOON) as watched:
        await watched.sees(lambda seen: "there is no socket" in seen.status.error)
        assert watched.status.state is EngineState.RECONNECTING
        async with EmbeddedEngine(path, [blog()]):
            await watched.sees(lambda seen: seen.routed() == {"blog-1"})
            await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)
            assert watched.status.error == ""
            assert watched.status.reconnects == 0
            told = [record.getMessage() for record in caplog.records]
    assert sum("there is no socket" in line for line in told) == 1
    assert sum("engine: connected to Docker" in line for line in told) == 1


async def test_an_event_that_comes_before_the_list_shows_the_change_is_not_lost(engine: EmbeddedEngine) -> None:
    container = engine.containers.find("blog-1")
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)
        # As Docker 20.10 does it: the event first, the state that the list shows some milliseconds later.
        engine.events.emit("container", "pause", container.id, {"name": "blog-1"})
        told = time.time()
        await watched.sees(lambda seen: (seen.status.last_sync_at or 0) > told)
        container.pause()
        await watched.sees(lambda seen: seen["blog-1"].state == "paused")


async def test_a_container_that_crashes_leaves_at_once_although_the_list_is_late(engine: EmbeddedEngine) -> None:
    container = engine.containers.find("blog-1")
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        engine.events.emit("container", "die", container.id, {"name": "blog-1", "exitCode": "139"})
        await watched.sees(lambda seen: seen.routed() == {"blog-2"})
        assert watched["blog-1"].state == "running"


def exits(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was told of ends, without the hint where to look for more."""
    return [
        f"{record.levelname} {record.getMessage().partition('; ')[0]}"
        for record in caplog.records
        if " ended " in record.getMessage() or " was killed " in record.getMessage()
    ]


async def test_a_crash_is_told_with_its_exit_code(engine: EmbeddedEngine, caplog: pytest.LogCaptureFixture) -> None:
    container = engine.containers.find("blog-1")
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        engine.events.emit("container", "die", container.id, {"name": "blog-1", "exitCode": "3"})
        await watched.sees(lambda seen: seen.routed() == {"blog-2"})
    assert exits(caplog) == ["WARNING blog-1: ended with exit code 3 without being told to stop"]
    assert caplog.messages[-1].endswith("; see docker logs blog-1")


async def test_a_crash_is_told_although_a_list_was_faster_than_its_event(
    engine: EmbeddedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """When several die at once, the list that the first event leads to shows them all."""
    container = engine.containers.find("blog-1")
    lost = await engine.containers.add(blog("lost", labelled={"dockerproxy.port": "high"}))
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"} and seen["lost"].reasons)
        container.state = lost.state = State.EXITED
        engine.events.emit("container", "rename", container.id, {"name": "blog-1"})
        engine.events.emit("container", "rename", lost.id, {"name": "lost"})
        await watched.sees(lambda seen: {seen["blog-1"].state, seen["lost"].state} == {"exited"})
        engine.events.emit("container", "die", lost.id, {"name": "lost", "exitCode": "4"})
        engine.events.emit("container", "die", container.id, {"name": "blog-1", "exitCode": "3"})
        await watched.sees(lambda _: exits(caplog))
    assert exits(caplog) == ["WARNING blog-1: ended with exit code 3 without being told to stop"]


async def test_podman_does_not_say_whether_it_was_a_stop_and_so_do_we(
    engine: EmbeddedEngine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = shapes.version()
    monkeypatch.setattr(shapes, "version", lambda: {**version, "Components": [{"Name": "Podman Engine"}]})
    container = engine.containers.find("blog-1")
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        await watched.sees(lambda seen: seen.status.engine.startswith("Podman "))
        engine.events.emit("container", "die", container.id, {"name": "blog-1", "exitCode": "0"})
        engine.events.emit("container", "cleanup", container.id, {"name": "blog-1"})
        await watched.sees(lambda seen: "blog-1" not in seen.routed())
    assert not any("without being told to stop" in message for message in caplog.messages)


@pytest.fixture
def podman(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine calls itself Podman, and says of every container that ends that somebody has ended it."""
    version = shapes.version()
    monkeypatch.setattr(shapes, "version", lambda: {**version, "Components": [{"Name": "Podman Engine"}]})
    monkeypatch.setattr(Engine, "stopped_by_hand", lambda _engine, _container: True)


@pytest.mark.usefixtures("podman")
async def test_podman_is_asked_whether_a_container_that_has_ended_was_told_to(
    engine: EmbeddedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    stopped, killed = engine.containers.find("blog-1"), engine.containers.find("blog-2")
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        engine.events.emit("container", "die", stopped.id, {"name": "blog-1", "containerExitCode": "0"})
        await watched.sees(lambda seen: seen.snapshots[-1].endings == {stopped.id: Ending.STOPPED})
        engine.events.emit("container", "kill", killed.id, {"name": "blog-2"})
        engine.events.emit("container", "die", killed.id, {"name": "blog-2", "containerExitCode": "137"})
        await watched.sees(lambda seen: killed.id in seen.snapshots[-1].endings)
    assert exits(caplog) == ["WARNING blog-2: was killed by podman kill or podman rm -f (SIGKILL)"]


@pytest.mark.usefixtures("podman")
async def test_podman_tells_of_a_restart_before_the_application_hears_of_it(engine: EmbeddedEngine) -> None:
    container = engine.containers.find("blog-1")
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        engine.events.emit("container", "restart", container.id, {"name": "blog-1"})
        await watched.sees(lambda seen: seen.draining() == {"blog-1"})
        engine.events.emit("container", "start", container.id, {"name": "blog-1"})
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})


async def test_a_kill_is_told_and_a_stop_is_none_even_if_it_takes_a_kill(
    engine: EmbeddedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await engine.containers.add(blog("deaf", stubborn=True))
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2", "deaf"})
        await engine.containers.stop("deaf", timeout=0)
        await engine.containers.stop("blog-1")
        await watched.sees(lambda seen: seen.routed() == {"blog-2"})
        await engine.containers.restart("blog-2")
        await engine.containers.start("blog-1")
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        assert exits(caplog) == []
        await engine.containers.kill("blog-1")
        await watched.sees(lambda _: exits(caplog))
    assert exits(caplog) == ["WARNING blog-1: was killed by docker kill or docker rm -f (SIGKILL)"]


async def test_one_that_has_survived_a_signal_and_crashes_later_was_not_told_to_stop(
    engine: EmbeddedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    container = await engine.containers.add(blog("tough", stubborn=True))
    async with watching(engine.base_url, SURVIVES) as watched:
        await watched.sees(lambda seen: "tough" in seen.routed())
        await engine.containers.kill("tough", "SIGTERM")
        await watched.sees(lambda seen: seen.draining() == {"tough"})
        assert watched.watcher.revive(container.id)
        await watched.sees(lambda seen: "tough" in seen.routed())
        engine.events.emit("container", "die", container.id, {"name": "tough", "exitCode": "1"})
        await watched.sees(lambda seen: "tough" not in seen.routed())
    assert exits(caplog) == ["WARNING tough: ended with exit code 1 without being told to stop"]


async def test_a_cut_stream_loses_no_event(engine: EmbeddedEngine) -> None:
    async with watching(engine.base_url, SOON) as watched:
        await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)
        engine.cut_events()
        await engine.containers.stop("blog-1")
        await watched.sees(lambda seen: seen.routed() == {"blog-2"})
        await watched.sees(lambda seen: seen.status.reconnects >= 1)
        await engine.containers.start("blog-1")
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})


async def test_the_last_snapshot_stands_while_the_engine_is_restarted(
    engine: EmbeddedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dockerproxy.discovery")
    async with watching(engine.base_url, SOON) as watched:
        await watched.sees(lambda seen: seen.snapshots and seen.status.state is EngineState.CONNECTED)
        published = len(watched.snapshots)
        await engine.stop(keep_containers=True)
        # Not the end of the stream: after a connection that had lasted it is told only when it cannot be taken up.
        await watched.sees(lambda seen: "there is no socket" in seen.status.error)
        assert watched.status.state is EngineState.RECONNECTING
        assert len(watched.snapshots) == published
        await engine.start()
        await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)
        assert watched.status.reconnects == 1
        assert len(watched.snapshots) == published, "nothing has changed"
        await engine.containers.stop("blog-1")
        await watched.sees(lambda seen: seen.routed() == {"blog-2"})
    told = [record.getMessage() for record in caplog.records]
    assert any("engine: lost (" in line and "serving on with what is known" in line for line in told)
    assert any(line.endswith(" again") for line in told)


async def test_whoever_serves_is_told_that_the_engine_is_away_until_all_that_changed_meanwhile_is_known(
    engine: EmbeddedEngine,
) -> None:
    async with watching(engine.base_url, SOON) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        assert watched.away == []
        await engine.stop(keep_containers=True)
        await watched.sees(lambda seen: seen.away == [(True, len(seen.snapshots))])
        engine.containers.find("blog-1").state = State.EXITED  # while nobody could be told
        await engine.start()
        await watched.sees(lambda seen: len(seen.away) == 2)
        assert watched.routed() == {"blog-2"}
        assert watched.away[1] == (False, len(watched.snapshots))


async def test_an_engine_that_was_never_there_is_not_away(path: Path) -> None:
    async with watching(f"unix://{path}", SOON) as watched:
        await watched.sees(lambda seen: "there is no socket" in seen.status.error)
        async with EmbeddedEngine(path, [blog()]):
            await watched.sees(lambda seen: seen.routed() == {"blog-1"})
            await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)
        await watched.sees(lambda seen: seen.away)
        assert watched.away[0][0], "only now"


async def test_an_equal_snapshot_is_not_published(engine: EmbeddedEngine) -> None:
    async with watching(engine.base_url, resync=0.02) as watched:
        await watched.sees(lambda seen: seen.status.last_sync_at)
        synced = watched.status.last_sync_at
        await watched.sees(lambda seen: (seen.status.last_sync_at or 0) > (synced or 0) + 0.1)
        assert len(watched.snapshots) == 1


async def test_a_change_that_no_event_told_is_found_by_the_periodic_list_and_the_stream_is_renewed(
    engine: EmbeddedEngine,
) -> None:
    engine.events.clear()  # those from before are told again at the beginning, and lead to lists of their own
    async with watching(engine.base_url, QUICK, resync=0.1) as watched:
        await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)
        engine.containers.find("blog-1").health = Health.UNHEALTHY  # behind the back of the event log
        await watched.sees(lambda seen: seen.routed() == {"blog-2"})
        await watched.sees(lambda seen: seen.status.reconnects >= 1 and seen.status.state is EngineState.CONNECTED)


async def test_the_watchdog_finds_an_engine_that_has_fallen_silent(engine: EmbeddedEngine) -> None:
    async with _Freezable(engine.socket_path) as front, watching(front.host, QUICK) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        front.freeze()
        await watched.sees(lambda seen: "does not answer in time" in seen.status.error)
        assert watched.routed() == {"blog-1", "blog-2"}
        front.thaw()
        await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)


class _Freezable:
    """A socket before the engine's, whose bytes can be held up: what a hanging engine looks like."""

    def __init__(self, engine: Path) -> None:
        self._engine = engine
        self._path = engine.with_name("front.sock")
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.host = f"unix://{self._path}"

    def freeze(self) -> None:
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    async def __aenter__(self) -> _Freezable:
        self._server = await asyncio.start_unix_server(self._relay, self._path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.thaw()
        self._server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._engine)
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


async def test_stop_returns_soon_although_the_engine_hangs() -> None:
    with hanging_engine() as host:
        async with watching(host, Timing(ping_timeout=30, stop_wait=0.2)) as watched:
            await eventually(lambda: _thread("dockerproxy-discovery"))
            began = time.monotonic()
            watched.watcher.stop()
            watched.watcher.stop()
            assert time.monotonic() - began < 10
    assert watched.snapshots == []


async def test_after_stop_nothing_is_published_and_no_thread_is_left(engine: EmbeddedEngine) -> None:
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.status.state is EngineState.CONNECTED)
    published = len(watched.snapshots)
    await eventually(lambda: not _thread("dockerproxy-discovery") and not _thread("dockerproxy-events"))
    await engine.containers.stop("blog-1")
    assert len(watched.snapshots) == published
    await eventually(lambda: engine.events.readers == 0)


async def test_discovery_that_is_switched_off_does_nothing() -> None:
    async with watching("unix:///nowhere.sock", enabled=False) as watched:
        assert watched.status.state is EngineState.DISABLED
        assert not _thread("dockerproxy-discovery")


async def test_a_closed_loop_ends_discovery_quietly(engine: EmbeddedEngine) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    watcher = Watcher(DockerSettings(host=engine.base_url), lambda _: None, DiscoveryStatus(), loop)
    watcher.start()
    await eventually(lambda: not _thread("dockerproxy-discovery"))
    await asyncio.to_thread(watcher.stop)


async def test_a_socket_that_must_not_be_opened_is_told(engine: EmbeddedEngine, path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may open every socket")
    os.chmod(path, 0)
    async with watching(engine.base_url, QUICK) as watched:
        await watched.sees(lambda seen: "permission denied" in seen.status.error and "group_add" in seen.status.error)


def _thread(name: str) -> bool:
    return any(thread.name == name for thread in threading.enumerate())


async def test_it_is_told_whom_a_person_has_ended(engine: EmbeddedEngine) -> None:
    acts = engine.containers
    async with watching(engine.base_url) as watched:
        await watched.sees(lambda seen: seen.routed() == {"blog-1", "blog-2"})
        ids = {name: acts.find(name).id for name in ("blog-1", "blog-2")}
        await acts.stop("blog-1")
        await watched.sees(lambda seen: seen.snapshots[-1].endings == {ids["blog-1"]: Ending.STOPPED})
        await acts.start("blog-1")
        await watched.sees(lambda seen: "blog-1" in seen.routed() and not seen.snapshots[-1].endings)
        await acts.remove("blog-2", force=True)
        await watched.sees(lambda seen: seen.snapshots[-1].endings == {ids["blog-2"]: Ending.REMOVED})
