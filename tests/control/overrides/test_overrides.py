"""What an operator sets: on disk, in the table, and what it outlives."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.control.overrides.operator import Operator
from dockerproxy.control.overrides.overrides import Drain, Override, Overrides, Pause, Weight, applies
from dockerproxy.errors import NotPossible, StoreError, UnknownRoute
from dockerproxy.routing.route import Route
from tests.control.conftest import Stage
from tests.control.making import Scene, one, route_settings, settings

FIXED = {
    "name": "fixed",
    "host": "fixed.localhost",
    "upstreams": [{"name": "a", "url": "http://127.0.0.1:1", "weight": 3}, {"name": "b", "url": "http://127.0.0.1:2"}],
}
PAGE = {"name": "page", "host": "page.localhost", "handler": "examples.pages:hello"}


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[Callable[[], Scene]]:
    """Starts the same proxy again and again; the one before ends."""
    scenes: list[Scene] = []

    def start() -> Scene:
        for scene in scenes:
            scene.registry.close()
        scenes.append(Scene(tmp_path, routes=[FIXED]))
        if len(scenes) > 1:
            scenes[-1].clock.now = scenes[-2].clock.now
        scenes[-1].registry.start()
        return scenes[-1]

    yield start
    for scene in scenes:
        scene.registry.close()


def operator(scene: Scene) -> Operator:
    return Operator(scene.registry)


def in_rotation(scene: Scene, route: str) -> list[str]:
    return [upstream.name for upstream in scene.route(route).upstreams if upstream.in_rotation]


def on_disk(scene: Scene) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((scene.store.folder / "overrides.json").read_text())["overrides"]
    return found


async def test_a_drain_is_on_disk_and_in_the_table_when_it_returns(stage: Stage) -> None:
    scene = stage(routes=[FIXED])
    await operator(scene).drain("a", None)

    assert in_rotation(scene, "fixed") == ["b"]
    assert on_disk(scene) == [{"kind": "drain", "route": "fixed", "upstream": "a", "since": scene.clock.wall()}]
    await operator(scene).undrain("a", None)
    assert in_rotation(scene, "fixed") == ["a", "b"]
    assert on_disk(scene) == []


async def test_what_is_set_survives_a_restart(lives: Callable[[], Scene]) -> None:
    scene = lives()
    await scene.registry.add(route_settings("mine", host="mine.localhost"))
    await operator(scene).drain("a", None)
    await operator(scene).weigh("b", None, 7)
    await operator(scene).maintain("mine", "back soon")

    again = lives()
    assert in_rotation(again, "fixed") == ["b"]
    assert [upstream.weight for upstream in again.route("fixed").upstreams] == [3, 7]
    assert again.route("mine").maintenance == "back soon"
    assert again.registry.overrides == scene.registry.overrides


async def test_a_container_that_is_recreated_is_drained_again(scene: Scene) -> None:
    scene.see(one("web-1", 1, "web"), one("web-2", 2, "web"))
    await operator(scene).drain("web-1", None)
    scene.see(one("web-2", 2, "web"))
    assert scene.upstreams("web") == ["web-2"]
    scene.see(one("web-1", 3, "web"), one("web-2", 2, "web"))

    assert scene.upstreams("web") == ["web-2", "web-1"]
    assert in_rotation(scene, "web") == ["web-2"]


async def test_a_route_that_is_away_for_good_keeps_what_is_set_until_it_is_undone(scene: Scene) -> None:
    scene.see(one("web-1", 1, "web"))
    await operator(scene).drain("web-1", None)
    await operator(scene).maintain("web", "")
    scene.see()
    assert scene.route("web").maintenance == ""  # it lingers
    scene.clock.move(1000)
    assert scene.names() == []
    assert len(on_disk(scene)) == 2

    outcome = await operator(scene).undrain("web-1", None)
    assert [(target.route, target.upstream) for target in outcome.changed] == [("web", "web-1")]
    await operator(scene).end_maintenance("web")
    assert on_disk(scene) == []
    with pytest.raises(UnknownRoute):
        await operator(scene).end_maintenance("web")


async def test_an_upstream_of_that_name_on_another_route_is_left_alone(scene: Scene) -> None:
    scene.see(one("web-1", 1, "web"), one("api-1", 2, "api"))
    await operator(scene).drain("web-1", None)
    assert in_rotation(scene, "api") == ["api-1"]


async def test_a_weight_counts_until_the_source_is_to_count_again(stage: Stage) -> None:
    scene = stage(routes=[FIXED])
    await operator(scene).weigh("a", None, 0)
    assert in_rotation(scene, "fixed") == ["b"]
    await operator(scene).weigh("a", None, 9)
    assert scene.route("fixed").upstreams[0].weight == 9
    await operator(scene).unweigh("a", None)
    assert scene.route("fixed").upstreams[0].weight == 3


async def test_a_reload_keeps_what_is_set(stage: Stage) -> None:
    scene = stage(routes=[FIXED])
    await operator(scene).drain("b", None)
    lines = scene.registry.reload(settings(routes=[{**FIXED, "host": "new.localhost"}]))

    assert lines == ["fixed: now at new.localhost"]
    assert in_rotation(scene, "fixed") == ["a"]


async def test_maintenance_and_pause_are_for_handlers_too(stage: Stage) -> None:
    scene = stage(routes=[PAGE])
    await operator(scene).maintain("page", "later")
    await operator(scene).pause("page", 30)
    assert (scene.route("page").maintenance, scene.route("page").paused) == ("later", True)
    await operator(scene).end_maintenance("page")
    await operator(scene).resume("page")
    assert (scene.route("page").maintenance, scene.route("page").paused) == (None, False)


async def test_a_new_message_leaves_the_time_since_when(stage: Stage) -> None:
    scene = stage(routes=[FIXED])
    first = await operator(scene).maintain("fixed", "soon")
    scene.clock.move(60)
    second = await operator(scene).maintain("fixed", "later")
    assert (second.message, second.since) == ("later", first.since)


@pytest.mark.parametrize("admin", ["dockerproxy-statistics", "panel"])
async def test_what_serves_the_operator_cannot_be_taken_away(stage: Stage, admin: str) -> None:
    panel = {"name": "panel", "host": "panel.localhost", "handler": "dockerproxy.web.statistics:statistics"}
    scene = stage(routes=[panel])
    with pytest.raises(NotPossible, match="nobody could undo this"):
        await operator(scene).maintain(admin, "")
    with pytest.raises(NotPossible, match="it stays reachable"):
        await operator(scene).pause(admin, 30)


async def test_after_the_end_of_the_registry_no_pause_ends_any_more(stage: Stage) -> None:
    scene = stage(routes=[FIXED, {**FIXED, "name": "other", "host": "other.localhost"}])
    await operator(scene).pause("fixed", 30)
    await operator(scene).pause("other", 20)
    published = len(scene.published)
    scene.registry.close()
    scene.clock.move(31)
    assert len(scene.published) == published


async def test_a_pause_ends_by_itself(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scene = stage(routes=[FIXED])
    await operator(scene).pause("fixed", 30)
    scene.clock.move(29)
    assert scene.route("fixed").paused
    scene.clock.move(1)
    assert not scene.route("fixed").paused
    assert scene.registry.overrides == Overrides()
    assert caplog.messages[-1] == "fixed: the pause is over, requests go on"


async def test_a_shorter_pause_ends_earlier_and_a_longer_one_later(stage: Stage) -> None:
    scene = stage(routes=[FIXED])
    await operator(scene).pause("fixed", 600)
    await operator(scene).pause("fixed", 30)
    scene.clock.move(30)
    assert not scene.route("fixed").paused
    await operator(scene).pause("fixed", 30)
    await operator(scene).pause("fixed", 60)
    scene.clock.move(30)
    assert scene.route("fixed").paused
    scene.clock.move(30)
    assert not scene.route("fixed").paused


async def test_a_clock_that_is_set_back_prolongs_no_pause(stage: Stage) -> None:
    scene = stage(routes=[FIXED])
    await operator(scene).pause("fixed", 30)
    scene.clock.set_by(-3600)
    await operator(scene).drain("a", None)
    scene.clock.move(30)
    assert not scene.route("fixed").paused


async def test_a_pause_goes_on_after_a_restart_unless_it_is_over(lives: Callable[[], Scene]) -> None:
    scene = lives()
    await operator(scene).pause("fixed", 30)
    scene.clock.move(10)
    scene = lives()
    assert scene.route("fixed").paused
    scene.clock.move(20)
    assert not scene.route("fixed").paused
    assert on_disk(scene) != []
    scene = lives()
    assert not scene.route("fixed").paused
    assert scene.registry.overrides == Overrides()


async def test_a_removed_dynamic_route_takes_along_what_is_set_of_it(lives: Callable[[], Scene]) -> None:
    scene = lives()
    await scene.registry.add(route_settings("mine", host="mine.localhost"))
    await operator(scene).maintain("mine", "")
    await operator(scene).drain("a", None)
    await scene.registry.remove("mine")
    await scene.registry.add(route_settings("mine", host="mine.localhost"))

    assert scene.route("mine").maintenance is None
    assert [override["route"] for override in on_disk(scene)] == ["fixed"]
    assert lives().route("mine").maintenance is None


async def test_an_unused_dynamic_route_leaves_what_is_set_of_the_one_in_its_place(stage: Stage) -> None:
    scene = stage()
    await scene.registry.add(route_settings("fixed", host="x.localhost"))
    scene.registry.reload(settings(routes=[FIXED]))
    await operator(scene).drain("a", None)
    await scene.registry.remove("fixed")

    assert in_rotation(scene, "fixed") == ["b"]


async def test_each_decision_is_one_line_in_the_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    scene = stage(routes=[FIXED, PAGE])
    caplog.set_level(logging.INFO)
    for _ in range(2):  # what is so already is no news
        await operator(scene).drain("a", None)
        await operator(scene).weigh("b", None, 0)
        await operator(scene).maintain("page", "back at noon")
    await operator(scene).weigh("b", None, 5)
    await operator(scene).undrain("a", None)
    await operator(scene).unweigh("b", None)
    await operator(scene).end_maintenance("page")
    await operator(scene).pause("page", 5)
    await operator(scene).resume("page")

    assert caplog.messages == [
        "fixed: a is drained by the operator, 1 upstream in rotation",
        "fixed: b has weight 0 by the operator, no upstream in rotation",
        "page: under maintenance by the operator (back at noon)",
        "fixed: b has weight 5 by the operator, 1 upstream in rotation",
        "fixed: a is no longer drained by the operator, 2 upstreams in rotation",
        "fixed: b has the weight again that its source says, 2 upstreams in rotation",
        "page: no longer under maintenance",
        "page: paused by the operator",
        "page: the pause is over, requests go on",
    ]


async def test_a_start_says_what_is_set(lives: Callable[[], Scene], caplog: pytest.LogCaptureFixture) -> None:
    await operator(lives()).drain("a", None)
    caplog.set_level(logging.INFO)
    caplog.clear()
    lives()
    assert caplog.messages == ["fixed: a is drained by the operator, 1 upstream in rotation"]


async def test_a_container_that_joins_drained_is_told_of_in_its_line(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.see(one("web-1", 1, "web"), one("web-2", 2, "web"))
    await operator(scene).drain("web-1", None)
    scene.see(one("web-2", 2, "web"))
    caplog.set_level(logging.INFO)
    caplog.clear()
    scene.see(one("web-1", 3, "web"), one("web-2", 2, "web"))
    assert caplog.messages == ["web: web-1 joined (172.18.0.3:80), but is draining, 1 upstream"]


async def test_a_hundred_lines_tell_of_a_thousand_decisions(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    upstreams = [{"name": f"u{number}", "url": "http://127.0.0.1:1"} for number in range(150)]
    scene = stage(routes=[{"name": "wide", "host": "wide.localhost", "upstreams": upstreams}])
    caplog.set_level(logging.INFO)
    outcome = await operator(scene).drain("http://127.0.0.1:1/", None)
    assert len(outcome.changed) == 150
    assert len(caplog.messages) == 101


async def test_a_disk_that_fails_changes_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = stage(routes=[FIXED])

    def full(*_path: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StoreError, match=r"No space left on device.*overrides are kept there"):
        await operator(scene).drain("a", None)
    assert in_rotation(scene, "fixed") == ["a", "b"]
    assert scene.registry.overrides == Overrides()


async def test_a_change_is_finished_though_whoever_asked_has_left(stage: Stage) -> None:
    scene = stage(routes=[FIXED])
    asking = asyncio.create_task(operator(scene).drain("a", None))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert in_rotation(scene, "fixed") == ["b"]
    assert len(on_disk(scene)) == 1


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "drain", "route": "fixed"},
        {"kind": "weight", "route": "fixed", "upstream": "a", "weight": 101, "since": 1},
        {"kind": "close", "route": "fixed"},
        {"kind": "pause", "route": "fixed", "until": 1e300},
        {"kind": "maintenance", "route": "fixed", "since": float("nan")},
        {"kind": "drain", "route": "fixed", "upstream": "b", "since": 5},
        "nonsense",
    ],
)
async def test_what_cannot_be_read_is_set_aside_and_the_rest_counts(
    lives: Callable[[], Scene], caplog: pytest.LogCaptureFixture, entry: Any
) -> None:
    scene = lives()
    good = {"kind": "drain", "route": "fixed", "upstream": "b", "since": 5.0}
    (scene.store.folder / "overrides.json").write_text(json.dumps({"version": 1, "overrides": [good, entry]}))
    scene = lives()
    assert in_rotation(scene, "fixed") == ["a"]
    assert on_disk(scene) == [good]
    assert "overrides[1]" in caplog.text
    assert list(scene.store.folder.glob("overrides.json.corrupt-*"))


def test_whether_something_applies_depends_on_what_is_there() -> None:
    web = Route("web", "web.localhost", upstreams=["http://127.0.0.1:1"])
    page = Route("page", "page.localhost", handler="examples.pages:hello")
    panel = Route("panel", "panel.localhost", handler="dockerproxy.web.statistics:statistics")
    drain = Drain(route="web", upstream="http://127.0.0.1:1", since=0)
    wrong = Weight(route="web", upstream="gone", weight=1, since=0)
    pause = Pause(route="web", until=0)

    found: list[tuple[Override, Route | None, bool]] = [
        (drain, web, True),
        (drain, page, False),
        (drain, None, False),
        (wrong, web, False),
        (pause, page, True),
        (pause, panel, False),
    ]
    assert [applies(override, route) for override, route, _ in found] == [expected for _, _, expected in found]


def test_an_admin_route_is_served_whatever_a_file_says() -> None:
    panel = Route("panel", "panel.localhost", handler="dockerproxy.web.statistics:statistics")
    overrides = Overrides([Pause(route="panel", until=5)])
    assert overrides.applied((panel,)) == (panel,)
    assert repr(overrides) == "<Overrides: pause of panel>"
