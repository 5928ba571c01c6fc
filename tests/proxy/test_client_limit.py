"""Places for clients: who goes for a new one when all are taken, and what is told of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dockerproxy.proxy.downstream.client_limit import ClientLimit, Evictable, descriptors_for, places
from dockerproxy.stats import ProxyStats

from ..support.client import Incomplete
from ..support.scene import Scene
from ..support.upstreams import Conversation
from ..support.waiting import until


class Guest:
    """Somebody who takes a place."""

    def __init__(self, idle_since: float | None) -> None:
        self.idle_since = idle_since
        self.evicted = False

    def evict(self) -> None:
        self.evicted = True
        self.idle_since = None


class Inn:
    """A room, its guests, and a clock."""

    def __init__(self, *idle_since: float | None) -> None:
        self.now = 100.0
        self.looks = 0
        self.guests = [Guest(since) for since in idle_since]
        self.stats = ProxyStats(0.0)
        self.room = ClientLimit(self.stats, lambda: self.now)

    def all(self) -> list[Evictable]:
        self.looks += 1
        self.now += 0.01  # it takes a while
        return list(self.guests)

    def make(self) -> bool:
        return self.room.make(self.all)

    @property
    def evicted(self) -> list[int]:
        return [index for index, guest in enumerate(self.guests) if guest.evicted]


def test_whoever_is_idle_longest_goes_first_and_nobody_who_is_busy() -> None:
    inn = Inn(3.0, None, 1.0, 2.0)
    found = []
    while inn.make():
        found.append(inn.evicted)
    assert found == [[2], [2, 3], [0, 2, 3]]
    assert (inn.stats.connections_evicted, inn.stats.connections_refused) == (3, 1)


def test_whoever_has_been_used_meanwhile_stays() -> None:
    inn = Inn(1.0, 2.0, 3.0)
    assert inn.make()
    inn.guests[1].idle_since = 50.0
    assert inn.make()
    assert inn.evicted == [0, 2]


def test_a_thousand_new_ones_cost_a_few_looks() -> None:
    inn = Inn(*map(float, range(2000)))
    for _ in range(1000):
        assert inn.make()
    assert inn.evicted == list(range(1000))
    assert inn.looks < 20


def test_where_all_are_busy_looking_takes_a_small_part_of_the_time() -> None:
    inn = Inn(None, None)
    for _ in range(1000):
        assert not inn.make()
        inn.now += 0.001
    assert inn.looks <= 6  # of 0.01 s, in 1 s
    inn.guests[0].idle_since = 1.0
    inn.now += 1
    assert inn.make()


def test_the_log_tells_the_first_of_many_and_how_many_there_were(caplog: pytest.LogCaptureFixture) -> None:
    inn = Inn(*map(float, range(100)))
    for _ in range(200):
        inn.make()
    assert len(caplog.messages) == 2  # one closed, one refused
    inn.now += 1000
    inn.make()
    assert "closed so far: 100, refused: 101" in caplog.messages[-1]


def test_each_client_may_have_a_connection_to_an_upstream() -> None:
    assert places(1024) == 480
    assert places(descriptors_for(20_000)) == 20_000
    assert places(10) == 1


# In the proxy


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Scene(tmp_path) as scene:
        yield scene


async def test_the_client_that_is_idle_longest_gives_way_to_a_new_one(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    server = await scene.proxy(await scene.upstream(), max_clients=2)
    first, second = [await scene.client() for _ in range(2)]
    assert [(await client.get()).text for client in (first, second, first)] == ["a", "a", "a"]

    third = await scene.client()
    assert (await third.get()).text == "a"
    assert await second.ended() == b""  # the first was used after it
    assert (await first.get()).text == "a"
    stats = server.stats
    assert (stats.connections_limit, stats.connections_evicted, stats.connections_refused) == (2, 1, 0)
    assert "2 clients are connected, no more may be" in caplog.text
    await until(lambda: stats.connections == 2)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHo"], ids=["nothing", "a part of a head"])
async def test_clients_that_send_no_whole_request_keep_nobody_out(scene: Scene, sent: bytes) -> None:
    server = await scene.proxy(await scene.upstream(), max_clients=3)
    silent = [await scene.client() for _ in range(10)]
    for client in silent:
        await client.send(sent)
    assert (await (await scene.client()).get()).text == "a"
    await until(lambda: server.stats.connections == 3)
    assert server.stats.connections_evicted == 8
    assert server.stats.connections_refused == 0


async def test_while_all_are_busy_a_new_client_is_refused_and_nobody_is_cut_off(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    go_on = asyncio.Event()

    async def slow(conversation: Conversation) -> None:
        await conversation.request()
        await go_on.wait()
        conversation.answer(b"finished")
        await conversation.gone()

    server = await scene.proxy(await scene.upstream(slow), max_clients=2)
    busy = [await scene.client() for _ in range(2)]
    for client in busy:
        await client.ask()
    await until(lambda: server.plane.in_flight == 2)
    for _ in range(3):
        with pytest.raises((Incomplete, ConnectionError)):
            await (await scene.client()).get()
    go_on.set()
    assert [(await client.answer()).text for client in busy] == ["finished", "finished"]
    assert (server.stats.connections_evicted, server.stats.connections_refused) == (0, 3)
    assert len([line for line in caplog.messages if "a new one is refused" in line]) == 1


async def test_what_max_clients_cannot_reach_is_told(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerproxy.process.descriptors.limit", lambda: 1024)
    caplog.set_level(logging.INFO)
    server = await scene.proxy(max_clients=500)
    assert server.stats.connections_limit == 480
    (line,) = [record for record in caplog.records if record.message.startswith("max_clients is 500")]
    assert line.levelname == "WARNING"
    assert "the 1024 files that may be open are enough for 480 clients; allow 1064" in line.message


async def test_where_thousands_can_be_served_the_default_needs_no_line(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerproxy.process.descriptors.limit", lambda: 8192)
    caplog.set_level(logging.INFO)
    server = await scene.proxy()
    assert server.stats.connections_limit == 4064
    assert not [line for line in caplog.messages if "max_clients" in line]
