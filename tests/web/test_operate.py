"""POST /drain, /bench, /weight, /maintenance, /pause, /reload: what they take, what they answer, what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.errors import NotPossible, Problem, SettingsError
from dockerproxy.routing.bench import UpstreamStatus
from dockerproxy.routing.route import Domain, Source, Upstream
from dockerproxy.web.statistics import report

from .conftest import Build
from .making import STARTED_AT, Answer, House

SINCE = "2023-11-14T22:13:20.000Z"
ROUTES = [
    {
        "name": "blog",
        "host": "blog.localhost",
        "bench": "45s",
        "upstreams": [{"name": "one", "url": "http://127.0.0.1:1"}, {"name": "two", "url": "http://127.0.0.1:2"}],
    },
    {"name": "api", "host": "api.localhost", "upstreams": [{"name": "one", "url": "http://127.0.0.1:1"}]},
]
NAMED = ("drain", "undrain", "bench", "unbench", "weight")
OF_A_ROUTE = ("maintenance", "pause", "resume")


@pytest.fixture
def house(build: Build) -> House:
    found: House = build(routes=ROUTES)
    see(found, "web-1")
    return found


def see(house: House, *names: str) -> None:
    """Containers of these names, all of them on the route web."""
    views = []
    for number, name in enumerate(names, 1):
        upstream = Upstream(name, f"http://172.18.0.{number}:80", source=Source.DOCKER, container=f"{number}fa3c0de")
        wishes = (RouteWish("web", upstream, Domain("web.localhost")),)
        views.append(ContainerView(upstream.container, name, float(number), "running", wishes))
    house.registry.snapshot(Snapshot("docker", tuple(views)))


async def post(house: House, what: str, body: Any) -> Answer:
    return await house.call(f"dockerproxy-{what}", "POST", f"/{what}", body)


def shown(house: House, route: str, upstream: str = "") -> Any:
    """What statistics say of a route or an upstream."""
    found = next(each for each in report(house.control, 0.0, STARTED_AT)["routes"] if each["name"] == route)
    return next(each for each in found["upstreams"] if each["name"] == upstream) if upstream else found


def listed(house: House) -> Any:
    return report(house.control, 0.0, STARTED_AT)["overrides"]


async def test_a_drained_upstream_is_shown_as_such_wherever_it_is_shown(house: House) -> None:
    answer = await post(house, "drain", {"name": "two"})

    assert answer.status == 200
    assert answer.json == {"changed": [{"route": "blog", "upstream": "two"}], "unchanged": []}
    assert shown(house, "blog", "two")["state"] == "draining"
    assert shown(house, "blog", "two")["overrides"] == {"drained": {"since": SINCE}, "weight": None}
    assert listed(house) == [{"kind": "drain", "route": "blog", "upstream": "two", "since": SINCE, "applies": True}]

    answer = await post(house, "undrain", {"name": "two", "route": "blog"})
    assert answer.json == {"changed": [{"route": "blog", "upstream": "two"}], "unchanged": []}
    assert listed(house) == []


async def test_what_is_drained_already_is_unchanged(house: House) -> None:
    await post(house, "drain", {"name": "one", "route": "api"})
    answer = await post(house, "drain", {"name": "one"})
    assert answer.json["changed"] == [{"route": "blog", "upstream": "one"}]
    assert answer.json["unchanged"] == [{"route": "api", "upstream": "one"}]


async def test_draining_the_last_one_carries_a_warning(house: House) -> None:
    answer = await post(house, "drain", {"name": "1fa3"})
    assert (answer.status, answer.json["changed"]) == (200, [{"route": "web", "upstream": "web-1"}])
    assert answer.json["warning"].startswith("No upstream is in rotation now for web")


async def test_an_override_without_its_upstream_is_listed_and_can_be_undone(house: House) -> None:
    await post(house, "drain", {"name": "web-1"})
    see(house, "web-2")
    assert [override["applies"] for override in listed(house)] == [False]
    see(house, "web-1", "web-2")
    assert [override["applies"] for override in listed(house)] == [True]
    see(house)
    answer = await post(house, "undrain", {"name": "web-1"})
    assert answer.json["changed"] == [{"route": "web", "upstream": "web-1"}]
    assert listed(house) == []


async def test_a_weight_is_set_and_given_back_to_its_source(house: House) -> None:
    await post(house, "weight", {"name": "two", "weight": 7})
    upstream = shown(house, "blog", "two")
    assert (upstream["weight"], upstream["overrides"]["weight"]) == (7, {"weight": 7, "since": SINCE})
    await post(house, "weight", {"name": "two", "weight": None})
    assert (shown(house, "blog", "two")["weight"], listed(house)) == (1, [])


async def test_a_bench_lasts_as_long_as_asked_or_as_the_route_says(house: House) -> None:
    answer = await post(house, "bench", {"name": "one"})
    assert answer.json == {
        "changed": [{"route": "blog", "upstream": "one"}, {"route": "api", "upstream": "one"}],
        "unchanged": [],
    }
    assert house.benched == {("blog", "one"): 45.0, ("api", "one"): 90.0}
    await post(house, "bench", {"name": "one", "route": "api", "for": "2m"})
    assert house.benched["api", "one"] == 120.0
    assert listed(house) == []


async def test_a_bench_of_all_is_told_to_be_void(house: House) -> None:
    house.statuses["one"] = UpstreamStatus("benched", 0, 45.0)
    answer = await post(house, "bench", {"name": "one"})
    assert answer.json["warning"] == (
        "All upstreams are benched now of api, so the next request brings all of them back; to keep one out, drain it."
    )


async def test_what_is_not_benched_is_unchanged_by_unbench(house: House) -> None:
    await post(house, "bench", {"name": "one", "route": "api"})
    answer = await post(house, "unbench", {"name": "one"})
    assert answer.json == {
        "changed": [{"route": "api", "upstream": "one"}],
        "unchanged": [{"route": "blog", "upstream": "one"}],
    }


async def test_no_bench_waits_for_what_is_not_there(house: House) -> None:
    await post(house, "drain", {"name": "web-1"})
    see(house)
    answer = await post(house, "bench", {"name": "web-1"})
    assert answer.status == 409
    assert "is not there at the moment" in answer.json["error"]
    answer = await post(house, "unbench", {"name": "web-1"})
    assert (answer.status, answer.json["unchanged"]) == (200, [{"route": "web", "upstream": "web-1"}])


async def test_maintenance_is_shown_with_its_message_until_it_ends(house: House) -> None:
    answer = await post(house, "maintenance", {"route": "blog", "on": True, "message": "back at noon"})
    told = {"message": "back at noon", "since": SINCE}
    assert (answer.status, answer.json) == (200, {"route": "blog", "maintenance": told})
    assert shown(house, "blog")["overrides"] == {"maintenance": told, "paused": None}
    assert listed(house) == [{"kind": "maintenance", "route": "blog", **told, "applies": True}]

    answer = await post(house, "maintenance", {"route": "blog", "on": False})
    assert (answer.status, answer.json) == (200, {"route": "blog", "maintenance": None, "changed": True})
    assert listed(house) == []
    answer = await post(house, "maintenance", {"route": "blog", "on": False})
    assert answer.json == {"route": "blog", "maintenance": None, "changed": False}


async def test_a_pause_is_shown_with_its_end_until_it_ends(house: House) -> None:
    answer = await post(house, "pause", {"route": "blog"})
    until = {"until": "2023-11-14T22:13:50.000Z"}
    assert (answer.status, answer.json) == (200, {"route": "blog", "paused": until})
    assert shown(house, "blog")["overrides"] == {"maintenance": None, "paused": until}
    assert listed(house) == [{"kind": "pause", "route": "blog", **until, "applies": True}]
    answer = await post(house, "pause", {"route": "blog", "for": "1h"})
    assert answer.json["paused"] == {"until": "2023-11-14T23:13:20.000Z"}

    answer = await post(house, "resume", {"route": "blog"})
    assert (answer.status, answer.json) == (200, {"route": "blog", "paused": None, "changed": True})
    assert listed(house) == []
    assert (await post(house, "resume", {"route": "blog"})).json["changed"] is False


async def test_a_reload_tells_what_changed(house: House) -> None:
    house.reload = lambda: ["blog: now at new.localhost"]
    bodies: tuple[Any, ...] = ({}, b"")
    for body in bodies:
        answer = await post(house, "reload", body)
        assert (answer.status, answer.json["changed"]) == (200, ["blog: now at new.localhost"])
        assert answer.json["routes"] == len(house.registry.routes)


async def test_a_reload_of_nothing_is_a_conflict_and_of_a_bad_file_unprocessable(house: House) -> None:
    def nothing() -> list[str]:
        raise NotPossible("there is no settings file to read again")

    def bad() -> list[str]:
        raise SettingsError("dockerproxy.yaml", [Problem("hosst", "unknown key; did you mean 'host'?")])

    house.reload = nothing
    assert (await post(house, "reload", {})).status == 409
    house.reload = bad
    answer = await post(house, "reload", {})
    assert answer.status == 422
    assert answer.json["problems"] == [{"where": "hosst", "message": "unknown key; did you mean 'host'?"}]


@pytest.mark.parametrize(
    ("what", "body", "status", "said"),
    [
        ("drain", {"name": "onne"}, 404, "did you mean 'one'?"),
        ("drain", {"name": "one", "route": "blok"}, 404, "did you mean 'blog'?"),
        ("unbench", {"name": "nobody"}, 404, "no upstream or container named 'nobody'"),
        ("bench", {"name": "one", "route": "dockerproxy-add"}, 409, "answered by the handler"),
        ("maintenance", {"route": "blok", "on": True}, 404, "did you mean 'blog'?"),
        ("maintenance", {"route": "dockerproxy-maintenance", "on": True}, 409, "nobody could undo this"),
        ("pause", {"route": "dockerproxy-resume"}, 409, "nobody could undo this"),
        ("resume", {"route": "blok"}, 404, "did you mean 'blog'?"),
    ],
)
async def test_what_is_not_there_or_cannot_be_is_refused_in_words(
    house: House, what: str, body: Any, status: int, said: str
) -> None:
    answer = await post(house, what, body)
    assert answer.status == status
    assert said in answer.json["error"]


@pytest.mark.parametrize(
    ("what", "body", "where", "said"),
    [
        ("drain", {}, "name", "is missing"),
        ("drain", {"name": "one", "rout": "blog"}, "rout", "did you mean 'route'?"),
        ("undrain", {"name": 3}, "name", "expected text"),
        ("bench", {"name": "one", "for": "soon"}, "for", "expected a duration such as"),
        ("bench", {"name": "one", "for": 0}, "for", "expected more than 0"),
        ("bench", {"name": "one", "four": 5}, "four", "did you mean 'for'?"),
        ("weight", {"name": "one"}, "weight", "is missing"),
        ("weight", {"name": "one", "weight": 101}, "weight", "expected 100 or less"),
        ("weight", {"name": "one", "weight": -1}, "weight", "expected 0 or more"),
        ("maintenance", {"route": "blog"}, "on", "is missing"),
        ("maintenance", {"route": "blog", "on": True, "message": "x" * 501}, "message", "at most 500 characters"),
        ("maintenance", {"route": "blog", "on": True, "message": "a\nb"}, "message", "one line of text"),
        ("pause", {"route": "blog", "for": "61m"}, "for", "expected 1h or less (found '61m')"),
        ("resume", {"name": "blog"}, "name", "unknown key"),
        ("reload", {"file": "x"}, "file", "unknown key"),
    ],
)
async def test_what_is_wrong_with_a_body_is_told_by_field(
    house: House, what: str, body: Any, where: str, said: str
) -> None:
    answer = await post(house, what, body)
    assert answer.status == 422
    assert said in {problem["where"]: problem["message"] for problem in answer.json["problems"]}[where]
    assert listed(house) == []


@pytest.mark.parametrize("what", [*NAMED, *OF_A_ROUTE, "reload"])
async def test_what_is_no_json_is_a_bad_request(house: House, what: str) -> None:
    assert (await post(house, what, b"name=one")).status == 400


@pytest.mark.parametrize("what", [*NAMED, *OF_A_ROUTE, "reload"])
async def test_they_answer_whoever_may_operate_the_proxy_and_nobody_else(house: House, what: str) -> None:
    answer = await house.call(f"dockerproxy-{what}", "POST", f"/{what}", {"name": "one"}, remote="192.0.2.7")
    assert answer.status == 403
    assert (listed(house), house.benched) == ([], {})
