"""Balancer: what holds for any weights and any history."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import reduce
from math import gcd

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dockerproxy.routing import Balancer, Bench, Upstream

from .making import balancer, upstreams

WEIGHTS = st.lists(st.integers(0, 20), min_size=1, max_size=8)


def period_of(weights: list[int]) -> int:
    return sum(weights) // max(1, reduce(gcd, weights, 0))


@given(WEIGHTS, st.integers(1, 4))
def test_over_whole_periods_the_numbers_are_in_proportion_to_the_weights(weights: list[int], periods: int) -> None:
    subject = balancer(*weights)
    counts: Counter[str] = Counter()
    for _ in range(period_of(weights) * periods):
        upstream = subject.choose((), 0.0)
        assert upstream is not None
        counts[upstream.key] += 1
    divisor = max(1, reduce(gcd, weights, 0))
    assert [counts[up.key] for up in subject.upstreams] == [weight * periods // divisor for weight in weights]


@given(WEIGHTS)
def test_within_a_period_nobody_is_ahead_of_its_share_by_more_than_the_number_of_upstreams(weights: list[int]) -> None:
    subject = balancer(*weights)
    total, counts = sum(weights), Counter[str]()
    for step in range(1, period_of(weights) + 1):
        upstream = subject.choose((), 0.0)
        assert upstream is not None
        counts[upstream.key] += 1
        for up in subject.upstreams:
            assert abs(counts[up.key] - step * up.weight / total) <= len(weights)


@given(WEIGHTS, st.data())
def test_over_whole_periods_the_proportions_hold_for_those_that_are_not_benched(
    weights: list[int], data: st.DataObject
) -> None:
    subject = balancer(*weights, errors=1)
    benched = data.draw(st.sets(st.integers(0, len(weights) - 1)))
    for index in benched:
        subject.failed(subject.upstreams[index], 0.0)
    left = [weight for index, weight in enumerate(weights) if weight and index not in benched]
    if not left:  # all benched: all come back
        left, benched = [weight for weight in weights if weight], set()
    counts: Counter[str] = Counter()
    for _ in range(period_of(left)):
        upstream = subject.choose((), 1.0)
        assert upstream is not None
        counts[upstream.key] += 1
    divisor = max(1, reduce(gcd, left, 0))
    expected = {
        up.key: up.weight // divisor for index, up in enumerate(subject.upstreams) if up.weight and index not in benched
    }
    assert counts == Counter(expected)


class AnyHistory(RuleBasedStateMachine):
    """Errors, successes, time, drains and changes of the set, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.subject = Balancer((), Bench(2, 90.0))

    @initialize(weights=WEIGHTS)
    def begin(self, weights: list[int]) -> None:
        self.subject.update(upstreams(*weights))

    @rule(seconds=st.sampled_from([0.5, 30.0, 90.0, 1000.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(data=st.data())
    def something_happens_to_one(self, data: st.DataObject) -> None:
        upstream = data.draw(st.sampled_from(self.subject.upstreams))
        what = data.draw(st.sampled_from(["error", "success", "abandoned", "drain", "undrain"]))
        if what == "error":
            self.subject.failed(upstream, self.now)
        elif what == "success":
            self.subject.succeeded(upstream)
        elif what == "abandoned":
            self.subject.abandoned(upstream)
        else:
            changed = replace(upstream, draining=what == "drain")
            self.subject.update([changed if up.key == upstream.key else up for up in self.subject.upstreams])

    @rule(weights=WEIGHTS)
    def the_set_changes(self, weights: list[int]) -> None:
        self.subject.update(upstreams(*weights))

    @rule()
    def one_exchange_tries_whatever_it_can(self) -> None:
        in_rotation = {up.key for up in self.subject.upstreams if up.in_rotation}
        tried: set[str] = set()
        while (upstream := self.subject.choose(tried, self.now)) is not None:
            assert upstream.key in in_rotation, "not in rotation, but chosen"
            assert upstream.key not in tried, "tried, but chosen again"
            tried.add(upstream.key)
        assert bool(tried) == bool(in_rotation), "refused while something might have answered"

    @invariant()
    def there_is_a_choice_exactly_when_one_is_in_rotation(self) -> None:
        chosen: Upstream | None = self.subject.choose((), self.now)
        assert (chosen is not None) == self.subject.has_upstream


AnyHistory.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestAnyHistory = AnyHistory.TestCase
