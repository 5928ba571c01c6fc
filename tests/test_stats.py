"""Counters: numbers that a person reads in statistics."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerproxy.stats import (
    KEEP_GONE,
    LATENCY_BOUNDS,
    MOST_GONE,
    GateStats,
    InnerStats,
    Latency,
    ProxyStats,
    RouteStats,
)


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


def test_a_quiet_route_need_not_be_looked_at() -> None:
    stats = ProxyStats(0.0)
    blog, shop = stats.route("blog"), stats.route("shop")
    blog.stir()
    assert stats.stirred() == [("blog", blog)]
    assert stats.stirred() == []
    shop.stir()
    blog.stir()
    assert stats.stirred() == [("shop", shop), ("blog", blog)]


def test_a_route_is_looked_at_until_its_last_exchange_is_over() -> None:
    stats = ProxyStats(0.0)
    blog = stats.route("blog")
    blog.in_flight += 1
    blog.stir()
    assert stats.stirred() == stats.stirred() == [("blog", blog)]
    blog.in_flight -= 1
    assert stats.stirred() == [("blog", blog)]
    assert stats.stirred() == []


@pytest.mark.parametrize("kind", [GateStats, InnerStats])
def test_what_happens_at_middlewares_stirs_the_route_itself(kind: type[GateStats | InnerStats]) -> None:
    stats = ProxyStats(0.0)
    blog = stats.route("blog")
    gate = kind(blog)
    assert gate.quiet
    gate.stir()
    assert not gate.quiet
    assert stats.stirred() == [("blog", blog)]
    assert gate.quiet


def test_an_upstream_s_counters_read_well_in_a_debugger() -> None:
    upstream = RouteStats().upstream("one")
    upstream.error_counter = 3
    assert repr(upstream) == "<UpstreamStats ok=0 errors=3 in_flight=0>"


def test_the_answers_up_to_each_bound_are_counted_and_their_time_is_summed() -> None:
    latency = Latency()
    for seconds in (0.001, 0.0011, 0.5, 1000.0):
        latency.add(seconds)
    found = dict(zip((*LATENCY_BOUNDS, float("inf")), latency.up_to(), strict=True))
    assert (found[0.0008], found[0.001], found[0.00125], found[0.4], found[0.5]) == (0, 1, 2, 2, 3)
    assert (found[LATENCY_BOUNDS[-1]], found[float("inf")]) == (3, 4)
    assert latency.total == pytest.approx(1000.5021)


def with_upstreams(*places: tuple[str, str]) -> ProxyStats:
    stats = ProxyStats(0.0)
    for route, key in places:
        stats.route(route).upstream(key).used_successfully = 1
    return stats


def test_an_upstream_that_left_the_table_is_forgotten_an_hour_later() -> None:
    stats = with_upstreams(("blog", "here"), ("blog", "gone"))
    stats.forget({"blog": {"here"}}, now=10.0)
    stats.forget({"blog": {"here"}}, now=10.0 + KEEP_GONE - 1)
    assert stats.route("blog").upstreams.keys() == {"here", "gone"}
    stats.forget({"blog": {"here"}}, now=10.0 + KEEP_GONE)
    assert stats.route("blog").upstreams.keys() == {"here"}


def test_a_route_that_left_the_table_is_forgotten_with_its_upstreams() -> None:
    stats = with_upstreams(("blog", "one"), ("shop", "two"))
    stats.forget({"shop": {"two"}}, now=0.0)
    stats.forget({"shop": {"two"}}, now=KEEP_GONE)
    assert stats.routes.keys() == {"shop"}


def test_what_comes_back_goes_on_counting_and_has_another_hour_when_it_leaves_again() -> None:
    stats = with_upstreams(("blog", "one"))
    stats.forget({}, now=0.0)
    stats.forget({"blog": {"one"}}, now=KEEP_GONE - 1)
    stats.forget({}, now=KEEP_GONE + 1)
    stats.forget({}, now=2 * KEEP_GONE)
    assert stats.route("blog").upstream("one").used_successfully == 1


def test_what_has_something_in_flight_is_not_forgotten() -> None:
    stats = with_upstreams(("blog", "tunnel"), ("blog", "idle"))
    stats.route("blog").in_flight = stats.route("blog").upstream("tunnel").in_flight = 1
    for now in (0.0, KEEP_GONE, 2 * KEEP_GONE):
        stats.forget({}, now)
    assert stats.in_flight == 1
    assert stats.route("blog").upstreams.keys() == {"tunnel"}


def test_however_many_containers_come_and_go_what_is_kept_of_them_is_bounded() -> None:
    stats = with_upstreams(("blog", "here"), *(("blog", f"first {number}") for number in range(5)))
    stats.forget({"blog": {"here"}}, now=0.0)
    for number in range(MOST_GONE):
        stats.route("blog").upstream(f"later {number}")
    stats.forget({"blog": {"here"}}, now=60.0)
    kept = stats.route("blog").upstreams.keys()
    assert len(kept) == MOST_GONE + 1
    assert "here" in kept
    assert not any(key.startswith("first") for key in kept)


def test_counters_to_forget_are_looked_for_once_a_minute_at_most() -> None:
    stats = ProxyStats(0.0)
    assert stats.due(5.0)
    stats.forget({}, now=5.0)
    assert not stats.due(64.0)
    assert stats.due(65.0)
