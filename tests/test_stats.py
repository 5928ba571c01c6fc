"""Counters: numbers that a person reads in statistics."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerproxy.stats import LATENCY_BOUNDS, Latency, ProxyStats, RouteStats


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


def test_counters_are_made_at_the_first_look_and_stay() -> None:
    stats = ProxyStats(started_at=7.0)
    route = stats.route("blog")
    route.upstream("one").used_successfully += 1
    assert stats.route("blog") is route
    assert stats.route("blog").upstream("one").used_successfully == 1
    assert stats.route("shop") is not route
    assert stats.started_at == 7.0


def test_in_flight_is_the_sum_over_all_routes() -> None:
    stats = ProxyStats(0.0)
    stats.route("blog").in_flight = 2
    stats.route("shop").in_flight = 3
    assert stats.in_flight == 5


def test_an_upstream_s_counters_read_well_in_a_debugger() -> None:
    upstream = RouteStats().upstream("one")
    upstream.error_counter = 3
    assert repr(upstream) == "<UpstreamStats ok=0 errors=3 in_flight=0>"
