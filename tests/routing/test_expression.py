"""Path rules with expressions: they mean what Python's re means, and none can stop the proxy."""

from __future__ import annotations

import re

import pytest

from dockerproxy.routing import PathRule, RouteTable

from .making import found, route

FOR_EVER = "~^/(a|a)+$"
LONG = "/" + "a" * 60 + "!"


def test_an_expression_that_takes_for_ever_is_suspended_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    table = RouteTable([route("evil", "evil.localhost,other.localhost", FOR_EVER)])
    assert found(table, "evil.localhost", "/aaa") == "evil"

    for host in ("evil.localhost", "other.localhost", "evil.localhost"):
        assert found(table, host, LONG) == "unknown_path"

    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "route 'evil': its path rule '^/(a|a)+$' takes longer than 20 ms" in record.getMessage()
    assert found(table, "evil.localhost", "/aaa") == "unknown_path"


def test_a_new_table_gives_a_suspended_expression_another_chance() -> None:
    evil, other = route("evil", "evil.localhost", FOR_EVER), route("other", "other.localhost")
    before = RouteTable([evil])
    assert found(before, "evil.localhost", LONG) == "unknown_path"
    assert found(before, "evil.localhost", "/aaa") == "unknown_path"
    assert found(RouteTable([evil, other], before), "evil.localhost", "/aaa") == "evil"


def test_the_other_routes_of_the_domain_go_on() -> None:
    table = RouteTable(
        [
            route("evil", "a.localhost", FOR_EVER),
            route("good", "a.localhost", "~!$"),
            route("whole", "a.localhost"),
        ]
    )
    assert found(table, "a.localhost", LONG) == "good"
    assert found(table, "a.localhost", "/aaa") == "whole"


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
