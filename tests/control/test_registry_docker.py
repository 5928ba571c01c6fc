"""Containers come, disagree, drain and go; the table follows."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.route import Domain, PathKind, PathRule, Source

from .conftest import Stage
from .making import Scene, container, one, wish

BLOG = {"name": "blog", "host": "blog.localhost", "upstreams": [{"name": "fixed", "url": "http://127.0.0.1:1"}]}


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    found = [record.getMessage() for record in caplog.records if record.levelno == level]
    caplog.clear()
    return found


@pytest.fixture(autouse=True)
def _log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dockerproxy.control")


def test_a_labelled_container_is_on_the_web_at_its_default_domain(scene: Scene) -> None:
    scene.see(one("blog-1", 4, "blog"))

    assert scene.answers("blog.localhost:8888") == "blog"
    route = scene.route("blog")
    assert route.source is Source.DOCKER
    assert [upstream.address for upstream in route.upstreams] == ["http://172.18.0.4:80"]


def test_containers_of_one_name_join_one_pool_oldest_first(scene: Scene) -> None:
    scene.see(one("blog-3", 3, "blog"), one("blog-1", 1, "blog"), one("blog-2", 2, "blog"))

    assert scene.upstreams("blog") == ["blog-1", "blog-2", "blog-3"]


def test_containers_of_one_moment_are_ordered_by_name(scene: Scene) -> None:
    scene.see(one("b", 1, "blog"), one("a", 1, "blog"))

    assert scene.upstreams("blog") == ["a", "b"]


def test_containers_of_two_engines_join_one_pool_and_a_silent_engine_keeps_its_own(scene: Scene) -> None:
    scene.see(one("blog-1", 1, "blog"), engine="here")
    scene.see(one("blog-2", 2, "blog"), engine="there")
    assert scene.upstreams("blog") == ["blog-1", "blog-2"]

    scene.see(engine="here")
    assert scene.upstreams("blog") == ["blog-2"]


def test_an_unchanged_snapshot_publishes_nothing(scene: Scene) -> None:
    scene.see(one("blog-1", 1, "blog"))
    published = len(scene.published)

    scene.see(one("blog-1", 1, "blog"))
    scene.see(one("blog-1", 1, "blog"), container("other", 9, reasons=["no port"]))

    assert len(scene.published) == published


def test_a_snapshot_before_the_start_is_used_at_the_start(tmp_path_factory: pytest.TempPathFactory) -> None:
    scene = Scene(tmp_path_factory.mktemp("state"))
    scene.see(one("blog-1", 1, "blog"))
    assert scene.published == []

    scene.registry.start()
    assert scene.names() == ["blog"]
    scene.registry.close()


def test_settings_of_a_route_come_from_the_oldest_container_that_says_something(scene: Scene) -> None:
    scene.see(
        one("blog-1", 1, "blog"),
        one("blog-2", 2, "blog", host="a.localhost,b.localhost", hold=3.0),
        one("blog-3", 3, "blog", max_attempts=7),
    )

    route = scene.route("blog")
    assert route.domains == (Domain("a.localhost"), Domain("b.localhost"))
    assert (route.options.hold, route.options.max_attempts) == (3.0, 7)
    assert not any(view.reasons for view in scene.registry.containers)


def test_a_younger_container_cannot_move_a_route_by_adding_a_path(scene: Scene) -> None:
    scene.see(
        one("blog-1", 1, "blog", host="a.localhost"),
        one("blog-2", 2, "blog", path="/api", methods=("GET", "POST")),
    )

    route = scene.route("blog")
    assert (str(route.path), route.methods) == ("/*", ())
    (reasons,) = [view.reasons for view in scene.registry.containers if view.reasons]
    assert [reason.split("=")[0] for reason in reasons] == ["label dockerproxy.path", "label dockerproxy.method"]


def test_options_of_a_docker_route_start_from_the_settings(stage: Stage) -> None:
    scene = stage(hold="2s", max_attempts=3)
    scene.see(one("blog-1", 1, "blog", max_attempts=7))

    assert scene.route("blog").options.hold == 2.0
    assert scene.route("blog").options.max_attempts == 7


def test_where_containers_disagree_the_older_wins_and_the_younger_is_told(scene: Scene) -> None:
    scene.see(
        one("old", 1, "blog", host="old.localhost", retry_non_idempotent=True, hold=1.0),
        one("new", 2, "blog", host="new.localhost", retry_non_idempotent=False, hold=2.5),
    )

    assert scene.answers("old.localhost") == "blog"
    assert scene.answers("new.localhost") == "unknown_host"
    assert scene.upstreams("blog") == ["old", "new"]
    assert scene.reasons("old") == ""
    told = scene.reasons("new")
    assert "dockerproxy.host=new.localhost is not used: the older container old says old.localhost" in told
    assert "dockerproxy.retry_non_idempotent=false is not used: the older container old says true" in told
    assert "dockerproxy.hold=2.5" in told


def test_a_conflict_names_the_label_of_the_route_where_a_container_has_several(stage: Stage) -> None:
    scene = stage(docker={"label_prefix": "web"})
    scene.see(
        one("old", 1, "api", error_statuses=frozenset({502, 503})),
        container("new", 2, wish("api", "10.0.0.2:80", error_statuses=frozenset({500})), wish("site", "10.0.0.2:81")),
    )

    assert "label web.api.error_statuses=500 is not used: the older container old says 502,503" in scene.reasons("new")


def test_a_container_joins_a_static_route_by_its_name(stage: Stage) -> None:
    scene = stage(routes=[BLOG])
    scene.see(one("blog-1", 1, "blog"))

    assert scene.upstreams("blog") == ["fixed", "blog-1"]
    assert scene.route("blog").source is Source.STATIC
    assert scene.reasons("blog-1") == ""

    scene.see()
    assert scene.upstreams("blog") == ["fixed"]


def test_labels_do_not_change_a_static_route_and_their_container_is_told(stage: Stage) -> None:
    scene = stage(routes=[BLOG])
    scene.see(one("blog-1", 1, "blog", host="other.localhost", path="/api", methods=("GET",)))

    assert scene.answers("blog.localhost", "/elsewhere", "POST") == "blog"
    assert scene.answers("other.localhost") == "unknown_host"
    told = scene.reasons("blog-1")
    assert "dockerproxy.host=other.localhost is not used: the static route blog has blog.localhost" in told
    assert "dockerproxy.path=/api is not used: the static route blog has the whole domain" in told
    assert "dockerproxy.method=GET is not used: the static route blog has any" in told


def test_a_static_handler_route_cannot_be_joined(stage: Stage) -> None:
    scene = stage(routes=[{"name": "hello", "host": "hello.localhost", "handler": "examples.pages:hello"}])
    scene.see(one("hello-1", 1, "hello"))

    (view,) = scene.registry.containers
    assert not view.routed
    assert "route hello is answered by the handler examples.pages:hello" in scene.reasons("hello-1")
    assert "dockerproxy.route" in scene.reasons("hello-1")


def test_a_static_route_beats_a_docker_one_at_the_same_place(stage: Stage) -> None:
    scene = stage(routes=[BLOG])
    scene.see(one("shop-1", 1, "shop", host="blog.localhost"))

    assert scene.answers("blog.localhost") == "blog"
    assert scene.names() == ["blog"]
    assert "blog.localhost /* is answered by the static route blog" in scene.reasons("shop-1")
    assert not scene.registry.containers[0].routed


def test_the_loser_keeps_the_domains_that_are_free(stage: Stage) -> None:
    scene = stage(routes=[BLOG])
    scene.see(one("shop-1", 1, "shop", host="blog.localhost,shop.localhost"))

    assert scene.answers("blog.localhost") == "blog"
    assert scene.answers("shop.localhost") == "shop"
    assert scene.registry.containers[0].routed
    assert "blog.localhost /*" in scene.reasons("shop-1")


def test_between_docker_routes_the_one_with_the_older_container_has_the_place(scene: Scene) -> None:
    old, new = one("old", 1, "zebra", host="x.localhost"), one("new", 2, "ape", host="x.localhost")
    scene.see(new, old)

    assert scene.answers("x.localhost") == "zebra"
    assert "is answered by the docker route zebra, which was there first" in scene.reasons("new")
    assert scene.reasons("old") == ""


def test_other_paths_and_methods_of_a_domain_do_not_clash(scene: Scene) -> None:
    scene.see(
        one("site", 1, "site", host="x.localhost"),
        one("api", 2, "api", host="x.localhost", path="/api", methods=("GET",)),
        one("post", 3, "post", host="x.localhost", path="/api", methods=("POST",)),
    )

    assert scene.answers("x.localhost", "/api/1") == "api"
    assert scene.answers("x.localhost", "/api/1", "POST") == "post"
    assert scene.answers("x.localhost", "/") == "site"
    assert not any(view.reasons for view in scene.registry.containers)


def test_a_prefix_of_a_slash_is_the_whole_domain(scene: Scene) -> None:
    scene.see(one("a", 1, "a", host="x.localhost"), one("b", 2, "b", host="x.localhost", path="/"))

    assert scene.names() == ["a"]


def test_no_container_takes_a_built_in_admin_place(scene: Scene) -> None:
    exact = PathRule(PathKind.EXACT, "/statistics")
    scene.see(container("thief", 1, replace(wish("thief", "10.0.0.1:80", host="root.localhost"), path=exact)))

    assert scene.answers("root.localhost", "/statistics") == "dockerproxy-statistics"
    assert "it belongs to the admin handlers" in scene.reasons("thief")


def test_a_route_is_kept_empty_for_its_linger_and_is_then_gone(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    scene = stage(linger="60s", hold="10s")
    scene.see(one("blog-1", 4, "blog", host="b.localhost"))
    lines(caplog)

    scene.see()
    assert scene.answers("b.localhost") == "blog"
    assert scene.upstreams("blog") == []
    assert lines(caplog) == [
        "blog: blog-1 left",
        "blog: no upstream left; holding requests for up to 10 s, the route is kept for 60 s",
    ]

    scene.clock.move(59.9)
    assert scene.names() == ["blog"]
    scene.clock.move(0.1)
    assert scene.names() == []
    assert scene.answers("b.localhost") == "unknown_host"
    assert lines(caplog) == ["blog: route removed"]


def test_a_container_that_comes_back_within_the_linger_finds_its_route(scene: Scene) -> None:
    scene.see(one("blog-1", 1, "blog"))
    scene.see()
    scene.clock.move(30)
    scene.see(one("blog-1", 2, "blog"))
    assert scene.upstreams("blog") == ["blog-1"]

    scene.clock.move(300)
    assert scene.upstreams("blog") == ["blog-1"]


def test_each_route_lingers_for_its_own_time(scene: Scene) -> None:
    scene.see(one("a", 1, "a", linger=5.0), one("b", 2, "b", linger=20.0), one("c", 3, "c", linger=0.0))
    scene.see()
    assert scene.names() == ["a", "b"]

    scene.clock.move(1)
    scene.see(one("d", 4, "d", linger=2.0))
    scene.see()
    scene.clock.move(2)
    assert scene.names() == ["a", "b"]
    scene.clock.move(2)
    assert scene.names() == ["b"]
    scene.clock.move(15)
    assert scene.names() == []


def test_a_lingering_route_gives_its_place_to_a_living_one(scene: Scene) -> None:
    scene.see(one("old", 1, "old", host="x.localhost"))
    scene.see(one("new", 2, "new", host="x.localhost"))

    assert scene.answers("x.localhost") == "new"
    assert scene.names() == ["new"]
    assert scene.reasons("new") == ""


def test_a_route_whose_upstreams_all_drain_stays_as_it_is(scene: Scene) -> None:
    scene.see(one("blog-1", 1, "blog", draining=True))

    assert scene.upstreams("blog") == ["blog-1"]
    scene.clock.move(1000)
    assert scene.upstreams("blog") == ["blog-1"]


def test_the_log_tells_of_every_change_in_words(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    first, second = one("blog-1", 4, "blog"), one("blog-2", 5, "blog")
    scene.see(first)
    assert lines(caplog) == [
        "blog: new route at blog.localhost",
        "blog: blog-1 joined (172.18.0.4:80), 1 upstream",
    ]
    scene.see(first, second)
    assert lines(caplog) == ["blog: blog-2 joined (172.18.0.5:80), 2 upstreams"]

    scene.see(one("blog-1", 4, "blog", draining=True), second)
    assert lines(caplog) == ["blog: blog-1 gets no new requests, 1 upstream left"]
    scene.see(first, second)
    assert lines(caplog) == ["blog: blog-1 is back, 2 upstreams"]
    scene.see(second)
    assert lines(caplog) == ["blog: blog-1 left, 1 upstream"]

    scene.see(one("blog-2", 5, "blog", host="b.localhost", path="/x", methods=("GET",)))
    assert lines(caplog) == ["blog: now at b.localhost /x/* (GET)"]
    scene.see(one("blog-2", 5, "blog", host="b.localhost", path="/x", methods=("GET",), hold=1.0))
    assert lines(caplog) == ["blog: settings changed"]


def test_a_container_that_restarts_again_and_again_is_told_in_few_lines(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    web = one("web-1", 4, "web", hold=5.0)
    scene.see(web)
    for _ in range(3):
        scene.see(one("web-1", 4, "web", hold=5.0, draining=True))
        scene.see()
        scene.clock.move(5)
        lines(caplog)
        scene.see(web)
    assert lines(caplog) == [
        "web: web-1 comes and goes again and again (4 times in 15 s); told in brief until it has been quiet for 3 min"
    ]
    for _ in range(3):
        scene.see()
        scene.clock.move(20)
        scene.see(web)
    assert lines(caplog) == [], "its further turns"
    scene.see()
    scene.see(web)
    assert [line.partition("; ")[0] for line in lines(caplog)] == [
        "web: web-1 comes and goes again and again (8 times in 75 s)"
    ]


def test_what_befalls_others_is_told_while_one_restarts_again_and_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    web, other = one("web-1", 4, "web"), one("web-2", 5, "web")
    for _ in range(4):
        scene.see(web)
        scene.see()
    lines(caplog)
    scene.see(web, other)
    assert lines(caplog) == ["web: web-2 joined (172.18.0.5:80), 2 upstreams"]
    scene.see(other)
    assert lines(caplog) == []
    scene.see()
    assert lines(caplog) == [
        "web: web-2 left",
        "web: no upstream left; holding requests for up to 10 s, the route is kept for 60 s",
    ]


@pytest.mark.parametrize(("last", "words"), [("stays", "it is there to stay"), ("goes", "it is gone")])
def test_the_end_of_its_restarts_is_told_and_the_log_is_as_before(
    scene: Scene, caplog: pytest.LogCaptureFixture, last: str, words: str
) -> None:
    web, other = one("web-1", 4, "web"), one("web-2", 5, "web")
    for _ in range(4):
        scene.see(other)
        scene.see(other, web)
    if last == "goes":
        scene.see(other)
    lines(caplog)
    scene.clock.move(179)
    assert lines(caplog) == []
    scene.clock.move(1)
    assert lines(caplog) == [f"web: web-1 no longer comes and goes, {words}"]
    scene.see(other) if last == "stays" else scene.see(other, web)
    assert lines(caplog) == [
        "web: web-1 left, 1 upstream" if last == "stays" else "web: web-1 joined (172.18.0.4:80), 2 upstreams"
    ]


def test_turns_of_a_deployment_now_and_then_are_all_told(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    web, other = one("web-1", 4, "web"), one("web-2", 5, "web")
    scene.see(web, other)
    for _ in range(5):
        lines(caplog)
        scene.clock.move(25)
        scene.see(other)
        scene.see(web, other)
        assert lines(caplog) == ["web: web-1 left, 1 upstream", "web: web-1 joined (172.18.0.4:80), 2 upstreams"]


def test_a_static_route_that_loses_its_containers_is_not_said_to_be_removed_soon(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    scene = stage(routes=[{"name": "blog", "host": "blog.localhost"}])
    assert lines(caplog) == []
    scene.see(one("blog-1", 4, "blog"))
    lines(caplog)
    scene.see()

    assert lines(caplog) == ["blog: blog-1 left", "blog: no upstream left; holding requests for up to 10 s"]


def test_a_labelled_container_that_is_not_routed_is_warned_about_once_per_change(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    silent = replace(container("silent", 1, reasons=["no label"]), mentioned=False)
    scene.see(container("x", 1, reasons=["it exposes no port"]), silent)
    assert lines(caplog, logging.WARNING) == ["x: not routed: it exposes no port (no_port: dockerproxy explain x)"]

    scene.see(container("x", 1, reasons=["it exposes no port"]), silent, one("blog-1", 2, "blog"))
    assert lines(caplog, logging.WARNING) == []
    scene.see(container("x", 1, reasons=["it has no network", "no port"]), silent)
    (line,) = lines(caplog, logging.WARNING)
    assert line.startswith("x: not routed: it has no network; no port (")


def test_a_conflict_is_warned_about_once(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    old, new = one("old", 1, "blog", host="a.localhost"), one("new", 2, "blog", host="b.localhost")
    scene.see(old, new)
    (line,) = lines(caplog, logging.WARNING)
    assert line.startswith("new: label dockerproxy.host=b.localhost is not used")

    scene.see(old, new, one("more", 3, "blog"))
    assert lines(caplog, logging.WARNING) == []


def test_a_flood_of_changes_is_summed_up(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.see(*(one(f"c-{index}", index, f"r-{index}") for index in range(1, 101)))

    told = lines(caplog)
    assert len(told) == 101
    assert told[-1] == "and 100 more changes of the table"


@pytest.mark.parametrize("code", [Code.FORBIDDEN, Code.ONE_OFF])
def test_a_container_that_was_told_to_stay_out_is_no_complaint(
    scene: Scene, caplog: pytest.LogCaptureFixture, code: Code
) -> None:
    scene.see(replace(container("quiet", 1), reasons=(Reason(code, "it was asked for"),)))

    assert lines(caplog, logging.WARNING) == []
    assert scene.reasons("quiet") == "it was asked for"


def test_strip_prefix_without_a_path_is_told(scene: Scene) -> None:
    scene.see(one("blog-1", 1, "blog", strip_prefix=True), one("api-1", 2, "api", strip_prefix=True, path="/api"))

    assert scene.reasons("blog-1") == (
        "label dockerproxy.strip_prefix=true does nothing: route blog has no path prefix;"
        " add the label dockerproxy.path, for example dockerproxy.path=/api"
    )
    assert scene.reasons("api-1") == ""


def test_strip_prefix_of_one_container_goes_with_the_path_of_another(scene: Scene) -> None:
    scene.see(one("old", 1, "api", path="/api"), one("new", 2, "api", strip_prefix=True))

    assert scene.reasons("new") == ""
    assert scene.route("api").options.strip_prefix


def test_a_conflict_names_the_label_as_the_container_has_it(scene: Scene) -> None:
    labels = {"dockerproxy.blog.host": "new.localhost"}
    new = replace(one("new", 2, "blog", host="new.localhost"), labels=labels)
    scene.see(one("old", 1, "blog", host="old.localhost"), new)

    assert scene.reasons("new").startswith("label dockerproxy.blog.host=new.localhost is not used")


def test_every_reason_of_a_conflict_has_a_code(stage: Stage) -> None:
    scene = stage(routes=[BLOG, {"name": "hello", "host": "hello.localhost", "handler": "examples.pages:hello"}])
    scene.see(
        one("old", 1, "shop", host="shop.localhost"),
        one("moves", 2, "shop", host="elsewhere.localhost"),
        one("joins", 3, "blog", host="elsewhere.localhost"),
        one("thief", 4, "thief", host="blog.localhost"),
        one("greets", 5, "hello"),
    )

    assert {view.name: [reason.code for reason in view.reasons] for view in scene.registry.containers} == {
        "old": [],
        "moves": [Code.OLDER_CONTAINER_WINS],
        "joins": [Code.FIRM_ROUTE_WINS],
        "thief": [Code.PLACE_TAKEN],
        "greets": [Code.HANDLER_ROUTE],
    }
