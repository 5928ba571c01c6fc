"""While a container restarts or is recreated, the others of its route go on where and as the route was."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from dockerproxy.discovery.snapshot import ContainerView
from tests.control.conftest import Stage
from tests.control.making import Scene, container, one

OLD = one("old", 1, "blog", host="old.localhost", hold=3.0)
OTHER = one("other", 2, "blog", host="other.localhost", hold=7.0)
SILENT = one("silent", 2, "blog")


def ended(view: ContainerView) -> ContainerView:
    """The same container, still listed, but without a process."""
    return replace(view, state="restarting", wishes=())


def test_a_younger_container_does_not_move_the_route_while_the_older_one_restarts(scene: Scene) -> None:
    scene.see(OLD, OTHER)
    told = scene.reasons("other")

    scene.see(ended(OLD), OTHER)
    assert scene.upstreams("blog") == ["other"]
    assert scene.answers("old.localhost") == "blog"
    assert scene.answers("other.localhost") == "unknown_host"
    assert scene.route("blog").options.hold == 3.0
    assert scene.reasons("other") == told
    assert scene.reasons("old") == ""

    scene.see(OLD, OTHER)
    assert scene.upstreams("blog") == ["old", "other"]
    assert scene.answers("old.localhost") == "blog"


def test_one_that_stays_away_for_the_linger_has_no_say_any_more(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    scene = stage(linger="60s")
    scene.see(OLD, OTHER)
    scene.see(ended(OLD), OTHER)
    caplog.set_level(logging.INFO, "dockerproxy.control")

    scene.clock.move(59.9)
    assert scene.answers("old.localhost") == "blog"
    scene.clock.move(0.1)
    assert scene.answers("old.localhost") == "unknown_host"
    assert scene.answers("other.localhost") == "blog"
    assert scene.reasons("other") == ""
    assert "blog: now at other.localhost" in caplog.messages


def test_while_one_is_recreated_a_container_that_says_nothing_answers_where_the_route_was(scene: Scene) -> None:
    scene.see(OLD, SILENT)

    scene.see(SILENT)
    assert scene.answers("old.localhost") == "blog"
    assert scene.route("blog").options.hold == 3.0

    scene.see(SILENT, one("old", 3, "blog", host="new.localhost"))
    assert scene.upstreams("blog") == ["silent", "old"]
    assert scene.answers("old.localhost") == "unknown_host"
    assert scene.answers("new.localhost") == "blog"
    assert scene.route("blog").options.hold == scene.registry.settings.hold


def test_one_that_was_removed_gives_way_to_whoever_says_something(scene: Scene) -> None:
    scene.see(OLD, OTHER)

    scene.see(OTHER)
    assert scene.answers("other.localhost") == "blog"
    assert scene.answers("old.localhost") == "unknown_host"
    assert scene.reasons("other") == ""


def test_the_only_container_of_a_route_takes_its_settings_along(scene: Scene) -> None:
    scene.see(OLD)

    scene.see(ended(OLD), OTHER)
    assert scene.answers("other.localhost") == "blog"
    assert scene.reasons("other") == ""


def test_of_two_that_restart_together_it_does_not_matter_who_is_back_first(scene: Scene) -> None:
    scene.see(OLD, OTHER)
    scene.see(ended(OLD), ended(OTHER))
    assert scene.answers("old.localhost") == "blog"

    scene.see(ended(OLD), OTHER)
    assert scene.answers("old.localhost") == "blog"
    assert scene.answers("other.localhost") == "unknown_host"


def test_a_route_without_linger_follows_at_once(stage: Stage) -> None:
    scene = stage(linger="0s")
    scene.see(OLD, OTHER)

    scene.see(ended(OLD), OTHER)
    assert scene.answers("other.localhost") == "blog"


def test_another_route_does_not_take_the_place_while_the_older_container_restarts(scene: Scene) -> None:
    scene.see(OLD, one("rival", 2, "rival", host="old.localhost"), replace(SILENT, created=3))
    assert scene.answers("old.localhost") == "blog"

    scene.see(ended(OLD), one("rival", 2, "rival", host="old.localhost"), replace(SILENT, created=3))
    assert scene.answers("old.localhost") == "blog"
    assert "old.localhost" in scene.reasons("rival")


def test_the_middlewares_of_a_container_that_restarts_guard_the_others(stage: Stage) -> None:
    scene = stage(define_middlewares={"auth": {"use": "basic_auth"}})
    guard = one("guard", 1, "blog", middlewares=("auth",))
    scene.see(guard, SILENT)

    scene.see(ended(guard), SILENT)
    assert scene.route("blog").options.middlewares == ("auth",)
    scene.see(SILENT)
    assert scene.route("blog").options.middlewares == ("auth",)


def test_one_with_other_middlewares_is_kept_out_while_the_older_container_restarts(stage: Stage) -> None:
    scene = stage(define_middlewares={"auth": {"use": "basic_auth"}, "fast": {"use": "compress"}})
    guard, other = one("guard", 1, "blog", middlewares=("auth",)), one("other", 2, "blog", middlewares=("fast",))
    scene.see(guard, other)

    scene.see(ended(guard), other)
    assert scene.upstreams("blog") == []
    assert scene.answers("blog.localhost") == "blog"
    assert "cannot be kept" in scene.reasons("other")

    scene.clock.move(60)
    assert scene.upstreams("blog") == ["other"]


def test_new_settings_count_at_once(stage: Stage) -> None:
    scene = stage()
    scene.see(OLD, OTHER)
    scene.see(ended(OLD), OTHER)

    scene.registry.reload(scene.registry.settings.model_copy(update={"max_attempts": 3}))
    assert scene.answers("other.localhost") == "blog"


def test_a_static_route_is_not_concerned(stage: Stage) -> None:
    scene = stage(routes=[{"name": "blog", "host": "blog.localhost", "upstreams": [{"url": "http://127.0.0.1:1"}]}])
    scene.see(OLD, OTHER, container("idle", 3))

    scene.see(ended(OLD), OTHER)
    assert scene.answers("blog.localhost") == "blog"
    assert len(scene.upstreams("blog")) == 2
