"""Bench: who sits out until when. The clock is a number of seconds."""

from __future__ import annotations

import pytest

from dockerproxy.routing import Bench, UpstreamStatus
from dockerproxy.routing.bench import LONGEST_BENCH

MINUTE = 60.0


@pytest.fixture
def bench() -> Bench:
    return Bench(consecutive_errors=10, duration=90.0)


def benched_at(bench: Bench, now: float) -> None:
    """Err until benched."""
    while not bench.error("a", now):
        pass


def test_nine_errors_change_nothing_and_the_tenth_benches_for_ninety_seconds(bench: Bench) -> None:
    assert not any(bench.error("a", 1.0) for _ in range(9))
    assert bench.available("a", 1.0)
    assert bench.error("a", 1.0)
    assert not bench.available("a", 90.9)
    assert bench.available("a", 91.0)


def test_a_success_resets_the_count(bench: Bench) -> None:
    for _ in range(9):
        bench.error("a", 0.0)
    assert bench.success("a") is False
    assert not any(bench.error("a", 0.0) for _ in range(9))


def test_errors_of_one_upstream_do_not_count_for_another(bench: Bench) -> None:
    benched_at(bench, 0.0)
    assert bench.available("b", 0.0)
    assert bench.status("b", 0.0) == UpstreamStatus("up", 0, None)


def test_errors_that_come_late_from_attempts_before_the_bench_do_not_prolong_it(bench: Bench) -> None:
    benched_at(bench, 0.0)
    assert not any(bench.error("a", 50.0) for _ in range(20))
    assert bench.available("a", 90.0)


def test_an_error_from_before_the_bench_that_comes_after_its_end_is_not_one_of_the_probation(bench: Bench) -> None:
    benched_at(bench, 0.0)
    assert not bench.error("a", 95.0)
    assert bench.available("a", 95.0)


def test_probation_lets_exactly_one_attempt_through(bench: Bench) -> None:
    benched_at(bench, 0.0)
    assert bench.available("a", 90.0)
    assert bench.begin("a", 90.0)
    assert not bench.available("a", 90.0)
    assert not bench.available("a", 500.0)


def test_an_attempt_of_an_upstream_that_is_not_on_probation_is_nothing_special(bench: Bench) -> None:
    assert not bench.begin("a", 0.0)
    bench.error("a", 0.0)
    assert not bench.begin("a", 0.0)


def test_a_success_on_probation_ends_the_bench_and_all_that_was_counted(bench: Bench) -> None:
    benched_at(bench, 0.0)
    bench.begin("a", 90.0)
    assert bench.success("a") is True
    assert bench.status("a", 90.0) == UpstreamStatus("up", 0, None)
    assert not any(bench.error("a", 91.0) for _ in range(9))


def test_a_repeated_bench_doubles_up_to_fifteen_minutes(bench: Bench) -> None:
    benched_at(bench, 0.0)
    now, lengths = 90.0, []
    for _ in range(6):
        assert bench.begin("a", now)
        assert bench.error("a", now)
        until = bench.status("a", now).benched_until
        assert until is not None
        lengths.append(until - now)
        now = until
    assert lengths == [180.0, 360.0, 720.0, LONGEST_BENCH, LONGEST_BENCH, LONGEST_BENCH]
    assert LONGEST_BENCH == 15 * MINUTE


def test_after_a_success_the_next_bench_has_its_first_length_again(bench: Bench) -> None:
    benched_at(bench, 0.0)
    bench.begin("a", 90.0)
    bench.error("a", 90.0)
    bench.success("a")
    benched_at(bench, 1000.0)
    assert bench.status("a", 1000.0).benched_until == 1090.0


def test_a_bench_that_is_set_longer_than_fifteen_minutes_has_its_length_and_does_not_double() -> None:
    bench = Bench(1, 20 * MINUTE)
    assert bench.error("a", 0.0)
    assert bench.begin("a", 20 * MINUTE)
    assert bench.error("a", 20 * MINUTE)
    assert bench.status("a", 20 * MINUTE).benched_until == 40 * MINUTE


@pytest.mark.parametrize("duration", [0.0, 0.001, 90.0])
def test_an_upstream_that_is_down_for_months_is_still_only_benched(duration: float) -> None:
    bench, now = Bench(1, duration), 0.0
    for _ in range(3000):
        assert bench.begin("a", now) or now == 0.0
        assert bench.error("a", now)
        now = bench.status("a", now).benched_until or now
    assert bench.available("a", now)


def test_an_attempt_given_up_on_probation_leaves_the_probation_to_the_next_one(bench: Bench) -> None:
    benched_at(bench, 0.0)
    bench.begin("a", 90.0)
    assert bench.abandon("a") is True
    assert bench.available("a", 90.0)
    assert bench.status("a", 90.0).state == "probation"


def test_giving_up_an_ordinary_attempt_changes_nothing(bench: Bench) -> None:
    bench.error("a", 0.0)
    assert bench.abandon("a") is False
    assert bench.abandon("never seen") is False
    assert bench.status("a", 0.0).consecutive_errors == 1


def test_an_upstream_that_is_forgotten_begins_anew(bench: Bench) -> None:
    benched_at(bench, 0.0)
    bench.leave("a")
    assert bench.status("a", 0.0) == UpstreamStatus("up", 0, None)
    bench.leave("never seen")


def test_all_come_back_at_once(bench: Bench) -> None:
    benched_at(bench, 0.0)
    bench.release_all()
    assert bench.available("a", 0.0)


def test_the_next_release_is_the_earliest_end_still_to_come(bench: Bench) -> None:
    assert bench.next_release(0.0) == float("inf")
    for key, start in (("a", 0.0), ("b", 10.0)):
        for _ in range(10):
            bench.error(key, start)
    assert bench.next_release(10.0) == 90.0
    assert bench.next_release(90.0) == 100.0
    assert bench.next_release(100.0) == float("inf")


def test_the_state_is_told_in_the_words_of_statistics(bench: Bench) -> None:
    bench.error("a", 0.0)
    assert bench.status("a", 0.0) == UpstreamStatus("up", 1, None)
    benched_at(bench, 0.0)
    assert bench.status("a", 89.0) == UpstreamStatus("benched", 10, 90.0, 0.0)
    assert bench.status("a", 90.0) == UpstreamStatus("probation", 10, 90.0, 0.0)
    assert repr(bench) == "<Bench: 1 benched, 0 with errors>"


def test_a_newcomer_that_has_never_answered_is_benched_for_a_second_then_for_two_and_so_on() -> None:
    bench = Bench(2, 90.0)
    bench.join("a", newcomer=True)
    assert not bench.error("a", 0.0)
    assert bench.error("a", 0.0)
    assert bench.status("a", 0.5).benched_until == 1.0
    assert bench.begin("a", 1.0)
    assert bench.error("a", 1.0)
    assert bench.status("a", 1.0).benched_until == 3.0


def test_a_newcomer_that_has_answered_is_benched_as_any_other() -> None:
    bench = Bench(2, 90.0)
    bench.join("a", newcomer=True)
    bench.success("a")
    bench.error("a", 0.0)
    assert bench.error("a", 0.0)
    assert bench.status("a", 0.0).benched_until == 90.0


def test_the_first_bench_of_a_newcomer_is_never_longer_than_the_setting() -> None:
    bench = Bench(1, 0.5)
    bench.join("a", newcomer=True)
    assert bench.error("a", 0.0)
    assert bench.status("a", 0.0).benched_until == 0.5


def test_a_bench_can_be_set_from_outside_and_ends_in_a_probation(bench: Bench) -> None:
    bench.impose("a", 30.0)
    assert bench.status("a", 0.0) == UpstreamStatus("benched", 0, 30.0)
    assert not bench.available("a", 29.9)
    assert bench.begin("a", 30.0)
    assert bench.success("a") is True
    assert bench.status("a", 30.0) == UpstreamStatus("up", 0, None)


def test_what_was_under_way_when_a_bench_was_set_does_not_end_it(bench: Bench) -> None:
    bench.error("a", 0.0)
    bench.impose("a", 30.0)
    assert bench.success("a") is False
    assert bench.status("a", 1.0) == UpstreamStatus("benched", 0, 30.0)
    assert bench.error("a", 2.0) is False
    assert bench.status("a", 2.0) == UpstreamStatus("benched", 1, 30.0)


def test_an_error_after_a_bench_that_was_set_benches_as_ever(bench: Bench) -> None:
    bench.impose("a", 30.0)
    bench.begin("a", 30.0)
    assert bench.error("a", 31.0)
    assert bench.status("a", 31.0).benched_until == 121.0
    assert bench.success("a") is True  # the bench was earned this time


def test_a_bench_that_is_set_anew_has_the_new_end(bench: Bench) -> None:
    benched_at(bench, 0.0)
    bench.impose("a", 30.0)
    assert bench.status("a", 0.0) == UpstreamStatus("benched", 10, 30.0)


def test_any_bench_can_be_ended_at_once(bench: Bench) -> None:
    benched_at(bench, 0.0)
    assert bench.release("a") is True
    assert bench.status("a", 0.0) == UpstreamStatus("up", 0, None)
    bench.impose("a", 30.0)
    assert bench.release("a") is True
    assert bench.available("a", 0.0)


def test_ending_the_bench_of_one_that_is_not_benched_changes_nothing(bench: Bench) -> None:
    bench.error("a", 0.0)
    assert bench.release("a") is False
    assert bench.release("never seen") is False
    assert bench.status("a", 0.0).consecutive_errors == 1
