"""Middlewares: a route is never served without one that it, or a container of it, asks for."""

from __future__ import annotations

import pytest

from dockerproxy.errors import InvalidInput, SettingsError
from dockerproxy.labels.reason import Code

from ..conftest import Stage
from ..making import Scene, container, one, route_settings, settings, wish

DEFINED = {"auth": {"use": "basic_auth"}, "fast": {"use": "compress"}}
AUTH, FAST = ("auth",), ("fast",)


@pytest.fixture
def scene(stage: Stage) -> Scene:
    return stage(define_middlewares=DEFINED)


def codes(scene: Scene, name: str) -> list[Code]:
    view = next(view for view in scene.registry.containers if view.name == name)
    return [reason.code for reason in view.reasons]


def test_a_container_asks_for_middlewares(scene: Scene) -> None:
    scene.see(one("blog-1", 1, "blog", middlewares=("auth", "fast")))
    assert scene.route("blog").options.middlewares == ("auth", "fast")
    assert codes(scene, "blog-1") == []


def test_a_container_that_asks_for_one_that_is_not_there_is_not_served(scene: Scene) -> None:
    good = wish("open", "172.18.0.1:81", container="blog-1")
    scene.see(container("blog-1", 1, wish("blog", "172.18.0.1:80", container="blog-1", middlewares=("atuh",)), good))
    assert scene.names() == ["open"]
    assert codes(scene, "blog-1") == [Code.UNKNOWN_MIDDLEWARE]
    assert scene.reasons("blog-1") == (
        "dockerproxy.middlewares: there is no middleware 'atuh', so route blog is left out; did you mean 'auth'?"
    )


def test_others_of_its_route_are_served_as_they_ask(scene: Scene) -> None:
    scene.see(one("old", 1, "blog", middlewares=AUTH), one("new", 2, "blog", middlewares=("nothing",)))
    assert scene.upstreams("blog") == ["old"]
    assert scene.route("blog").options.middlewares == AUTH


def test_a_container_is_not_served_with_less_than_it_asks_for(scene: Scene) -> None:
    scene.see(one("old", 1, "blog", middlewares=FAST), one("new", 2, "blog", middlewares=AUTH))
    assert scene.upstreams("blog") == ["old"]
    assert codes(scene, "new") == [Code.OTHER_MIDDLEWARES]
    assert "cannot be kept: the older container old says fast" in scene.reasons("new")

    scene.see(one("new", 2, "blog", middlewares=AUTH))
    assert (scene.upstreams("blog"), scene.route("blog").options.middlewares) == (["new"], AUTH)


def test_one_that_says_nothing_gets_what_the_others_ask_for(scene: Scene) -> None:
    scene.see(one("old", 1, "blog"), one("new", 2, "blog", middlewares=AUTH), one("none", 3, "blog", middlewares=()))
    assert scene.upstreams("blog") == ["old", "new"]
    assert scene.route("blog").options.middlewares == AUTH
    assert "the older container new says auth" in scene.reasons("none")


def test_a_static_route_keeps_its_own(stage: Stage) -> None:
    blog = {"name": "blog", "host": "blog.localhost", "upstreams": ["http://127.0.0.1:1"], "middlewares": "fast"}
    scene = stage(define_middlewares=DEFINED, routes=[blog])
    scene.see(
        one("same", 1, "blog", middlewares=FAST), one("other", 2, "blog", middlewares=AUTH), one("none", 3, "blog")
    )
    assert scene.upstreams("blog") == ["http://127.0.0.1:1", "same", "none"]
    assert codes(scene, "other") == [Code.OTHER_MIDDLEWARES]


def test_the_default_holds_for_containers_and_not_for_the_admin_routes(stage: Stage) -> None:
    scene = stage(define_middlewares=DEFINED, middlewares="auth")
    scene.see(one("blog-1", 1, "blog"), one("open-1", 2, "open", middlewares=()))
    assert scene.route("blog").options.middlewares == AUTH
    assert scene.route("open").options.middlewares == ()
    assert scene.route("dockerproxy-statistics").options.middlewares == ()


def test_a_reload_that_takes_a_middleware_away_takes_its_containers_away(scene: Scene) -> None:
    scene.see(one("blog-1", 1, "blog", middlewares=AUTH))
    scene.registry.reload(settings())
    assert scene.upstreams("blog") == []
    assert codes(scene, "blog-1") == [Code.UNKNOWN_MIDDLEWARE]

    scene.registry.reload(settings(define_middlewares=DEFINED))
    assert scene.upstreams("blog") == ["blog-1"]


def test_a_reload_with_an_unknown_name_changes_nothing(scene: Scene) -> None:
    scene.see(one("blog-1", 1, "blog", middlewares=AUTH))
    with pytest.raises(SettingsError, match="there is no middleware 'fats'"):
        scene.registry.reload(settings(define_middlewares=DEFINED, middlewares="fats"))
    assert scene.names() == ["blog"]


async def test_a_dynamic_route_with_an_unknown_name_is_refused(scene: Scene) -> None:
    with pytest.raises(InvalidInput, match="middlewares: there is no middleware 'atuh'; did you mean 'auth'"):
        await scene.registry.add(route_settings("late", host="late.localhost", middlewares="atuh"))
    await scene.registry.add(route_settings("late", host="late.localhost", middlewares="auth"))
    assert scene.route("late").options.middlewares == AUTH
