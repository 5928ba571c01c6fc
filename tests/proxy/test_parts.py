"""The small parts on their own: what is awkward to see from outside."""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

import pytest

from dockerproxy.http1.field_lines import Limits
from dockerproxy.http1.request_parser import RequestParser
from dockerproxy.proxy.answers import ANSWERS, answer
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.exchange.request_body import REPLAY_LIMIT, RequestBody
from dockerproxy.proxy.exchange.retry import FIRST_PAUSE, LONGEST_PAUSE, Retry, may_repeat
from dockerproxy.proxy.flow import Valve
from dockerproxy.proxy.log_limit import BURST, LogLimit
from dockerproxy.proxy.upstream.failure import AttemptError, Failure
from dockerproxy.proxy.upstream.pool import Pool
from dockerproxy.routing.route import PathKind, PathRule, Route, Upstream
from dockerproxy.settings import RouteOptions
from dockerproxy.stats import RouteStats
from dockerproxy.tasks import Tasks

from ..support.waiting import until

REFUSED = AttemptError(Failure.REFUSED)
CLOSED = AttemptError(Failure.CLOSED)
TIMEOUT = AttemptError(Failure.TIMEOUT)
CLOSED_AT_ONCE = ConnectionResetError()


# Retry


def retry(**options: Any) -> Retry:
    return Retry(RouteOptions(**options), 100.0)


def test_a_request_may_be_tried_again_until_its_attempts_are_used_up() -> None:
    tries = retry(max_attempts=3)
    for _ in range(2):
        tries.failed("a", CLOSED)
        assert tries.refusal(repeatable=True) == ""
    tries.failed("a", CLOSED)
    assert tries.refusal(repeatable=True) == "attempts_exhausted"
    assert "3 attempts" in repr(tries)


@pytest.mark.parametrize(
    ("error", "repeatable", "code"),
    [
        (REFUSED, False, ""),
        (CLOSED, False, "not_repeatable"),
        (TIMEOUT, False, "timed_out"),
        (CLOSED, True, ""),
        (TIMEOUT, True, ""),
        (AttemptError(Failure.BUSY), False, ""),
    ],
)
def test_what_was_sent_and_the_method_decide_whether_it_may_be_tried_again(
    error: AttemptError, repeatable: bool, code: str
) -> None:
    tries = retry()
    tries.failed("a", error)
    assert tries.refusal(repeatable=repeatable) == code


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Failure.REFUSED, "attempts_exhausted"),
        (Failure.CONNECT_TIMEOUT, "timed_out"),
        (Failure.STATUS, "attempts_exhausted"),
        (Failure.BUSY, "overloaded"),
    ],
)
def test_the_last_error_names_the_answer(failure: Failure, code: str) -> None:
    tries = retry()
    tries.failed("a", CLOSED)
    tries.failed("b", AttemptError(failure))
    assert tries.exhausted() == code


def test_pauses_double_up_to_the_longest_and_end_at_the_deadline() -> None:
    tries = retry(retry_deadline=30)
    pauses = []
    for _ in range(10):
        tries.failed("a", REFUSED)
        pauses.append(tries.pause(100.0))
    for number, pause in enumerate(pauses):
        assert pause is not None
        middle = min(FIRST_PAUSE * 2**number, LONGEST_PAUSE)
        assert 0.75 * middle <= pause <= 1.25 * middle
    assert tries.tried == set()
    assert tries.pause(129.99) is None
    assert tries.pause(1000.0) is None


def test_who_has_got_the_request_is_not_asked_again_until_all_have_left() -> None:
    tries = retry()
    tries.failed("a", CLOSED)
    tries.failed("b", REFUSED)
    assert not tries.all_asked(["a", "b"])
    tries.pause(100.0)
    assert tries.tried == {"a"}
    tries.failed("b", TIMEOUT)
    assert tries.all_asked(["a", "b"])
    tries.begin_anew()
    assert tries.tried == set()


def test_only_idempotent_methods_are_repeated_unless_the_route_says_otherwise() -> None:
    assert may_repeat("DELETE", RouteOptions())
    assert not may_repeat("POST", RouteOptions())
    assert may_repeat("POST", RouteOptions(retry_non_idempotent=True))
    assert not may_repeat("get", RouteOptions())


# RequestBody


def test_a_body_is_kept_as_long_as_it_is_small() -> None:
    body = RequestBody(-1, None)
    assert body.take() == b""
    body.add(b"one", flowing=False)
    body.add(b"two", flowing=False)
    assert body.take() == b"onetwo"
    assert body.take() == b"onetwo"
    body.add(b"three", flowing=True)
    assert body.take() == b"onetwothree"
    body.ended = True
    assert (body.size, body.replayable, repr(body)) == (11, True, "<RequestBody 11 bytes, ended>")


def test_a_large_body_is_kept_only_until_it_flows() -> None:
    body = RequestBody(-1, None)
    body.add(b"x" * REPLAY_LIMIT, flowing=False)
    assert not body.full
    body.add(b"y", flowing=False)
    assert body.full
    assert body.replayable
    assert body.take() == b"x" * REPLAY_LIMIT + b"y"
    assert not body.replayable


def test_a_body_that_grows_large_while_it_flows_is_dropped() -> None:
    body = RequestBody(-1, None)
    body.add(b"x" * REPLAY_LIMIT, flowing=True)
    assert body.replayable
    body.add(b"y", flowing=True)
    body.add(b"z", flowing=True)
    assert not body.replayable
    assert body.size == REPLAY_LIMIT + 2


# Valve


class Pipe:
    """What a valve needs of a transport."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")


def test_a_valve_says_each_thing_once_and_nothing_after_the_end() -> None:
    pipe = Pipe()
    valve = Valve(cast(asyncio.Transport, pipe))
    valve.open()
    valve.close()
    valve.close()
    assert repr(valve) == "<Valve shut>"
    valve.open()
    valve.open()
    assert pipe.calls == ["pause", "resume"]
    pipe.closing = True
    valve.close()
    valve.open()
    assert pipe.calls == ["pause", "resume"]
    assert repr(valve) == "<Valve open>"


# Pool


class Connection:
    """What a pool needs of a connection."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.closed = self.lost = self.counted = False

    def close(self) -> None:
        if not self.closed:
            self.closed = self.lost = True
            self.pool.lost(cast(Any, self), idle=True)


class Asker:
    def __init__(self) -> None:
        self.got: Any = None
        self.error: AttemptError | None = None

    def connected(self, connection: Any) -> None:
        self.got = connection

    def connect_failed(self, error: AttemptError) -> None:
        self.error = error


class Dock:
    """A pool whose connections are made, or fail, when told."""

    def __init__(self, limit: int) -> None:
        self.tasks = Tasks("test")
        self.pool = Pool("http://test:80", cast(Any, self._connect), self.tasks, limit)
        self._outcomes: asyncio.Queue[BaseException | None] = asyncio.Queue()

    def ask(self, timeout: float = 1.0) -> Asker:
        asker = Asker()
        self.pool.request(asker, timeout)
        return asker

    async def make(self, error: BaseException | None = None) -> None:
        self._outcomes.put_nowait(error)
        for _ in range(5):
            await asyncio.sleep(0)

    async def _connect(self, pool: Pool, timeout: float) -> Connection:
        error = await self._outcomes.get()
        connection = Connection(pool)
        if error is CLOSED_AT_ONCE:
            connection.close()
        elif error is not None:
            connection.close()  # it may have been open for a moment
            raise error
        return connection


async def test_a_pool_connects_up_to_its_limit_and_queues_the_rest_in_order() -> None:
    dock = Dock(2)
    askers = [dock.ask() for _ in range(4)]
    assert repr(dock.pool) == "<Pool http://test:80: 2 open, 0 idle, 2 waiting>"
    await dock.make()
    await dock.make()
    assert [asker.got is not None for asker in askers] == [True, True, False, False]
    dock.pool.release(askers[0].got)
    assert askers[2].got is askers[0].got
    dock.pool.release(askers[1].got)
    assert askers[3].got is askers[1].got
    assert len(dock.tasks) == 0


async def test_a_pool_gives_the_connection_used_last_first() -> None:
    dock = Dock(9)
    askers = [dock.ask() for _ in range(3)]
    for _ in askers:
        await dock.make()
    for asker in askers:
        dock.pool.release(asker.got)
    assert [dock.pool.take_idle() for _ in range(4)] == [*(asker.got for asker in reversed(askers)), None]


async def test_whoever_is_cancelled_is_passed_over() -> None:
    dock = Dock(1)
    first, second, third = dock.ask(), dock.ask(), dock.ask()
    dock.pool.cancel(second)
    dock.pool.cancel(second)
    await dock.make()
    dock.pool.release(first.got)
    assert (second.got, third.got) == (None, first.got)


async def test_whoever_waits_too_long_is_told_so_once() -> None:
    dock = Dock(1)
    dock.ask()
    late, cancelled = dock.ask(0.01), dock.ask(0.01)
    dock.pool.cancel(cancelled)
    await until(lambda: late.error)
    assert late.error is not None
    assert late.error.failure is Failure.BUSY
    await dock.make(REFUSED)
    await until(lambda: not len(dock.tasks))
    assert (late.error.failure, cancelled.error, dock.pool.size) == (Failure.BUSY, None, 0)


async def test_whoever_s_turn_has_come_is_told_of_the_connection_only() -> None:
    dock = Dock(1)
    first, second, third = dock.ask(), dock.ask(0.01), dock.ask(0.02)
    await dock.make()
    dock.pool.lost(first.got, idle=False)
    await until(lambda: third.error)
    assert second.error is None
    await dock.make(REFUSED)
    assert second.error is REFUSED


async def test_a_failed_connection_makes_room_for_the_next_in_line() -> None:
    dock = Dock(1)
    first, second = dock.ask(), dock.ask()
    await dock.make(REFUSED)
    assert first.error is REFUSED
    await dock.make()
    assert second.got is not None
    assert dock.pool.size == 1


async def test_an_error_that_nobody_thought_of_is_told_and_leaves_the_count_right() -> None:
    dock = Dock(1)
    first, second = dock.ask(), dock.ask()
    await dock.make(ValueError("unthinkable"))
    assert first.error is not None
    assert first.error.failure is Failure.UNREACHABLE
    await dock.make()
    assert second.got is not None
    assert dock.pool.size == 1


async def test_a_connection_that_was_closed_at_once_is_told_and_leaves_the_count_right() -> None:
    dock = Dock(1)
    first, second = dock.ask(), dock.ask()
    await dock.make(CLOSED_AT_ONCE)
    assert first.error is not None
    assert first.error.failure is Failure.REFUSED
    await dock.make()
    assert second.got is not None
    assert dock.pool.size == 1


async def test_whoever_waits_goes_on_when_the_pool_is_retired() -> None:
    dock = Dock(1)
    first, second = dock.ask(), dock.ask()
    await dock.make()
    dock.pool.retire()
    assert second.error is not None
    assert not second.error.counts
    dock.pool.release(first.got)
    assert dock.pool.size == 0


async def test_a_retired_pool_hands_nothing_over_that_was_begun_before_and_begins_nothing() -> None:
    dock = Dock(2)
    asker = dock.ask()
    await asyncio.sleep(0)
    dock.pool.retire()
    assert asker.error is not None
    assert (asker.error.failure, asker.error.counts, asker.error.nothing_sent) == (Failure.LEFT, False, True)
    late = dock.ask()
    assert late.error is not None
    assert late.error.failure is Failure.LEFT
    dock.pool.revive()
    await dock.make()  # for nobody, if it came about all the same
    assert (asker.got, dock.pool.size, dock.pool.take_idle()) == (None, 0, None)
    await until(lambda: not len(dock.tasks))
    again = dock.ask()
    await dock.make()
    assert again.got is not None


async def test_who_asks_again_of_a_pool_that_has_been_revived_gets_a_connection_begun_since() -> None:
    dock = Dock(2)
    asker = dock.ask()  # whose task has not made a step when the pool is retired
    dock.pool.retire()
    dock.pool.revive()
    asker.error = None
    dock.pool.request(asker, 1.0)
    await dock.make()
    assert asker.got is not None
    assert dock.pool.size == 1
    await until(lambda: not len(dock.tasks))


async def test_a_lost_connection_makes_room_for_the_next_in_line() -> None:
    dock = Dock(1)
    first, second = dock.ask(), dock.ask()
    await dock.make()
    dock.pool.lost(first.got, idle=False)
    await dock.make()
    assert second.got is not None
    assert dock.pool.size == 1


async def test_a_retired_pool_closes_what_is_idle_and_what_comes_back_until_it_is_revived() -> None:
    dock = Dock(3)
    idle, busy, other = dock.ask(), dock.ask(), dock.ask()
    for _ in range(3):
        await dock.make()
    dock.pool.release(idle.got)
    dock.pool.retire()
    assert (idle.got.closed, busy.got.closed, dock.pool.size) == (True, False, 2)
    dock.pool.release(busy.got)
    assert (busy.got.closed, dock.pool.size) == (True, 1)
    dock.pool.revive()
    dock.pool.release(other.got)
    assert dock.pool.take_idle() is other.got


async def test_the_tasks_of_a_pool_can_be_cancelled() -> None:
    dock = Dock(1)
    asker = dock.ask()
    await asyncio.sleep(0)
    await dock.tasks.cancel_all()
    assert asker.error is not None
    assert dock.pool.size == 0
    await until(lambda: not len(dock.tasks))


# Answers


@pytest.mark.parametrize("code", ANSWERS)
@pytest.mark.parametrize("html", [True, False])
def test_every_code_has_an_answer_that_names_it(code: str, html: bool) -> None:
    head, body = answer(code, html=html, allow=("GET", "POST"))
    assert head.status == ANSWERS[code].status
    assert code in body.decode()
    assert str(head.status) in body.decode()
    assert head.length == len(body)
    assert (b"<html" in body) == html
    assert (b"Allow: GET, POST" in head.lines) == (head.status == 405)
    assert any(line.startswith(b"Retry-After") for line in head.lines) == (head.status == 503)


# LiveRoute


class Sleeper:
    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


def live(**options: Any) -> LiveRoute:
    return LiveRoute(Route("site", options=RouteOptions(**options)), RouteStats())


def test_whoever_is_held_is_woken_once_when_an_upstream_appears() -> None:
    route, sleepers = live(), [Sleeper() for _ in range(3)]
    for sleeper in sleepers:
        assert route.hold(sleeper, waited=1.0) == ("", 9.0)
    route.unhold(sleepers[1])
    route.unhold(sleepers[1])
    route.update(Route("site", upstreams=(Upstream("a", "http://a", draining=True),)))
    assert [sleeper.woken for sleeper in sleepers] == [0, 0, 0]
    assert "2 held" in repr(route)
    route.update(Route("site", upstreams=(Upstream("a", "http://a"),)))
    route.update(Route("site", upstreams=(Upstream("b", "http://b"),)))
    assert [sleeper.woken for sleeper in sleepers] == [1, 0, 1]


def test_whoever_is_held_is_woken_when_the_route_is_removed() -> None:
    route, sleeper = live(), Sleeper()
    route.hold(sleeper, waited=0.0)
    route.remove()
    assert (route.gone, sleeper.woken) == (True, 1)
    assert route.hold(sleeper, waited=0.0)[0] == "no_upstream"


@pytest.mark.parametrize(
    ("target", "seen"), [("/api/x", "/base/x"), ("/api", "/base/"), ("/api?q", "/base/?q"), ("/apix", "/base/apix")]
)
def test_a_target_loses_the_prefix_and_gains_the_base(target: str, seen: str) -> None:
    upstream = Upstream("a", "http://a/base/")
    rule = PathRule(PathKind.PREFIX, "/api")
    route = LiveRoute(Route("site", path=rule, options=RouteOptions(strip_prefix=True)), RouteStats())
    assert route.target(target, upstream) == seen


def test_a_flood_of_errors_of_one_kind_is_summed_up(caplog: pytest.LogCaptureFixture) -> None:
    route = live()
    for _ in range(100):
        route.log_error("502", "something")
    route.log_error("413", "something else")
    assert [record.getMessage().split()[1] for record in caplog.records] == ["502"] * BURST + ["413"]


def test_what_was_left_out_of_the_log_is_counted() -> None:
    limit = LogLimit()
    assert [limit.unsaid("502", 0.0, burst=2) for _ in range(5)] == [0, 0, None, None, None]
    assert limit.unsaid("502", 1.0, burst=2) == 3
    assert [limit.unsaid("502", 9.0, burst=2) for _ in range(3)] == [0, 0, None]


def test_an_upstream_that_is_benched_again_and_again_is_told_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    route = LiveRoute(Route("site", upstreams=["http://127.0.0.1:1"]), RouteStats())
    (upstream,) = route.route.upstreams
    for _ in range(100):
        route.count_error(upstream, CLOSED)
        route.balancer.choose((), time.monotonic())  # all are benched, so all come back
    assert sum("is benched" in record.getMessage() for record in caplog.records) == 1


def test_parts_say_what_they_are() -> None:
    head = RequestParser(Limits(1000, 10, 100), b"me").parse(b"GET /x HTTP/1.1\r\nHost: a")
    assert repr(head) == "<RequestHead GET /x host='a' length=0>"
    assert "error" in repr(CLOSED).lower()
