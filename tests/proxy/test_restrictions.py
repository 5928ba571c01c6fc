"""What an operator lets a route do: answer for maintenance, or wait until a pause is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dockerproxy.routing.table import RouteTable

from ..support.client import Client
from ..support.scene import Scene
from ..support.upstreams import Conversation
from ..support.waiting import until


def change(scene: Scene, **how: Any) -> None:
    """Publish the route `site` anew, changed."""
    plane = scene.server.plane
    plane.publish(RouteTable([replace(plane.routes.live["site"].route, **how)]), {})


async def asking(scene: Scene, body: bytes = b"") -> Client:
    """A client whose request waits."""
    held = scene.route().held
    client = await scene.client()
    await client.ask("POST" if body else "GET", body=body)
    await until(lambda: scene.route().held == held + 1)
    return client


async def test_under_maintenance_clients_are_told_to_come_later(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    change(scene, maintenance="")
    answer = await scene.get()
    assert (answer.status, answer["retry-after"]) == (503, "60")
    assert "under maintenance" in answer.text
    assert upstream.requests == []
    change(scene, maintenance=None)
    assert (await scene.get()).text == "a"


async def test_the_message_of_the_maintenance_is_shown_and_is_no_markup(scene: Scene) -> None:
    await scene.proxy(await scene.upstream())
    change(scene, maintenance="Back at <b>noon</b>")
    assert "Back at <b>noon</b>" in (await scene.get()).text
    assert "Back at &lt;b&gt;noon&lt;/b&gt;" in (await scene.get(accept="text/html")).text


async def test_a_request_that_was_in_flight_when_maintenance_began_is_answered(scene: Scene) -> None:
    async def late(conversation: Conversation) -> None:
        await conversation.request()
        change(scene, maintenance="")
        conversation.answer(b"all the same")

    await scene.proxy(await scene.upstream(late))
    assert (await scene.get()).text == "all the same"


async def test_requests_wait_for_the_end_of_a_pause_and_go_through(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, hold="0s")
    change(scene, paused=True)
    clients = [await asking(scene), await asking(scene, b"x" * 1000)]
    assert upstream.requests == []
    change(scene, paused=False)
    assert [(await client.answer()).text for client in clients] == ["a", "a"]
    assert sorted(len(request.body) for request in upstream.requests) == [0, 1000]  # over a connection each
    assert scene.route().errors_shown == 0


async def test_a_pause_that_becomes_maintenance_answers_whoever_waits(scene: Scene) -> None:
    await scene.proxy(await scene.upstream())
    change(scene, paused=True)
    client = await asking(scene)
    change(scene, paused=False, maintenance="")
    assert (await client.answer()).status == 503


async def test_a_client_that_leaves_in_a_pause_is_forgotten(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    change(scene, paused=True)
    (await asking(scene)).reset()
    await scene.at_rest()
    change(scene, paused=False)
    assert (await scene.get()).text == "a"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("gone", ["no upstreams", "no route"])
async def test_a_pause_does_not_outlast_its_route(scene: Scene, gone: str) -> None:
    await scene.proxy(await scene.upstream(), hold="0s")
    change(scene, paused=True)
    client = await asking(scene)
    if gone == "no route":
        scene.server.plane.publish(RouteTable([]), {})
    else:
        change(scene, paused=False, upstreams=())
        change(scene, paused=False, upstreams=(), maintenance="")
    assert (await client.answer()).status == 503
