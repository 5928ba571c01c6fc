"""While the engine is away: whoever may have lost its address to another container gets no requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from dockerproxy.discovery.snapshot import ContainerView, Snapshot
from dockerproxy.proxy.upstream import engine_outage
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
    monkeypatch.setattr(engine_outage, "_IDLE", 0.0)
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


MAC, OTHER_MAC = "8e:1f:03:aa:10:02", "8e:1f:03:aa:10:03"


@pytest.fixture
def neighbour(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The link-layer addresses that the kernel knows."""
    table: dict[str, str] = {"127.0.0.1": MAC}
    monkeypatch.setattr(engine_outage, "hardware_of", lambda address: table.get(address, ""))
    return table


def identified(upstream: Upstream) -> ContainerView:
    """A container of which the engine tells the link-layer address."""
    view = container(upstream)
    wish = view.wishes[0]
    return replace(view, wishes=(replace(wish, upstream=replace(wish.upstream, hardware=MAC)),))


async def away_and_identified(scene: Scene, upstream: Upstream) -> Client:
    await scene.proxy(hold="0s")
    scene.server.registry.snapshot(Snapshot("engine", (identified(upstream),)))
    client = await scene.client()
    assert (await client.get(host=HOST)).status == 200
    scene.server.plane.engine_away(True)
    return client


@pytest.mark.parametrize("how", [closes, resets])
@pytest.mark.usefixtures("neighbour")
async def test_where_the_kernel_shows_that_it_is_the_same_container_it_stays(
    scene: Scene, how: Callable[[Scene, Upstream], Awaitable[None]]
) -> None:
    upstream = await scene.upstream()
    client = await away_and_identified(scene, upstream)
    for conversation in upstream.conversations:
        (conversation.close if how is closes else conversation.reset)()
    await until(lambda: upstream.connections == 2)
    assert (await client.get(host=HOST)).text == "a"


async def test_where_the_kernel_shows_somebody_else_it_is_asked_nothing(
    scene: Scene, neighbour: dict[str, str]
) -> None:
    upstream = await scene.upstream()
    client = await away_and_identified(scene, upstream)
    neighbour["127.0.0.1"] = OTHER_MAC
    upstream.conversations[0].close()
    await until(lambda: scene.state(upstream, NAME) == "draining")
    assert (await client.get(host=HOST)).status == 503
    assert len(upstream.requests) == 1


async def test_where_the_kernel_tells_nothing_any_more_it_counts_as_somebody_else(
    scene: Scene, neighbour: dict[str, str]
) -> None:
    upstream = await scene.upstream()
    client = await away_and_identified(scene, upstream)
    neighbour.clear()
    upstream.conversations[0].close()
    await until(lambda: scene.state(upstream, NAME) == "draining")
    assert (await client.get(host=HOST)).status == 503


@pytest.mark.usefixtures("neighbour")
async def test_a_link_layer_address_that_several_share_shows_nothing(scene: Scene) -> None:
    upstream = await scene.upstream()
    client = await away_and_identified(scene, upstream)
    twin = identified(upstream)
    wish = twin.wishes[0]
    elsewhere = replace(wish.upstream, url="http://127.0.0.2:80", container="id-twin")
    wish = replace(wish, route="twin", upstream=elsewhere, default_domain=Domain("twin.localhost"))
    twin = replace(twin, id="id-twin", wishes=(wish,))
    scene.server.registry.snapshot(Snapshot("engine", (identified(upstream), twin)))
    upstream.conversations[0].close()
    await until(lambda: scene.state(upstream, NAME) == "draining")
    assert (await client.get(host=HOST)).status == 503
