"""Durations: percentiles that a person reads in statistics."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerproxy.stats import LATENCY_BOUNDS, Latency


def test_without_any_duration_there_is_no_percentile() -> None:
    assert Latency().percentile(0.5) is None


@settings(deadline=None)
@given(st.floats(0.0002, 100.0), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_off_by_at_most_an_eighth(seconds: float, fraction: float) -> None:
    latency = Latency()
    for _ in range(100):
        latency.add(seconds)
    found = latency.percentile(fraction)
    assert found is not None
    assert abs(found - seconds) <= 0.126 * seconds


@pytest.mark.parametrize("fraction", [0.5, 0.95, 1.0])
def test_no_percentile_is_longer_than_the_only_duration(fraction: float) -> None:
    latency = Latency()
    latency.add(10.004)
    assert latency.percentile(fraction) == pytest.approx(10.004)


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 300.0), min_size=1, max_size=30), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_never_below_the_bucket_of_its_duration(durations: list[float], fraction: float) -> None:
    latency = Latency()
    for seconds in durations:
        latency.add(seconds)
    found = latency.percentile(fraction)
    wanted = sorted(durations)[max(0, math.ceil(fraction * len(durations)) - 1)]
    shorter = [bound for bound in LATENCY_BOUNDS if bound < wanted]
    assert found is not None
    assert found >= (shorter[-1] if shorter else 0.0) - 1e-9


def test_percentiles_tell_the_usual_from_the_rare() -> None:
    latency = Latency()
    for seconds, times in ((0.001, 90), (0.1, 8), (5.0, 2)):
        for _ in range(times):
            latency.add(seconds)
    found = [latency.percentile(fraction) for fraction in (0.5, 0.95, 0.99)]
    assert found == [pytest.approx(expected, rel=0.26) for expected in (0.001, 0.1, 5.0)]
    assert latency.count == 100


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 3600.0])
def test_what_is_shorter_or_longer_than_all_buckets_is_counted_too(seconds: float) -> None:
    latency = Latency()
    latency.add(seconds)
    found = latency.percentile(0.5)
    assert found is not None
    assert 0 <= found <= LATENCY_BOUNDS[-1]


def test_the_answers_up_to_each_bound_are_counted_and_their_time_is_summed() -> None:
    latency = Latency()
    for seconds in (0.001, 0.0011, 0.5, 1000.0):
        latency.add(seconds)
    found = dict(zip((*LATENCY_BOUNDS, float("inf")), latency.up_to(), strict=True))
    assert (found[0.0008], found[0.001], found[0.00125], found[0.4], found[0.5]) == (0, 1, 2, 2, 3)
    assert (found[LATENCY_BOUNDS[-1]], found[float("inf")]) == (3, 4)
    assert latency.total == pytest.approx(1000.5021)
