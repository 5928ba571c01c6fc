"""Routes of the settings and of the program, the admin routes, and reloading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from dockerproxy.errors import SettingsError, StoreError
from dockerproxy.routing.route import Domain, PathKind, PathRule, Route, Source, Upstream

from .conftest import Stage
from .making import Scene, one, settings

UPSTREAMS = [{"name": "one", "url": "http://127.0.0.1:1", "weight": 3}, {"url": "http://127.0.0.1:2"}]


def test_a_route_of_the_settings_becomes_what_it_says(stage: Stage) -> None:
    scene = stage(
        hold="1s",
        routes=[
            {"name": "a", "host": "a.localhost:8888,*.b.localhost", "path": {"prefix": "/api/", "method": "get,POST"},
             "upstreams": UPSTREAMS, "bench": "9s"},
            {"name": "b", "host": "b.localhost", "path": {"path": "/x"}, "upstreams": UPSTREAMS},
            {"name": "c", "host": "b.localhost", "path": {"regex": "^/(?P<page>[a-z]+)$"}, "handler": "my.pages:show"},
        ],
    )  # fmt: skip

    a = scene.route("a")
    assert a.domains == (Domain("a.localhost", 8888), Domain("*.b.localhost"))
    assert (a.path, a.methods) == (PathRule(PathKind.PREFIX, "/api"), ("GET", "POST"))
    assert (a.options.hold, a.options.bench, a.source) == (1.0, 9.0, Source.STATIC)
    assert [(upstream.name, upstream.weight) for upstream in a.upstreams] == [("one", 3), ("http://127.0.0.1:2", 1)]
    assert scene.route("b").path == PathRule(PathKind.EXACT, "/x")
    c = scene.route("c")
    assert c.path.kind is PathKind.REGEX
    assert [upstream.address for upstream in c.upstreams] == ["my.pages:show"]
    assert scene.registry.groups("c", "/hello") == {"page": "hello"}
    assert scene.registry.groups("gone", "/hello") == {}


def test_the_admin_routes_are_there_without_being_asked_for(scene: Scene) -> None:
    assert scene.answers("root.localhost:8888", "/statistics") == "dockerproxy-statistics"
    assert scene.answers("root.localhost", "/statistics", "HEAD") == "dockerproxy-statistics"
    assert scene.answers("root.localhost", "/add", "POST") == "dockerproxy-add"
    assert scene.answers("root.localhost", "/remove", "POST") == "dockerproxy-remove"
    assert scene.answers("root.localhost", "/health") == "dockerproxy-health"
    assert scene.answers("root.localhost", "/add") == "unknown_method"
    assert scene.route("dockerproxy-health").access == "open"
    assert set(scene.registry.handlers) >= {
        "dockerproxy.web.statistics:statistics",
        "dockerproxy.web.admin:add_route",
        "dockerproxy.web.admin:remove_route",
        "dockerproxy.web.admin:health",
    }
    assert scene.loaded == scene.registry.handlers


def test_the_admin_routes_are_at_the_host_that_is_set(stage: Stage) -> None:
    scene = stage(admin_host="admin.example.com")

    assert scene.answers("admin.example.com", "/statistics") == "dockerproxy-statistics"
    assert scene.answers("root.localhost", "/statistics") == "unknown_host"


def test_an_admin_route_yields_to_a_static_one_at_its_place_or_of_its_name(stage: Stage) -> None:
    scene = stage(
        routes=[
            {"name": "mine", "host": "root.localhost", "path": {"path": "/statistics"}, "handler": "my.pages:stats"},
            {"name": "dockerproxy-add", "host": "x.localhost", "upstreams": UPSTREAMS},
        ]
    )

    assert scene.answers("root.localhost", "/statistics") == "mine"
    assert scene.answers("root.localhost", "/add", "POST") == "dockerproxy-add-2"
    assert scene.answers("x.localhost") == "dockerproxy-add"


def test_two_static_routes_at_one_place_are_an_error_that_names_both() -> None:
    routes = [
        {"name": "a", "host": "x.localhost", "path": {"path": "/p", "method": "GET"}, "upstreams": UPSTREAMS},
        {"name": "b", "host": "x.localhost", "path": {"path": "/p", "method": "GET,POST"}, "upstreams": UPSTREAMS},
    ]
    with pytest.raises(SettingsError, match=r"route 'b': GET,POST x\.localhost /p is already answered by route 'a'"):
        Scene(Path("/nowhere"), routes=routes)


async def _hello(_request: web.Request) -> web.Response:
    return web.Response(text="hello")


def test_routes_given_in_python_stand_beside_those_of_the_settings(tmp_path: Path) -> None:
    one_app, other_app = web.Application(), web.Application()
    given = (
        Route("proxy", (Domain("p.localhost"),), upstreams=(Upstream("u", "http://127.0.0.1:1"),)),
        Route("hello", (Domain("h.localhost"),), target=_hello),
        Route("hello too", (Domain("h2.localhost"),), target=_hello),
        Route("one", (Domain("one.localhost"),), target=one_app),
        Route("other", (Domain("other.localhost"),), target=other_app),
        Route("named", (Domain("n.localhost"),), handler="my.pages:show", error_handler="my.pages:error"),
    )
    scene = Scene(tmp_path, given, routes=[{"name": "z", "host": "z.localhost", "upstreams": UPSTREAMS}])
    scene.registry.start()

    assert scene.names() == ["proxy", "hello", "hello too", "one", "other", "named", "z"]
    hello = f"{__name__}:_hello"
    assert [upstream.address for upstream in scene.route("hello").upstreams] == [hello]
    assert scene.route("hello too").handler == hello
    assert scene.route("hello").kind == "handler"
    assert scene.loaded[hello] is _hello
    assert scene.loaded[scene.route("one").handler] is one_app
    assert scene.loaded[scene.route("other").handler] is other_app
    assert scene.loaded["my.pages:show"] is None
    assert scene.loaded["my.pages:error"] is None
    scene.registry.close()


def test_a_name_given_twice_is_an_error(tmp_path: Path) -> None:
    given = (Route("a", (Domain("p.localhost"),)),)
    with pytest.raises(SettingsError, match=r"routes\[0\]\.name: 'a' is already taken by route 'a' given in Python"):
        Scene(tmp_path, given, routes=[{"name": "a", "host": "a.localhost", "upstreams": UPSTREAMS}])
    with pytest.raises(SettingsError, match="'a' is already taken"):
        Scene(tmp_path, given * 2)


def test_pages_of_domains_are_found_by_domain_and_else_globally(tmp_path: Path) -> None:
    domain = {"domain": "a.localhost", "port": 8888, "not_found_handler": "my:lost", "error_handler": "my:sorry"}
    given = (
        Route(
            "python", (Domain("py.localhost"),), target=_hello, not_found_handler="py:lost", error_handler="py:sorry"
        ),
    )
    scene = Scene(
        tmp_path,
        given,
        not_found_handler="all:lost",
        error_handler="all:sorry",
        routes=[
            {"name": "a", "domain": domain, "upstreams": UPSTREAMS},
            {"name": "b", "host": "b.localhost", "upstreams": UPSTREAMS},
        ],
    )
    scene.registry.start()
    scene.see(one("c-1", 1, "c"), one("d-1", 2, "d", host="a.localhost:8888", path="/d"))

    assert scene.registry.not_found_handlers == {
        "": "all:lost",
        "a.localhost:8888": "my:lost",
        "py.localhost": "py:lost",
    }
    pages = {name: scene.route(name).error_handler for name in scene.names()}
    assert pages == {"python": "py:sorry", "a": "my:sorry", "b": "all:sorry", "c": "all:sorry", "d": "my:sorry"}
    assert {"my:lost", "my:sorry", "all:lost", "all:sorry", "py:lost", "py:sorry"} <= scene.loaded.keys()
    scene.registry.close()


def test_without_pages_routes_have_none(scene: Scene) -> None:
    scene.see(one("c-1", 1, "c"))

    assert scene.route("c").error_handler == ""
    assert scene.registry.not_found_handlers == {}


def test_a_reload_brings_new_routes_and_options_and_keeps_what_docker_says(stage: Stage) -> None:
    scene = stage(routes=[{"name": "a", "host": "a.localhost", "upstreams": UPSTREAMS}])
    scene.see(one("blog-1", 1, "blog"))
    new = settings(hold="4s", routes=[{"name": "b", "host": "b.localhost", "upstreams": UPSTREAMS}])
    scene.registry.reload(new)

    assert scene.names() == ["b", "blog"]
    assert scene.route("blog").options.hold == 4.0
    assert scene.registry.settings is new


@pytest.mark.parametrize("what", ["clash", "handler"])
def test_a_reload_that_fails_changes_nothing(stage: Stage, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = stage(routes=[{"name": "a", "host": "a.localhost", "upstreams": UPSTREAMS}])
    before, table = scene.registry.settings, scene.registry.table
    same = [{"name": name, "host": "b.localhost", "upstreams": UPSTREAMS} for name in "bc"]
    wrong: dict[str, list[dict[str, Any]]] = {
        "clash": same,
        "handler": [{"name": "b", "host": "b.localhost", "handler": "no:such"}],
    }

    def load(handlers: dict[str, Any]) -> None:
        if "no:such" in handlers:
            raise SettingsError("handler 'no:such'", [])

    monkeypatch.setattr(scene.registry, "_load_handlers", load)
    with pytest.raises(SettingsError):
        scene.registry.reload(settings(routes=wrong[what]))

    assert scene.registry.settings is before
    assert scene.registry.table is table
    scene.see(one("blog-1", 1, "blog"))
    assert scene.names() == ["a", "blog"]


def test_an_equal_reload_publishes_nothing(stage: Stage) -> None:
    values = {"routes": [{"name": "a", "host": "a.localhost", "upstreams": UPSTREAMS}]}
    scene = stage(**values)
    published = len(scene.published)
    scene.registry.reload(settings(**values))

    assert len(scene.published) == published


def test_a_reload_of_nothing_but_a_not_found_page_is_published(stage: Stage) -> None:
    scene = stage()
    published = len(scene.published)
    scene.registry.reload(settings(not_found_handler="my:lost"))

    assert scene.registry.not_found_handlers == {"": "my:lost"}
    assert len(scene.published) == published + 1


def test_a_folder_that_cannot_be_used_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    scene = Scene(tmp_path / "file" / "state")
    with pytest.raises(StoreError, match="state_dir"):
        scene.registry.start()
    scene.registry.close()
    assert "routes" in repr(scene.registry)


def test_redirects_to_https_that_nobody_speaks_are_told_of_once(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    routes = [{"name": name, "host": f"{name}.localhost", "upstreams": UPSTREAMS} for name in "ab"]

    stage(https="redirect", routes=routes)
    (line,) = (message for message in caplog.messages if "redirects to https" in message)
    assert line.startswith("a (and 1 more): route a redirects to https, which no address to listen on speaks;")

    caplog.clear()
    stage(https="redirect", routes=routes, trusted_proxies="10.0.0.0/8")
    assert not [message for message in caplog.messages if "redirects to https" in message]
