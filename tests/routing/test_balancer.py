"""Balancer: the next upstream for an attempt."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from dockerproxy.routing import Balancer, Upstream

from .making import balancer, names, upstreams


def fail(subject: Balancer, index: int, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        subject.failed(subject.upstreams[index], now)


def test_equal_weights_take_turns_and_get_equal_numbers_to_the_request() -> None:
    chosen = names(balancer(1, 1, 1), 300)
    assert chosen == "abc" * 100


def test_weights_are_interleaved_as_evenly_as_they_can_be() -> None:
    assert names(balancer(5, 1, 1), 14) == "aabacaa" * 2


def test_only_the_ratio_of_weights_matters() -> None:
    assert names(balancer(50, 10, 10), 14) == names(balancer(5, 1, 1), 14)


def test_weight_zero_gets_nothing() -> None:
    assert names(balancer(1, 0, 1), 6) == "acacac"


def test_an_upstream_that_drains_gets_nothing_and_statistics_say_why() -> None:
    first, second = upstreams(1, 1)
    subject = balancer()
    subject.update((replace(first, draining=True), second))
    assert names(subject, 3) == "bbb"
    assert subject.status(subject.upstreams[0], 0.0).state == "draining"
    assert subject.status(second, 0.0).state == "up"


def test_without_any_upstream_there_is_no_choice() -> None:
    assert names(balancer(), 2) == "--"
    assert not balancer().has_upstream
    assert names(balancer(0), 2) == "--"
    assert not balancer(0).has_upstream


def test_what_was_tried_is_not_chosen_again_in_the_same_round() -> None:
    subject = balancer(1, 1, 1)
    tried: set[str] = set()
    chosen = []
    while (upstream := subject.choose(tried, 0.0)) is not None:
        chosen.append(upstream.name)
        tried.add(upstream.key)
    assert sorted(chosen) == ["a", "b", "c"]


def test_what_was_tried_says_nothing_of_the_next_exchange() -> None:
    subject = balancer(1, 1)
    everyone = {upstream.key for upstream in subject.upstreams}
    assert subject.choose(everyone, 0.0) is None
    assert Counter(names(subject, 10)) == {"a": 5, "b": 5}


def test_the_rotation_goes_on_where_it_was_when_the_set_changes() -> None:
    subject = balancer(1, 1, 1)
    assert names(subject, 2) == "ab"
    subject.update((*subject.upstreams, Upstream("d", "http://127.0.0.1:9")))
    assert names(subject, 4) == "cdab"


def test_the_rotation_begins_anew_when_the_one_chosen_last_has_gone() -> None:
    subject = balancer(1, 1, 1)
    assert names(subject, 2) == "ab"
    first, _, third = subject.upstreams
    subject.update((first, third))
    assert names(subject, 4) == "acac"


def test_a_change_of_weight_keeps_counting_errors() -> None:
    subject = balancer(1, 1, errors=3)
    fail(subject, 0, 2)
    subject.update(upstreams(2, 1))
    assert subject.failed(subject.upstreams[0], 0.0) is True


def test_ten_errors_in_a_row_bench_and_the_others_share_the_work() -> None:
    subject = balancer(1, 1, 1)
    fail(subject, 1, 9)
    assert Counter(names(subject, 6)) == {"a": 2, "b": 2, "c": 2}
    fail(subject, 1, 1)
    assert Counter(names(subject, 10)) == {"a": 5, "c": 5}
    assert subject.status(subject.upstreams[1], 0.0).state == "benched"


def test_after_the_bench_exactly_one_attempt_goes_there() -> None:
    subject = balancer(1, 1)
    fail(subject, 0, 10)
    assert names(subject, 4, now=89.9) == "bbbb"
    assert Counter(names(subject, 10, now=90.0)) == {"a": 1, "b": 9}


def test_a_success_on_probation_brings_it_back_into_the_rotation() -> None:
    subject = balancer(1, 1)
    fail(subject, 0, 10)
    assert "a" in names(subject, 2, now=90.0)
    assert subject.succeeded(subject.upstreams[0]) is True
    assert Counter(names(subject, 10, now=90.0)) == {"a": 5, "b": 5}


def test_an_error_on_probation_benches_for_twice_as_long() -> None:
    subject = balancer(1, 1)
    fail(subject, 0, 10)
    assert "a" in names(subject, 2, now=90.0)
    assert subject.failed(subject.upstreams[0], 90.0) is True
    assert names(subject, 4, now=269.9) == "bbbb"
    assert "a" in names(subject, 2, now=270.0)


def test_a_client_that_leaves_on_probation_leaves_it_to_the_next() -> None:
    subject = balancer(1, 1)
    fail(subject, 0, 10)
    assert "a" in names(subject, 2, now=90.0)
    subject.abandoned(subject.upstreams[0])
    assert Counter(names(subject, 10, now=90.0)) == {"a": 1, "b": 9}


def test_when_all_are_benched_all_come_back_at_once() -> None:
    subject = balancer(1, 1, 1)
    for index in range(3):
        fail(subject, index, 10)
    assert Counter(names(subject, 9)) == {"a": 3, "b": 3, "c": 3}
    assert {subject.status(upstream, 0.0).state for upstream in subject.upstreams} == {"up"}


def test_the_only_upstream_is_never_refused() -> None:
    subject = balancer(1)
    fail(subject, 0, 10)
    assert names(subject, 3) == "aaa"


def test_a_benched_upstream_comes_back_when_those_beside_it_drain() -> None:
    subject = balancer(1, 1)
    fail(subject, 0, 10)
    first, second = subject.upstreams
    subject.update((first, replace(second, draining=True)))
    assert names(subject, 2) == "aa"


def test_an_upstream_that_went_and_comes_again_starts_without_a_bench() -> None:
    subject = balancer(1, 1)
    fail(subject, 0, 10)
    first, second = subject.upstreams
    subject.update((second,))
    subject.update((first, second))
    assert subject.status(first, 0.0).state == "up"
    assert Counter(names(subject, 10)) == {"a": 5, "b": 5}


def test_new_limits_hold_from_now_on_and_whoever_is_benched_stays_so() -> None:
    subject = balancer(1, 1)
    fail(subject, 0, 10)
    subject.limits(consecutive_errors=2, duration=10.0)
    assert subject.status(subject.upstreams[0], 0.0).benched_until == 90.0
    fail(subject, 1, 2)
    assert subject.status(subject.upstreams[1], 0.0).benched_until == 10.0


def test_a_benched_upstream_still_counts_as_one_that_might_answer() -> None:
    subject = balancer(1)
    fail(subject, 0, 10)
    assert subject.has_upstream


def test_the_second_attempts_of_one_that_errs_leave_the_others_with_equal_loads() -> None:
    subject = balancer(1, 1, 1, errors=1000)
    served: Counter[str] = Counter()
    for _ in range(300):
        chosen = subject.choose((), 0.0)
        if chosen is not None and chosen.name == "a":
            chosen = subject.choose((chosen.key,), 0.0)
        assert chosen is not None
        served[chosen.name] += 1
    assert served == {"b": 150, "c": 150}


def test_a_balancer_tells_its_state() -> None:
    subject = balancer(1, 1)
    subject.choose((), 0.0)
    assert repr(subject) == "<Balancer of 2: 2 available, <Bench: 0 benched, 0 with errors>>"


def test_a_bench_that_is_set_or_ended_counts_from_the_next_choice() -> None:
    subject = balancer(1, 1)
    assert names(subject, 2) == "ab"
    subject.impose(subject.upstreams[0], 30.0)
    assert names(subject, 3, 1.0) == "bbb"
    assert subject.release(subject.upstreams[0])
    assert not subject.release(subject.upstreams[0])
    assert names(subject, 2, 2.0) == "ab"


def test_a_bench_that_is_set_ends_by_itself() -> None:
    subject = balancer(1, 1)
    subject.impose(subject.upstreams[0], 30.0)
    assert names(subject, 2, 29.0) == "bb"
    assert "a" in names(subject, 2, 30.0)


def test_benches_that_are_set_for_all_are_void_for_something_might_answer() -> None:
    subject = balancer(1, 1)
    for upstream in subject.upstreams:
        subject.impose(upstream, 30.0)
    assert sorted(names(subject, 2)) == ["a", "b"]
    assert subject.status(subject.upstreams[0], 0.0).state == "up"
