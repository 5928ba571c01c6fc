"""The wheel: one timer for all deadlines, on real time, but short."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from dockerproxy.proxy import deadlines
from dockerproxy.proxy.deadlines import NEVER, Timed, Wheel

from ..support.scene import Scene
from ..support.waiting import until


class Bell(Timed):
    """Remembers when it rang; may do something when it does."""

    def __init__(self, action: object = None) -> None:
        super().__init__()
        self.rang: list[float] = []
        self.action = action

    def expired(self, now: float) -> None:
        self.rang.append(now)
        if callable(self.action):
            self.action()


@pytest.fixture
async def wheel(monkeypatch: pytest.MonkeyPatch) -> Wheel:
    monkeypatch.setattr(deadlines, "TICK", 0.01)
    return Wheel(asyncio.get_running_loop())


async def test_a_deadline_is_kept_never_early_and_once(wheel: Wheel) -> None:
    bells = [Bell() for _ in range(5)]
    wanted = [time.monotonic() + 0.01 * number for number in range(5)]
    for bell, deadline in zip(bells, wanted, strict=True):
        wheel.schedule(bell, deadline)
    assert len(wheel) == 5
    await until(lambda: all(bell.rang for bell in bells))
    assert all(bell.rang[0] >= deadline for bell, deadline in zip(bells, wanted, strict=True))
    assert [len(bell.rang) for bell in bells] == [1] * 5
    assert len(wheel) == 0
    assert bells[0].deadline == NEVER
    assert repr(wheel) == "<Wheel: 0 watched>"


async def test_a_deadline_in_the_past_is_kept_at_the_next_tick(wheel: Wheel) -> None:
    bell = Bell()
    wheel.schedule(bell, time.monotonic() - 100)
    await until(lambda: bell.rang)


async def test_a_deadline_that_moves_on_is_kept_where_it_is_at_last(wheel: Wheel) -> None:
    bell, other = Bell(), Bell()
    wheel.schedule(bell, time.monotonic() + 0.02)
    wheel.schedule(other, time.monotonic() + 0.04)
    bell.deadline = moved = time.monotonic() + 0.08
    await until(lambda: other.rang)
    assert not bell.rang
    await until(lambda: bell.rang)
    assert bell.rang[0] >= moved


async def test_a_deadline_that_moves_nearer_is_kept_there(wheel: Wheel) -> None:
    bell = Bell()
    wheel.schedule(bell, time.monotonic() + 1000)
    wheel.schedule(bell, time.monotonic() + 0.01)
    await until(lambda: bell.rang)
    assert len(wheel) == 0


async def test_what_is_forgotten_does_not_ring(wheel: Wheel) -> None:
    forgotten, unset, bell = Bell(), Bell(), Bell()
    for item in (forgotten, unset):
        wheel.schedule(item, time.monotonic() + 0.01)
    wheel.schedule(bell, time.monotonic() + 0.03)
    wheel.forget(forgotten)
    wheel.forget(forgotten)
    unset.deadline = NEVER
    await until(lambda: bell.rang)
    assert (forgotten.rang, unset.rang, len(wheel)) == ([], [], 0)


async def test_what_rings_may_set_and_forget_deadlines(wheel: Wheel) -> None:
    again, victim, late = Bell(), Bell(), Bell()
    now = time.monotonic()

    def act() -> None:
        wheel.forget(victim)
        wheel.schedule(late, time.monotonic())
        if len(again.rang) < 3:
            wheel.schedule(again, time.monotonic())

    again.action = act
    wheel.schedule(again, now)
    wheel.schedule(victim, now + 0.05)
    await until(lambda: len(again.rang) == 3 and late.rang)
    assert victim.rang == []


async def test_one_that_fails_does_not_stop_the_others(wheel: Wheel) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)

    def fail() -> None:
        raise ValueError("broken")

    bells = [Bell(fail) for _ in range(3)] + [Bell() for _ in range(3)]
    for bell in bells:
        wheel.schedule(bell, time.monotonic())
    await until(lambda: all(bell.rang for bell in bells))
    after = Bell()
    wheel.schedule(after, time.monotonic())
    await until(lambda: after.rang)


async def test_a_stopped_wheel_rings_no_more(wheel: Wheel) -> None:
    bell = Bell()
    wheel.schedule(bell, time.monotonic() + 0.01)
    wheel.stop()
    wheel.stop()
    assert len(wheel) == 0
    other = Wheel(asyncio.get_running_loop())
    witness = Bell()
    other.schedule(witness, time.monotonic() + 0.03)
    await until(lambda: witness.rang)
    assert bell.rang == []


def test_only_what_says_how_can_expire() -> None:
    with pytest.raises(NotImplementedError):
        Timed().expired(0.0)


async def test_the_kernel_looks_whether_an_upstream_that_is_silent_is_still_there(scene: Scene) -> None:
    await scene.proxy(await scene.upstream())
    await scene.get()
    (pool,) = [pool for pool in scene.server.plane.pools if pool.size]
    (connection,) = pool._idle
    sock = connection.transport.get_extra_info("socket")
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 2
