"""GET /logs: the last lines, following, and readers that are slow or leave."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from dockerproxy.process.logs import Ring, find_ring

from ..support.waiting import until
from .conftest import Build
from .making import House, Line, fields_of

log = logging.getLogger("dockerproxy.test")
SIZE = 50  # lines that the ring of these tests keeps


@pytest.fixture
def ring() -> Iterator[Ring]:
    """A ring that the log goes to."""
    made = Ring(SIZE)
    logging.getLogger().addHandler(made)
    level = log.level
    log.setLevel(logging.INFO)
    yield made
    log.setLevel(level)
    logging.getLogger().removeHandler(made)


@pytest.fixture
def house(build: Build) -> House:
    return build()


async def get(house: House, target: str = "/logs") -> list[str]:
    answer = await house.call("dockerproxy-logs", target=target)
    assert answer.status == 200
    assert answer.fields["content-type"] == "text/plain; charset=utf-8"
    return answer.text.splitlines()


async def test_the_last_lines_are_told_in_their_order(house: House, ring: Ring) -> None:
    for number in range(200):
        log.info("line %d", number)
    assert (await get(house, "/logs?lines=1000"))[-SIZE:] == [f"line {number}" for number in range(150, 200)]
    assert (await get(house, "/logs?lines=3")) == ["line 197", "line 198", "line 199"]
    assert await get(house, "/logs?lines=0") == []
    assert repr(ring) == "<Ring of 50 lines, 200 were written>"


@pytest.mark.usefixtures("ring")
async def test_a_traceback_is_many_lines_and_an_endless_line_is_cut(house: House) -> None:
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("it failed")
    assert (await get(house))[-1] == "ValueError: why"
    log.info("x" * 100_000)
    assert len((await get(house, "/logs?lines=1"))[0]) == 8192


@pytest.mark.usefixtures("ring")
@pytest.mark.parametrize("lines", ["many", "-1", "1.5", "%C2%B2", "9" * 5000])
async def test_a_number_that_is_none_is_told(house: House, lines: str) -> None:
    answer = await house.call("dockerproxy-logs", target=f"/logs?lines={lines}")
    assert answer.status == 422
    assert answer.json["problems"][0]["where"] == "lines"


async def test_a_program_with_a_log_of_its_own_is_told_that_there_is_none(house: House) -> None:
    assert find_ring() is None
    answer = await house.call("dockerproxy-logs")
    assert answer.status == 409
    assert "has set up its logging itself" in answer.json["error"]


async def test_it_is_guarded_as_every_admin_handler(house: House) -> None:
    assert (await house.call("dockerproxy-logs", remote="10.0.0.1")).status == 403


@pytest.mark.usefixtures("ring")
async def test_pages_of_other_sites_may_not_read_it(house: House) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        assert (await house.call("dockerproxy-logs", Sec_Fetch_Site=site)).status == status


# Following


class Reader:
    """Somebody who follows."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._chunks = line.chunks()
        self._text = ""

    async def next(self) -> str:
        """The next line."""
        while "\n" not in self._text:
            self._text += (await anext(self._chunks)).decode()
        found, _, self._text = self._text.partition("\n")
        return found

    async def ended(self) -> bool:
        return await anext(self._chunks, None) is None


@pytest.fixture
async def follow(house: House, ring: Ring) -> AsyncIterator[Reader]:  # noqa: ARG001  # it takes the lines
    """A reader who has got the last line."""
    log.info("before")
    route = house.registry.route("dockerproxy-logs")
    assert route is not None
    line = await house.line(route.upstreams[0].address)
    await line.send("GET", "/logs?follow=1&lines=1", fields_of(route.name))
    status, _ = await line.head()
    assert status == 200
    reader = Reader(line)
    assert await reader.next() == "before"
    yield reader
    line.close()


async def test_a_follower_gets_each_line_as_it_is_written_by_whatever_thread(follow: Reader) -> None:
    log.info("one")
    assert await follow.next() == "one"
    await asyncio.to_thread(log.info, "two ä")
    assert await follow.next() == "two ä"


async def test_a_follower_that_was_too_slow_is_told_how_many_lines_it_has_missed(follow: Reader) -> None:
    for number in range(SIZE + 7):  # faster than anybody looks
        log.info("line %d", number)
    assert await follow.next() == "... 7 lines were written faster than you read, and are left out"
    assert await follow.next() == "line 7"


async def test_followers_are_let_go_when_the_proxy_stops(house: House, follow: Reader) -> None:
    await house.control.feed.close()
    assert await follow.ended()


async def test_a_follower_that_reads_nothing_costs_nothing_and_holds_nobody_up(
    house: House, follow: Reader, ring: Ring
) -> None:
    for _ in range(20):
        for _ in range(SIZE):
            log.info("x" * 8000)
        await asyncio.sleep(0)
    log.info("the last one")
    assert ring.last(1).lines == ["the last one"]
    assert (await get(house, "/logs?lines=1")) == ["the last one"]
    while await follow.next() != "the last one":
        pass


async def test_a_follower_that_leaves_is_forgotten(follow: Reader, ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    since = ring.since

    def counted(position: int) -> object:
        nonlocal looks
        looks += 1
        return since(position)

    monkeypatch.setattr(ring, "since", counted)
    await until(lambda: looks)
    tasks = len(asyncio.all_tasks())
    follow.line.close()
    await until(lambda: len(asyncio.all_tasks()) < tasks, "the handler's task to end")


# How long a reader may


TOKEN = "correct horse battery"


async def reader_of(house: House, target: str = "/logs?follow=1&lines=1", **fields: str) -> Reader:
    """Somebody who follows, and has got the last line."""
    log.info("before")
    route = house.registry.route("dockerproxy-logs")
    assert route is not None
    line = await house.line(route.upstreams[0].address)
    await line.send("GET", target, fields_of(route.name) | fields)
    assert (await line.head())[0] == 200
    reader = Reader(line)
    assert await reader.next() == "before"
    return reader


def reload(house: House, **values: Any) -> None:
    house.registry.reload(house.registry.settings.model_copy(update=values))


@pytest.mark.usefixtures("ring")
async def test_following_ends_with_the_token_that_opened_it(build: Build) -> None:
    house = build(admin_token=TOKEN)
    reader = await reader_of(house, Authorization=f"Bearer {TOKEN}")
    reload(house, grace=7.0)
    log.info("the token is the same")
    assert await reader.next() == "the token is the same"

    reload(house, admin_token="another one, and long")
    log.info("not for the old token")

    assert await reader.ended()


@pytest.mark.usefixtures("ring")
async def test_following_ends_with_the_session_that_opened_it(build: Build) -> None:
    house = build(admin_token=TOKEN)
    session = house.control.sessions.begin(TOKEN, time.monotonic())
    reader = await reader_of(house, Cookie=f"dockerproxy-session={session.id}")
    log.info("logged in")
    assert await reader.next() == "logged in"

    house.control.sessions.end(session)
    log.info("not for who has logged out")

    assert await reader.ended()


@pytest.mark.usefixtures("ring")
@pytest.mark.parametrize("fields", [{}, {"Authorization": f"Bearer {TOKEN}"}, {"Authorization": "Bearer made up"}])
async def test_following_without_a_token_ends_when_one_is_asked_for(build: Build, fields: dict[str, str]) -> None:
    house = build(admin_token=TOKEN, admin_access="loopback")
    reader = await reader_of(house, **fields)

    reload(house, admin_access="token")

    assert await reader.ended()


@pytest.mark.usefixtures("ring")
async def test_following_from_elsewhere_ends_when_only_this_machine_may(build: Build) -> None:
    house = build(admin_access="open")
    far = await reader_of(house, **{"Dockerproxy-Remote": "192.0.2.1"})
    near = await reader_of(house)

    reload(house, admin_access="loopback")
    assert await far.ended()

    log.info("for this machine")
    assert await near.next() == "for this machine"


@pytest.mark.usefixtures("ring")
async def test_who_follows_cannot_clear_the_count_of_wrong_tokens(build: Build) -> None:
    house = build(admin_token=TOKEN)
    reader = await reader_of(house, Authorization=f"Bearer {TOKEN}")
    for number in range(5):
        assert (await house.call("dockerproxy-logs", Authorization="Bearer wrong")).status == 401
        log.info("line %d", number)
        while await reader.next() != f"line {number}":
            pass
    assert (await house.call("dockerproxy-logs", Authorization=f"Bearer {TOKEN}")).status == 429
    log.info("still told")
    while await reader.next() != "still told":
        pass
