"""The way of snapshots to the loop: each at once while they are rare, the last one when they are many."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest

from dockerproxy.discovery.following.delivery import Delivery
from dockerproxy.discovery.snapshot import Snapshot
from tests.support.waiting import until

NOTHING, ONE, TWO, THREE = (Snapshot(name) for name in ("nothing", "one", "two", "three"))


class Taker:
    """Who takes snapshots, and how long it needs for one."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.taken: list[tuple[Snapshot, int]] = []
        self.delivery = Delivery(asyncio.get_running_loop(), self.take)

    def take(self, snapshot: Snapshot, moment: int) -> None:
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            pass  # as one that computes
        self.taken.append((snapshot, moment))


async def test_each_is_handed_over_while_they_cost_nothing() -> None:
    taker = Taker()
    for number, snapshot in enumerate((ONE, TWO, THREE)):
        taker.delivery.put(snapshot, number)
        await until(partial(taker.taken.__contains__, (snapshot, number)))
    assert taker.taken == [(ONE, 0), (TWO, 1), (THREE, 2)]


async def test_of_those_that_come_while_the_last_one_has_just_been_taken_the_latest_is_handed_over() -> None:
    taker = Taker(0.02)
    taker.delivery.put(ONE, 1)
    taker.delivery.put(TWO, 0)
    taker.delivery.put(THREE, 3)
    taker.delivery.put(NOTHING, 4)
    await until(lambda: len(taker.taken) == 2)
    assert taker.taken == [(ONE, 1), (NOTHING, 3)], "the moment is that of the earliest change that is told of"


async def test_what_is_to_follow_waits_until_the_snapshots_before_it_are_handed_over() -> None:
    taker = Taker(0.02)
    seen: list[int] = []
    taker.delivery.put(ONE, 1)
    taker.delivery.put(TWO, 2)
    taker.delivery.then(lambda: seen.append(len(taker.taken)))
    await until(lambda: bool(seen))
    taker.delivery.then(lambda: seen.append(len(taker.taken)))
    await until(lambda: len(seen) == 2)
    assert seen == [2, 2]


async def test_one_that_fails_does_not_hold_up_the_next(caplog: pytest.LogCaptureFixture) -> None:
    taker = Taker()
    take = taker.take
    failing = iter([ValueError("no")])

    def fail_once(snapshot: Snapshot, moment: int) -> None:
        for error in failing:
            raise error
        take(snapshot, moment)

    delivery = Delivery(asyncio.get_running_loop(), fail_once)
    delivery.put(ONE, 0)
    delivery.put(TWO, 0)
    await until(lambda: taker.taken)
    assert taker.taken == [(TWO, 0)]
    assert "ValueError: no" in caplog.text


async def test_it_may_be_given_from_any_thread() -> None:
    taker = Taker()
    await asyncio.to_thread(taker.delivery.put, ONE, 7)
    await until(lambda: taker.taken)
    assert taker.taken == [(ONE, 7)]
