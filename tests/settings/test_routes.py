"""RouteSettings: a route as a person writes it, in our names and in those of the Go project."""

from __future__ import annotations

from typing import Any

import pytest

from dockerproxy.settings import RouteSettings, validate

from .conftest import wrong


def written(**values: Any) -> RouteSettings:
    return validate({"routes": [{"name": "blog", **values}]}, "test").routes[0]


def wrong_route(**values: Any) -> list[str]:
    return wrong(routes=[{"name": "blog", **values}])


@pytest.mark.parametrize(
    ("values", "hosts"),
    [
        ({}, ()),
        ({"host": "Blog.localhost"}, ("blog.localhost",)),
        ({"host": "a.localhost, b.localhost:81"}, ("a.localhost", "b.localhost:81")),
        ({"host": ["a.localhost", "a.localhost", "*.b.test"]}, ("a.localhost", "*.b.test")),
        ({"host": "blog.localhost."}, ("blog.localhost",)),
        ({"host": "blog.localhost.:81"}, ("blog.localhost:81",)),
        ({"host": "[::1]:80"}, ("[::1]:80",)),
        ({"domain": {"sub_domain": "blog", "domain": "localhost", "port": 8888}}, ("blog.localhost:8888",)),
        ({"domain": {"domain": "localhost"}}, ("localhost",)),
        ({"domain": {"domain": "localhost", "port": ""}}, ("localhost",)),
        ({"domain": {"domain": "localhost", "port": "8888"}}, ("localhost:8888",)),
    ],
)
def test_domains(values: dict[str, Any], hosts: tuple[str, ...]) -> None:
    assert written(**values).hosts == hosts


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api", (None, "/api", None, ())),
        ("/api/", (None, "/api", None, ())),
        ({"path": "/add", "method": "post"}, ("/add", None, None, ("POST",))),
        ({"path": "/add/"}, ("/add/", None, None, ())),
        ({"prefix": "/", "method": ["get", "GET", "put"]}, (None, "/", None, ("GET", "PUT"))),
        ({"regex": "^/[a-z]+$"}, (None, None, "^/[a-z]+$", ())),
        ({"regex": "", "path": "/x", "prefix": ""}, ("/x", None, None, ())),
        ({"method": "GET,POST"}, (None, None, None, ("GET", "POST"))),
    ],
)
def test_paths_and_methods(path: Any, expected: tuple[Any, ...]) -> None:
    found = written(path=path).path
    assert found is not None
    assert (found.path, found.prefix, found.regex, found.method) == expected


@pytest.mark.parametrize("alone", ["http://h:1", {"url": "http://h:1"}])
def test_the_only_upstream_needs_no_list(alone: object) -> None:
    assert [up.url for up in written(upstreams=alone).upstreams] == ["http://h:1"]


def test_upstreams() -> None:
    route = written(upstreams=[{"url": "http://localhost:2368", "name": "one", "weight": 3}, {"url": "https://h/base"}])
    assert [(up.name, up.url, up.weight) for up in route.upstreams] == [
        ("one", "http://localhost:2368", 3),
        (None, "https://h/base", 1),
    ]


def test_options_of_a_route_stand_over_the_defaults() -> None:
    settings = validate({"bench": "5s", "hold": "1s", "routes": [{"name": "a", "bench": "7s"}]}, "test")
    options = settings.routes[0].options(settings.route_defaults)
    assert (options.bench, options.hold) == (7.0, 1.0)


# where and what is said
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "routes[0].name: expected 1 to 200 printable characters"),
    ({"name": "a\nb"}, "routes[0].name: expected 1 to 200 printable characters"),
    ({"name": " a"}, "routes[0].name: expected 1 to 200 printable characters, without spaces at the ends"),
    ({"host": "http://blog"}, "routes[0].host: 'http://blog' is not a domain"),
    ({"host": ""}, "routes[0].host: expected at least one domain"),
    ({"host": "a b"}, "routes[0].host: 'a b' is not a domain"),
    ({"host": "a.*.b"}, "routes[0].host: 'a.*.b' is not a domain"),
    ({"host": "blog:99999"}, "routes[0].host: '99999' is not a port from 1 to 65535"),
    ({"host": "blog:x"}, "routes[0].host: 'x' is not a port from 1 to 65535"),
    ({"domain": {"sub_domain": "a b", "domain": "localhost"}}, "routes[0].domain: 'a b.localhost' is not a domain"),
    ({"domain": {"sub_domain": "a"}}, "routes[0].domain.domain: is missing"),
    ({"domain": {"domain": "h", "port": 70000}}, "routes[0].domain.port: expected 65535 or less"),
    ({"domain": {"domain": "h", "prot": 1}}, "routes[0].domain.prot: unknown key; did you mean 'port'?"),
    ({"domain": {"domain": "h"}, "host": "h"}, "routes[0]: both domain and host are given"),
    ({"path": "api"}, "routes[0].path.prefix: 'api' is not a path; write for example /api"),
    ({"path": {"path": "/a?b"}}, "routes[0].path.path: '/a?b' is not a path"),
    ({"path": {"path": "/a/*"}}, "routes[0].path.path: '/a/*' is for a prefix, not for one exact path"),
    ({"path": "/a*/b"}, "routes[0].path.prefix: '/a*/b' has a *, which stands for nothing here"),
    ({"path": {"regex": "("}}, "routes[0].path.regex: not a regular expression: "),
    ({"path": {"regex": "a{99999999999999999999}"}}, "routes[0].path.regex: not a regular expression: "),
    ({"path": {"regex": "a" * 1001}}, "routes[0].path.regex: expected a regular expression of at most 1,000"),
    (
        {"path": {"regex": "(" * 499 + ")" * 499}},
        "routes[0].path.regex: expected a regular expression with at most 100",
    ),
    ({"path": {"path": "/a", "regex": "b"}}, "routes[0].path: path and regex are given; expected one of"),
    ({"path": {"method": "GE T"}}, "routes[0].path.method: 'GE T' is not an HTTP method; write for example GET,POST"),
    ({"path": {"regexp": "x"}}, "routes[0].path.regexp: unknown key; did you mean 'regex'?"),
    ({"upstreams": [{"url": "localhost:80"}]}, "routes[0].upstreams[0].url: 'localhost:80' is not an upstream"),
    ({"upstreams": [{"url": "http://h:0"}]}, "routes[0].upstreams[0].url: 'http://h:0' is not an upstream"),
    ({"upstreams": [{"url": "http://h:x"}]}, "routes[0].upstreams[0].url: 'http://h:x' is not an upstream"),
    ({"upstreams": [{"url": "ftp://h"}]}, "routes[0].upstreams[0].url: 'ftp://h' is not an upstream"),
    (
        {"upstreams": [{"url": "http://u:p@h"}]},
        "routes[0].upstreams[0].url: 'http://…@h' has a user, query or fragment",
    ),
    ({"upstreams": [{"url": "http://h?q"}]}, "routes[0].upstreams[0].url: 'http://h?…' has a user, query or fragment"),
    ({"upstreams": [{"name": "x"}]}, "routes[0].upstreams[0].url: is missing"),
    ({"upstreams": [{"url": "http://h", "weight": 101}]}, "routes[0].upstreams[0].weight: expected 100 or less"),
    (
        {"upstreams": [{"url": "http://h", "wieght": 1}]},
        "routes[0].upstreams[0].wieght: unknown key; did you mean 'weight'?",
    ),
    ({"handler": "page"}, "routes[0]: handler 'page' is not of the form module:name"),
    ({"handler": "m:n", "upstreams": [{"url": "http://h"}]}, "routes[0]: both handler and upstreams are given"),
    ({"handler": "m:n", "access": "all"}, "routes[0].access: expected 'loopback', 'token' or 'open'"),
    ({"access": "open"}, "routes[0]: access is for handlers"),
    ({"strip_prefix": True}, "routes[0]: strip_prefix needs a path prefix, for example path: /api"),
    ({"bench": "x"}, "routes[0].bench: expected a duration"),
    ({"upstream": []}, "routes[0].upstream: unknown key; did you mean 'upstreams'?"),
]


@pytest.mark.parametrize(("values", "words"), WRONG, ids=lambda part: str(part)[:40])
def test_what_is_wrong_with_a_route_is_told_with_its_full_path(values: dict[str, Any], words: str) -> None:
    (problem,) = wrong_route(**values)
    assert problem.startswith(words)


@pytest.mark.parametrize("key", ["upstreams", "routes"])
def test_a_word_where_a_list_belongs_is_told_in_words_that_a_person_who_writes_yaml_knows(key: str) -> None:
    (problem,) = wrong(routes="x") if key == "routes" else wrong_route(upstreams=8080)
    assert "list" in problem
    assert "tuple" not in problem


def test_the_json_of_the_go_project_is_a_route_unchanged() -> None:
    route = RouteSettings.model_validate(
        {
            "name": "news",
            "domain": {"subDomain": "news", "domain": "localhost", "port": "8888"},
            "proxyEnable": True,
            "proxyServers": [{"name": "docker 1 - ok", "url": "http://localhost:2368"}],
        }
    )
    assert route.hosts == ("news.localhost:8888",)
    assert [(up.name, up.url) for up in route.upstreams] == [("docker 1 - ok", "http://localhost:2368")]


def test_the_other_names_of_the_go_project() -> None:
    settings = validate(
        {
            "listenAndServe": ":8888",
            "consecutiveErrorsToDisable": 3,
            "timeToKeepDisabled": 90_000_000_000,
            "maxLoopTry": 7,
            "routes": [
                {
                    "name": "hello",
                    "domain": {
                        "subDomain": "",
                        "domain": "localhost",
                        "notFoundHandle": "p:lost",
                        "errorHandle": "p:sorry",
                    },
                    "path": {"expReg": "^/x", "method": "GET"},
                    "handle": "pages:hello",
                    "timeToKeepDisabled": 5_000_000_000,
                }
            ],
        },
        "test",
    )
    assert [str(address) for address in settings.listen] == [":8888"]
    assert (settings.consecutive_errors, settings.bench, settings.max_attempts) == (3, 90.0, 7)
    (route,) = settings.routes
    assert (route.handler, route.bench, route.hosts) == ("pages:hello", 5.0, ("localhost",))
    assert route.path is not None
    assert route.path.regex == "^/x"
    assert route.domain is not None
    assert (route.domain.not_found_handler, route.domain.error_handler) == ("p:lost", "p:sorry")


def test_both_names_of_one_setting_do_not_hide_each_other_silently() -> None:
    assert wrong(bench="5s", timeToKeepDisabled=90_000_000_000) != []


def test_an_upstream_may_be_only_its_url() -> None:
    route = RouteSettings.model_validate({"name": "blog", "upstreams": ["http://localhost:2368"]})
    assert [upstream.url for upstream in route.upstreams] == ["http://localhost:2368"]
