"""RouteTable: every rule of matching, in the order in which they decide."""

from __future__ import annotations

import gc
import sys
from itertools import product
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerproxy.routing import Miss, MissReason, Route, RouteTable

from .making import found, route

# Hosts


@pytest.mark.parametrize(
    "host",
    [
        "blog.localhost",
        "BLOG.Localhost",
        "blog.localhost.",
        "blog.localhost:80",
        "blog.localhost.:80",
        "blog.localhost:8888",
        "blog.localhost:",
    ],
)
def test_a_domain_without_a_port_is_found_in_any_case_on_any_port_and_with_a_trailing_dot(host: str) -> None:
    assert found(RouteTable([route("blog", "blog.localhost")]), host) == "blog"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("blog.localhost:8888", "blog"),
        ("blog.localhost.:8888", "blog"),
        ("blog.localhost", "unknown_host"),
        ("blog.localhost:88", "unknown_host"),
    ],
)
def test_a_domain_with_a_port_is_found_on_this_port_only(host: str, expected: str) -> None:
    assert found(RouteTable([route("blog", "blog.localhost:8888")]), host) == expected


@pytest.mark.parametrize("host", ["blog.localhost", "blog.localhost:80", "blog.localhost:"])
def test_the_default_port_is_the_one_that_browsers_leave_out(host: str) -> None:
    assert found(RouteTable([route("blog", "blog.localhost:80")]), host) == "blog"


def test_the_name_with_the_port_beats_the_name_without() -> None:
    table = RouteTable([route("any port", "blog.localhost"), route("this port", "blog.localhost:8888")])
    assert found(table, "blog.localhost:8888") == "this port"
    assert found(table, "blog.localhost:9999") == "any port"


def test_a_path_not_known_on_the_port_is_looked_up_among_the_routes_for_any_port() -> None:
    table = RouteTable([route("site", "blog.localhost"), route("api", "blog.localhost:8888", "^/api")])
    assert found(table, "blog.localhost:8888", "/api/x") == "api"
    assert found(table, "blog.localhost:8888", "/home") == "site"


def test_between_equal_path_rules_the_port_decides_and_only_then_the_method() -> None:
    table = RouteTable([route("any port", "h", "^/x", "GET"), route("this port", "h:8888", "^/x")])
    assert found(table, "h:8888", "/x", "GET") == "this port"
    assert found(table, "h:9999", "/x", "GET") == "any port"


def test_a_more_specific_path_for_any_port_beats_the_whole_domain_on_this_port() -> None:
    table = RouteTable([route("port", "h:8888"), route("add", "h", "=/add"), route("api", "h", "^/api")])
    assert [found(table, "h:8888", path) for path in ("/add", "/api/x", "/x")] == ["add", "api", "port"]


def test_methods_at_one_place_are_gathered_from_routes_with_and_without_the_port() -> None:
    table = RouteTable([route("add", "h", "=/x", "POST"), route("see", "h:8888", "=/x", "GET")])
    assert found(table, "h:8888", "/x", "POST") == "add"
    assert table.match("h:8888", "PUT", "/x") == Miss(MissReason.METHOD, "h:8888", ("GET", "HEAD", "POST"))
    assert table.match("h", "PUT", "/x") == Miss(MissReason.METHOD, "h", ("POST",))


def test_an_exact_name_beats_a_wildcard_which_beats_every_domain() -> None:
    table = RouteTable([route("every"), route("wild", "*.example.com"), route("exact", "www.example.com")])
    assert found(table, "www.example.com") == "exact"
    assert found(table, "shop.example.com") == "wild"
    assert found(table, "example.org") == "every"


def test_an_exact_name_on_any_port_beats_a_wildcard_on_this_port() -> None:
    table = RouteTable([route("wild", "*.example.com:8888"), route("exact", "www.example.com")])
    assert found(table, "www.example.com:8888") == "exact"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.example.com", "wild"),
        ("A.EXAMPLE.COM.:8888", "wild"),
        ("a.b.example.com", "unknown_host"),
        ("example.com", "unknown_host"),
        ("aexample.com", "unknown_host"),
        (".example.com", "wild"),
    ],
)
def test_a_wildcard_stands_for_one_level(host: str, expected: str) -> None:
    assert found(RouteTable([route("wild", "*.example.com")]), host) == expected


def test_a_route_answers_for_each_of_its_domains() -> None:
    table = RouteTable([route("blog", "a.localhost,b.localhost:81")])
    assert [found(table, host) for host in ("a.localhost", "b.localhost:81", "b.localhost")] == [
        "blog", "blog", "unknown_host",
    ]  # fmt: skip


@pytest.mark.parametrize("host", ["[::1]", "[::1]:80", "[::1]:8888"])
def test_an_ipv6_address_is_a_host_like_any_other(host: str) -> None:
    assert found(RouteTable([route("six", "[::1]")]), host) == "six"


def test_a_request_without_a_host_is_answered_by_routes_for_every_domain_only() -> None:
    assert found(RouteTable([route("blog", "blog.localhost")]), "") == "unknown_host"
    assert found(RouteTable([route("every")]), "") == "every"


# Paths


def test_exact_beats_prefix_beats_regex_beats_the_whole_domain() -> None:
    table = RouteTable(
        [
            route("whole", "h"),
            route("regex", "h", "~^/a"),
            route("prefix", "h", "^/a/b"),
            route("exact", "h", "=/a/b/c"),
        ]
    )
    assert [found(table, "h", path) for path in ("/a/b/c", "/a/b/d", "/a/x", "/x")] == [
        "exact", "prefix", "regex", "whole",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api", "api"),
        ("/api/", "api"),
        ("/api/v1", "api"),
        ("/api/v2", "v2"),
        ("/api/v2/", "v2"),
        ("/api/v2/users/1", "v2"),
        ("/api/v22", "api"),
        ("/apix", "whole"),
        ("/API", "whole"),
        ("/", "whole"),
        ("/x/api", "whole"),
    ],
)
def test_the_longest_prefix_wins_by_whole_segments(path: str, expected: str) -> None:
    table = RouteTable([route("api", "h", "^/api"), route("v2", "h", "^/api/v2"), route("whole", "h")])
    assert found(table, "h", path) == expected


def test_a_slash_at_the_end_of_a_prefix_makes_no_difference() -> None:
    table = RouteTable([route("api", "h", "^/api/")])
    assert [found(table, "h", path) for path in ("/api", "/api/", "/api/x", "/apix")] == [
        "api", "api", "api", "unknown_path",
    ]  # fmt: skip


def test_the_prefix_slash_is_the_whole_domain() -> None:
    table = RouteTable([route("all", "h", "^/"), route("regex", "h", "~^/r")])
    assert [found(table, "h", path) for path in ("/", "/x/y", "/r")] == ["all", "all", "regex"]


def test_an_exact_path_is_taken_to_the_letter() -> None:
    table = RouteTable([route("add", "h", "=/add")])
    assert [found(table, "h", path) for path in ("/add", "/add/", "/Add", "/add/x", "/%61dd")] == [
        "add", "unknown_path", "unknown_path", "unknown_path", "add",
    ]  # fmt: skip


def test_regular_expressions_are_tried_in_the_order_given() -> None:
    first, second = route("first", "h", "~^/p"), route("second", "h", "~^/page$")
    assert found(RouteTable([first, second]), "h", "/page") == "first"
    assert found(RouteTable([second, first]), "h", "/page") == "second"
    assert found(RouteTable([second, first]), "h", "/pages") == "first"


def test_a_regular_expression_is_searched_for_unless_it_is_anchored() -> None:
    table = RouteTable([route("pdf", "h", r"~\.pdf$")])
    assert found(table, "h", "/a/b.pdf") == "pdf"
    assert found(table, "h", "/a/b.pdfx") == "unknown_path"


def test_a_path_of_a_thousand_slashes_finds_its_prefix() -> None:
    assert found(RouteTable([route("deep", "h", "^/a")]), "h", "/a" + "/" * 1000) == "deep"


def test_the_target_of_options_asterisk_belongs_to_the_whole_domain() -> None:
    table = RouteTable([route("api", "h", "^/api"), route("whole", "h")])
    assert found(table, "h", "*", "OPTIONS") == "whole"


# Methods, which decide last


def test_a_method_that_no_route_of_the_path_takes_is_told_with_those_that_would_be() -> None:
    table = RouteTable([route("add", "h", "=/x", "POST"), route("see", "h", "=/x", "GET,OPTIONS")])
    assert table.match("h", "DELETE", "/x") == Miss(MissReason.METHOD, "h", ("GET", "HEAD", "OPTIONS", "POST"))


def test_routes_of_one_path_are_told_apart_by_their_methods() -> None:
    table = RouteTable([route("add", "h", "=/x", "POST"), route("see", "h", "=/x", "GET"), route("rest", "h", "=/x")])
    assert [found(table, "h", "/x", method) for method in ("POST", "GET", "PUT")] == ["add", "see", "rest"]


def test_a_more_specific_path_with_the_wrong_method_does_not_fall_back_to_a_less_specific_one() -> None:
    table = RouteTable([route("whole", "h"), route("add", "h", "=/add", "POST")])
    assert found(table, "h", "/add", "GET") == "unknown_method"


def test_a_route_for_get_answers_head_too() -> None:
    table = RouteTable([route("see", "h", "", "GET")])
    assert found(table, "h", "/", "HEAD") == "see"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_route_that_asks_for_head_itself_gets_it_wherever_it_stands(order: tuple[int, int]) -> None:
    routes = [route("see", "h", "", "GET"), route("peek", "h", "", "HEAD")]
    table = RouteTable([routes[index] for index in order])
    assert (found(table, "h", "/", "HEAD"), found(table, "h", "/", "GET")) == ("peek", "see")


def test_a_route_without_methods_takes_any_even_one_that_nobody_knows() -> None:
    assert found(RouteTable([route("all", "h")]), "h", "/", "BREW") == "all"


# When nothing is found


def test_an_unknown_host_is_told_from_an_unknown_path() -> None:
    table = RouteTable([route("api", "h", "^/api")])
    assert table.match("other", "GET", "/api") == Miss(MissReason.HOST)
    assert table.match("h", "GET", "/x") == Miss(MissReason.PATH, "h")


def test_an_unknown_path_below_a_wildcard_names_the_domain_as_it_is_written_in_its_routes() -> None:
    table = RouteTable([route("api", "*.example.com", "^/api")])
    assert table.match("a.example.com", "GET", "/x") == Miss(MissReason.PATH, "*.example.com")


def test_an_exact_host_without_the_path_does_not_fall_back_to_the_wildcard() -> None:
    table = RouteTable([route("api", "a.example.com", "^/api"), route("wild", "*.example.com")])
    assert found(table, "a.example.com", "/x") == "unknown_path"


def test_an_empty_table_knows_no_host() -> None:
    assert found(RouteTable(), "h") == "unknown_host"


def test_of_two_routes_at_the_same_place_the_first_one_answers() -> None:
    assert found(RouteTable([route("one", "h"), route("two", "h")]), "h") == "one"


def test_a_table_says_how_large_it_is() -> None:
    assert repr(RouteTable([route("a", "h"), route("b", "h", "^/x")])) == "<RouteTable: 2 routes, 1 domains>"


def test_ten_thousand_made_up_hosts_do_not_stay_in_memory_and_do_not_disturb_the_known_one() -> None:
    table = RouteTable([route("blog", "blog.localhost")])
    for index in range(10_000):
        assert found(table, f"{index}.invalid") == "unknown_host"
    assert found(table, "blog.localhost") == "blog"
    assert len(table._remembered) < 10_000


_routes = st.lists(
    st.builds(
        route,
        st.sampled_from(["one", "two", "three"]),
        st.sampled_from(["", "a.x", "a.x:81", "*.x", "a.x,b.x:81", "b.x"]),
        st.sampled_from(["", "=/p", "^/p", "^/p/q", "~^/p"]),
        st.sampled_from(["", "GET", "POST"]),
    ),
    max_size=5,
)
_REQUESTS = list(product(("a.x", "a.x:81", "b.x", "b.x:81", "c.x", "y"), ("/", "/p", "/p/q"), ("GET", "PUT")))


@given(st.lists(_routes, min_size=2, max_size=4))
def test_what_is_taken_over_from_the_table_before_does_not_show(tables: list[list[Route]]) -> None:
    kept: list[Route] = []
    before = None
    for routes in tables:
        kept = [next((known for known in kept if known == each), each) for each in routes]
        before, fresh = RouteTable(kept, before), RouteTable(routes)
        assert [before.match(host, method, path) for host, path, method in _REQUESTS] == [
            fresh.match(host, method, path) for host, path, method in _REQUESTS
        ]


# Cost


def lines_run(table: RouteTable, host: str, path: str, method: str = "GET") -> int:
    """How many lines of Python one look-up runs."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    gc.disable()  # what other tests have left behind would tidy up in our count
    sys.settrace(trace)
    try:
        table.match(host, method, path)
    finally:
        sys.settrace(before)
        gc.enable()
    return count


def routes_of(number: int) -> list[Route]:
    """`number` domains, the first of which has `number` prefixes and exact paths too."""
    routes = [route(f"host {index}", f"{index}.localhost") for index in range(number)]
    routes += [route(f"prefix {index}", "0.localhost", f"^/p/{index}") for index in range(number)]
    return routes + [route(f"exact {index}", "0.localhost", f"=/e/{index}") for index in range(number)]


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("0.localhost", "/"),
        ("0.localhost:8888", "/p/0/x"),
        ("0.localhost", "/e/0"),
        ("0.localhost", "/x/y/z"),
        ("nobody.invalid", "/"),
    ],
    ids=["domain", "prefix", "exact", "fallback", "unknown host"],
)
@pytest.mark.parametrize("seen_before", [False, True], ids=["first", "again"])
def test_a_look_up_does_as_much_work_among_three_thousand_routes_as_among_three(
    host: str, path: str, seen_before: bool
) -> None:
    small, large = RouteTable(routes_of(1)), RouteTable(routes_of(1_000))
    if seen_before:
        small.match(host, "GET", path)
        large.match(host, "GET", path)
    assert lines_run(large, host, path) == lines_run(small, host, path)
