"""The last minute of each route: what counts in it, and for how long."""

from __future__ import annotations

import pytest

from dockerproxy.stats import RouteStats
from dockerproxy.web.reports.history import WINDOW, History


class Counters:
    """Routes with counters, looked at once in a second."""

    def __init__(self, *names: str) -> None:
        self.routes = {name: RouteStats() for name in names}
        self.history = History()
        self.history.begin(self.routes.items())

    def request(self, name: str, seconds: float = 0.01, status: int = 200) -> None:
        route = self.routes[name]
        route.requests += 1
        route.answers[status // 100] += 1
        route.latency.add(seconds)

    def look(self, times: int = 1, seconds: float = 1.0, uncounted: tuple[str, ...] = ()) -> None:
        for _ in range(times):
            self.history.append(self.history.look(self.routes.items()), seconds, uncounted)


def test_a_route_on_which_nothing_happened_is_not_kept() -> None:
    counters = Counters("busy", "idle")
    counters.request("busy")
    counters.look()

    assert list(counters.history.trails) == ["busy"]
    counters.look(WINDOW - 1)
    assert list(counters.history.trails) == ["busy"]
    counters.look()
    assert not counters.history.trails


def test_what_was_counted_before_the_first_look_is_no_news() -> None:
    counters = Counters("a")
    counters.request("a")
    counters.history.begin(counters.routes.items())
    counters.look()

    assert not counters.history.trails


def test_rates_are_of_the_last_seconds_and_the_rest_is_of_the_last_minute() -> None:
    counters = Counters("a")
    for _ in range(20):
        counters.request("a", 0.1)
    counters.look(2, seconds=2.0)
    rates = counters.history.trails["a"].rates()

    assert rates["requests"] == 0
    assert rates["requests_per_second"] == 5.0
    assert rates["p50"] == pytest.approx(0.1, rel=0.125)
    counters.look(20)
    later = counters.history.trails["a"].rates()
    assert later["requests_per_second"] == 0
    assert later["p50"] == rates["p50"]


def test_percentiles_forget_what_is_older_than_the_window() -> None:
    counters = Counters("a")
    counters.request("a", 5.0)
    for _ in range(WINDOW):
        counters.look()
        counters.request("a", 0.001)
    counters.look()

    assert counters.history.trails["a"].rates()["p99"] == pytest.approx(0.001, rel=0.125)


def test_the_error_rate_counts_server_errors_and_what_was_broken_off() -> None:
    counters = Counters("a", "b")
    for status in (200, 404, 500, 503):
        counters.request("a", status=status)
    counters.request("b")
    counters.routes["b"].errors_shown += 1
    counters.look()

    assert counters.history.trails["a"].rates()["error_rate"] == 0.5
    assert counters.history.trails["b"].rates()["error_rate"] == 1.0


def test_an_error_is_never_more_than_all_requests() -> None:
    counters = Counters("a")
    counters.request("a")
    counters.look(WINDOW)
    counters.routes["a"].answers[5] += 3  # of requests that began before the window
    counters.look()

    assert counters.history.trails["a"].rates()["error_rate"] == 1.0


def test_the_total_is_of_all_routes_but_our_own() -> None:
    counters = Counters("a", "b", "admin")
    for name, seconds in (("a", 0.01), ("b", 0.01), ("b", 0.01), ("admin", 9.0)):
        counters.request(name, seconds)
    counters.look(uncounted=("admin",))
    total = counters.history.total

    assert total.rates()["requests"] == 3
    assert total.rates()["p99"] == pytest.approx(0.01, rel=0.125)
    assert total.history() == {"requests": [3.0], "errors": [0.0], "latency": [total.rates()["p99"]]}


def test_the_curve_is_as_long_as_the_window_at_most() -> None:
    counters = Counters("a")
    for _ in range(WINDOW + 5):
        counters.request("a")
        counters.look()

    assert {len(values) for values in counters.history.trails["a"].history().values()} == {WINDOW}
    assert counters.history.tick == WINDOW + 5


def test_a_route_that_has_gone_is_forgotten_and_begins_anew_when_it_comes_back() -> None:
    counters = Counters("a")
    for _ in range(3):
        counters.request("a")
    counters.look()
    counters.history.forget([])
    counters.routes["a"] = RouteStats()
    counters.request("a")
    counters.look()

    assert counters.history.trails["a"].rates()["requests"] == 1


def test_counters_that_begin_anew_never_count_backwards() -> None:
    counters = Counters("a")
    for _ in range(3):
        counters.request("a")
    counters.look()
    counters.routes["a"] = RouteStats()
    counters.request("a")
    counters.look()

    assert counters.history.trails["a"].rates()["requests"] == 0
