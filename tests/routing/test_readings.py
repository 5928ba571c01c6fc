"""A path that is written another way leads where it leads when it is written plainly, or nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dockerproxy.routing import PathRule, Route, RouteTable
from dockerproxy.routing.readings import readings

from .making import found, route


def guarded(name: str, host: str, path: str = "", *middlewares: str, **options: object) -> Route:
    made = route(name, host, path)
    names = middlewares or ("password",)
    return replace(made, options=made.options.model_copy(update={"middlewares": names, **options}))


def having(name: str, host: str, path: str = "", **options: object) -> Route:
    made = route(name, host, path)
    return replace(made, options=made.options.model_copy(update=options))


SPELLINGS = [
    "/%61dmin", "/admi%6e/users", "/%61%64%6D%69%6e", "//admin/", "///admin", "/./admin/", "/x/../admin/", "/../admin",
    "/x/%2e%2e/admin", "/x/%2E./admin/", "/x//../admin", "/x/..//admin", "/x/y/../../admin", "/.//admin",
    "/admin/../admin/x", "/admin//users", "/admin/%2e/users", "/admin;x=1", "/admin;/users", "/;a=b/admin",
    "/admin%3Bx/y",    "/admin%20", "/%20admin/x", "/admin%09/x", "/admin%00", "/admin%00.png",
]  # fmt: skip
SLASHES = [
    "/admin%2F", "/admin%2fusers", "/foo%2f..%2fadmin/", "/admin\\", "/admin\\users", "/foo\\..\\admin", "/%2fadmin",
    "/%5cadmin", "/admin%5C", "/foo%5c..%2fadmin", "/x;%2f..%2fadmin",
]  # fmt: skip


@pytest.mark.parametrize("path", SPELLINGS)
def test_no_spelling_gets_past_a_guarded_path(path: str) -> None:
    table = RouteTable([route("site", "h"), guarded("admin", "h", "^/admin")])
    assert found(table, "h", path) == "admin"


@pytest.mark.parametrize("path", ["/%61dmin", "//admin", "/./admin", "/x/../admin", "/admin;x", "/admin%00"])
@pytest.mark.parametrize("rule", ["=/admin", "~^/admin$"])
def test_nor_past_an_exact_path_or_an_expression(rule: str, path: str) -> None:
    table = RouteTable([route("site", "h"), guarded("admin", "h", rule)])
    assert found(table, "h", path) == "admin"


@pytest.mark.parametrize("path", SLASHES)
def test_a_slash_that_only_some_see_is_refused_where_it_would_lead_elsewhere(path: str) -> None:
    table = RouteTable([route("site", "h"), guarded("admin", "h", "^/admin")])
    assert found(table, "h", path) == "ambiguous_path"
    assert found(RouteTable([route("site", "h"), route("admin", "h", "^/admin")]), "h", path) == "ambiguous_path"


@pytest.mark.parametrize(
    "path",
    ["/public/../admin/", "/public/%2e%2e/x", "/public/./../x", "/public//../x", "/x/../public", "//public/../public/"],
)
def test_no_spelling_gets_out_of_an_open_path_into_a_guarded_site(path: str) -> None:
    table = RouteTable([guarded("site", "h"), route("public", "h", "^/public")])
    assert found(table, "h", path) == "site"


@pytest.mark.parametrize(
    "path",
    [
        "/public/..%2fadmin",
        "/public/..\\admin",
        "/public%2f..%2fadmin",
        "/public/..;/admin",
        "/public/%2e.;x=1/a",
        "/public/%20../admin",
        "/public/..%09/admin",
        "/public/%0a%2e%2e",
    ],
)
def test_nor_by_what_only_some_read_as_going_up(path: str) -> None:
    table = RouteTable([guarded("site", "h"), route("public", "h", "^/public")])
    assert found(table, "h", path) == "ambiguous_path"
    published = RouteTable([route("public", "h", "^/public")])
    assert found(published, "h", path) in ("ambiguous_path", "unknown_path")


@pytest.mark.parametrize(
    "path", ["/public/a%20b", "/public/a//b", "/public/a%2Fb", "/public/caf%C3%A9", "/public/a;v=1"]
)
def test_what_is_below_an_open_path_however_it_is_read_stays_open(path: str) -> None:
    table = RouteTable([guarded("site", "h"), route("public", "h", "^/public")])
    assert found(table, "h", path) == "public"


def test_without_guards_the_normalised_path_decides() -> None:
    table = RouteTable([route("site", "h"), route("api", "h", "^/api")])
    for path in ("/%61pi/x", "//api", "/x/../api"):
        assert found(table, "h", path) == "api", path
    assert found(table, "h", "/api/../x") == "site"
    assert found(table, "h", "/api;v=1") == "site"


def test_of_two_guards_that_have_nothing_in_common_neither_is_preferred() -> None:
    routes = [guarded("site", "h", "", "team"), guarded("admin", "h", "^/admin", "admins")]
    assert found(RouteTable(routes), "h", "/x/../admin") == "ambiguous_path"
    both = [routes[0], guarded("admin", "h", "^/admin", "admins", "team")]
    assert found(RouteTable(both), "h", "/x/../admin") == "admin"


def test_middlewares_that_guard_nothing_are_nothing_to_get_past() -> None:
    routes = [guarded("site", "h", "", "security_headers"), guarded("admin", "h", "^/admin", "compress", "team")]
    table = RouteTable(routes, harmless=frozenset({"compress", "security_headers"}))
    for path in ("//admin", "/%61dmin/x", "/admin;x"):
        assert found(table, "h", path) == "admin", path
    assert found(RouteTable(routes), "h", "//admin") == "ambiguous_path"
    again = RouteTable(routes, table, harmless=frozenset({"security_headers"}))
    assert found(again, "h", "//admin") == "admin"


def test_nobody_waits_for_an_expression_that_is_guarded_by_nothing() -> None:
    evil = guarded("evil", "h", "~^/(a|a)+$", "compress")
    table = RouteTable([evil, route("site", "h")], harmless=frozenset({"compress"}))
    assert found(table, "h", "/" + "a" * 60 + "!") == "site"
    again = RouteTable(table.routes, table)  # what guards nothing is said anew
    assert found(again, "h", "/" + "a" * 60 + "!") == "undecided_path"


@pytest.mark.parametrize("path", [*SPELLINGS, *SLASHES, "/..;/x", "/%2f..%2f.."])
def test_a_domain_with_one_rule_for_all_takes_every_path(path: str) -> None:
    assert found(RouteTable([route("site", "h")]), "h", path) == "site"


def test_what_is_kept_is_a_part_of_the_segment() -> None:
    table = RouteTable([route("site", "h"), having("api", "h", "~^/p/[^/]+$", encoded_slashes="keep")])
    assert found(table, "h", "/p/group%2Fproject") == "api"
    assert found(table, "h", "/p/group%2Fproject/x") == "site"


def test_a_path_that_a_rule_has_itself_is_what_the_rule_means() -> None:
    rules = [Route("one", "h", PathRule.exact("/p/a%2fb")), Route("two", "h", PathRule.prefix("/q/c%5Cd"))]
    table = RouteTable([route("site", "h"), guarded("p", "h", "^/p"), *rules])
    assert [found(table, "h", path) for path in ("/p/a%2Fb", "/p/a%2fb", "/q/c\\d", "/q/c%5cd/x")] == ["one"] * 2 + [
        "two"
    ] * 2
    for path in ("/p/a%2Fb%2Fc", "/q/c%5cd/..%2f..%2fp", "/q/c%5cd/a%2fb"):
        assert found(table, "h", path) in ("ambiguous_path", "p"), path


def test_what_is_decoded_chooses_the_route() -> None:
    table = RouteTable([having("site", "h", encoded_slashes="decode"), guarded("admin", "h", "^/admin")])
    for path in ("/admin%2Fx", "/%2Fadmin", "/x\\..\\admin"):
        assert found(table, "h", path) == "admin", path


def test_a_base_path_is_not_left() -> None:
    def based(**options: object) -> RouteTable:
        made = Route("site", "h", upstreams=["http://127.0.0.1:9/base"])
        return RouteTable([replace(made, options=made.options.model_copy(update=options))])

    for path in ("/..%2fx", "/a%2f..%2f..%2fx", "/..\\x", "/..;/x"):
        assert found(based(), "h", path) == "ambiguous_path", path
        assert found(based(encoded_slashes="decode"), "h", path) == "ambiguous_path", path
    assert found(based(), "h", "/a%2fb") == "site"
    assert found(based(), "h", "/../x") == "site"  # it goes there without its dots


def test_rules_that_are_written_with_escapes_are_met_by_both_spellings() -> None:
    table = RouteTable([Route("a", "h", PathRule.prefix("/caf%c3%a9")), Route("b", "h", PathRule.exact("/c++/@x"))])
    assert [found(table, "h", path) for path in ("/caf%C3%A9/x", "/caf%c3%a9")] == ["a", "a"]
    assert [found(table, "h", path) for path in ("/c++/@x", "/c%2B%2b/%40x")] == ["b", "b"]


def test_a_method_that_is_not_answered_is_told_as_of_the_normalised_path() -> None:
    table = RouteTable([route("site", "h"), route("add", "h", "=/add", "POST")])
    assert found(table, "h", "/%61dd") == "unknown_method"


@pytest.mark.parametrize("parts", [("/a/../%2e%2e", 600), ("/..;%2f", 1100), ("/a%2f..%5c;", 700), ("//a/..", 1300)])
def test_what_nobody_writes_in_good_faith_is_refused_without_looking_at_all_of_it(parts: tuple[str, int]) -> None:
    assert readings(parts[0] * parts[1]) is None
    table = RouteTable([route("site", "h"), route("api", "h", "^/api")])
    assert found(table, "h", parts[0] * parts[1]) == "ambiguous_path"


def _alike(paths: Sequence[str]) -> set[str]:
    return {found(RouteTable([route("site", "h"), route("long", "h", "^/%E4%BD%A0")]), "h", path) for path in paths}


def test_a_long_path_of_another_script_is_read_like_any_other() -> None:
    assert _alike(["/%e4%bd%a0/" + "%E4%BD%A0" * 800, "/%E4%BD%A0/"]) == {"long"}
