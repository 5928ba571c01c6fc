"""Two compose projects have a service of the same name: each is where its own labels say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerproxy.control.explain.container import explain_container
from dockerproxy.control.merge.namesakes import Namesakes
from dockerproxy.discovery.snapshot import ContainerView, Snapshot
from tests.control.conftest import Stage
from tests.control.explaining import evidence, listed
from tests.control.making import Scene, one

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


PA = one("pa-svc5-1", 1, "svc5", project="pa")
PB = one("pb-svc5-1", 2, "svc5", project="pb")
NEW_PA = replace(one("pa-svc5-1", 3, "svc5", host="pa.localhost", project="pa"), id="new-pa")
NEW_PB = replace(one("pb-svc5-1", 4, "svc5", host="pb.localhost", project="pb"), id="new-pb")


@pytest.mark.parametrize(
    "then",
    [
        [(PB,), (NEW_PA, PB), (NEW_PA,), (NEW_PA, NEW_PB)],
        [(PA,), (PA, NEW_PB), (NEW_PB,), (NEW_PA, NEW_PB)],
        [(), (NEW_PA,), (NEW_PA, NEW_PB)],
        [(), (NEW_PB,), (NEW_PA, NEW_PB)],
        [(PB,), (), (NEW_PA, NEW_PB)],
        [(PA,), (NEW_PB,), (NEW_PA, NEW_PB)],
        [(NEW_PA, NEW_PB)],
    ],
    ids=["pa first", "pb first", "both down, pa first", "both down, pb first", "both down", "crosswise", "at once"],
)
def test_two_that_shared_a_place_are_two_routes_once_their_labels_differ(
    scene: Scene, then: Sequence[tuple[ContainerView, ...]]
) -> None:
    scene.see(PA, PB)
    assert scene.names() == ["svc5"]

    for containers in then:
        scene.see(*containers)
    assert scene.upstreams(scene.answers("pa.localhost")) == ["pa-svc5-1"]
    assert scene.upstreams(scene.answers("pb.localhost")) == ["pb-svc5-1"]
    assert not any(view.reasons for view in scene.registry.containers)
    scene.clock.move(61)
    assert scene.names() in (["pa-svc5", "svc5"], ["pb-svc5", "svc5"])


def test_while_one_has_moved_the_other_stays_where_and_what_it_is(scene: Scene) -> None:
    scene.see(PA, PB)
    scene.see(PB)
    scene.see(NEW_PA, PB)

    assert scene.answers("pa.localhost") == "pa-svc5"
    assert scene.answers("svc5.localhost") == "svc5"
    assert scene.upstreams("svc5") == ["pb-svc5-1"]


def test_one_that_moves_away_while_the_other_is_down_leaves_it_its_place(scene: Scene) -> None:
    scene.see(PA, PB)
    scene.see(PB)
    scene.see(NEW_PB)

    assert scene.upstreams(scene.answers("pb.localhost")) == ["pb-svc5-1"]
    assert scene.answers("svc5.localhost") == "svc5"
    assert scene.upstreams("svc5") == []
    scene.see(PA, NEW_PB)
    assert scene.upstreams("svc5") == ["pa-svc5-1"]


def test_two_whose_labels_are_made_equal_share_one_route(scene: Scene) -> None:
    scene.see(NEW_PA, NEW_PB)
    scene.see(NEW_PA)
    scene.see(NEW_PA, one("pb-svc5-1", 5, "svc5", host="pa.localhost", project="pb"))

    assert scene.upstreams(scene.answers("pa.localhost")) == ["pa-svc5-1", "pb-svc5-1"]
    assert not any(view.reasons for view in scene.registry.containers)


@given(st.lists(st.dictionaries(st.sampled_from("pqr"), st.sampled_from(("", "x.localhost", "y.localhost")))))
def test_who_shares_a_route_depends_on_what_runs_not_on_what_ran_before(fleets: list[dict[str, str]]) -> None:
    namesakes, routes = Namesakes(), set[str]()
    for fleet in fleets:
        views = [one(project, 1, "app", host=host or None, project=project) for project, host in fleet.items()]
        (seen,) = namesakes.apart([Snapshot("docker", tuple(views))], (), routes)
        routes = {view.wishes[0].route for view in seen.containers}
        hosts = {(view.wishes[0].route, fleet[view.name]) for view in seen.containers}
        assert len(hosts) == len(routes) == len(set(fleet.values()))


def test_replicas_that_are_rolled_one_at_a_time_part_from_the_other_project_as_they_move(scene: Scene) -> None:
    shared = {"host": "shared.localhost"}
    first, second = (one(f"pa-svc5-{age}", age, "svc5", project="pa", **shared) for age in (1, 2))
    moved, last = (one(f"pa-svc5-{age - 3}", age, "svc5", project="pa", host="pa.localhost") for age in (4, 5))
    other = one("pb-svc5-1", 6, "svc5", project="pb", **shared)

    scene.see(first, second, other)
    scene.see(second, other)
    scene.see(second, moved, other)
    assert scene.upstreams("svc5") == ["pa-svc5-2", "pa-svc5-1", "pb-svc5-1"]
    scene.see(moved, other)
    assert scene.upstreams(scene.answers("pa.localhost")) == ["pa-svc5-1"]
    assert scene.upstreams(scene.answers("shared.localhost")) == ["pb-svc5-1"]
    scene.see(moved, last, other)
    assert scene.upstreams(scene.answers("pa.localhost")) == ["pa-svc5-1", "pa-svc5-2"]
    assert scene.upstreams(scene.answers("shared.localhost")) == ["pb-svc5-1"]


def test_no_route_is_renamed_while_one_of_its_replicas_is_down(scene: Scene) -> None:
    silent = one("blog-app-1", 2, "app", project="blog")
    says = one("blog-app-2", 3, "app", host="blog.localhost", project="blog")
    scene.see(SHOP, silent, says)
    assert scene.upstreams("blog-app") == ["blog-app-1", "blog-app-2"]

    for there in ((SHOP, silent), (SHOP, silent, says), (SHOP, says)):
        scene.see(*there)
        assert scene.answers("blog.localhost") == "blog-app"
        assert scene.answers("shop.localhost") == "app"


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
