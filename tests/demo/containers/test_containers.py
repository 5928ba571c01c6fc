"""How containers of the embedded engine live: what they answer, how they stop, die, restart and scale."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import docker
import pytest

from dockerproxy.demo import Behaviour, ContainerSpec, EmbeddedEngine, Health, Refusal
from dockerproxy.demo.engine.shapes import duration, status
from dockerproxy.errors import DockerproxyError, ListenError

from ..support import RawClient, Stream, closed, connected, eventually, history, page, url

BLOG = {"com.docker.compose.service": "blog"}
SECOND = 1_000_000_000


def leftovers(socket_path: Path) -> list[str]:
    return [path.name for path in socket_path.parent.iterdir()]


async def fetch(address: str, **headers: str) -> tuple[str, str, str]:
    """X-Served-By, content type and text of an answer, over a fresh connection."""
    async with aiohttp.ClientSession() as session, session.get(address, headers=headers) as answer:
        return answer.headers["X-Served-By"], answer.content_type, await answer.text()


async def test_a_page_names_its_container_in_the_form_that_is_asked_for(engine: EmbeddedEngine) -> None:
    container = await engine.containers.add(page("blog-1"))
    name, content_type, text = await fetch(url(container, "/a/<b>?c=d&delay=x"))
    assert (name, content_type) == ("blog-1", "text/html")
    assert "<h1>blog-1</h1>" in text
    assert "<b>" not in text
    assert await fetch(url(container), Accept="text/plain") == ("blog-1", "text/plain", "blog-1\n")
    _, content_type, text = await fetch(url(container, "/x"), Accept="application/json;q=0.9, text/html")
    assert content_type == "application/json"
    assert '"path": "/x"' in text


async def test_a_renamed_container_answers_with_its_new_name(engine: EmbeddedEngine) -> None:
    container = await engine.containers.add(page("blog-1"))
    await engine.containers.rename("blog-1", "news")
    assert (await fetch(url(container)))[0] == "news"
    assert engine.containers.find("news") is container
    with pytest.raises(Refusal, match="No such container: blog-1"):
        engine.containers.find("blog-1")


async def test_a_container_that_refuses_has_a_port_where_nobody_listens(engine: EmbeddedEngine) -> None:
    container = await engine.containers.add(closed("blog-1"))
    with pytest.raises(aiohttp.ClientConnectorError):
        await fetch(url(container))
    await engine.containers.pause("blog-1")
    await engine.containers.unpause("blog-1")
    await engine.containers.stop("blog-1")
    assert not container.running


async def test_a_silent_container_accepts_and_closes_without_an_answer(engine: EmbeddedEngine) -> None:
    container = await engine.containers.add(ContainerSpec(name="blog-1", replies=Behaviour.SILENT))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await fetch(url(container))


@pytest.fixture
def finish(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Pages that are asked for with a delay wait for this, instead of for a time."""
    finish = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds:
            await finish.wait()

    monkeypatch.setattr("dockerproxy.demo.containers.answers.asyncio", SimpleNamespace(sleep=sleep))
    return finish


async def test_what_is_in_flight_is_finished_on_stop_while_new_connections_are_refused(
    engine: EmbeddedEngine, client: docker.APIClient, finish: asyncio.Event
) -> None:
    container = await engine.containers.add(page("blog-1"))
    address = url(container)
    answer = asyncio.ensure_future(fetch(f"{address}?delay=1"))
    await eventually(lambda: container.in_flight == 1)
    async with Stream(engine, client, filters={"type": "container"}) as stream:
        stopping = asyncio.ensure_future(asyncio.to_thread(client.stop, "blog-1"))
        await stream.sees("blog-1 kill 15")
        assert container.running
        with pytest.raises(aiohttp.ClientConnectorError):
            await fetch(address)
        finish.set()
        assert (await answer)[0] == "blog-1"
        await stopping
        await stream.sees("blog-1 kill 15", "blog-1 die 0", "blog-1 stop")


async def test_a_kill_drops_connections_at_once_even_during_a_stop(engine: EmbeddedEngine) -> None:
    container = await engine.containers.add(page("blog-1"))
    answer = asyncio.ensure_future(fetch(url(container, "/?delay=60")))
    await eventually(lambda: container.in_flight == 1)
    await engine.containers.kill("blog-1", "SIGTERM")
    stopping = asyncio.ensure_future(engine.containers.stop("blog-1", None))
    await eventually(lambda: len(engine.events.replay(0, None, lambda event: event.action == "kill")) == 2)
    await engine.containers.kill("blog-1")
    with pytest.raises(aiohttp.ClientError):
        await answer
    await stopping
    assert container.exit_code == 137
    assert container.in_flight == 0


async def test_a_paused_container_accepts_but_answers_only_when_it_is_thawed(engine: EmbeddedEngine) -> None:
    container = await engine.containers.add(page("blog-1"))
    await engine.containers.pause("blog-1")
    with pytest.raises(Refusal, match="already paused"):
        await engine.containers.pause("blog-1")
    with pytest.raises(Refusal, match="cannot start a paused container"):
        await engine.containers.start("blog-1")
    answer = asyncio.ensure_future(fetch(url(container)))
    await eventually(lambda: container.in_flight == 1)
    assert not answer.done()
    assert status(container, container.started_ns + SECOND) == "Up 1 second (Paused)"
    await engine.containers.unpause("blog-1")
    assert (await answer)[0] == "blog-1"


async def test_a_restart_keeps_the_id_and_serves_again(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    container = await engine.containers.add(page("blog-1"))
    await asyncio.to_thread(client.restart, "blog-1", timeout=-1)
    assert engine.containers.find("blog-1").id == container.id
    assert (await fetch(url(container)))[0] == "blog-1"
    await engine.containers.kill("blog-1")
    await engine.containers.restart("blog-1")
    assert (await fetch(url(container)))[0] == "blog-1"


async def test_a_container_elsewhere_keeps_its_address_through_everything(engine: EmbeddedEngine) -> None:
    container = await engine.containers.add(page("app", address="127.0.0.9:81"))
    await engine.containers.pause("app")
    await engine.containers.restart("app")
    await engine.containers.kill("app")
    await engine.containers.start("app")
    assert container.address == ("127.0.0.9", 81)
    assert container.in_flight == 0


@pytest.mark.parametrize("address", ["127.0.0.1", ":80", "host:x", "host:0", "host:65536"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(DockerproxyError, match="expected host:port"):
        page("app", address=address)


async def test_health_goes_through_starting_at_each_start(engine: EmbeddedEngine) -> None:
    container = await engine.containers.add(page("blog-1", health=Health.STARTING))
    now = container.started_ns + 3 * SECOND
    assert status(container, now) == "Up 3 seconds (health: starting)"
    engine.containers.set_health("blog-1", Health.HEALTHY)
    assert status(container, now) == "Up 3 seconds (healthy)"
    engine.containers.set_health("blog-1", Health.UNHEALTHY)
    assert status(container, now) == "Up 3 seconds (unhealthy)"
    await engine.containers.restart("blog-1")
    assert container.health is Health.STARTING


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.5, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (61, "About a minute"),
        (600, "10 minutes"),
        (3700, "About an hour"),
        (7300, "2 hours"),
        (200000, "2 days"),
        (2000000, "3 weeks"),
    ],
)
def test_durations_are_worded_as_docker_words_them(seconds: float, words: str) -> None:
    assert duration(int(seconds * SECOND)) == words


async def test_a_service_is_scaled_up_and_down_and_back_from_nothing(engine: EmbeddedEngine) -> None:
    await engine.containers.add(page("blog-1", labels=BLOG))

    def names() -> list[str]:
        return [container.name for container in engine.containers.replicas("blog") if container.running]

    await engine.containers.scale("blog", 3)
    assert names() == ["blog-1", "blog-2", "blog-3"]
    await engine.containers.stop("blog-2")
    await engine.containers.scale("blog", 3)
    assert names() == ["blog-1", "blog-2", "blog-3"]
    await engine.containers.stop("blog-3")
    await engine.containers.scale("blog", 1)
    assert names() == ["blog-1"]
    await engine.containers.scale("blog", 0)
    assert len(engine.containers) == 0
    await engine.containers.scale("blog", 2)
    assert names() == ["blog-1", "blog-2"]
    labels = engine.containers.find("blog-2").spec.labels
    assert labels["com.docker.compose.container-number"] == "2"


async def test_a_container_without_a_number_in_its_name_can_be_scaled(engine: EmbeddedEngine) -> None:
    await engine.containers.add(closed("web", labels=BLOG))
    async with RawClient(engine) as raw:
        status_code, body = await raw.ask("POST", "/demo/scale?service=blog&replicas=2")
    assert status_code == 200
    assert body == {"service": "blog", "containers": ["web", "web-1"]}


async def test_a_name_can_be_had_only_once(engine: EmbeddedEngine) -> None:
    await engine.containers.add(closed("blog-1"))
    with pytest.raises(Refusal, match="already in use"):
        await engine.containers.add(closed("blog-1"))
    await engine.containers.remove("blog-1", force=True)
    await engine.containers.add(closed("blog-1"))
    assert len(engine.containers) == 1


async def test_a_hundred_changes_are_all_told(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    await engine.containers.add(page("app", address="127.0.0.1:9"))
    async with Stream(engine, client, filters={"event": "restart"}) as stream:
        for _ in range(100):
            await engine.containers.restart("app")
        await stream.sees(*["app restart"] * 100)


async def test_an_act_is_finished_though_its_client_leaves(engine: EmbeddedEngine, finish: asyncio.Event) -> None:
    container = await engine.containers.add(page("blog-1"))
    answer = asyncio.ensure_future(fetch(url(container, "/?delay=1")))
    await eventually(lambda: container.in_flight == 1)
    async with RawClient(engine) as raw:
        leaving = asyncio.ensure_future(raw.ask("POST", "/containers/blog-1/restart"))
        await eventually(lambda: "kill" in [event.action for event in engine.events.replay(0, None, lambda _: True)])
        leaving.cancel()
    finish.set()
    await answer
    await eventually(lambda: container.state == "running" and container.started_ns > container.finished_ns > 0)


async def test_an_engine_that_restarts_comes_back_with_what_ran(socket_path: Path) -> None:
    engine = EmbeddedEngine(socket_path, [page("blog-1"), page("blog-2"), page("blog-3")])
    await engine.start()
    await engine.start()
    assert engine.up
    blog_1 = engine.containers.find("blog-1")
    await engine.containers.kill("blog-2")
    await engine.stop()
    assert not engine.up
    assert not leftovers(socket_path)
    assert not blog_1.running
    await engine.containers.remove("blog-3")
    await engine.start()
    assert [container.name for container in engine.containers if container.running] == ["blog-1"]
    assert engine.containers.find("blog-1") is blog_1
    assert (await fetch(url(blog_1)))[0] == "blog-1"
    await engine.stop()


async def test_containers_that_are_kept_serve_while_the_engine_is_away_and_its_events_are_forgotten(
    socket_path: Path,
) -> None:
    async with EmbeddedEngine(socket_path, [page("blog-1"), page("blog-2")]) as engine:
        client = await connected(engine)
        container = engine.containers.find("blog-1")
        address = container.address
        async with Stream(engine, client) as stream:
            await engine.stop(keep_containers=True)
            await stream.ended()
        client.close()
        assert (await fetch(url(container)))[0] == "blog-1"
        await engine.containers.stop("blog-2")
        await engine.start()
        client = await connected(engine)
        assert await history(client) == []
        assert container.address == address
        (entry,) = await asyncio.to_thread(client.containers)
        assert entry["Names"] == ["/blog-1"]
        client.close()


async def test_a_stale_socket_is_taken_over_but_a_live_one_and_a_file_are_not(
    engine: EmbeddedEngine, socket_path: Path
) -> None:
    with pytest.raises(
        ListenError, match=r"is running there already.* --socket \(make demo SOCKET=/tmp/second\.sock\)"
    ):
        await EmbeddedEngine(socket_path).start()
    assert engine.up
    stale = socket_path.with_name("stale.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(stale))
    async with EmbeddedEngine(stale) as second:
        assert second.up
    file = socket_path.with_name("file")
    file.write_text("mine")
    with pytest.raises(ListenError, match="it is a file, not a socket"):
        await EmbeddedEngine(file).start()
    assert file.read_text() == "mine"


async def test_a_socket_in_a_missing_folder_or_with_a_long_path_is_refused(socket_path: Path) -> None:
    with pytest.raises(ListenError, match="cannot listen"):
        await EmbeddedEngine(socket_path.parent / "missing" / "demo.sock").start()
    with pytest.raises(ListenError, match="at most 100 are possible"):
        await EmbeddedEngine(socket_path.parent / ("x" * 100)).start()


async def test_an_engine_that_cannot_start_leaves_nothing_running(socket_path: Path) -> None:
    engine = EmbeddedEngine(socket_path, [page("blog-1"), page("blog-1")])
    with pytest.raises(Refusal, match="already in use"):
        async with engine:
            pass
    assert not any(container.running for container in engine.containers)


async def test_states_can_be_read_from_their_representations(socket_path: Path) -> None:
    async with EmbeddedEngine(socket_path, [page("blog-1")]) as engine:
        assert "up <Containers: 1, 1 running>" in repr(engine)
        assert "running" in repr(engine.containers.find("blog-1"))
        assert "bridge" in repr(engine.containers.networks)
    assert "down" in repr(engine)
