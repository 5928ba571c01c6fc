"""While the engine is away: whoever may have lost its address to another container gets no requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from dockerproxy.discovery.snapshot import ContainerView, Snapshot
from dockerproxy.proxy.upstream import custody
from dockerproxy.routing.route import Domain

from ..support.client import Client
from ..support.scene import Scene
from ..support.upstreams import Conversation, Upstream
from ..support.waiting import until
from .test_hold_and_drain import HOST, NAME, appear, container

SECOND = "second"


async def away(scene: Scene, *upstreams: Upstream) -> Client:
    """A proxy with a connection that stands to each of these containers, and an engine that has just gone away."""
    await scene.proxy(hold="0s")
    appear(scene, *upstreams)
    client = await scene.client()
    for _ in upstreams:
        assert (await client.get(host=HOST)).status == 200
    assert scene.open_connections() == len(upstreams)
    scene.server.plane.engine_away(True)
    return client


async def stranger_at(scene: Scene, upstream: Upstream) -> Upstream:
    """Somebody else who has the address of an upstream that has ended."""
    stranger = Upstream("stranger")
    stranger.port = upstream.port
    scene.upstreams.append(stranger)
    return await stranger.start()


async def ends(scene: Scene, upstream: Upstream) -> None:
    """Its container ends."""
    upstream.refuse()
    await until(lambda: not scene.open_connections())


async def closes(scene: Scene, upstream: Upstream) -> None:
    """It closes its connections, and goes on listening."""
    for conversation in upstream.conversations:
        conversation.close()
    await until(lambda: not scene.open_connections())


async def resets(scene: Scene, upstream: Upstream) -> None:
    for conversation in upstream.conversations:
        conversation.reset()
    await until(lambda: not scene.open_connections())


@pytest.mark.parametrize("how", [ends, closes, resets])
async def test_a_stranger_at_the_address_of_a_container_that_ended_is_asked_nothing(
    scene: Scene, how: Callable[[Scene, Upstream], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    upstream = await scene.upstream()
    client = await away(scene, upstream)
    await how(scene, upstream)
    upstream.shut()
    stranger = await stranger_at(scene, upstream)

    answer = await client.get(host=HOST)
    assert (answer.status, stranger.connections) == (503, 0)
    assert f"{NAME}: a gets no new requests until the engine is back" in caplog.text
    assert scene.state(upstream, NAME) == "draining"


async def test_a_container_that_refuses_is_not_asked_again(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(hold="0s")
    appear(scene, upstream)
    upstream.shut()
    scene.server.plane.engine_away(True)
    assert (await scene.get(host=HOST)).status == 503
    stranger = await stranger_at(scene, upstream)
    assert (await scene.get(host=HOST)).status == 503
    assert stranger.connections == 0


async def test_a_request_whose_kept_connection_dies_is_not_sent_anew_to_whoever_is_there_now(scene: Scene) -> None:
    async def once(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"a")
        await conversation.request()
        conversation.close()

    upstream = await scene.upstream(once)
    client = await away(scene, upstream)
    answer = await client.get(host=HOST)
    assert (answer.status, upstream.connections) == (503, 1)


async def test_others_of_the_route_answer_in_its_place(scene: Scene) -> None:
    upstreams = [await scene.upstream() for _ in range(2)]
    client = await away(scene, *upstreams)
    upstreams[0].refuse()
    await stranger_at(scene, upstreams[0])
    assert [(await client.get(host=HOST)).text for _ in range(5)] == ["b"] * 5
    assert scene.route(NAME).errors_shown == 0


async def test_it_is_back_as_soon_as_it_is_listed_again(scene: Scene) -> None:
    upstream = await scene.upstream()
    client = await away(scene, upstream)
    await closes(scene, upstream)
    assert (await client.get(host=HOST)).status == 503

    scene.server.registry.snapshot(Snapshot("engine", (container(upstream),)))
    scene.server.plane.engine_away(False)
    assert (await client.get(host=HOST)).text == "a"
    await closes(scene, upstream)
    assert (await client.get(host=HOST)).text == "a"


async def test_it_stays_out_though_something_else_is_published_meanwhile(scene: Scene) -> None:
    upstream, other = await scene.upstream(), await scene.upstream()
    client = await away(scene, upstream)
    await closes(scene, upstream)
    other_view = container(other, route="other")
    scene.server.registry.snapshot(Snapshot("another engine", (other_view,)))
    scene.server.registry.reload(scene.server.registry.settings.model_copy(update={"max_attempts": 3}))
    assert (await client.get(host=HOST)).status == 503


async def test_all_routes_of_a_container_give_it_up(scene: Scene) -> None:
    upstream = await scene.upstream()
    client = await away(scene, upstream)
    scene.server.registry.snapshot(Snapshot("engine", (container(upstream), _elsewhere(upstream))))
    await closes(scene, upstream)
    assert (await client.get(host=f"{SECOND}.localhost")).status == 503


def _elsewhere(upstream: Upstream) -> ContainerView:
    view = container(upstream, route=SECOND)
    wish = replace(view.wishes[0], default_domain=Domain(f"{SECOND}.localhost"))
    return replace(view, id="id-second", wishes=(wish,))


async def test_a_server_that_closes_idle_connections_is_asked_at_once_whether_it_is_still_there(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custody, "_IDLE", 0.0)
    upstream = await scene.upstream()
    client = await away(scene, upstream)
    for number in (2, 3):
        upstream.conversations[-1].close()
        await until(lambda: upstream.connections == number)  # noqa: B023  # awaited within the turn
    assert (await client.get(host=HOST)).text == "a"
    assert upstream.connections == 3

    upstream.refuse()
    await until(lambda: scene.state(upstream, NAME) == "draining")
    stranger = await stranger_at(scene, upstream)
    assert (await client.get(host=HOST)).status == 503
    assert stranger.connections == 0


async def test_connections_that_stand_are_preferred_to_new_ones(scene: Scene) -> None:
    standing, fresh = await scene.upstream(), await scene.upstream()
    await scene.proxy(hold="0s")
    appear(scene, standing)
    client = await scene.client()
    assert (await client.get(host=HOST)).text == "a"
    appear(scene, standing, fresh)
    scene.server.plane.engine_away(True)
    assert [(await client.get(host=HOST)).text for _ in range(4)] == ["a"] * 4
    scene.server.plane.engine_away(False)
    assert {(await client.get(host=HOST)).text for _ in range(4)} == {"a", "b"}


async def test_an_upstream_that_is_no_container_is_who_it_was(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    assert (await client.get()).text == "a"
    scene.server.plane.engine_away(True)
    await closes(scene, upstream)
    assert (await client.get()).text == "a"


async def test_as_long_as_the_engine_is_there_a_closed_connection_means_nothing(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(hold="0s")
    appear(scene, upstream)
    client = await scene.client()
    for _ in range(3):
        assert (await client.get(host=HOST)).text == "a"
        await closes(scene, upstream)
