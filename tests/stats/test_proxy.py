"""Counters: numbers that a person reads in statistics, and how long they are kept."""

from __future__ import annotations

import pytest

from dockerproxy.stats import KEEP_GONE, MOST_GONE, GateStats, InnerStats, ProxyStats, RouteStats


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
    blog.mark_active()
    assert stats.take_active() == [("blog", blog)]
    assert stats.take_active() == []
    shop.mark_active()
    blog.mark_active()
    assert stats.take_active() == [("shop", shop), ("blog", blog)]


def test_a_route_is_looked_at_until_its_last_exchange_is_over() -> None:
    stats = ProxyStats(0.0)
    blog = stats.route("blog")
    blog.in_flight += 1
    blog.mark_active()
    assert stats.take_active() == stats.take_active() == [("blog", blog)]
    blog.in_flight -= 1
    assert stats.take_active() == [("blog", blog)]
    assert stats.take_active() == []


@pytest.mark.parametrize("kind", [GateStats, InnerStats])
def test_what_happens_at_middlewares_mark_the_route_active_itself(kind: type[GateStats | InnerStats]) -> None:
    stats = ProxyStats(0.0)
    blog = stats.route("blog")
    gate = kind(blog)
    assert gate.idle
    gate.mark_active()
    assert not gate.idle
    assert stats.take_active() == [("blog", blog)]
    assert gate.idle


def test_an_upstream_s_counters_read_well_in_a_debugger() -> None:
    upstream = RouteStats().upstream("one")
    upstream.error_counter = 3
    assert repr(upstream) == "<UpstreamStats ok=0 errors=3 in_flight=0>"


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
