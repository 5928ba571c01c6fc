"""Control: how fast dockerproxy follows the engine, and what that does to traffic."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import Any

from bench.browser import request
from bench.clients import Client
from bench.loop import Load, Worker, closed_loop, percentile
from bench.scenarios.figures import Column, Row, Scenario
from bench.scenarios.fleet import Container, Fleet, container, discovered, first_answer
from bench.scenarios.rig import Rig, Running
from bench.scenarios.traffic import Table
from dockerproxy.tasks import Tasks

# Seconds between two starts, at random, so that they do not fall in step with any timer.
_PAUSE = (0.1, 0.2)
# Seconds between two outages: a connection that lasted less than one counts as a bad one, and the next pause is longer.
_OUTAGE_PAUSE = (1.2, 1.6)
_BASE = 10  # containers that run all the time

# Load while containers change: far from saturation, so that a latency says what a visitor would notice.
_CLIENTS = 16
_THINK = 0.02  # seconds between two requests of one client
_CHANGING = 100  # containers; the first three are replicas of the route under load
_REPLICAS = 3
_LONGEST_QUIET = 10.0  # seconds
_SETTLED = 5.0  # seconds in which the last change must have arrived

_TIMES = (
    Column("median_ms", "median ms"),
    Column("p99_ms", "p99 ms"),
    Column("largest_ms", "largest ms"),
    Column("count", "measured", 0),
)
_CHURN = (
    Column("p50_ms", "p50 ms", 2),
    Column("p99_ms", "p99 ms", 2),
    Column("requests", "requests", 0),
    Column("lost", "requests lost", 0),
    Column("core", "share of a core", 2),
    Column("changes", "changes/s", 0),
    Column("wrong", "changes lost", 0),
)
STARTED, BACK, LIST = "start → answer", "engine back → answer", "the engine's own list"
QUIET, BUSY = "quiet", "with changes"


def _times(name: str, seconds: Sequence[float]) -> Row:
    taken = [each * 1e3 for each in seconds]
    figures = {"median_ms": median(taken), "p99_ms": percentile(taken, 0.99), "largest_ms": max(taken)}
    return Row(name, {**figures, "count": len(taken)})


async def _timed(
    act: Callable[[str], Awaitable[float]],
    running: Running,
    containers: Sequence[Container],
    pause: tuple[float, float] = _PAUSE,
) -> list[float]:
    """Seconds from `act` on each container to the first answer there."""
    client, tasks = Client(running.port), Tasks("timing")
    taken = []
    for each in containers:
        answered = tasks.start(first_answer(client, each.host), name=each.host)
        begun = await act(each.name)
        taken.append(await answered - begun)
        await asyncio.sleep(random.uniform(*pause))
    client.close()
    return taken


def _containers(rig: Rig, prefix: str, count: int, *, running: bool) -> list[Container]:
    return [container(f"{prefix}-{n}", rig.origin[n % 3], running=running) for n in range(count)]


async def _event(rig: Rig) -> Table:
    base = _containers(rig, "base", _BASE, running=True)
    coming = _containers(rig, "new", rig.plan.starts, running=False)
    async with discovered(rig, "event", [*base, *coming]) as (fleet, running):
        await first_answer(Client(running.port), base[-1].host)
        return _TIMES, [_times(STARTED, await _timed(fleet.start, running, coming))]


async def _fleet(rig: Rig) -> Table:
    base = _containers(rig, "base", rig.plan.fleet, running=True)
    coming = _containers(rig, "new", rig.plan.fleet_starts, running=False)
    returning = _containers(rig, "back", rig.plan.outages, running=False)
    async with discovered(rig, "fleet", [*base, *coming, *returning]) as (fleet, running):
        await first_answer(Client(running.port), base[-1].host)
        rows = [_times(STARTED, await _timed(fleet.start, running, coming))]
        rows.append(_times(LIST, [await fleet.list_seconds() for _ in range(max(3, rig.plan.outages))]))
        rows.append(_times(BACK, await _timed(fleet.outage, running, returning, _OUTAGE_PAUSE)))
        return _TIMES, rows


async def _churn(rig: Rig) -> Table:
    steady = [
        Container(f"steady-{n}", rig.origin[n], {"route": "steady", "host": "steady.bench.test"}, True)
        for n in range(3)
    ]
    changing = _containers(rig, "changing", _CHANGING, running=False)
    for n in range(_REPLICAS):
        changing[n] = Container(f"replica-{n}", rig.origin[3 + n], steady[0].labels, False)
    async with discovered(rig, "churn", [*steady, *changing]) as (fleet, running):
        await first_answer(Client(running.port), steady[0].host)
        quiet = await _under_load(running, steady[0].host, min(rig.plan.churn, _LONGEST_QUIET))
        busy, done = await _while_changing(rig, fleet, running, steady[0].host, changing)
        wrong = await _wrong(running, changing[_REPLICAS:], set(done["running"]))
    rows = [_load_row(QUIET, *quiet), _load_row(BUSY, *busy)]
    rows[1] = Row(BUSY, {**rows[1].figures, "changes": done["changes"] / done["seconds"], "wrong": wrong})
    return _CHURN, rows


async def _under_load(running: Running, host: str, seconds: float) -> tuple[Load, float]:
    """The load, and the CPU seconds that it cost."""
    clients = [Client(running.port) for _ in range(_CLIENTS)]
    before = running.cpu()
    load = await closed_loop([_asking(client, host) for client in clients], seconds, pause=_THINK)
    for client in clients:
        client.close()
    return load, running.cpu() - before


async def _while_changing(
    rig: Rig, fleet: Fleet, running: Running, host: str, changing: Sequence[Container]
) -> tuple[tuple[Load, float], dict[str, Any]]:
    plan, tasks = rig.plan, Tasks("churn")
    load = tasks.start(_under_load(running, host, plan.churn), name="load")
    done = await fleet.churn([each.name for each in changing], plan.churn_rate, plan.churn)
    return await load, done


def _asking(client: Client, host: str) -> Worker:
    asked = request("/", host)

    async def ask() -> bool:
        return await client.ask(asked) == 200

    return ask


async def _wrong(running: Running, containers: Sequence[Container], expected: set[str]) -> int:
    """How many containers are still served differently from what the engine says of them."""
    client = Client(running.port)
    deadline = time.monotonic() + _SETTLED
    left = list(containers)
    while left and time.monotonic() < deadline:
        left = [each for each in left if (await client.ask(request("/", each.host)) == 200) != (each.name in expected)]
        await asyncio.sleep(0.01)
    client.close()
    return len(left)


def _load_row(name: str, load: Load, cpu: float) -> Row:
    times = {"p50_ms": load.p50 * 1e3, "p99_ms": load.p99 * 1e3}
    return Row(name, {**times, "requests": load.requests, "lost": load.errors, "core": cpu / load.seconds})


CONTROL: Sequence[Scenario] = (
    Scenario(
        "event",
        "Event at the engine → first answer",
        "Containers with domains that nobody knew start one after the other; from the start at the engine, over its "
        "socket, to the first answer for that domain. dockerproxy alone, with the embedded engine.",
        _event,
    ),
    Scenario(
        "fleet",
        "A fleet of 1,000 containers",
        "One more starts beside 1,000 that run: dockerproxy lists and reads all of them. Then the engine goes away and "
        "comes back with one more; that includes the pause before dockerproxy tries again.",
        _fleet,
    ),
    Scenario(
        "churn",
        "100 changes a second under load",
        f"{_CHANGING} containers start and stop in turn, three of them replicas of the route that {_CLIENTS} clients "
        "ask all the time.",
        _churn,
    ),
)
