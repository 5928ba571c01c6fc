"""Domain, PathRule, Upstream, Route: what the values say of themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockerproxy.routing import Domain, PathKind, PathRule, Route, Upstream

from .making import route


@pytest.mark.parametrize(
    ("written", "name", "port"),
    [
        ("blog.localhost", "blog.localhost", None),
        ("Blog.LOCALHOST", "blog.localhost", None),
        ("blog.localhost.", "blog.localhost", None),
        ("blog.localhost:8888", "blog.localhost", 8888),
        ("Blog.localhost.:8888", "blog.localhost", 8888),
        ("*.example.com", "*.example.com", None),
        ("[::1]", "[::1]", None),
        ("[::1]:80", "[::1]", 80),
    ],
)
def test_a_domain_is_read_from_what_stands_in_an_address_bar(written: str, name: str, port: int | None) -> None:
    assert Domain.parse(written) == Domain(name, port)


def test_a_domain_reads_back_as_it_is_written() -> None:
    assert [str(Domain.parse(text)) for text in ("a.b", "a.b:81", "*.b")] == ["a.b", "a.b:81", "*.b"]
    assert Domain.parse("*.b").wildcard
    assert not Domain.parse("a.b").wildcard


def test_path_rules_read_well_in_a_report() -> None:
    rules = (
        PathRule(PathKind.EXACT, "/a"),
        PathRule(PathKind.PREFIX, "/a"),
        PathRule(PathKind.REGEX, "^/a$"),
        PathRule(),
    )
    assert [str(rule) for rule in rules] == ["/a", "/a/*", "~^/a$", "/*"]


def test_named_groups_of_a_regex_are_given_and_those_that_did_not_take_part_are_empty() -> None:
    rule = PathRule(PathKind.REGEX, r"^/(?P<year>\d+)(/(?P<month>\d+))?")
    assert rule.groups("/2026/11") == {"year": "2026", "month": "11"}
    assert rule.groups("/2026") == {"year": "2026", "month": ""}
    assert rule.groups("/about") == {}
    assert PathRule(PathKind.PREFIX, "/2026").groups("/2026") == {}


@pytest.mark.parametrize(
    ("url", "address", "base_path"),
    [
        ("http://localhost:2368", "http://localhost:2368", ""),
        ("http://localhost", "http://localhost:80", ""),
        ("https://localhost", "https://localhost:443", ""),
        ("http://localhost:2368/base/", "http://localhost:2368", "/base"),
        ("http://[::1]:8000/", "http://[::1]:8000", ""),
    ],
)
def test_an_upstream_is_pooled_by_scheme_host_and_port(url: str, address: str, base_path: str) -> None:
    upstream = Upstream("one", url)
    assert (upstream.address, upstream.base_path) == (address, base_path)


def test_two_upstreams_with_one_url_keep_their_own_state_but_share_connections() -> None:
    one, two = Upstream("one", "http://localhost:1"), Upstream("two", "http://localhost:1")
    assert one.key != two.key
    assert one.address == two.address


def test_a_container_keeps_its_state_through_a_rename() -> None:
    before = Upstream("blog-1", "http://10.0.0.2:80", container="abc")
    after = Upstream("blog-old", "http://10.0.0.2:80", container="abc")
    assert before.key == after.key


@pytest.mark.parametrize(
    ("upstream", "expected"),
    [
        (Upstream("a", "http://h"), True),
        (Upstream("a", "http://h", weight=0), False),
        (Upstream("a", "http://h", draining=True), False),
    ],
)
def test_weight_zero_and_draining_take_an_upstream_out_of_rotation(upstream: Upstream, expected: bool) -> None:
    assert upstream.in_rotation is expected


def test_values_tell_who_they_are() -> None:
    assert str(Upstream("one", "http://localhost:1")) == "one (http://localhost:1)"
    assert str(Upstream("page", "", handler="site:page")) == "page (site:page)"
    assert str(route("blog", "blog.localhost", "^/api")) == "blog: blog.localhost /api/*"
    assert str(route("all")) == "all: every domain /*"


def test_a_route_is_a_proxy_route_or_a_handler_route() -> None:
    assert Route("a").kind == "proxy"
    assert Route("a", handler="site:page").kind == "handler"


# Written in Python


def test_path_rules_have_short_names() -> None:
    assert PathRule.exact("/add/") == PathRule(PathKind.EXACT, "/add/")
    assert PathRule.prefix("/api/") == PathRule(PathKind.PREFIX, "/api")
    assert PathRule.regex("^/a") == PathRule(PathKind.REGEX, "^/a")


def test_a_route_in_words_is_the_same_as_one_in_values() -> None:
    words = Route("blog", "Blog.localhost, www.test:81", "/api", "get,post", ["http://h:1"])
    assert words == Route(
        "blog",
        (Domain("blog.localhost"), Domain("www.test", 81)),
        PathRule(PathKind.PREFIX, "/api"),
        ("GET", "POST"),
        (Upstream("http://h:1", "http://h:1"),),
    )
    assert Route("one", Domain("a.test")).domains == (Domain("a.test"),)
    assert Route("two", ["a.test", Domain("b.test")]).domains == (Domain("a.test"), Domain("b.test"))


def test_a_handler_may_be_a_name_or_the_code_itself() -> None:
    def page() -> None: ...

    assert Route("a", handler="site:page").handler == "site:page"
    assert Route("a", handler=page).target is page
    assert Route("a", target=page).target is page


def test_one_url_or_upstream_may_stand_alone() -> None:
    one = Upstream("http://h:1", "http://h:1")
    assert Route("a", upstreams="http://h:1").upstreams == (one,)
    assert Route("a", upstreams=one).upstreams == (one,)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"upstreams": [{"url": "http://ann:secret@h:1"}]}, r"route 'a': upstreams: expected URLs, or .*, found dict"),
        ({"upstreams": [8080]}, "route 'a': upstreams: expected URLs, or .*, found int"),
        ({"upstreams": 8080}, "route 'a': upstreams: expected URLs, or .*, found int"),
        ({"domains": [80]}, "route 'a': domains: expected names such as .*, found int"),
        ({"domains": 80}, "route 'a': domains: expected names such as .*, found int"),
        ({"path": ["/api"]}, "route 'a': path: expected a prefix such as .*, found list"),
    ],
)
def test_what_is_of_another_kind_is_told_in_words_and_without_its_secrets(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        Route("a", **given)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Domain.parse("a b"),
        lambda: Domain.parse("http://a"),
        lambda: Domain.parse("a:99999"),
        lambda: PathRule.exact("add"),
        lambda: PathRule.prefix("/a?b"),
        lambda: PathRule.regex("("),
        lambda: Upstream("one", "localhost:80"),
        lambda: Route("a", "a b"),
        lambda: Route("a", methods="GE T"),
        lambda: Route("a", upstreams=["localhost:80"]),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_written(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"is not a|not a regular expression"):
        make()
