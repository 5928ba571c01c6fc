"""What the embedded engine says in its stream of events, and in which order."""

from __future__ import annotations

import asyncio
import time

import docker
import pytest

from dockerproxy.demo import EmbeddedEngine, Health
from dockerproxy.demo.containers.events import EVENTS_KEPT, READER_QUEUE, EventLog

from ..support import RawClient, Stream, closed, eventually, history, page, told

BLOG = {"com.docker.compose.service": "blog"}


async def test_events_come_at_once_and_in_dockers_order(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    async with Stream(engine, client) as stream:
        await engine.containers.add(page("blog-1"))
        await stream.sees("blog-1 create", "network connect", "blog-1 start")


async def test_an_event_names_its_container_with_image_and_labels(
    engine: EmbeddedEngine, client: docker.APIClient
) -> None:
    container = await engine.containers.add(page("blog-1", labels=BLOG, image="blog:2"))
    created, connected, started = await history(client)
    assert created["Type"] == "container"
    assert created["Actor"] == {"ID": container.id, "Attributes": {**BLOG, "image": "blog:2", "name": "blog-1"}}
    assert (created["status"], created["id"], created["from"]) == ("create", container.id, "blog:2")
    assert connected["Actor"]["Attributes"] == {"container": container.id, "name": "bridge", "type": "bridge"}
    assert created["timeNano"] < connected["timeNano"] < started["timeNano"]
    assert started["time"] == started["timeNano"] // 1_000_000_000


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("stop", ["b kill 15", "b die 0", "network disconnect", "b stop"]),
        ("kill", ["b kill 9", "b die 137", "network disconnect"]),
        (
            "restart",
            ["b kill 15", "b die 0", "network disconnect", "b stop", "network connect", "b start", "b restart"],
        ),
        ("pause", ["b pause"]),
    ],
)
async def test_each_act_tells_what_docker_tells(
    engine: EmbeddedEngine, client: docker.APIClient, act: str, expected: list[str]
) -> None:
    await engine.containers.add(page("b1"))
    before = len(await history(client))
    await asyncio.to_thread(getattr(client, act), "b1")
    assert await told(client, before) == [line.replace("b ", "b1 ", 1) for line in expected]


async def test_a_stubborn_container_is_killed_when_its_time_is_over(
    engine: EmbeddedEngine, client: docker.APIClient
) -> None:
    await engine.containers.add(page("b1", stubborn=True))
    await asyncio.to_thread(client.stop, "b1", timeout=0)
    expected = ["b1 kill 15", "b1 kill 9", "b1 die 137", "network disconnect", "b1 stop"]
    assert await told(client, 3) == expected


async def test_the_stop_signal_of_the_container_is_sent(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    await engine.containers.add(page("b1", stop_signal="SIGUSR1"))
    await asyncio.to_thread(client.stop, "b1")
    assert await told(client, 3, filters={"event": ["kill", "die"]}) == []
    assert await told(client, filters={"event": ["kill", "die"]}) == ["b1 kill 10", "b1 die 0"]


async def test_a_signal_that_the_application_ignores_is_only_told(
    engine: EmbeddedEngine, client: docker.APIClient
) -> None:
    await engine.containers.add(page("b1"))
    await asyncio.to_thread(client.kill, "b1", "SIGHUP")
    await asyncio.to_thread(client.kill, "b1", 10)
    assert await told(client, 3) == ["b1 kill 1", "b1 kill 10"]
    assert engine.containers.find("b1").running


async def test_sigterm_lets_the_application_die_by_itself_without_a_stop(
    engine: EmbeddedEngine, client: docker.APIClient
) -> None:
    container = await engine.containers.add(page("b1"))
    await asyncio.to_thread(client.kill, "b1", "SIGTERM")
    await eventually(lambda: not container.running)
    assert await told(client, 3) == ["b1 kill 15", "b1 die 0", "network disconnect"]


async def test_a_paused_container_is_thawed_by_a_signal(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    await engine.containers.add(page("b1"))
    await asyncio.to_thread(client.pause, "b1")
    await asyncio.to_thread(client.stop, "b1")
    expected = ["b1 pause", "b1 kill 15", "b1 unpause", "b1 die 0", "network disconnect", "b1 stop"]
    assert await told(client, 3) == expected


async def test_rename_remove_and_health_are_told(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    await engine.containers.add(page("b1", health=Health.HEALTHY))
    engine.containers.set_health("b1", Health.UNHEALTHY)
    engine.containers.set_health("b1", Health.UNHEALTHY)
    engine.containers.set_health("b1", Health.STARTING)
    await asyncio.to_thread(client.rename, "b1", "b2")
    await asyncio.to_thread(client.remove_container, "b2", force=True)
    assert await told(client, 2) == [
        "b1 start",
        "b1 health_status: healthy",
        "b1 health_status: unhealthy",
        "b2 rename /b1",
        "b2 kill 9",
        "b2 die 137",
        "network disconnect",
        "b2 destroy",
    ]


async def test_networks_tell_connect_and_disconnect(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    await engine.containers.add(closed("b1"))
    await engine.containers.add(closed("b2", running=False))
    engine.containers.networks.ensure("front")
    await engine.containers.connect("front", "b1")
    await engine.containers.connect("front", "b2")
    await engine.containers.disconnect("front", "b1")
    events = await history(client, filters={"type": "network", "network": "front"})
    assert [event["Action"] for event in events] == ["connect", "disconnect"]


async def test_events_are_filtered_as_docker_filters(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    # Names that no id can begin with: the filter takes both.
    first = await engine.containers.add(closed("web-1", labels=BLOG, health=Health.HEALTHY, image="one"))
    await engine.containers.add(closed("web-2"))

    async def said(**filters: str | list[str]) -> list[str]:
        return await told(client, filters=filters)

    assert await said(type="container", event="create") == ["web-1 create", "web-2 create"]
    assert await said(container="web-2") == ["web-2 create", "web-2 start"]
    assert await said(container=first.id[:9], event="start") == ["web-1 start"]
    assert await said(label="com.docker.compose.service=blog", event=["create", "start"]) == [
        "web-1 create",
        "web-1 start",
    ]
    assert await said(event="health_status") == ["web-1 health_status: healthy"]
    assert await said(event="health_status: healthy") == ["web-1 health_status: healthy"]
    assert await said(image="one", event="start") == ["web-1 start"]
    assert len(await said(bogus="x")) == 7


async def test_a_stream_shows_only_what_was_asked_for(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    async with Stream(engine, client, filters={"event": "start"}) as stream:
        await engine.containers.add(closed("b1"))
        await engine.containers.add(closed("b2"))
        await stream.sees("b1 start", "b2 start")


async def test_since_a_received_event_replays_it_and_all_later_ones(
    engine: EmbeddedEngine, client: docker.APIClient
) -> None:
    await engine.containers.add(closed("b1"))
    await engine.containers.add(closed("b2"))
    events = await history(client)
    nano = events[2]["timeNano"]
    since = f"{nano // 1_000_000_000}.{nano % 1_000_000_000:09d}"
    assert await told(client, since=since) == ["b1 start", "b2 create", "network connect", "b2 start"]
    async with Stream(engine, client, since=since) as stream:
        await engine.containers.kill("b2")
        await eventually(lambda: len(stream.seen) == 7)


async def test_until_in_the_past_ends_the_stream_and_in_the_future_ends_it_then(
    engine: EmbeddedEngine, client: docker.APIClient
) -> None:
    await engine.containers.add(closed("b1"))
    assert await history(client, since=1, until=2) == []
    async with Stream(engine, client, until=f"{time.time() + 1.5:.9f}") as stream:
        await engine.containers.add(closed("b2"))
        await stream.ended()
        # Like Docker, `until` alone replays all that is kept.
        await stream.sees("b1 create", "network connect", "b1 start", "b2 create", "network connect", "b2 start")


async def test_cut_events_breaks_every_stream_and_a_new_one_replays(
    engine: EmbeddedEngine, client: docker.APIClient
) -> None:
    async with Stream(engine, client) as first, Stream(engine, client) as second:
        await engine.containers.add(closed("b1"))
        await first.sees("b1 create", "network connect", "b1 start")
        engine.cut_events()
        await first.ended()
        await second.ended()
    await eventually(lambda: engine.events.readers == 0)
    assert len(await history(client)) == 3


async def test_a_reader_that_leaves_is_forgotten_at_once(engine: EmbeddedEngine) -> None:
    reading = asyncio.ensure_future(_read_forever(engine))
    await eventually(lambda: engine.events.readers == 1)
    reading.cancel()
    await eventually(lambda: engine.events.readers == 0)


async def _read_forever(engine: EmbeddedEngine) -> None:
    async with RawClient(engine) as raw:
        await raw.ask("GET", "/events")


def test_only_the_latest_events_are_kept() -> None:
    log = EventLog()
    for number in range(EVENTS_KEPT + 5):
        log.emit("container", f"act {number}", "id", {})
    kept = log.replay(0, None, lambda _: True)
    assert (len(kept), kept[0].action) == (EVENTS_KEPT, "act 5")
    assert "256 events" in repr(log)
    log.clear()
    assert log.replay(0, None, lambda _: True) == []


async def test_a_reader_that_is_too_slow_loses_events_but_learns_of_the_cut() -> None:
    log = EventLog()
    with log.reading(lambda _: True) as reader:
        for _ in range(READER_QUEUE + 3):
            log.emit("container", "start", "id", {})
        assert reader.lost == 3
        log.cut()
        log.emit("container", "start", "id", {})
        assert await reader.next() is None
        assert "cut" in repr(reader)
