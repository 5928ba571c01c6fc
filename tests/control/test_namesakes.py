"""Two compose projects have a service of the same name: each is where its own labels say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dockerproxy.control.container_explanation import explain_container

from .conftest import Stage
from .explaining import evidence, listed
from .making import Scene, one

SHOP = one("shop-app-1", 1, "app", host="shop.localhost", project="shop")
BLOG = one("blog-app-1", 2, "app", host="blog.localhost", project="blog")


def test_each_of_two_applications_is_at_its_own_domain(scene: Scene) -> None:
    scene.see(SHOP, BLOG)

    assert scene.answers("shop.localhost") == "app"
    assert scene.answers("blog.localhost") == "blog-app"
    assert scene.upstreams("app") == ["shop-app-1"]
    assert scene.upstreams("blog-app") == ["blog-app-1"]
    assert not any(view.reasons for view in scene.registry.containers)


def test_one_that_says_nothing_is_at_the_domain_of_its_service(scene: Scene) -> None:
    scene.see(SHOP, one("blog-app-1", 2, "app", project="blog"), one("blog-app-2", 3, "app", project="blog"))

    assert scene.answers("app.localhost") == "blog-app"
    assert scene.upstreams("blog-app") == ["blog-app-1", "blog-app-2"]
    assert scene.upstreams("app") == ["shop-app-1"]


def test_no_route_is_renamed_while_the_older_application_is_recreated(scene: Scene) -> None:
    scene.see(SHOP, BLOG)

    scene.see(BLOG)
    assert scene.answers("shop.localhost") == "app"
    assert scene.upstreams("app") == []
    scene.clock.move(59)
    scene.see(BLOG, replace(SHOP, id="another", created=3))
    assert scene.upstreams("app") == ["shop-app-1"]
    assert scene.answers("blog.localhost") == "blog-app"


def test_one_keeps_its_name_after_the_other_has_gone_for_good(scene: Scene) -> None:
    scene.see(SHOP, BLOG)
    scene.see(BLOG)
    scene.clock.move(61)
    scene.see(BLOG, one("x", 4, "x"))

    assert scene.answers("blog.localhost") == "blog-app"
    assert scene.names() == ["blog-app", "x"]


def test_of_two_at_the_same_place_one_can_take_over_from_the_other(scene: Scene) -> None:
    blue = one("blue-app-1", 1, "app", host="shop.localhost", project="blue")
    green = one("green-app-1", 2, "app", host="shop.localhost", project="green")
    scene.see(blue, green)
    assert scene.upstreams("app") == ["blue-app-1", "green-app-1"]

    scene.see(green)
    assert scene.names() == ["app"]
    assert scene.upstreams("app") == ["green-app-1"]


def test_a_name_in_a_label_is_one_route_for_all_projects(scene: Scene) -> None:
    scene.see(SHOP, replace(BLOG, wishes=tuple(replace(wish, project="") for wish in BLOG.wishes)))

    assert scene.upstreams("app") == ["shop-app-1", "blog-app-1"]
    assert "is not used" in scene.reasons("blog-app-1")


def test_both_join_a_static_route_of_the_name(stage: Stage) -> None:
    scene = stage(routes=[{"name": "app", "host": "app.localhost", "upstreams": [{"url": "http://127.0.0.1:1"}]}])
    scene.see(SHOP, BLOG)

    assert scene.upstreams("app")[1:] == ["shop-app-1", "blog-app-1"]


def test_the_name_of_the_route_is_explained() -> None:
    def app(name: str, project: str, created: int) -> dict[str, Any]:
        labels = {"dockerproxy.host": f"{project}.localhost", "com.docker.compose.project": project}
        return listed(name, labels, service="app", created=created)

    known = evidence(app("one", "shop", 1), app("two", "blog", 2))

    def meanings(name: str) -> list[str]:
        return [use["meaning"] for use in explain_container(name, known)["labels"] if "project" in use["label"]]

    assert explain_container("blog-app", known)["container"] == "two"
    assert meanings("two") == [
        "the compose project; the route's name begins with it, for another has a service of that name"
    ]
    assert meanings("one") == []
