"""Tasks: every one has a name and an owner, and none fails unheard."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from dockerproxy.tasks import Tasks

from .support.waiting import DEADLINE


async def test_a_task_is_named_after_its_owner_and_its_work() -> None:
    tasks = Tasks("pool")
    task = tasks.start(asyncio.sleep(0, "done"), name="connect")
    assert task.get_name() == "pool: connect"
    assert repr(tasks) == "<Tasks of pool: 1 running>"
    assert await task == "done"
    await asyncio.sleep(0)
    assert len(tasks) == 0


async def test_a_task_that_nobody_holds_runs_to_its_end() -> None:
    finished = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        gc.collect()
        finished.set()

    Tasks("owner").start(work(), name="work")
    gc.collect()
    await asyncio.wait_for(finished.wait(), DEADLINE)


async def test_a_task_that_fails_is_logged_under_its_name(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ValueError("no such thing")

    task = Tasks("watcher").start(fail(), name="list")
    await asyncio.wait([task])
    await asyncio.sleep(0)
    (record,) = caplog.records
    assert record.getMessage() == "task watcher: list failed: no such thing"
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None


async def test_cancelling_waits_until_all_have_ended_and_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    ended = []

    async def work(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(number)

    tasks = Tasks("owner")
    for number in range(3):
        tasks.start(work(number), name=str(number))
    await asyncio.sleep(0)
    await tasks.cancel_all()
    assert sorted(ended) == [0, 1, 2]
    assert len(tasks) == 0
    assert caplog.records == []


async def test_cancelling_nothing_is_nothing() -> None:
    await Tasks("owner").cancel_all()


async def test_a_task_that_is_cancelled_at_once_cleans_up_all_the_same() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")

    tasks = Tasks("owner")
    tasks.start(work(), name="work")
    await tasks.cancel_all()
    assert ended == ["work"]


async def test_what_is_started_while_all_is_cancelled_ends_too() -> None:
    ended = []

    async def work(more: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(more)
            if more:
                tasks.start(work(more - 1), name="more")

    tasks = Tasks("owner")
    tasks.start(work(3), name="work")
    await tasks.cancel_all()
    assert (ended, len(tasks)) == ([3, 2, 1, 0], 0)
