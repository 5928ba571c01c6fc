"""An operator at work on a whole proxy, over HTTP: what is answered is so when the answer comes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.errors import Problem, SettingsError
from dockerproxy.settings import Settings

from .support.scene import Scene
from .support.upstreams import Conversation
from .support.waiting import until

ADMIN = "root.localhost"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene(tmp_path) as scene:
        yield scene


async def operate(scene: Scene, what: str, status: int = 200, **body: Any) -> Any:
    """POST, and what is answered; `for_` stands for `for`."""
    body = {key.rstrip("_"): value for key, value in body.items()}
    client = await scene.client()
    await client.ask("POST", f"/{what}", host=ADMIN, body=json.dumps(body).encode())
    answer = await client.answer()
    client.close()
    assert answer.status == status, answer.text
    return json.loads(answer.text)


async def shown(scene: Scene, route: str = "site") -> Any:
    client = await scene.client()
    report = json.loads((await client.get("/statistics", host=ADMIN)).text)
    client.close()
    return next(each for each in report["routes"] if each["name"] == route)


async def answers(scene: Scene, count: int = 4) -> set[str]:
    """Who answers so many requests."""
    return {(await scene.get()).text for _ in range(count)}


async def test_a_drained_upstream_gets_no_request_from_the_answer_on(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), await scene.upstream())
    await operate(scene, "drain", name="a")
    assert await answers(scene) == {"b"}
    await operate(scene, "undrain", name="a")
    assert await answers(scene) == {"a", "b"}


async def test_what_is_in_flight_at_a_drained_upstream_goes_on(scene: Scene) -> None:
    conversations: list[Conversation] = []

    async def slow(conversation: Conversation) -> None:
        await conversation.request()
        conversations.append(conversation)
        await conversation.gone()

    await scene.proxy(await scene.upstream(slow))
    client = await scene.client()
    await client.ask()
    await until(lambda: conversations)
    assert "No upstream is in rotation now for site" in (await operate(scene, "drain", name="a"))["warning"]
    conversations[0].answer(b"finished")
    assert (await client.answer()).text == "finished"


async def test_a_request_that_finds_all_drained_waits_for_one_to_come_back(scene: Scene) -> None:
    await scene.proxy(await scene.upstream())
    await operate(scene, "weight", name="a", weight=0)
    client = await scene.client()
    await client.ask()
    await until(lambda: scene.route().held)
    assert (await shown(scene))["held_now"] == 1
    await operate(scene, "weight", name="a", weight=None)
    assert (await client.answer()).text == "a"


async def test_what_is_set_is_there_after_a_restart(scene: Scene) -> None:
    upstreams = await scene.upstream(), await scene.upstream()
    server = await scene.proxy(*upstreams)
    await operate(scene, "drain", name="a")
    await operate(scene, "maintenance", route="site", on=True, message="back at noon")
    await server.stop(0.0)

    await scene.proxy(*upstreams)
    answer = await scene.get()
    assert (answer.status, "back at noon" in answer.text) == (503, True)
    await operate(scene, "maintenance", route="site", on=False)
    assert await answers(scene) == {"b"}


async def test_a_bench_by_hand_is_shown_as_one_and_leaves_the_last_error_alone(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), await scene.upstream())
    await operate(scene, "bench", name="a", for_="5m")
    assert await answers(scene) == {"b"}
    benched = (await shown(scene))["upstreams"][0]
    assert (benched["state"], benched["last_error"], benched["benches"]) == ("benched", None, 0)
    assert benched["benched_until"] is not None

    assert (await operate(scene, "unbench", name="a"))["changed"] == [{"route": "site", "upstream": "a"}]
    assert (await operate(scene, "unbench", name="a"))["changed"] == []
    assert await answers(scene) == {"a", "b"}


async def test_when_all_are_benched_by_hand_all_come_back(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), await scene.upstream())
    await operate(scene, "bench", name="a")
    assert "to keep one out, drain it" in (await operate(scene, "bench", name="b"))["warning"]
    assert await answers(scene) == {"a", "b"}


async def test_requests_are_held_in_a_pause_and_go_through_when_it_is_over(scene: Scene) -> None:
    await scene.proxy(await scene.upstream())
    await operate(scene, "pause", route="site")
    clients = [await scene.client() for _ in range(3)]
    for client in clients:
        await client.ask()
    await until(lambda: scene.route().held == 3)
    assert (await shown(scene))["held_now"] == 3
    await operate(scene, "resume", route="site")
    assert [(await client.answer()).text for client in clients] == ["a"] * 3


async def test_a_pause_ends_by_itself(scene: Scene) -> None:
    await scene.proxy(await scene.upstream())
    await operate(scene, "pause", route="site", for_="200ms")
    assert (await scene.get()).text == "a"
    assert (await shown(scene))["overrides"] == {"maintenance": None, "paused": None}


async def test_a_reload_over_http_says_what_changed(scene: Scene) -> None:
    upstream = await scene.upstream()
    found: list[Settings | SettingsError] = []

    def read() -> Settings:
        if isinstance(found[-1], SettingsError):
            raise found[-1]
        return found[-1]

    server = await scene.proxy(upstream, read_settings=read)
    found.append(scene.settings(upstream, host="new.localhost", state_dir="/elsewhere"))
    told = await operate(scene, "reload")
    assert told["changed"] == ["site: now at new.localhost", "the new value of state_dir counts only after a restart"]
    assert told["routes"] == len(server.registry.routes)

    found.append(SettingsError("dockerproxy.yaml", [Problem("hosst", "unknown key")]))
    assert (await operate(scene, "reload", status=422))["problems"] == [{"where": "hosst", "message": "unknown key"}]
    assert server.registry.route("site") is not None


async def test_a_reload_of_nothing_is_a_conflict(scene: Scene) -> None:
    await scene.proxy()
    assert "no settings file" in (await operate(scene, "reload", status=409))["error"]
