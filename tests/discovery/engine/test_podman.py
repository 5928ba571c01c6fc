"""What Podman says, in Docker's words: lines of its streams, as Podman 5.8 writes them."""

from __future__ import annotations

from typing import Any

import pytest

from dockerproxy.discovery.engine.entry import Entry
from dockerproxy.discovery.engine.events import MATTERING, OWN_SIGNAL, Event
from dockerproxy.discovery.engine.inspection import as_listed
from dockerproxy.discovery.engine.podman import PODMAN_FILTERS, podman_event
from dockerproxy.discovery.engine.unlisted import Unlisted
from tests.discovery.support import entry, network

ID = "a" * 64
MOMENT = 1_796_036_677_123_456_789
HEALTHY = ["CMD", "test", "-f", "/tmp/healthy"]


def line(action: str, kind: str = "container", *, health: str = "", **attributes: str) -> dict[str, Any]:
    """A line of `GET /events`."""
    return {
        "Type": kind,
        "Action": action,
        "status": action,
        "id": ID,
        "from": "docker.io/web:1",
        "Actor": {"ID": ID, "Attributes": {"image": "docker.io/web:1", "name": "web", "podId": "", **attributes}},
        "scope": "local",
        "time": MOMENT // 10**9,
        "timeNano": MOMENT,
        **({"HealthStatus": health} if health else {}),
    }


def event(action: str, kind: str = "container", signal: int = 0, exit_code: str = "", health: str = "") -> Event:
    return Event(kind, action, ID, signal, MOMENT, exit_code, health)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (line("start"), event("start")),
        (line("remove", containerExitCode="0"), event("destroy")),
        (line("die", containerExitCode="3", exitCode="3"), event("die", exit_code="3")),
        (line("died", containerExitCode="3"), event("die", exit_code="3")),
        (line("stop"), event("kill", signal=OWN_SIGNAL)),
        (line("restart"), event("kill", signal=OWN_SIGNAL)),
        (line("kill"), event("kill")),
        (line("health_status", health="unhealthy"), event("health_status", health="unhealthy")),
        (line("connect", "network", network="front"), event("connect", "network")),
        (line("disconnect", "network", network="front"), event("disconnect", "network")),
    ],
    ids=lambda value: value["Action"] if isinstance(value, dict) else "",
)
def test_its_words_are_understood(said: dict[str, Any], meant: Event) -> None:
    found = podman_event(said)
    assert found == meant
    assert found.health == meant.health
    assert said["Action"] in PODMAN_FILTERS["event"]


@pytest.mark.parametrize("action", ["init", "cleanup", "exec_died", "attach", "mount"])
def test_other_words_do_not_matter(action: str) -> None:
    assert podman_event(line(action)) is None
    assert podman_event(line("remove", "network")) is None


def test_all_that_matters_is_asked_for() -> None:
    assert set(PODMAN_FILTERS["event"]) >= frozenset().union(*MATTERING.values())


@pytest.mark.parametrize(
    ("told", "state", "exit_code"),
    [
        ("stopped", "exited", "3"),
        ("initialized", "created", ""),
        ("configured", "created", ""),
        ("stopping", "stopping", ""),
    ],
)
def test_its_states_are_understood(told: str, state: str, exit_code: str) -> None:
    found = Entry.from_json(entry({}, state=told, status="Exited (3) 1 second ago" if exit_code else ""))
    assert (found.state, found.exit_code) == (state, exit_code)


def inspected(status: str, *, mode: str = "bridge", test: list[str] | None = HEALTHY) -> dict[str, Any]:
    """What inspecting answers; a status there is always, also without a check."""
    return as_listed(
        {
            "Id": ID,
            "Name": "/web",
            "Created": "2026-11-30T11:04:37.1234567Z",
            "State": {"Status": "running", "Health": {"Status": status, "FailingStreak": 0, "Log": None}},
            "Config": {"Labels": {}, **({"Healthcheck": {"Test": test}} if test else {})},
            "HostConfig": {"NetworkMode": mode},
            "NetworkSettings": {"Networks": network("podman"), "Ports": {}},
        }
    )


@pytest.mark.parametrize(
    ("status", "test", "health"),
    [
        ("healthy", HEALTHY, "healthy"),
        ("starting", HEALTHY, "starting"),
        ("", HEALTHY, "starting"),
        ("reset", HEALTHY, "starting"),  # after `unpause`
        ("", None, ""),
        ("", ["NONE"], ""),
    ],
)
def test_its_words_for_health_are_understood(status: str, test: list[str] | None, health: str) -> None:
    assert Entry.from_json(inspected(status, test=test)).health == health


class Asked:
    """Answers for one container, and counts how often it was asked."""

    def __init__(self, status: str, mode: str = "bridge") -> None:
        self.status, self.mode = status, mode
        self.times = 0

    def __call__(self, _: str) -> dict[str, Any]:
        self.times += 1
        return inspected(self.status, mode=self.mode)


def unlisting_item() -> dict[str, Any]:
    """An item of the list of Podman, which has neither health nor network mode."""
    item = entry({}, id_=ID)
    del item["HostConfig"]
    return item


def completed(unlisted: Unlisted, asked: Asked) -> Entry:
    item = unlisting_item()
    unlisted.complete([item], lambda _: True, asked)
    return Entry.from_json(item)


def test_what_the_list_leaves_out_is_asked_for_once() -> None:
    unlisted, asked = Unlisted(), Asked("healthy", "host")
    found = [completed(unlisted, asked) for _ in range(3)]
    assert {(each.health, each.network_mode) for each in found} == {("healthy", "host")}
    assert asked.times == 1


def test_a_list_that_leaves_nothing_out_costs_nothing() -> None:
    asked = Asked("healthy")
    item = entry({}, id_=ID)
    Unlisted().complete([item], lambda _: True, asked)
    assert "Health" not in item
    assert asked.times == 0


def test_nobody_is_asked_about_whom_nobody_asks() -> None:
    asked = Asked("healthy")
    Unlisted().complete([unlisting_item()], lambda _: False, asked)
    assert asked.times == 0


def test_an_event_tells_what_the_check_has_found_and_only_news_are_news() -> None:
    unlisted, asked = Unlisted(), Asked("starting")
    completed(unlisted, asked)
    news = [unlisted.heard(event("health_status", health=health)) for health in ("starting", "healthy", "healthy")]
    assert news == [False, True, False]
    assert completed(unlisted, asked).health == "healthy"
    assert asked.times == 1


@pytest.mark.parametrize("reason", ["start", "doubt"])
def test_after_a_start_and_after_events_that_may_be_missed_it_is_asked_for_again(reason: str) -> None:
    unlisted, asked = Unlisted(), Asked("healthy")
    completed(unlisted, asked)
    asked.status = "starting"
    if reason == "start":
        assert unlisted.heard(event("start"))
    else:
        unlisted.doubt()
    assert [completed(unlisted, asked).health for _ in range(2)] == ["starting"] * 2
    assert asked.times == 2


def test_a_container_that_is_gone_is_forgotten() -> None:
    unlisted, asked = Unlisted(), Asked("healthy")
    completed(unlisted, asked)
    unlisted.keep(())
    completed(unlisted, asked)
    assert asked.times == 2


def test_the_network_of_another_container_is_listed_as_its_own() -> None:
    assert completed(Unlisted(), Asked("healthy", f"container:{'b' * 64}")).network_mode == ""


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"PODMAN_SYSTEMD_UNIT": "blog.service"}, "blog"),
        ({"PODMAN_SYSTEMD_UNIT": "web@2.service"}, "web"),
        ({"PODMAN_SYSTEMD_UNIT": "container-blog.service"}, "blog"),
        ({"PODMAN_SYSTEMD_UNIT": "blog"}, ""),
        # As podman-compose 1.6 labels a container.
        ({"PODMAN_SYSTEMD_UNIT": "podman-compose@shop.service", "com.docker.compose.service": "web"}, "web"),
    ],
)
def test_what_systemd_runs_is_called_as_its_unit(labels: dict[str, str], service: str) -> None:
    assert Entry.from_json(entry(labels)).service == service
