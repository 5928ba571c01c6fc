"""A route whose containers a person has ended gives up its place to whoever was refused it; what comes back has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from dockerproxy.discovery.snapshot import ContainerView, Ending, Snapshot
from tests.control.conftest import Stage
from tests.control.making import Scene, one

OWNER = one("owner", 1, "owner", host="shop.localhost")
CLAIMANT = one("claimant", 2, "claimant", host="shop.localhost")
NEW_OWNER = replace(OWNER, id="new", created=3)
ENDED = replace(OWNER, state="exited", wishes=())
DRAINING = one("owner", 1, "owner", host="shop.localhost", draining=True)
STOPPED = {OWNER.id: Ending.STOPPED}
REMOVED = {OWNER.id: Ending.REMOVED}
SERVICE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}


def answers(scene: Scene, *containers: ContainerView, endings: Mapping[str, Ending] = {}) -> str:
    """Who answers at the domain once these are there."""
    scene.registry.snapshot(Snapshot("docker", containers, endings))
    return scene.answers("shop.localhost")


@pytest.fixture
def scene(stage: Stage) -> Scene:
    """The owner has the place, the claimant was refused it."""
    scene = stage()
    assert answers(scene, OWNER, CLAIMANT) == "owner"
    return scene


def test_whoever_was_refused_has_the_place_at_once_when_the_owner_is_removed(scene: Scene) -> None:
    assert answers(scene, CLAIMANT, endings=REMOVED) == "claimant"
    assert scene.upstreams("claimant") == ["claimant"]
    assert scene.reasons("claimant") == ""


def test_the_place_of_one_that_was_stopped_goes_over_when_it_is_clear_that_it_is_no_restart(scene: Scene) -> None:
    assert answers(scene, DRAINING, CLAIMANT) == "owner"
    assert answers(scene, ENDED, CLAIMANT, endings=STOPPED) == "owner"
    scene.clock.move(0.8)
    assert scene.answers("shop.localhost") == "owner"
    scene.clock.move(0.1)
    assert scene.answers("shop.localhost") == "claimant"


def test_a_restart_keeps_the_place(scene: Scene) -> None:
    answers(scene, DRAINING, CLAIMANT)
    answers(scene, ENDED, CLAIMANT, endings=STOPPED)
    scene.clock.move(0.8)
    assert answers(scene, OWNER, CLAIMANT) == "owner"
    scene.clock.move(100)
    assert scene.answers("shop.localhost") == "owner"


@pytest.mark.parametrize("state", ["exited", "restarting", "paused"])
def test_a_crash_and_a_pause_keep_the_place_as_long_as_the_route_lingers(scene: Scene, state: str) -> None:
    away = replace(OWNER, state=state, wishes=())
    assert answers(scene, away, CLAIMANT) == "owner"
    scene.clock.move(59.9)
    assert scene.answers("shop.localhost") == "owner"
    scene.clock.move(0.1)
    assert scene.answers("shop.localhost") == "claimant"


def test_a_recreation_that_is_under_way_keeps_the_place(stage: Stage) -> None:
    scene = stage()
    owner, new = replace(OWNER, labels=SERVICE), replace(NEW_OWNER, labels=SERVICE)
    created = replace(new, name="4f2a_owner", state="created", wishes=())
    answers(scene, owner, CLAIMANT)
    answers(scene, replace(ENDED, labels=SERVICE), CLAIMANT, created, endings=STOPPED)
    scene.clock.move(5)
    assert answers(scene, CLAIMANT, created, endings=REMOVED) == "owner"
    scene.clock.move(5)
    assert answers(scene, CLAIMANT, new, endings=REMOVED) == "owner"
    assert scene.upstreams("owner") == ["owner"]


def test_a_stopped_container_that_is_given_another_name_makes_room_for_its_successor(scene: Scene) -> None:
    assert answers(scene, ENDED, CLAIMANT, endings=STOPPED) == "owner"
    assert answers(scene, replace(ENDED, name="4f2a_owner"), CLAIMANT, endings=STOPPED) == "owner"
    scene.clock.move(5)
    assert scene.answers("shop.localhost") == "owner"
    assert answers(scene, NEW_OWNER, CLAIMANT, endings=STOPPED) == "owner"


def test_a_successor_that_is_never_started_keeps_the_place_no_longer_than_the_route_lingers(scene: Scene) -> None:
    created = replace(NEW_OWNER, state="created", wishes=())
    assert answers(scene, CLAIMANT, created, endings=REMOVED) == "owner"
    scene.clock.move(60)
    assert scene.answers("shop.localhost") == "claimant"


def test_whoever_is_run_anew_after_its_removal_has_its_place_back_while_its_route_would_linger(scene: Scene) -> None:
    assert answers(scene, CLAIMANT, endings=REMOVED) == "claimant"
    scene.clock.move(58)
    created = replace(NEW_OWNER, state="created", wishes=())
    assert answers(scene, CLAIMANT, created, endings=REMOVED) == "claimant"
    scene.clock.move(1)
    assert answers(scene, CLAIMANT, NEW_OWNER, endings=REMOVED) == "owner"
    assert "is answered by the docker route owner" in scene.reasons("claimant")
    scene.clock.move(300)
    assert answers(scene, CLAIMANT, NEW_OWNER) == "owner"


def test_after_that_the_place_is_the_claimants(scene: Scene) -> None:
    assert answers(scene, CLAIMANT, endings=REMOVED) == "claimant"
    scene.clock.move(60)
    assert answers(scene, CLAIMANT, NEW_OWNER, endings=REMOVED) == "claimant"


def test_one_that_takes_long_to_stop_gives_up_its_place_before_a_held_request_would_be_refused(scene: Scene) -> None:
    assert answers(scene, DRAINING, CLAIMANT) == "owner"
    scene.clock.move(9.4)
    assert scene.answers("shop.localhost") == "owner"
    scene.clock.move(0.1)
    assert scene.answers("shop.localhost") == "claimant"
    assert "was told to stop, and has given up the places of route owner" in scene.reasons("owner")
    assert answers(scene, ENDED, CLAIMANT, endings=STOPPED) == "claimant"


def test_one_that_survives_its_signal_has_its_place_back(scene: Scene) -> None:
    answers(scene, DRAINING, CLAIMANT)
    scene.clock.move(9.5)
    assert scene.answers("shop.localhost") == "claimant"
    assert answers(scene, OWNER, CLAIMANT) == "owner"
    assert scene.reasons("owner") == ""


def test_a_route_of_several_gives_up_its_place_when_a_person_has_ended_the_last_of_them(scene: Scene) -> None:
    replica = one("owner-2", 1.5, "owner", host="shop.localhost")
    answers(scene, OWNER, replica, CLAIMANT)
    assert answers(scene, replica, CLAIMANT, endings=REMOVED) == "owner"
    assert answers(scene, CLAIMANT, endings={**REMOVED, replica.id: Ending.REMOVED}) == "claimant"


def test_a_route_of_several_keeps_its_place_when_one_of_the_last_has_crashed(scene: Scene) -> None:
    replica = one("owner-2", 1.5, "owner", host="shop.localhost")
    answers(scene, OWNER, replica, CLAIMANT)
    assert answers(scene, replace(replica, state="exited", wishes=()), CLAIMANT, endings=REMOVED) == "owner"
    scene.clock.move(10)
    assert scene.answers("shop.localhost") == "owner"


def test_without_anybody_who_waits_for_its_place_a_route_lingers(stage: Stage) -> None:
    scene = stage()
    answers(scene, OWNER)
    assert answers(scene, endings=REMOVED) == "owner"
    scene.clock.move(59)
    assert scene.answers("shop.localhost") == "owner"


def test_only_the_place_that_others_wait_for_goes_over(stage: Stage) -> None:
    scene = stage()
    owner = one("owner", 1, "owner", host="shop.localhost,blog.localhost")
    answers(scene, owner, CLAIMANT)
    assert answers(scene, CLAIMANT, endings=REMOVED) == "claimant"
    assert scene.answers("blog.localhost") == "owner"
