"""What the data plane counts for metrics, and when it forgets."""

from __future__ import annotations

import pytest
from aiohttp import web

from dockerproxy.routing.route import PathRule, Route
from dockerproxy.settings import RouteSettings
from dockerproxy.stats import proxy as stats

from ..support.scene import Scene
from ..support.upstreams import Conversation
from ..support.waiting import until


async def forbid(_request: web.Request) -> web.Response:
    return web.Response(status=403)


async def redirect(conversation: Conversation) -> None:
    await conversation.request()
    conversation.answer(status="301 Moved", Location="/")


async def test_answers_are_counted_by_the_class_of_their_status(scene: Scene) -> None:
    moved = await scene.upstream(redirect)
    handler = Route("forbidden", "localhost", path=PathRule.exact("/forbidden"), handler=forbid)
    await scene.proxy(moved, python_routes=[handler])
    await scene.get()
    await scene.get()
    client = await scene.client()
    await client.ask("GET", "/forbidden", host="localhost")
    assert (await client.answer()).status == 403

    assert scene.route().answers == [0, 0, 0, 2, 0, 0, 0, 0, 0, 0]
    assert scene.route("forbidden").answers[4] == 1


async def test_an_error_page_of_ours_counts_as_the_answer_that_it_is(scene: Scene) -> None:
    await scene.proxy("http://127.0.0.1:1", max_attempts=1)

    assert (await scene.get()).status == 502
    assert (scene.route().answers[5], scene.route().errors_shown) == (1, 1)


async def test_a_switch_of_protocols_is_an_answer_too(scene: Scene) -> None:
    async def switch(conversation: Conversation) -> None:
        await conversation.request()
        conversation.write(b"HTTP/1.1 101 Switching\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
        conversation.close()

    await scene.proxy(await scene.upstream(switch))
    client = await scene.client()
    await client.ask("GET", Connection="upgrade", Upgrade="echo")
    await until(lambda: scene.route().answers[1] == 1)


async def test_each_time_that_errors_bench_an_upstream_is_counted(scene: Scene) -> None:
    good = await scene.upstream()
    await scene.proxy("http://127.0.0.1:1", good, consecutive_errors=2, max_attempts=9)
    for _ in range(8):
        await scene.get()

    dead = scene.route().upstream("http://127.0.0.1:1 http://127.0.0.1:1")
    assert (dead.error_counter, dead.benches) == (2, 1)
    assert scene.counted(good).benches == 0


async def test_counters_of_routes_that_left_are_forgotten_when_a_table_is_published(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats, "_BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr(stats, "KEEP_GONE", 0.0)
    server = await scene.proxy(await scene.upstream())
    await scene.get()
    wanted = {"name": "gone", "host": "gone.localhost", "upstreams": [{"url": "http://127.0.0.1:1"}]}
    await server.registry.add(RouteSettings.model_validate(wanted))
    assert "gone" in server.stats.routes
    await server.registry.remove("gone")

    assert "gone" not in server.stats.routes
    assert scene.route().requests == 1
