"""/health for load balancers that cannot say which domain they mean: it answers where no route of one's own would."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..support.scene import Scene

NAMELESS = ["", "192.0.2.7", "192.0.2.7:8888", "[2001:db8::1]", "[2001:db8::1]:8888", "127.0.0.1"]


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "upstreams": ["http://127.0.0.1:1"], **more}


async def status(scene: Scene, host: str, method: str = "GET", target: str = "/health") -> int:
    client = await scene.client()
    await client.ask(method, target, host=host, version="1.0" if not host else "1.1")
    return (await client.answer(to=method)).status


@pytest.mark.parametrize("host", NAMELESS)
async def test_it_answers_whoever_names_no_host(scene: Scene, host: str) -> None:
    await scene.proxy(routes=[named("blog", host="blog.localhost")], https="redirect", max_attempts=1)
    assert await status(scene, host) == 200
    assert await status(scene, host, "HEAD") == 200
    assert await status(scene, host, "POST") == 404
    assert await status(scene, host, target="/health/") == 404
    assert await status(scene, host, target="/statistics") == 404
    assert await status(scene, "blog.localhost") == 308


@pytest.mark.parametrize("host", ["unknown.localhost", "7.example", "1.2.3.4.5", "localhost"])
async def test_a_domain_that_nobody_knows_stays_unknown(scene: Scene, host: str) -> None:
    await scene.proxy(routes=[named("blog", host="blog.localhost")])
    assert await status(scene, host) == 404


@pytest.mark.parametrize(
    "mine",
    [
        {},
        {"path": "/health"},
        {"path": {"path": "/health"}},
        {"path": {"regex": "^/hea"}},
        {"path": {"path": "/health", "method": "GET"}},
        {"host": "192.0.2.7"},
    ],
    ids=["everything", "prefix", "exact", "expression", "method", "address"],
)
async def test_a_route_of_one_s_own_answers_first(scene: Scene, mine: dict[str, Any]) -> None:
    await scene.proxy(routes=[named("mine", **mine)], max_attempts=1)
    assert await status(scene, "192.0.2.7") == 502


async def test_routes_for_other_paths_are_not_in_the_way(scene: Scene) -> None:
    await scene.proxy(
        routes=[named("api", path="/api"), named("here", host="192.0.2.7:8888", path="/app")], max_attempts=1
    )
    for host in NAMELESS:
        assert await status(scene, host) == 200
        assert await status(scene, host, target="/api/x") == (404 if host == "192.0.2.7:8888" else 502)


async def test_it_is_there_though_the_one_at_the_admin_domain_is_somebody_else_s(scene: Scene) -> None:
    await scene.proxy(routes=[named("mine", host="root.localhost", path={"path": "/health"})], max_attempts=1)
    assert await status(scene, "root.localhost") == 502
    assert await status(scene, "192.0.2.7") == 200


async def test_explain_tells_who_answers_there(scene: Scene) -> None:
    await scene.proxy()
    answer = await scene.get("/explain?url=http://192.0.2.7/health", host="root.localhost")
    explained = json.loads(answer.text)
    assert explained["route"] == "dockerproxy-health"
    assert "the host names nobody, the path is its own" in explained["candidates"][0]["why"]
