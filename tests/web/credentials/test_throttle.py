"""Guessing the admin token is slowed down by address, and cannot lock this machine out."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerproxy.web.credentials.throttle import (
    FIRST_BAN,
    FORGET_AFTER,
    FREE_GUESSES,
    LONGEST_BAN,
    LONGEST_LOOPBACK_BAN,
    MOST_ADDRESSES,
    Throttle,
)
from tests.web.conftest import Build

TOKEN = "correct horse battery"
STATISTICS = "dockerproxy-statistics"
STRANGER = "203.0.113.9"


def guess(throttle: Throttle, address: str, times: int, now: float = 0.0) -> float:
    """Wrong tokens in a row; returns the ban that the last one brought."""
    return [throttle.wrong(address, now) for _ in range(times)][-1]


def test_a_few_wrong_tokens_cost_nothing() -> None:
    throttle = Throttle()
    assert guess(throttle, STRANGER, FREE_GUESSES - 1) == 0
    assert throttle.banned_for(STRANGER, 0.0) == 0


def test_each_ban_is_twice_as_long_up_to_a_limit() -> None:
    throttle, now, bans = Throttle(), 0.0, []
    guess(throttle, STRANGER, FREE_GUESSES - 1)
    for _ in range(12):
        bans.append(throttle.wrong(STRANGER, now))
        assert throttle.banned_for(STRANGER, now) == bans[-1]
        now += bans[-1]
        assert throttle.banned_for(STRANGER, now) == 0
    assert bans[:4] == [FIRST_BAN, 2 * FIRST_BAN, 4 * FIRST_BAN, 8 * FIRST_BAN]
    assert bans[-1] == LONGEST_BAN


def test_the_right_token_forgets_the_wrong_ones() -> None:
    throttle = Throttle()
    guess(throttle, STRANGER, FREE_GUESSES - 1)
    throttle.right(STRANGER)
    assert guess(throttle, STRANGER, FREE_GUESSES - 1) == 0
    assert len(throttle) == 1


def test_wrong_tokens_of_long_ago_are_forgotten() -> None:
    throttle = Throttle()
    ban = guess(throttle, STRANGER, FREE_GUESSES)
    assert throttle.wrong(STRANGER, ban + FORGET_AFTER + 1) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.9", "::ffff:203.0.113.9", True),
        ("203.0.113.9", "203.0.113.10", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "unknown", False),
    ],
)
def test_an_attacker_is_known_by_address_and_an_ipv6_one_by_its_network(one: str, other: str, same: bool) -> None:
    throttle = Throttle()
    guess(throttle, one, FREE_GUESSES)
    assert (throttle.banned_for(other, 0.0) > 0) is same


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_never_banned_for_long(address: str) -> None:
    throttle = Throttle()
    assert guess(throttle, address, 1000) == LONGEST_LOOPBACK_BAN


def test_many_addresses_cost_a_bounded_memory_and_the_oldest_is_forgotten() -> None:
    throttle = Throttle()
    guess(throttle, STRANGER, FREE_GUESSES)
    for number in range(MOST_ADDRESSES):
        throttle.wrong(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1.0)
    assert len(throttle) == MOST_ADDRESSES
    assert throttle.banned_for(STRANGER, 1.0) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0, 2000)), max_size=60))
def test_whatever_comes_the_memory_and_the_bans_are_bounded(steps: list[tuple[str, bool, float]]) -> None:
    throttle, now = Throttle(most=2), 0.0
    for address, right, wait in steps:
        now += wait
        if throttle.banned_for(address, now) > 0:
            continue
        if right:
            throttle.right(address)
        else:
            assert 0 <= throttle.wrong(address, now) <= LONGEST_BAN
        assert len(throttle) <= 2


async def test_guessing_is_answered_with_429_and_a_time_to_wait(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "dockerproxy")
    house = build(admin_token=TOKEN)
    for _ in range(FREE_GUESSES):
        answer = await house.call(STATISTICS, remote=STRANGER, Authorization="Bearer planted-guess")
        assert answer.status == 401
    for bearer in ("planted-guess", TOKEN):
        answer = await house.call(STATISTICS, remote=STRANGER, Authorization=f"Bearer {bearer}")
        assert answer.status == 429
        assert 0 < int(answer.fields["retry-after"]) <= FIRST_BAN

    assert (await house.call(STATISTICS, remote="203.0.113.10", Authorization=f"Bearer {TOKEN}")).status == 200
    (line,) = [record.getMessage() for record in caplog.records]
    assert STRANGER in line
    assert "planted-guess" not in line


async def test_whoever_sends_no_token_guesses_nothing(build: Build) -> None:
    house = build(admin_token=TOKEN)
    for _ in range(FREE_GUESSES + 1):
        assert (await house.call(STATISTICS, remote=STRANGER)).status == 401
        assert (await house.call(STATISTICS, remote=STRANGER, Authorization="Bearer ")).status == 401
    assert (await house.call(STATISTICS, remote=STRANGER, Authorization=f"Bearer {TOKEN}")).status == 200


async def test_every_handler_behind_the_token_counts(build: Build) -> None:
    house = build(admin_token=TOKEN)
    calls = [(STATISTICS, "GET"), ("dockerproxy-add", "POST"), ("dockerproxy-remove", "POST")]
    for number in range(FREE_GUESSES):
        route, method = calls[number % len(calls)]
        assert (await house.call(route, method, remote=STRANGER, Authorization="Bearer x")).status == 401
    for route, method in calls:
        assert (await house.call(route, method, remote=STRANGER, Authorization="Bearer x")).status == 429


async def test_bans_of_many_addresses_do_not_fill_the_log(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    house = build(admin_token=TOKEN)
    for number in range(60):
        for _ in range(FREE_GUESSES):
            await house.call(STATISTICS, remote=f"198.51.100.{number}", Authorization="Bearer wrong")
    assert 0 < len(caplog.records) < 40
