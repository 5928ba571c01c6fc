"""GET /explain: what it takes, what it answers, and that the running proxy's states stand in it."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from dockerproxy.control.overrides import Drain
from dockerproxy.discovery.fleet import Fleet
from dockerproxy.discovery.snapshot import EngineState
from dockerproxy.routing.bench import UpstreamStatus

from ..control.explaining import listed
from .conftest import Build
from .making import Answer, House

ROUTES = [
    {
        "name": "blog",
        "host": "blog.localhost",
        "upstreams": [{"name": "one", "url": "http://127.0.0.1:1"}, {"name": "two", "url": "http://127.0.0.1:2"}],
    }
]


@pytest.fixture
def house(build: Build) -> House:
    found: House = build(routes=ROUTES, listen=":8888")
    fleet = Fleet(found.registry.settings.docker, own=())
    fleet.replace([listed("web-1", {"dockerproxy.enable": "true"}, service="web"), listed("lost", {})])
    found.registry.snapshot(fleet.snapshot(set()))
    found.control.discovery.state = EngineState.CONNECTED
    found.control.discovery.listing = fleet.listing
    return found


async def ask(house: House, **query: str | list[str]) -> Answer:
    return await house.call("dockerproxy-explain", target="/explain?" + urlencode(query, doseq=True))


async def test_a_container_is_explained(house: House) -> None:
    answer = await ask(house, container="web-1")

    assert (answer.status, answer.fields["cache-control"]) == (200, "no-store")
    assert answer.json["verdict"] == "web-1 is routed: web at http://web.localhost:8888/"
    assert answer.json["routes"][0]["state"] == "up"
    assert (await ask(house, container="lost")).json["code"] == "no_label"


async def test_a_container_that_there_is_not_is_an_answer_too(house: House) -> None:
    answer = await ask(house, container="wbe-1")
    assert (answer.status, answer.json["found"]) == (200, False)


async def test_a_url_is_explained_with_method_and_headers(house: House) -> None:
    answer = (await ask(house, url="http://127.0.0.1/", method="post", header=["Host: blog.localhost", "A:b"])).json

    assert (answer["route"], answer["method"], answer["host"]) == ("blog", "POST", "blog.localhost")
    assert answer["overrides"] == {"maintenance": None, "paused": None}
    assert [upstream["state"] for upstream in answer["upstreams"]] == ["up", "up"]
    missed = (await ask(house, url="http://nowhere.invalid/")).json
    assert (missed["route"], missed["code"], missed["overrides"]) == (None, "unknown_host", None)


async def test_a_benched_upstream_is_told_with_since_until_and_its_last_error(house: House) -> None:
    route = house.registry.route("blog")
    assert route is not None
    house.control.stats.route("blog").upstream(route.upstreams[0].key).last_error = "connection refused"
    house.statuses["one"] = UpstreamStatus("benched", 10, benched_until=100.0, benched_since=10.0)

    one, two = (await ask(house, url="http://blog.localhost/")).json["upstreams"]

    assert (one["state"], one["last_error"], two["state"]) == ("benched", "connection refused", "up")
    assert one["since"].endswith("Z")
    assert one["since"] < one["until"]
    assert (two["since"], two["until"], two["last_error"]) == (None, None, None)


async def test_it_is_told_why_an_upstream_is_draining(build: Build) -> None:
    upstreams = [
        {"name": "idle", "url": "http://127.0.0.1:1", "weight": 0},
        {"name": "out", "url": "http://127.0.0.1:2"},
    ]
    house = build(routes=[{"name": "blog", "host": "blog.localhost", "upstreams": upstreams}])
    drained = Drain(route="blog", upstream="out", since=1_700_000_000.0)
    await house.registry.override(lambda overrides: overrides.put(drained))

    idle, out = (await ask(house, url="http://blog.localhost/")).json["upstreams"]

    assert (idle["state"], idle["cause"], idle["since"]) == ("draining", "its weight is 0", None)
    assert (out["state"], out["since"]) == ("draining", "2023-11-14T22:13:20.000Z")
    assert out["cause"] == "drained by the operator; dockerproxy undrain out ends it"


async def test_a_browser_gets_it_indented(house: House) -> None:
    answer = await house.call("dockerproxy-explain", target="/explain?container=lost", Accept="text/html")
    assert answer.body.startswith(b'{\n  "container"')


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({}, "expected one of container=NAME and url=URL"),
        ({"container": "a", "url": "b"}, "expected one of container=NAME and url=URL"),
        ({"contaner": "a"}, "unknown; did you mean container?"),
        ({"url": "http://a/", "xyz": "1"}, "unknown; expected container, url, method, header"),
        ({"url": "ftp://a/"}, "'ftp://a/' is no URL; write for example http://blog.localhost/"),
        ({"url": "http://a/", "header": "Host"}, "'Host' is no header; write for example Host:blog.localhost"),
    ],
)
async def test_what_cannot_be_understood_is_refused_with_the_reason(
    house: House, query: dict[str, str], told: str
) -> None:
    answer = await ask(house, **query)

    assert answer.status == 422
    assert told in [problem["message"] for problem in answer.json["problems"]]


async def test_it_is_for_whoever_may_see_the_statistics(house: House) -> None:
    answer = await house.call("dockerproxy-explain", target="/explain?container=lost", remote="192.0.2.1")
    assert answer.status == 403
