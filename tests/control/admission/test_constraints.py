"""Constraints: no container takes, or takes part in, a host that is meant for others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.labels.reason import Code, Reason

from ..conftest import Stage
from ..making import Scene, container, one, settings, wish

TEAM_A = {"hosts": ["team-a.example", "*.team-a.example"], "projects": ["team-a-*"]}
PUBLIC = {"hosts": ["www.team-a.example"], "projects": ["team-a-*"], "labels": {"com.example.public": "y*"}}
TEAM_B = {"hosts": ["*.team-b.example"], "networks": ["team-b_front"]}
CONSTRAINTS = [TEAM_A, PUBLIC, TEAM_B]


def of(view: ContainerView, project: str = "", networks: tuple[str, ...] = (), **labels: str) -> ContainerView:
    """The container with a compose project, networks, and labels below `com.example`."""
    told = {f"com.example.{name}": value for name, value in labels.items()}
    if project:
        told["com.docker.compose.project"] = project
    return replace(view, labels=told, networks=networks)


def ours(name: str = "ours", created: float = 9.0, route: str = "site", **said: Any) -> ContainerView:
    return of(one(name, created, route, **said), "team-a-shop")


def theirs(name: str = "theirs", created: float = 1.0, route: str = "other", **said: Any) -> ContainerView:
    """A container of somebody else; older, so that it would win."""
    return of(one(name, created, route, **said), "team-b-shop", ("team-b_front",))


@pytest.fixture
def scene(stage: Stage) -> Scene:
    return stage(constraints=CONSTRAINTS)


def codes(scene: Scene, name: str) -> list[Code]:
    view = next(view for view in scene.registry.containers if view.name == name)
    assert all(isinstance(reason, Reason) for reason in view.reasons)
    return [reason.code for reason in view.reasons]


def test_whoever_fits_the_constraint_has_the_domain(scene: Scene) -> None:
    scene.see(ours(host="blog.team-a.example,team-a.example"))
    assert scene.answers("blog.team-a.example") == "site"
    assert scene.answers("team-a.example") == "site"
    assert scene.reasons("ours") == ""


@pytest.mark.parametrize(
    "host",
    [
        "team-a.example",
        "blog.team-a.example",
        "deep.below.team-a.example",
        "*.team-a.example",
        "*.below.team-a.example",
        "BLOG.Team-A.Example",
        "blog.team-a.example.",
        "blog.team-a.example:8443",
        "*.example",  # takes in team-a.example
    ],
)
def test_nobody_else_has_it_however_it_is_written(scene: Scene, host: str) -> None:
    scene.see(theirs(host=host))
    assert scene.names() == []
    assert codes(scene, "theirs") == [Code.NOT_ALLOWED]
    assert "constraints[0] asks for compose project team-a-* (it has team-b-shop)" in scene.reasons("theirs")
    assert "dockerproxy.host" in scene.reasons("theirs")


def test_an_older_container_of_others_is_not_in_the_way(scene: Scene) -> None:
    scene.see(theirs(host="blog.team-a.example"), ours(host="blog.team-a.example"))
    assert scene.upstreams("site") == ["ours"]
    assert scene.answers("blog.team-a.example") == "site"


def test_a_path_of_the_domain_is_no_way_in(scene: Scene) -> None:
    scene.see(ours(host="blog.team-a.example"), theirs(host="blog.team-a.example", path="/login"))
    assert scene.answers("blog.team-a.example", "/login") == "site"


def test_the_domains_that_are_allowed_are_kept(scene: Scene) -> None:
    scene.see(theirs(host="blog.team-a.example,shop.team-b.example"))
    assert scene.answers("shop.team-b.example") == "other"
    assert scene.answers("blog.team-a.example") == "unknown_host"
    assert "it may not have blog.team-a.example" in scene.reasons("theirs")


def test_other_routes_of_a_refused_container_still_work(scene: Scene) -> None:
    bad = wish("bad", "172.18.0.1:80", host="team-a.example", container="theirs")
    good = wish("good", "172.18.0.1:81", host="good.example", container="theirs")
    scene.see(of(container("theirs", 1.0, bad, good), "team-b-shop"))
    assert scene.names() == ["good"]


def test_nobody_joins_the_route_of_another_by_its_name(scene: Scene) -> None:
    scene.see(ours(host="blog.team-a.example"), theirs(route="site"))
    assert scene.upstreams("site") == ["ours"]
    assert "it may not join route site at blog.team-a.example" in scene.reasons("theirs")
    assert codes(scene, "theirs") == [Code.NOT_ALLOWED]


def test_nobody_takes_the_name_of_a_route_away_from_whom_a_domain_is_meant_for(scene: Scene) -> None:
    """Else an older container with the same route name would have its own domain answered, and theirs not."""
    scene.see(theirs(route="site", host="free.example"), ours(host="blog.team-a.example"))
    assert scene.answers("blog.team-a.example") == "site"
    assert scene.upstreams("site") == ["ours"]


def test_a_container_does_not_join_where_it_says_nothing_but_is_older(scene: Scene) -> None:
    scene.see(theirs(route="site"), ours(host="blog.team-a.example"), ours("second", 10.0))
    assert scene.upstreams("site") == ["ours", "second"]


def test_nobody_joins_a_static_route_at_a_domain_of_others(stage: Stage) -> None:
    routes = [{"name": "site", "host": "blog.team-a.example"}, {"name": "catch-all"}]
    scene = stage(constraints=CONSTRAINTS, routes=routes)
    scene.see(theirs(route="site"), ours(), theirs("everywhere", route="catch-all"))
    assert scene.upstreams("site") == ["ours"]
    assert scene.upstreams("catch-all") == []
    assert "at every domain" in scene.reasons("everywhere")


def test_static_routes_themselves_are_not_asked(stage: Stage) -> None:
    scene = stage(constraints=CONSTRAINTS, routes=[{"name": "a", "host": "team-a.example", "upstreams": ["http://b"]}])
    assert scene.answers("team-a.example") == "a"


def test_default_domains_count_too(stage: Stage) -> None:
    scene = stage(constraints=[{**TEAM_A, "hosts": ["blog.localhost"]}])
    scene.see(theirs(route="blog"), theirs("free", route="free"))
    assert scene.answers("blog.localhost") == "unknown_host"
    assert scene.answers("free.localhost") == "free"


def test_the_closest_pattern_counts_and_no_other(scene: Scene) -> None:
    scene.see(ours(host="www.team-a.example"), of(one("open", 10.0, "www", host="www.team-a.example"), "team-a-x", (),
              public="yes"))  # fmt: skip
    assert scene.upstreams("www") == ["open"]
    assert "www.team-a.example is constrained: constraints[1] asks for label com.example.public=y* (it has none)" in (
        scene.reasons("ours")
    )


def test_a_wildcard_has_to_fit_the_constraints_of_each_name_in_it(scene: Scene) -> None:
    scene.see(ours(host="*.team-a.example"), of(one("open", 10.0, "all", host="*.team-a.example"), "team-a-x", (),
              public="yes"))  # fmt: skip
    assert scene.upstreams("all") == ["open"]
    assert "www.team-a.example is constrained" in scene.reasons("ours")


def test_of_several_constraints_for_one_pattern_one_is_enough(stage: Stage) -> None:
    scene = stage(constraints=[TEAM_A, {**TEAM_B, "hosts": ["team-a.example"]}])
    for fitting in (ours(host="team-a.example"), theirs(host="team-a.example")):
        scene.see(fitting)
        assert scene.reasons(fitting.name) == ""
    scene.see(one("nobody", 1.0, "site", host="team-a.example"))
    assert "constraints[0] asks for compose project team-a-* (it has none)" in scene.reasons("nobody")
    assert "constraints[1] asks for network team-b_front (it is on none)" in scene.reasons("nobody")


def test_all_conditions_of_a_constraint_have_to_be_met(stage: Stage) -> None:
    both = {"hosts": "x.example", "projects": "p", "networks": ["front", "back"], "labels": {"com.example.tier": "1"}}
    scene = stage(constraints=[both])
    fits = of(one("fits", 1.0, "site", host="x.example"), "p", ("other", "back"), tier="1")
    scene.see(fits)
    assert scene.names() == ["site"]
    for lacking in ({"networks": ("other",)}, {"labels": {"com.docker.compose.project": "p"}}):
        scene.see(replace(fits, id=str(lacking), **lacking))
        assert scene.upstreams("site") == []  # kept for its linger, empty


def test_what_no_constraint_is_about_is_allowed_or_denied(stage: Stage) -> None:
    scene = stage(constraints=CONSTRAINTS, constraints_default="deny")
    scene.see(ours(host="free.example"), ours("good", 10.0, "good", host="team-a.example"))
    assert scene.names() == ["good"]
    assert "no constraint is about free.example, and constraints_default is deny" in scene.reasons("ours")


def test_one_pattern_may_be_for_everybody(stage: Stage) -> None:
    scene = stage(constraints=[TEAM_A, {"hosts": "*", "projects": "*"}], constraints_default="deny")
    scene.see(one("any", 1.0, "any", host="free.example"), one("bad", 2.0, "bad", host="team-a.example"))
    assert scene.names() == ["any"]


@pytest.mark.parametrize("host", ["root.localhost", "root.localhost:8888", "page.root.localhost"])
def test_no_container_has_a_page_at_the_domain_of_the_admin_handlers(stage: Stage, host: str) -> None:
    scene = stage()
    scene.see(one("evil", 1.0, "evil", host=host))
    assert scene.names() == []
    assert codes(scene, "evil") == [Code.NOT_ALLOWED]
    assert "it belongs to the admin handlers (admin_host is root.localhost)" in scene.reasons("evil")


def test_a_container_called_like_the_admin_domain_does_not_have_it_either(stage: Stage) -> None:
    scene = stage()
    scene.see(one("evil", 1.0, "root"))
    assert scene.names() == []


def test_the_domain_of_the_admin_handlers_may_be_given_away_knowingly(stage: Stage) -> None:
    scene = stage(constraints=[{"hosts": "root.localhost", "projects": "ops"}])
    scene.see(of(one("docs", 1.0, "docs", host="root.localhost", path="/docs"), "ops"))
    assert scene.answers("root.localhost", "/docs") == "docs"


def test_a_wildcard_around_the_admin_domain_does_not_reach_it(stage: Stage) -> None:
    scene = stage()
    scene.see(one("wide", 1.0, "wide", host="*.localhost"))
    assert scene.answers("blog.localhost") == "wide"
    assert scene.answers("root.localhost", "/statistics") == "dockerproxy-statistics"
    assert scene.answers("root.localhost", "/other") == "unknown_path"


def test_new_constraints_count_at_once_after_a_reload(stage: Stage) -> None:
    scene = stage()
    scene.see(theirs(host="blog.team-a.example"))
    assert scene.upstreams("other") == ["theirs"]
    scene.registry.reload(settings(constraints=CONSTRAINTS))
    assert scene.upstreams("other") == []
    scene.registry.reload(settings())
    assert scene.upstreams("other") == ["theirs"]


def test_a_refused_container_does_not_end_the_wait_for_the_right_one(scene: Scene) -> None:
    """Requests for a route whose container is being replaced are held, whoever else uses its name."""
    scene.see(ours(host="blog.team-a.example"))
    scene.see(theirs(route="site", host="blog.team-a.example"))
    assert scene.answers("blog.team-a.example") == "site"
    assert scene.upstreams("site") == []
