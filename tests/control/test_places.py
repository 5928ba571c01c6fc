"""Who may be at a place beside others: by method, by expression."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dockerproxy.control.merge.expressions import MOST_AT_A_DOMAIN, MOST_OF_A_CONTAINER
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.errors import SettingsError
from dockerproxy.labels.reason import Code
from dockerproxy.routing.catch_all import takes_all
from dockerproxy.routing.route import PathKind, PathRule
from tests.control.conftest import Stage
from tests.control.making import Scene, container, one, wish

HOST = "shop.localhost"
UPSTREAMS = ["http://127.0.0.1:9"]


def with_expression(name: str, created: float, text: str, **said: Any) -> ContainerView:
    made = one(name, created, name, host=HOST, **said)
    wishes = tuple(replace(wish, path=PathRule(PathKind.REGEX, text)) for wish in made.wishes)
    return replace(made, wishes=wishes)


def codes(scene: Scene, name: str) -> list[Code]:
    (view,) = (view for view in scene.registry.containers if view.name == name)
    return [reason.code for reason in view.reasons]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_route_for_one_method_stands_beside_one_for_all_whichever_came_first(
    scene: Scene, order: tuple[float, float]
) -> None:
    scene.see(
        one("site", order[0], "site", host=HOST),
        one("preflight", order[1], "preflight", host=HOST, methods=("OPTIONS",)),
    )
    assert [scene.answers(HOST, method=method) for method in ("GET", "POST", "OPTIONS")] == [
        "site",
        "site",
        "preflight",
    ]
    assert (scene.reasons("site"), scene.reasons("preflight")) == ("", "")


def test_so_it_does_where_both_are_static_and_below_a_path(stage: Stage) -> None:
    path = {"path": "/api"}
    scene = stage(
        routes=[
            {"name": "all", "host": HOST, "path": "/api", "upstreams": UPSTREAMS},
            {"name": "see", "host": HOST, "path": {"prefix": "/api", "method": "GET"}, "upstreams": UPSTREAMS},
            {"name": "exact", "host": HOST, "path": {**path, "method": "PUT"}, "upstreams": UPSTREAMS},
            {"name": "exact all", "host": HOST, "path": path, "upstreams": UPSTREAMS},
        ]
    )
    assert scene.answers(HOST, "/api/x", "GET") == "see"
    assert scene.answers(HOST, "/api/x", "HEAD") == "see"
    assert scene.answers(HOST, "/api/x", "POST") == "all"
    assert scene.answers(HOST, "/api", "PUT") == "exact"
    assert scene.answers(HOST, "/api", "GET") == "exact all"


def test_two_routes_for_one_method_or_for_all_do_not_stand_side_by_side(stage: Stage) -> None:
    for one_method, other in (("GET", "POST,GET"), ("", "")):
        routes = [
            {"name": "a", "host": HOST, "path": {"prefix": "/p", "method": one_method}, "upstreams": UPSTREAMS},
            {"name": "b", "host": HOST, "path": {"prefix": "/p", "method": other}, "upstreams": UPSTREAMS},
        ]
        with pytest.raises(SettingsError, match="is already answered by route 'a'"):
            stage(routes=routes)


def test_what_the_operator_has_written_for_all_methods_is_not_given_to_containers_by_parts(stage: Stage) -> None:
    scene = stage(routes=[{"name": "site", "host": HOST, "upstreams": UPSTREAMS}])
    scene.see(one("thief", 1, "thief", host=HOST, methods=("GET",)))
    assert scene.answers(HOST) == "site"
    assert codes(scene, "thief") == [Code.PLACE_TAKEN]


def test_a_container_may_have_the_methods_that_a_static_route_leaves(stage: Stage) -> None:
    scene = stage(
        routes=[{"name": "add", "host": HOST, "path": {"prefix": "/", "method": "POST"}, "upstreams": UPSTREAMS}]
    )
    scene.see(one("site", 1, "site", host=HOST))
    assert [scene.answers(HOST, method=method) for method in ("GET", "POST")] == ["site", "add"]


@pytest.mark.parametrize(
    "text", ["^/", "", "/", ".", "^/.*", "^.+$", "(?i)^/", "^/(?!health)", r"^/\S*$", "^/|x", "^(/|/a)"]
)
def test_an_expression_that_takes_all_is_a_claim_on_the_domain(scene: Scene, text: str) -> None:
    assert takes_all(text)
    scene.see(one("site", 1, "site", host=HOST), with_expression("thief", 2, text))
    assert {scene.answers(HOST, path) for path in ("/", "/a", "/login")} == {"site"}
    assert f"~{text}, an expression that takes all paths, is answered by the docker route site" in scene.reasons(
        "thief"
    )
    assert codes(scene, "thief") == [Code.PLACE_TAKEN]


@pytest.mark.parametrize(
    "text", [r"^/\d{4}/", "^/[a-m]", r"\.html$", "^/api/", "^/(en|de)/", "^/[^/]+$", "^/$", "^/(a+)+$!"]
)
def test_one_that_takes_a_part_is_none(scene: Scene, text: str) -> None:
    assert not takes_all(text)
    scene.see(one("site", 1, "site", host=HOST), with_expression("part", 2, text))
    assert scene.reasons("part") == ""


def test_one_that_was_there_first_has_the_domain(scene: Scene) -> None:
    scene.see(
        with_expression("first", 1, "^/"), one("second", 2, "second", host=HOST), with_expression("third", 3, ".")
    )
    assert scene.answers(HOST, "/x") == "first"
    assert (codes(scene, "second"), codes(scene, "third")) == ([Code.PLACE_TAKEN], [Code.PLACE_TAKEN])


def test_it_leaves_to_narrower_ones_what_they_ask_for_whatever_their_names_are(scene: Scene) -> None:
    scene.see(with_expression("z", 1, "^/blog/"), with_expression("a", 2, "^/"))
    assert [scene.answers(HOST, path) for path in ("/blog/1", "/x")] == ["z", "a"]


def test_a_static_one_may_be_as_wide_as_it_likes(stage: Stage) -> None:
    scene = stage(
        routes=[
            {"name": "whole", "host": "a.localhost", "upstreams": UPSTREAMS},
            {"name": "wide", "host": "a.localhost", "path": {"regex": "^/"}, "upstreams": UPSTREAMS},
        ]
    )
    assert scene.answers("a.localhost", "/x") == "wide"


def test_one_for_a_single_method_would_take_all_others_too_and_is_a_claim_as_well(scene: Scene) -> None:
    scene.see(
        one("site", 1, "site", host=HOST),
        with_expression("options", 2, "^/", methods=("OPTIONS",)),
    )
    assert scene.answers(HOST, "/x") == "site"
    assert codes(scene, "options") == [Code.PLACE_TAKEN]


def test_of_one_text_there_may_be_one_for_each_method(scene: Scene) -> None:
    scene.see(
        with_expression("see", 1, "^/", methods=("GET",)),
        with_expression("add", 2, "^/", methods=("POST",)),
        with_expression("all", 3, "^/"),
    )
    assert [scene.answers(HOST, "/x", method) for method in ("GET", "POST", "PUT")] == ["see", "add", "all"]


def test_a_container_has_a_bounded_number_of_expressions(scene: Scene) -> None:
    wishes = [
        replace(wish(f"r{number:02}", "172.18.0.1:80", host=f"{number}.localhost", container="many"),
                path=PathRule(PathKind.REGEX, f"^/{number}$"))
        for number in range(MOST_OF_A_CONTAINER + 2)
    ]  # fmt: skip
    plain = wish("plain", "172.18.0.1:80", host="plain.localhost", container="many")
    scene.see(container("many", 1, *wishes, plain), with_expression("other", 2, "^/x"))

    assert codes(scene, "many") == [Code.TOO_MANY_EXPRESSIONS] * 2
    assert "label dockerproxy.r20.path_regex=^/20$ is one expression too many" in scene.reasons("many")
    assert scene.answers("19.localhost", "/19") == "r19"
    assert scene.answers("20.localhost", "/20") == "unknown_host"
    assert scene.answers("plain.localhost") == "plain"
    assert scene.answers(HOST, "/x") == "other"


def test_a_domain_bears_a_bounded_number_of_expressions_of_the_oldest_containers(scene: Scene) -> None:
    many = [with_expression(f"c{number:03}", number, f"^/{number}$") for number in range(1, MOST_AT_A_DOMAIN + 3)]
    scene.see(*many)
    assert codes(scene, "c100") == []
    assert codes(scene, "c101") == [Code.TOO_MANY_EXPRESSIONS]
    assert "shop.localhost bears 100 path expressions already, which is the most" in scene.reasons("c101")
    scene.see(*many[1:])
    assert codes(scene, "c101") == []
