"""Routes whose upstreams come and go: requests are held, upstreams are drained."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.routing.route import Domain, Source
from dockerproxy.routing.route import Upstream as RouteUpstream

from ..support.client import Client
from ..support.scene import Scene
from ..support.upstreams import Conversation, Upstream
from ..support.waiting import DEADLINE, until

NAME = "held"
HOST = "held.localhost"


def container(upstream: Upstream, *, draining: bool = False, route: str = NAME, **options: Any) -> ContainerView:
    """What discovery would say of a container behind which `upstream` answers."""
    name = upstream.name
    routed = RouteUpstream(name, upstream.url, source=Source.DOCKER, container=f"id-{name}", draining=draining)
    wish = RouteWish(route, routed, Domain(HOST), options=options)
    return ContainerView(f"id-{name}", name, 1.0, "running", (wish,))


def appear(scene: Scene, *upstreams: Upstream, draining: tuple[Upstream, ...] = ()) -> None:
    """Publish a snapshot with these containers and no others."""
    views = [container(upstream) for upstream in upstreams] + [container(one, draining=True) for one in draining]
    scene.server.registry.snapshot(Snapshot("engine", tuple(views)))


async def docker_route(scene: Scene, **settings: Any) -> Upstream:
    """A proxy whose route is known, but has no container any more; returns the one that had been there."""
    await scene.proxy(**settings)
    first = await scene.upstream()
    appear(scene, first)
    appear(scene)
    return first


async def asking(scene: Scene, method: str = "GET", **how: Any) -> Client:
    """A client whose request is held."""
    held = scene.route(NAME).held
    client = await scene.client()
    await client.ask(method, host=HOST, **how)
    await until(lambda: scene.route(NAME).held == held + 1)
    return client


async def test_a_request_is_held_until_an_upstream_appears(scene: Scene) -> None:
    upstream = await docker_route(scene)
    clients = [await asking(scene) for _ in range(5)]
    appear(scene, upstream)
    assert [(await client.answer()).text for client in clients] == ["a"] * 5
    assert scene.route(NAME).held == 5
    assert scene.route(NAME).errors_shown == 0


async def test_a_request_is_held_until_an_upstream_stops_draining(scene: Scene) -> None:
    upstream = await docker_route(scene)
    appear(scene, draining=(upstream,))
    client = await asking(scene)
    appear(scene, upstream)
    assert (await client.answer()).text == "a"


async def test_the_time_that_a_request_was_held_is_not_taken_from_its_attempts(scene: Scene) -> None:
    upstream = await docker_route(scene, retry_deadline="1s")
    upstream.refuse()
    asked = time.monotonic()
    client = await asking(scene)
    await until(lambda: time.monotonic() > asked + 1)
    appear(scene, upstream)  # a container that has started, and does not listen yet
    await until(lambda: scene.route(NAME).retries)
    await upstream.start()
    assert (await client.answer()).text == "a"


async def test_a_held_request_gets_503_when_nothing_appears_in_time(scene: Scene) -> None:
    await docker_route(scene, hold="100ms")
    client = await asking(scene)
    answer = await client.answer()
    assert answer.status == 503
    assert int(answer["retry-after"]) > 0
    assert "no_upstream" in answer.text
    appear(scene, scene.upstreams[0])
    assert (await client.get(host=HOST)).text == "a"


async def test_nothing_is_held_where_hold_is_zero(scene: Scene) -> None:
    await docker_route(scene, hold=0)
    assert (await scene.get(host=HOST)).status == 503


async def ordered(scene: Scene, path: str, **said: object) -> None:
    """An operator's order."""
    client = await scene.client()
    await client.ask("POST", path, host="root.localhost", body=json.dumps(said).encode())
    assert (await client.answer()).status == 200


async def test_who_was_held_in_a_pause_is_held_for_no_longer_than_others_after_it(scene: Scene) -> None:
    upstream = await docker_route(scene, hold="500ms")
    appear(scene, upstream)
    await ordered(scene, "/pause", route=NAME)
    clients = [await asking(scene) for _ in range(2)]
    await ordered(scene, "/drain", name=upstream.name)
    held_at = time.monotonic()
    await until(lambda: time.monotonic() - held_at > 0.5)  # a pause that is longer than they may be held
    await ordered(scene, "/resume", route=NAME)
    assert scene.server.plane.held(NAME) == 2
    assert [(await client.answer()).status for client in clients] == [503, 503]


async def test_an_unknown_host_is_not_held(scene: Scene) -> None:
    await docker_route(scene)
    assert (await scene.get(host="other.localhost")).status == 404


async def test_a_static_route_without_an_upstream_in_rotation_holds_as_well(scene: Scene) -> None:
    await scene.proxy(routes=[{"name": "drained", "upstreams": [{"url": "http://127.0.0.1:1", "weight": 0}]}], hold=0)
    assert (await scene.get()).status == 503


async def test_held_clients_that_leave_are_forgotten(scene: Scene) -> None:
    upstream = await docker_route(scene, half_close_timeout=0)
    clients = [await asking(scene) for _ in range(3)]
    clients[0].reset()
    clients[1].close()
    await until(lambda: scene.route(NAME).in_flight == 1)
    appear(scene, upstream)
    assert (await clients[2].answer()).text == "a"
    await until(lambda: not scene.route(NAME).in_flight)
    assert len(upstream.requests) == 1


async def test_too_many_held_requests_get_503_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockerproxy.proxy.exchange.live.MOST_HELD", 2)
    upstream = await docker_route(scene)
    clients = [await asking(scene) for _ in range(2)]
    answer = await scene.get(host=HOST)
    assert (answer.status, "too_many_held" in answer.text, "retry-after" in answer) == (503, True, True)
    appear(scene, upstream)
    assert [(await client.answer()).status for client in clients] == [200, 200]


async def test_the_body_of_a_held_request_may_come_before_and_while_it_is_held(scene: Scene) -> None:
    upstream = await docker_route(scene)
    client = await asking(scene, "POST", transfer_encoding="chunked")
    await client.send(b"5\r\nfirst\r\n")
    await client.send(b"6\r\nsecond\r\n0\r\nlast: one\r\n\r\n")
    exchange = scene.fronts()[0].exchange
    assert exchange is not None
    await until(lambda: exchange.request_body is not None and exchange.request_body.ended)
    appear(scene, upstream)
    assert (await client.answer()).text == "a"
    assert (upstream.requests[0].body, upstream.requests[0].trailers) == (b"firstsecond", [("last", "one")])


async def test_a_large_upload_that_is_held_is_not_taken_for_a_slow_one(scene: Scene) -> None:
    await docker_route(scene, stall_timeout="100ms", hold="1s")
    client = await asking(scene, "POST", content_length="1000000")
    await client.send(b"x" * 200_000)  # more than is kept, so it is the proxy that does not read on
    answer = await client.answer()
    assert (answer.status, "no_upstream" in answer.text) == (503, True)


async def test_a_held_body_is_measured_before_it_is_sent(scene: Scene) -> None:
    upstream = await docker_route(scene, max_body=1000)
    client = await asking(scene, "POST", transfer_encoding="chunked")
    await client.send(b"fa0\r\n" + b"x" * 4000 + b"\r\n0\r\n\r\n")
    exchange = scene.fronts()[0].exchange
    assert exchange is not None
    await until(lambda: scene.server.stats.in_flight == 0 or exchange.request_body.ended)  # type: ignore[union-attr]  # it has one
    appear(scene, upstream)
    assert (await client.answer()).status == 413
    assert upstream.requests == []


async def test_a_request_that_waits_behind_a_held_one_is_answered_after_it(scene: Scene) -> None:
    upstream = await docker_route(scene)
    client = await asking(scene)
    await client.ask(target="/second", host=HOST)
    await client.ask(target="/third", host="nowhere")
    appear(scene, upstream)
    assert [(await client.answer()).status for _ in range(3)] == [200, 200, 404]
    assert [request.target for request in upstream.requests] == ["/", "/second"]


async def test_requests_held_on_a_route_that_is_removed_get_503(scene: Scene) -> None:
    await docker_route(scene, linger="1s")
    clients = [await asking(scene) for _ in range(2)]
    assert [(await client.answer()).status for client in clients] == [503, 503]
    assert (await clients[0].get(host=HOST)).status == 404


async def heir(scene: Scene, **options: Any) -> None:
    """A container of another route takes the place of the one that requests are held for."""
    view = container(await scene.upstream(), route="other", **options)
    scene.server.registry.snapshot(Snapshot("engine", (view,)))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_requests_held_on_a_route_that_is_removed_go_to_whoever_has_its_place_now(
    scene: Scene, method: str
) -> None:
    await docker_route(scene)
    client = await asking(scene, method, body=b"x" * (method == "POST"))
    await heir(scene)
    assert (await client.answer()).text == "b"


async def test_a_held_request_is_measured_by_the_route_that_it_goes_to(scene: Scene) -> None:
    await docker_route(scene)
    client = await asking(scene, "POST", body=b"x" * 100)
    await heir(scene, max_body=10)
    assert (await client.answer()).status == 413


async def test_a_held_request_is_led_past_no_middleware(scene: Scene) -> None:
    await docker_route(scene, define_middlewares={"m": {"use": "compress"}})
    client = await asking(scene)
    await heir(scene, middlewares=("m",))
    assert (await client.answer()).status == 503


async def behind_middlewares(scene: Scene, *names: str) -> Client:
    """A client whose request is held behind these middlewares, for a container that has gone."""
    await scene.proxy(define_middlewares={"one": {"use": "compress"}, "two": {"use": "headers"}})
    view = container(await scene.upstream(), middlewares=names)
    for views in ((view,), ()):
        scene.server.registry.snapshot(Snapshot("engine", views))
    return await asking(scene)


async def test_a_held_request_that_has_passed_the_same_middlewares_goes_on(scene: Scene) -> None:
    client = await behind_middlewares(scene, "one", "two")
    await heir(scene, middlewares=("one", "two"))
    assert (await client.answer()).text == "b"


@pytest.mark.parametrize("middlewares", [("one",), ("two", "one"), ()])
async def test_a_held_request_that_has_passed_other_middlewares_does_not(
    scene: Scene, middlewares: tuple[str, ...]
) -> None:
    client = await behind_middlewares(scene, "one", "two")
    await heir(scene, middlewares=middlewares)
    assert (await client.answer()).status == 503


async def test_a_container_whose_port_is_open_before_it_listens_is_asked_until_it_answers(scene: Scene) -> None:
    """As Docker does with published ports: it takes connections, and closes them as long as nobody is behind."""
    closed: list[int] = []

    async def starting(conversation: Conversation) -> None:
        if len(closed) < 8:
            await conversation.request()
            closed.append(conversation.number)
            conversation.close()
        else:
            await upstream.serve(conversation)

    await scene.proxy(retry_deadline="20s", consecutive_errors=100)
    upstream = await scene.upstream(starting)
    view = container(upstream)
    published = replace(view.wishes[0].upstream, published=True)
    view = replace(view, wishes=(replace(view.wishes[0], upstream=published),))
    scene.server.registry.snapshot(Snapshot("engine", (view,)))
    client = await scene.client()
    assert (await client.get(host=HOST)).text == "a"
    assert len(closed) == 8


async def test_a_request_whose_upstreams_all_leave_while_it_is_tried_again_is_held(scene: Scene) -> None:
    await scene.proxy(max_attempts=1000)
    bad, good = await scene.upstream(), await scene.upstream()
    bad.shut()
    appear(scene, bad)
    client = await scene.client()
    await client.ask(host=HOST)
    await until(lambda: scene.route(NAME).retries >= 2)
    appear(scene)
    await until(lambda: scene.route(NAME).held == 1)
    appear(scene, good)
    assert (await client.answer()).text == "b"


async def test_an_upstream_that_appears_between_attempts_is_tried(scene: Scene) -> None:
    await scene.proxy(max_attempts=1000)
    bad, good = await scene.upstream(), await scene.upstream()
    bad.shut()
    appear(scene, bad)
    client = await scene.client()
    await client.ask(host=HOST)
    await until(lambda: scene.route(NAME).retries >= 2)
    appear(scene, bad, good)
    assert (await client.answer()).text == "b"


async def hang_up(conversation: Conversation) -> None:
    """Take a request and close without a word, as a container that is killed."""
    await conversation.head()


async def test_a_request_that_its_last_container_took_along_is_held_for_the_next_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerproxy.proxy.exchange.retry.LAST_LOOK", DEADLINE)
    await scene.proxy()
    killed, next_one = await scene.upstream(hang_up), await scene.upstream()
    appear(scene, killed)
    client = await scene.client()
    await client.ask(host=HOST)
    await until(lambda: killed.connections == 1 and scene.open_connections() == 0)

    appear(scene)  # of which the engine tells a moment later than the connection does
    await until(lambda: scene.route(NAME).held == 1)
    appear(scene, next_one)

    assert (await client.answer()).text == "b"
    assert killed.connections == 1


async def test_a_container_that_was_started_anew_gets_what_it_had_taken_along(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerproxy.proxy.exchange.retry.LAST_LOOK", DEADLINE)
    await scene.proxy()
    upstream = await scene.upstream(hang_up)
    appear(scene, upstream)
    client = await scene.client()
    await client.ask(host=HOST)
    await until(lambda: upstream.connections == 1 and scene.open_connections() == 0)
    appear(scene)
    await until(lambda: scene.route(NAME).held == 1)
    upstream.script = upstream.serve
    appear(scene, upstream)
    assert (await client.answer()).text == "a"


async def test_a_container_that_hangs_up_and_stays_is_not_asked_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerproxy.proxy.exchange.retry.LAST_LOOK", 0.1)
    await scene.proxy()
    upstream = await scene.upstream(hang_up)
    appear(scene, upstream)
    assert (await scene.get(host=HOST)).status == 502
    assert upstream.connections == 1


# An address that somebody else has got


def taken_over(scene: Scene, upstream: Upstream) -> None:
    """The container has left, and one of another route has its address."""
    routed = RouteUpstream("stranger", upstream.url, source=Source.DOCKER, container="id-stranger")
    wish = RouteWish("other", routed, Domain("other.localhost"))
    view = ContainerView("id-stranger", "stranger", 2.0, "running", (wish,))
    scene.server.registry.snapshot(Snapshot("engine", (view,)))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_begun_before_its_container_left_does_not_reach_who_has_the_address_now(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    server = await scene.proxy()
    begun, go_on = asyncio.Event(), asyncio.Event()
    original = server.plane._connector._open

    async def slow(*how: Any) -> None:
        if not begun.is_set():
            begun.set()
            with contextlib.suppress(asyncio.CancelledError):  # it comes about all the same
                await go_on.wait()
        await original(*how)

    monkeypatch.setattr(server.plane._connector, "_open", slow)
    upstream, back = await scene.upstream(), await scene.upstream()
    appear(scene, upstream)
    client = await scene.client()
    await client.ask(method, host=HOST)
    await begun.wait()

    taken_over(scene, upstream)
    go_on.set()
    await until(lambda: scene.route(NAME).held == 1 and not len(server.plane._tasks))
    assert (await scene.get(host="other.localhost")).text == "a"
    appear(scene, back)

    assert (await client.answer()).text == "b"
    assert [(request.method, request["host"]) for request in upstream.requests] == [("GET", "other.localhost")]


async def test_a_renewal_for_a_stale_connection_does_not_reach_who_has_the_address_now(scene: Scene) -> None:
    asked, die = asyncio.Event(), asyncio.Event()

    async def stale(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"once")
        await conversation.request()
        asked.set()
        await die.wait()

    await scene.proxy()
    upstream, back = await scene.upstream(stale), await scene.upstream()
    appear(scene, upstream)
    client = await scene.client()
    assert (await client.get(host=HOST)).text == "once"
    await client.ask(host=HOST)
    await asked.wait()

    upstream.script = upstream.serve
    taken_over(scene, upstream)
    die.set()
    await until(lambda: scene.route(NAME).held == 1)
    appear(scene, back)

    assert (await client.answer()).text == "b"
    assert upstream.requests == []


async def test_a_request_that_is_tried_again_asks_nobody_of_a_route_that_is_gone(scene: Scene) -> None:
    await scene.proxy(linger=0, hold=0)
    upstream = await scene.upstream()
    upstream.shut()
    appear(scene, upstream)
    client = await scene.client()
    await client.ask(host=HOST)
    await until(lambda: scene.route(NAME).retries >= 2)

    taken_over(scene, upstream)
    await until(lambda: NAME not in scene.server.plane.routes.live)
    await upstream.start()

    assert (await client.answer()).status == 503
    assert upstream.requests == []


async def test_a_draining_upstream_gets_no_new_requests_while_what_is_in_flight_ends(scene: Scene) -> None:
    async def slow(conversation: Conversation) -> None:
        await conversation.request()
        asked.set()
        await finish.wait()
        conversation.answer(b"finished")
        await conversation.gone()
        closed.set()

    asked, finish, closed = asyncio.Event(), asyncio.Event(), asyncio.Event()
    await scene.proxy()
    old, new = await scene.upstream(slow), await scene.upstream()
    appear(scene, old)
    client = await scene.client()
    await client.ask(host=HOST)
    await asked.wait()

    appear(scene, new, draining=(old,))
    assert [(await scene.get(host=HOST)).text for _ in range(4)] == ["b"] * 4
    assert old.connections == 1
    finish.set()
    assert (await client.answer()).text == "finished"

    await asyncio.wait_for(closed.wait(), DEADLINE)  # the connection is not kept: the application waits for its end


async def test_a_request_that_waits_in_line_for_a_draining_upstream_goes_to_another(scene: Scene) -> None:
    async def slow(conversation: Conversation) -> None:
        await conversation.request()
        asked.set()
        await finish.wait()
        conversation.answer(b"finished")  # and the application ends: whoever came behind is lost

    asked, finish = asyncio.Event(), asyncio.Event()
    await scene.proxy(max_connections=1, connect_timeout="60s")
    old, new = await scene.upstream(slow), await scene.upstream()
    appear(scene, old)
    first, second = await scene.client(), await scene.client()
    await first.ask(host=HOST)
    await asked.wait()
    await second.ask("POST", host=HOST, body=b"order")
    await until(lambda: scene.route(NAME).requests == 2)

    appear(scene, new, draining=(old,))
    assert (await second.answer()).text == "b"
    finish.set()
    assert (await first.answer()).text == "finished"


async def test_idle_connections_to_a_draining_upstream_are_closed_at_once(scene: Scene) -> None:
    await scene.proxy()
    old, new = await scene.upstream(), await scene.upstream()
    appear(scene, old)
    client = await scene.client()
    await client.get(host=HOST)
    assert scene.open_connections() == 1
    appear(scene, new, draining=(old,))
    await until(lambda: scene.open_connections() == 0)
    assert (await client.get(host=HOST)).text == "b"


async def test_an_upstream_that_another_route_uses_keeps_its_connections(scene: Scene) -> None:
    shared = await scene.upstream()
    await scene.proxy(shared)
    appear(scene, shared)
    await scene.get()
    appear(scene, draining=(shared,))
    assert (await scene.get()).text == "a"
    assert shared.connections == 1


async def test_an_upstream_that_survives_comes_back(scene: Scene) -> None:
    await scene.proxy()
    upstream = await scene.upstream()
    appear(scene, draining=(upstream,))
    appear(scene, upstream)
    assert (await scene.get(host=HOST)).text == "a"


async def test_counters_and_benches_outlive_the_table(scene: Scene) -> None:
    await scene.proxy(consecutive_errors=2)
    good, bad = await scene.upstream(), await scene.upstream()
    appear(scene, good, bad)
    bad.refuse()
    for _ in range(6):
        await scene.get(host=HOST)
    third = await scene.upstream()
    appear(scene, good, bad, third)
    found = {one.name: one for one in scene.server.plane.routes.live[NAME].route.upstreams}
    status = scene.server.plane.status(NAME, found[bad.name])
    assert status is not None
    assert status.state == "benched"
    counted = scene.route(NAME).upstreams[found[bad.name].key]
    assert counted.error_counter == 2
    assert {(await scene.get(host=HOST)).text for _ in range(4)} == {"a", "c"}


async def test_many_changes_of_the_table_lose_no_request(scene: Scene) -> None:
    await scene.proxy()
    upstreams = [await scene.upstream() for _ in range(3)]
    appear(scene, *upstreams)
    stop = asyncio.Event()

    async def ask() -> set[int]:
        client = await scene.client()
        seen = set()
        while not stop.is_set():
            seen.add((await client.get(host=HOST)).status)
        return seen

    asking = [asyncio.create_task(ask()) for _ in range(6)]
    for number in range(60):
        leaving = upstreams[number % 3]
        staying = [upstream for upstream in upstreams if upstream is not leaving]
        appear(scene, *staying[: number % 3], draining=(leaving,))
        before = scene.server.stats.requests
        if number % 3:
            await until(lambda before=before: scene.server.stats.requests > before + 5)  # type: ignore[misc]  # bound
    appear(scene, *upstreams)
    stop.set()
    assert set().union(*await asyncio.gather(*asking)) == {200}
