"""Path rules with expressions: they mean what Python's re means, and none can stop the proxy."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from dockerproxy.routing import Miss, MissReason, PathRule, Route, RouteTable
from dockerproxy.routing.expression import Clocks, Slow

from .making import found, route

FOR_EVER = "~^/(a|a)+$"
LONG = "/" + "a" * 60 + "!"


class Ticking:
    """A clock that goes on by so many seconds each time it is read."""

    def __init__(self, step: float) -> None:
        self.step = step
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += self.step
        return self.seconds


def guarded(made: Route) -> Route:
    return replace(made, options=made.options.model_copy(update={"middlewares": ("password",)}))


def test_an_expression_that_takes_for_ever_is_told_once_and_has_to_hurry_from_then_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    table = RouteTable([route("evil", "evil.localhost,other.localhost", FOR_EVER)])
    assert found(table, "evil.localhost", "/aaa") == "evil"

    for host in ("evil.localhost", "other.localhost", "evil.localhost"):
        assert found(table, host, LONG) == "unknown_path"

    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "route 'evil': its path rule '^/(a|a)+$' takes longer than 10 ms" in record.getMessage()
    assert "from now on it has 0.5 ms for a path" in record.getMessage()
    assert found(table, "evil.localhost", "/aaa") == "evil"  # nobody ends a route by one path


def test_what_is_known_of_an_expression_outlives_the_table_and_the_route(caplog: pytest.LogCaptureFixture) -> None:
    evil, other = route("evil", "evil.localhost", FOR_EVER), route("other", "other.localhost")
    table = RouteTable([evil])
    assert found(table, "evil.localhost", LONG) == "unknown_path"
    for routes in ([evil, other], [other], [other, route("again", "again.localhost", FOR_EVER)]):
        table = RouteTable(routes, table)
    budget = table.budget()
    assert found(table, "again.localhost", LONG) == "unknown_path"
    table.match("again.localhost", "GET", LONG, budget)
    assert budget.spent == 0  # what it costs is paid from the short time, of which nothing is left
    assert len(caplog.records) == 1


def test_the_other_routes_of_the_domain_go_on() -> None:
    table = RouteTable(
        [
            route("evil", "a.localhost", FOR_EVER),
            route("good", "a.localhost", "~!$"),
            route("whole", "a.localhost"),
        ]
    )
    for _ in range(3):
        assert found(table, "a.localhost", LONG) == "good"
    assert found(table, "a.localhost", "/b") == "whole"


def test_all_expressions_together_have_one_budget() -> None:
    evil = [route(f"evil{number}", "a.localhost", f"~^/(a|a)+{number}$") for number in range(1000)]
    table = RouteTable([*evil, route("whole", "a.localhost")], clocks=Clocks(time.perf_counter, time.thread_time))
    for _ in range(3):
        budget = table.budget()
        outcome = table.match("a.localhost", "GET", LONG, budget)
        assert isinstance(outcome, Miss)
        assert outcome.reason is MissReason.UNDECIDED
        assert budget.tried < 20  # and not 1000, each of which would take for ever


def test_a_request_whose_budget_is_used_up_is_not_sent_where_another_expression_might_have_sent_it() -> None:
    slow = [route(f"slow{number}", "a.localhost", f"~^/x{number}$") for number in range(50)]
    clock = Ticking(0.001)
    table = RouteTable([*slow, route("whole", "a.localhost")], clocks=Clocks(clock, clock))
    budget = table.budget()
    outcome = table.match("a.localhost", "GET", "/y", budget)
    assert isinstance(outcome, Miss)
    assert outcome.reason is MissReason.UNDECIDED
    assert budget.tried < 25


def test_the_dearest_pays_for_a_budget_that_is_used_up(caplog: pytest.LogCaptureFixture) -> None:
    cheap = Ticking(0.003)
    own = Ticking(0.0)
    table = RouteTable(
        [route(f"r{number}", "a.localhost", f"~^/x{number}$") for number in range(20)], clocks=Clocks(cheap, own)
    )
    # By the clock that others advance, time is short; by its own, none has gone by: nobody is to blame.
    assert found(table, "a.localhost", "/y") == "unknown_path"
    assert caplog.records == []

    own.step = 0.002
    assert found(table, "a.localhost", "/y") == "undecided_path"
    (record,) = caplog.records
    assert "took most of the 20 ms that one request may cost" in record.getMessage()


@pytest.mark.parametrize("path", [LONG, "/x/..//" + LONG])
def test_nobody_gets_past_the_middlewares_of_an_expression_by_making_it_slow(path: str) -> None:
    table = RouteTable([guarded(route("evil", "a.localhost", FOR_EVER)), route("whole", "a.localhost")])
    for _ in range(3):
        assert found(table, "a.localhost", path) == "undecided_path"
    assert found(table, "a.localhost", "/aaa") == "evil"
    assert found(table, "a.localhost", "/b") == "whole"


def test_too_many_slow_expressions_are_not_remembered_for_ever() -> None:
    slow = Slow()
    for number in range(3000):
        slow.add(str(number))
    assert "0" not in slow
    assert "2999" in slow
    assert repr(slow) == "<Slow: 1000 expressions>"


def test_an_expression_that_takes_for_ever_has_no_groups() -> None:
    assert PathRule.regex("^/(?P<page>(a|a)+)$").groups(LONG) == {}


@pytest.mark.parametrize(
    "text",
    [
        r"^/\d{4}/",
        r"^/(?P<page>[a-z]+)$",
        r"(?i)^/ADMIN",
        r"\.(?:png|jpe?g)$",
        r"^/(?!api/)[^/]+/?\Z",
        r"/(?P<a>\w)(?P=a)",
        r"^/é+$",
        r"a{,2}b",
        "",
    ],
)
@pytest.mark.parametrize(
    "path", ["/", "/2024/x", "/blog", "/Admin/", "/a.jpg", "/api/x", "/aa", "/[", "/éé", "/aaab\n", "/blog\n"]
)
def test_expressions_mean_what_they_mean_in_python(text: str, path: str) -> None:
    expected = re.search(text, path)

    assert (found(RouteTable([route("it", "a.localhost", f"~{text}")]), "a.localhost", path) == "it") is bool(expected)
    assert PathRule.regex(text).groups(path) == (expected.groupdict() if expected else {})
