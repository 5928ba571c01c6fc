"""A route whose container is away for a moment keeps its place from those to whom it was refused meanwhile."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from dockerproxy.discovery.snapshot import ContainerView
from tests.control.conftest import Stage
from tests.control.making import Scene, one, route_settings

OWNER = one("owner", 1, "owner", host="shop.localhost")
SQUATTER = one("squatter", 2, "squatter", host="shop.localhost")
NEW_OWNER = replace(OWNER, id="new", created=3)


def owner_of_shop(scene: Scene, *containers: ContainerView) -> tuple[str, list[str]]:
    """Who answers at the domain once these are there, and with what."""
    scene.see(*containers)
    name = scene.answers("shop.localhost")
    return name, scene.upstreams(name)


def test_while_its_container_is_away_a_route_keeps_its_place_from_one_that_was_refused(stage: Stage) -> None:
    scene = stage(linger="60s")
    scene.see(OWNER, SQUATTER)
    told = scene.reasons("squatter")
    assert "shop.localhost /* is answered by the docker route owner" in told

    assert owner_of_shop(scene, SQUATTER) == ("owner", [])
    assert scene.reasons("squatter") == told
    scene.clock.move(59.9)
    assert scene.answers("shop.localhost") == "owner"
    scene.clock.move(0.1)
    assert scene.answers("shop.localhost") == "squatter"
    assert scene.reasons("squatter") == ""


def test_a_restart_is_nothing_but_a_container_that_leaves_and_joins(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.see(OWNER, SQUATTER)
    caplog.set_level(logging.INFO, "dockerproxy.control")
    caplog.clear()

    scene.see(replace(OWNER, state="restarting", wishes=()), SQUATTER)
    scene.see(OWNER, SQUATTER)
    assert caplog.messages == [
        "owner: owner left",
        "owner: no upstream left; holding requests for up to 10 s, the route is kept for 60 s",
        "owner: owner joined (172.18.0.1:80), 1 upstream",
    ]


def test_a_recreated_container_has_its_place_though_it_is_the_younger_one_now(scene: Scene) -> None:
    scene.see(OWNER, SQUATTER)
    scene.see(SQUATTER)
    scene.clock.move(59)

    assert owner_of_shop(scene, SQUATTER, NEW_OWNER) == ("owner", ["owner"])
    assert scene.reasons("owner") == ""
    scene.clock.move(300)
    assert owner_of_shop(scene, SQUATTER, NEW_OWNER, one("x", 4, "x")) == ("owner", ["owner"])
    assert owner_of_shop(scene, SQUATTER) == ("owner", [])
    assert owner_of_shop(scene, SQUATTER, NEW_OWNER) == ("owner", ["owner"])


def test_a_route_that_loses_its_oldest_replica_keeps_its_place(scene: Scene) -> None:
    replica = one("owner-2", 3, "owner", host="shop.localhost")
    scene.see(OWNER, SQUATTER, replica)

    assert owner_of_shop(scene, SQUATTER, replica) == ("owner", ["owner-2"])
    scene.clock.move(61)
    assert owner_of_shop(scene, SQUATTER, replica, one("x", 4, "x")) == ("owner", ["owner-2"])


def test_when_all_restart_it_does_not_matter_who_is_back_first(scene: Scene) -> None:
    scene.see(OWNER, SQUATTER)
    scene.see(OWNER)
    scene.see()

    assert owner_of_shop(scene, SQUATTER) == ("owner", [])
    assert owner_of_shop(scene, SQUATTER, NEW_OWNER) == ("owner", ["owner"])


def test_one_that_was_refused_long_ago_is_a_newcomer(scene: Scene) -> None:
    scene.see(OWNER, SQUATTER)
    scene.see(OWNER)
    scene.clock.move(61)

    assert owner_of_shop(scene, SQUATTER) == ("squatter", ["squatter"])


def test_a_newcomer_has_the_place_at_once_and_keeps_it_from_whoever_has_waited_for_it(scene: Scene) -> None:
    newcomer = one("new", 3, "new", host="shop.localhost")
    scene.see(OWNER, SQUATTER)
    scene.see(SQUATTER)

    assert owner_of_shop(scene, SQUATTER, newcomer) == ("new", ["new"])
    assert "is answered by the docker route new" in scene.reasons("squatter")
    assert owner_of_shop(scene, SQUATTER, newcomer, one("x", 4, "x")) == ("new", ["new"])


def test_a_route_that_moves_away_leaves_its_place_at_once(scene: Scene) -> None:
    scene.see(OWNER, SQUATTER)
    scene.see(SQUATTER)
    scene.see(SQUATTER, one("owner", 3, "owner", host="other.localhost"))

    assert scene.answers("shop.localhost") == "squatter"
    assert scene.answers("other.localhost") == "owner"


def test_after_the_linger_age_counts_again(scene: Scene) -> None:
    scene.see(OWNER, SQUATTER)
    scene.see(SQUATTER)
    scene.clock.move(60)

    assert owner_of_shop(scene, SQUATTER, NEW_OWNER) == ("squatter", ["squatter"])
    assert "is answered by the docker route squatter" in scene.reasons("owner")


def test_an_older_container_that_was_away_for_longer_has_its_place_back(scene: Scene) -> None:
    scene.see(OWNER, SQUATTER)
    scene.see(SQUATTER)
    scene.clock.move(60)

    assert owner_of_shop(scene, SQUATTER, OWNER) == ("owner", ["owner"])


def test_who_had_one_place_first_has_no_other(scene: Scene) -> None:
    squatter = one("squatter", 2, "squatter", host="shop.localhost,blog.localhost")
    scene.see(OWNER, squatter)
    assert scene.answers("blog.localhost") == "squatter"
    scene.see(squatter)
    scene.see(squatter, one("owner", 3, "owner", host="shop.localhost,blog.localhost"))

    assert scene.answers("shop.localhost") == "owner"
    assert scene.answers("blog.localhost") == "squatter"


def test_a_route_without_linger_leaves_its_place_at_once(stage: Stage) -> None:
    scene = stage(linger="0s")
    scene.see(OWNER, SQUATTER)

    assert owner_of_shop(scene, SQUATTER) == ("squatter", ["squatter"])


def test_a_reload_gives_no_place_to_somebody_else(scene: Scene) -> None:
    scene.see(OWNER, SQUATTER)
    scene.see(SQUATTER)
    for _ in range(2):
        scene.registry.reload(scene.registry.settings.model_copy(update={"max_attempts": 3}))
        assert scene.answers("shop.localhost") == "owner"
        scene.see(NEW_OWNER, SQUATTER)


async def test_a_route_is_not_in_its_own_way(scene: Scene) -> None:
    await scene.registry.add(route_settings("mine", host="shop.localhost:9090"))
    both = one("both", 1, "both", host="shop.localhost,shop.localhost:8080")
    scene.see(both)
    assert scene.reasons("both").startswith("shop.localhost /* is answered by the dynamic route mine")

    await scene.registry.remove("mine")
    scene.clock.move(1000)
    scene.see(both)
    assert (scene.answers("shop.localhost"), scene.reasons("both")) == ("both", "")


async def test_a_place_that_its_owner_has_lost_is_free_for_who_was_refused(scene: Scene) -> None:
    owner = one("owner", 1, "owner", host="shop.localhost")
    other = one("other", 2, "other", host="shop.localhost:9090")
    scene.see(owner, other)
    assert scene.answers("shop.localhost:9090") == "owner"

    await scene.registry.add(route_settings("mine", host="shop.localhost:8080"))
    assert scene.answers("shop.localhost:8080") == "mine"
    assert scene.answers("shop.localhost:9090") == "other"
    assert scene.reasons("other") == ""


def test_an_empty_route_that_has_lost_its_place_does_not_come_back(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.see(OWNER)
    scene.see(SQUATTER)
    caplog.set_level(logging.INFO, "dockerproxy.control")
    caplog.clear()

    scene.see()
    scene.clock.move(59)
    assert scene.names() == ["squatter"]
    assert not [line for line in caplog.messages if line.startswith("owner:")]
