"""check: what a file would route, or everything that is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dockerproxy.check import check, describe
from dockerproxy.routing import Domain, PathKind, PathRule, Route, Upstream

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
def write(tmp_path: Path) -> str:
    return str(tmp_path / "site.yaml")


def lines(path: str, text: str) -> tuple[bool, list[str]]:
    Path(path).write_text(text)
    report = check(path)
    return report.good, report.lines()


GOOD = """
routes:
  - {name: blog, host: "blog.localhost:8888", upstreams: [{url: "http://localhost:2368", name: one}, {url: "http://localhost:2369"}]}
  - {name: api, host: blog.localhost, path: {prefix: /api, method: "get,post"}, upstreams: [{url: "http://localhost:1"}]}
  - {name: shop, host: shop.localhost}
"""


def test_a_good_file_is_told_route_by_route(write: str) -> None:
    good, told = lines(write, GOOD)
    assert good
    assert told[:3] == [
        "blog: blog.localhost:8888 /* -> one (http://localhost:2368), http://localhost:2369 (http://localhost:2369)",
        "api: blog.localhost /api/* GET,POST -> http://localhost:1 (http://localhost:1)",
        "shop: shop.localhost /* -> containers that join it",
    ]
    assert re.fullmatch(r".*/site.yaml: good, 3 routes and \d+ of its own", told[-1])


def test_the_admin_handlers_that_nobody_asked_for_are_told_too(write: str) -> None:
    good, told = lines(write, "")
    assert good
    assert any("root.localhost /statistics GET" in line for line in told)


def test_all_problems_are_told_at_once_and_counted(write: str) -> None:
    good, told = lines(write, "bench: never\nlissten: ':1'\n")
    assert not good
    assert told == [
        f"{write}: bench: expected a duration such as 90, 90s, 2m, 1m30s or 250ms (found 'never')",
        f"{write}: lissten: unknown key; did you mean 'listen'?",
        f"{write}: 2 problems, nothing would be served",
    ]


def test_two_routes_at_one_place_are_a_problem(write: str) -> None:
    text = "routes: [{name: a, host: h.test, path: /x}, {name: b, host: H.test, path: /x/}]"
    good, told = lines(write, text)
    assert not good
    assert "route 'b'" in told[0]
    assert "h.test /x/* is already answered by route 'a'" in told[0]
    assert told[-1].endswith("1 problem, nothing would be served")


def test_handlers_that_cannot_be_loaded_are_all_told(write: str, tmp_path: Path) -> None:
    (tmp_path / "site_of_check.py").write_text("async def page(request):\n    return None\n")
    text = """
routes:
  - {name: a, host: a.test, handler: "site_of_check:page"}
  - {name: b, host: b.test, handler: "site_of_check:missing"}
  - {name: c, host: c.test, handler: "no_such_module:page"}
"""
    good, told = lines(write, text)
    assert not good
    assert len(told) == 3
    assert any("site_of_check:missing" in line for line in told)
    assert any("no_such_module" in line for line in told)


def test_a_file_that_is_not_there_is_a_problem() -> None:
    report = check("missing.yaml")
    assert not report.good
    assert "no such file" in report.lines()[0]


@pytest.mark.parametrize(
    ("route", "line"),
    [
        (Route("a"), "a: every domain /* -> containers that join it"),
        (Route("a", handler="site:page"), "a: every domain /* -> handler site:page"),
        (
            Route(
                "a",
                (Domain("x"), Domain("y", 81)),
                PathRule(PathKind.REGEX, "^/z"),
                ("GET",),
                (Upstream("one", "http://h"),),
            ),
            "a: x, y:81 ~^/z GET -> one (http://h)",
        ),
    ],
)
def test_a_route_in_one_line(route: Route, line: str) -> None:
    assert describe(route) == line


def test_a_clash_of_places_does_not_hide_a_handler_that_cannot_be_loaded(tmp_path: Path) -> None:
    config = tmp_path / "site.yaml"
    config.write_text(
        "routes:\n"
        '  - {name: a, host: a.localhost, upstreams: ["http://localhost:1"]}\n'
        '  - {name: b, host: a.localhost, upstreams: ["http://localhost:2"]}\n'
        '  - {name: c, host: c.localhost, handler: "no_such_module_here:page"}\n'
    )
    problems = check(str(config)).problems
    assert len(problems) == 2
    assert any("no_such_module_here" in problem for problem in problems)
    assert any(problem.startswith(f"{config}: route 'b': a.localhost") for problem in problems)
