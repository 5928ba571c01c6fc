"""Draining, Relisting and Backoff: decisions about time, with the time given."""

from __future__ import annotations

import math

from dockerproxy.discovery.following.backoff import Backoff
from dockerproxy.discovery.following.draining import Draining
from dockerproxy.discovery.following.relisting import STEPS, Relisting
from dockerproxy.discovery.timing import Timing

TIMING = Timing(stop_grace=10, stop_margin=1, grace_lookup=1)


def test_time_alone_brings_nobody_back_but_is_told_once() -> None:
    draining = Draining(TIMING)
    draining.begin("a", now=100)
    assert draining.overdue(now=110.9) == []
    assert draining.overdue(now=111) == ["a"]
    assert draining.overdue(now=10_000) == []
    assert "a" in draining
    draining.to_look_up(now=111)
    assert draining.next_due() == math.inf


def test_its_own_grace_is_asked_for_once_and_counts_from_the_signal() -> None:
    draining = Draining(TIMING)
    draining.begin("a", now=100)
    assert draining.next_due() == 101
    assert draining.to_look_up(now=101) == ["a"]
    assert draining.to_look_up(now=102) == []
    draining.set_grace("a", 60)
    assert draining.next_due() == 161
    draining.begin("a", now=110)
    assert draining.next_due() == 171


def test_an_unknown_grace_is_the_engines_default() -> None:
    draining = Draining(TIMING)
    draining.begin("a", now=100)
    draining.set_grace("a", None)
    draining.set_grace("stranger", 1)
    assert draining.overdue(now=111) == ["a"]


def test_a_health_check_that_succeeds_after_it_had_failed_is_a_sign_of_life() -> None:
    draining = Draining(TIMING)
    assert not draining.recovers("a", healthy=True)
    draining.begin("a", now=100)
    assert not draining.recovers("a", healthy=True), "it may have been under way before the signal"
    assert not draining.recovers("a", healthy=False)
    assert draining.recovers("a", healthy=True)
    draining.begin("b", now=100, unhealthy=True)
    assert draining.recovers("b", healthy=True)


def test_a_start_after_the_signal_counts_by_the_engine_s_clock() -> None:
    draining = Draining(TIMING)
    draining.begin("a", now=100, moment=5_000)
    assert not draining.began_before("a", 4_000)
    assert draining.began_before("a", 6_000)
    assert not draining.began_before("stranger", 6_000)
    draining.begin("b", now=100)
    assert not draining.began_before("b", 6_000), "nobody knows when it was told"


def test_death_ends_it() -> None:
    draining = Draining(TIMING)
    draining.begin("a", now=100)
    draining.end("a")
    draining.end("a")
    assert not draining.containers
    assert "0 containers" in repr(draining)


def test_a_container_is_listed_again_at_each_step_after_its_last_event() -> None:
    relisting = Relisting()
    assert relisting.next_due() == math.inf
    relisting.begin("a", "connect", now=100)
    assert relisting.due(now=100) == []
    relisting.begin("a", "connect", now=101)
    for step in STEPS:
        assert relisting.next_due() == 101 + step
        assert relisting.due(now=101 + step) == ["a"]
        relisting.listed("a", "running")
    assert relisting.due(now=200) == []
    assert (len(relisting), repr(relisting)) == (0, "<Relisting: 0 containers>")


def test_a_list_that_shows_what_the_event_told_settles_it() -> None:
    relisting = Relisting()
    relisting.begin("a", "die", now=100)
    relisting.listed("a", "running")
    assert len(relisting) == 1
    relisting.listed("a", "exited")
    assert len(relisting) == 0
    relisting.begin("gone", "rename", now=100)
    relisting.listed("gone", "")
    assert relisting.next_due() == math.inf


def test_pauses_double_up_to_the_most_and_are_jittered() -> None:
    backoff = Backoff(0.1, 10)
    pauses = [backoff.next() for _ in range(12)]
    nominal = [min(0.1 * 2**n, 10) for n in range(12)]
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, nominal, strict=True))
    backoff.reset()
    assert backoff.next() <= 0.1
    assert "0.2" in repr(backoff)
