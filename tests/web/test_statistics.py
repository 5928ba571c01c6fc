"""The report of GET /statistics: its exact shape, its units, and what it says of each state."""

from __future__ import annotations

from typing import Any

import pytest

from dockerproxy.discovery.snapshot import ContainerView, Reach, RouteWish, Snapshot
from dockerproxy.discovery.status import EngineState
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.bench import UpstreamStatus
from dockerproxy.routing.route import Domain, Source, Upstream
from dockerproxy.web.statistics import report

from .conftest import Build
from .making import STARTED_AT, House

ROUTES = [
    {
        "name": "blog",
        "host": "blog.localhost,*.blog.localhost",
        "path": {"prefix": "/api", "method": "GET,POST"},
        "upstreams": [
            {"name": "one", "url": "http://127.0.0.1:1"},
            {"name": "two", "url": "http://127.0.0.1:2", "weight": 0},
        ],
    },
    {"name": "stats", "host": "s.localhost", "handler": "dockerproxy.web.statistics:statistics"},
]


@pytest.fixture
def house(build: Build) -> House:
    found: House = build(routes=ROUTES, listen=":8888,127.0.0.1:9999")
    upstream = Upstream("blog-1", "http://172.18.0.4:2368", 2, Source.DOCKER, "id-1", draining=True)
    other = Upstream("blog-1", "http://172.18.0.4:9000", 2, Source.DOCKER, "id-1")
    wishes = (
        RouteWish("blog", upstream, Domain("blog.localhost"), reach=Reach("front")),
        RouteWish("api", other, Domain("api.localhost"), reach=Reach("front")),
    )
    containers = (
        ContainerView("id-1", "blog-1", 1.0, "running", wishes),
        ContainerView("id-2", "lost", 2.0, "running", (), (Reason(Code.NO_PORT, "it exposes no port", "add a label"),)),
        ContainerView("id-3", "silent", 3.0, "running", (), (), mentioned=False),
    )
    found.registry.snapshot(Snapshot("docker", containers))
    return found


def of_route(house: House, name: str, now: float = 50.0, wall: float = STARTED_AT + 60) -> Any:
    return next(route for route in report(house.control, now, wall)["routes"] if route["name"] == name)


def test_the_report_tells_of_the_proxy_itself(house: House) -> None:
    stats = house.control.stats
    stats.connections, stats.requests, stats.route("blog").in_flight = 3, 70, 2
    stats.connections_limit, stats.connections_refused, stats.connections_evicted = 480, 6, 7

    assert report(house.control, 50.0, STARTED_AT + 90.5)["proxy"] == {
        "version": "1.2.3",
        "started_at": "2023-11-14T22:13:20.000Z",
        "uptime_seconds": 90.5,
        "listen": [":8888", "127.0.0.1:9999"],
        "connections": 3,
        "connections_limit": 480,
        "connections_refused": 6,
        "connections_evicted": 7,
        "requests": 70,
        "in_flight": 2,
    }


def test_the_report_tells_of_discovery_and_of_labelled_containers(house: House) -> None:
    status = house.control.discovery
    assert report(house.control, 0, STARTED_AT)["discovery"]["last_event_at"] is None
    status.state, status.engine, status.events, status.reconnects = EngineState.RECONNECTING, "unix:///x", 12, 1
    status.last_event_at, status.last_sync_at = STARTED_AT + 1.5, STARTED_AT
    status.error = "the engine is being stopped"

    assert report(house.control, 0, STARTED_AT)["discovery"] == {
        "state": "reconnecting",
        "engine": "unix:///x",
        "events": 12,
        "last_event_at": "2023-11-14T22:13:21.500Z",
        "last_sync_at": "2023-11-14T22:13:20.000Z",
        "reconnects": 1,
        "error": "the engine is being stopped",
        "containers": [
            {
                "id": "id-1",
                "name": "blog-1",
                "state": "running",
                "routed": True,
                "routes": ["blog", "api"],
                "network": "front",
                "address": "172.18.0.4:2368",
                "addresses": {"blog": "172.18.0.4:2368", "api": "172.18.0.4:9000"},
                "reasons": [],
                "why": [],
            },
            {
                "id": "id-2",
                "name": "lost",
                "state": "running",
                "routed": False,
                "routes": [],
                "network": "",
                "address": "",
                "addresses": {},
                "reasons": ["it exposes no port; add a label"],
                "why": [{"code": "no_port", "text": "it exposes no port; add a label"}],
            },
        ],
    }


def test_a_route_without_requests_has_counters_of_zero(house: House) -> None:
    route = of_route(house, "blog")
    upstreams = route.pop("upstreams")

    assert route == {
        "name": "blog",
        "source": "static",
        "hosts": ["blog.localhost", "*.blog.localhost"],
        "path": "/api/*",
        "methods": ["GET", "POST"],
        "kind": "proxy",
        "requests": 0,
        "errors_shown": 0,
        "retries": 0,
        "held": 0,
        "in_flight": 0,
        "held_now": 0,
        "middlewares": [],
        "overrides": {"maintenance": None, "paused": None},
        "latency_seconds": {"p50": None, "p95": None, "p99": None},
        "handler": None,
    }
    assert upstreams[0] == {
        "name": "one",
        "url": "http://127.0.0.1:1",
        "source": "static",
        "container": None,
        "state": "up",
        "weight": 1,
        "in_flight": 0,
        "used_successfully": 0,
        "error_counter": 0,
        "consecutive_errors": 0,
        "total_time_seconds": 0.0,
        "benched_until": None,
        "last_error": None,
        "benches": 0,
        "overrides": {"drained": None, "weight": None},
    }
    assert house.control.stats.routes == {}


def test_counters_and_benches_are_shown_per_upstream(house: House) -> None:
    stats = house.control.stats.route("blog")
    stats.requests, stats.errors_shown, stats.retries, stats.held, stats.in_flight = 9, 1, 2, 3, 4
    house.held["blog"] = 2
    for _ in range(100):
        stats.latency.add(0.01)
    found = house.registry.route("blog")
    assert found is not None
    counters = stats.upstream(found.upstreams[0].key)
    counters.used_successfully, counters.error_counter, counters.in_flight = 6, 4, 1
    counters.total_time, counters.last_error, counters.benches = 1.23456789, "connect refused", 5
    house.statuses["one"] = UpstreamStatus("benched", 10, benched_until=80.25)

    route = of_route(house, "blog", now=50.0, wall=STARTED_AT)
    assert (route["requests"], route["errors_shown"], route["retries"], route["held"]) == (9, 1, 2, 3)
    assert (route["in_flight"], route["held_now"]) == (4, 2)
    assert 0.00875 <= route["latency_seconds"]["p99"] <= 0.01125
    one, two, docker = route["upstreams"]
    assert one["state"] == "benched"
    assert one["benched_until"] == "2023-11-14T22:13:50.250Z"
    assert (one["used_successfully"], one["error_counter"], one["in_flight"]) == (6, 4, 1)
    assert (one["consecutive_errors"], one["total_time_seconds"]) == (10, 1.234568)
    assert (one["last_error"], one["benches"]) == ("connect refused", 5)
    assert (two["state"], two["weight"]) == ("draining", 0)
    assert (docker["state"], docker["container"], docker["source"]) == ("draining", "id-1", "docker")


def test_a_handler_route_shows_its_handler_instead_of_upstreams(house: House) -> None:
    counters = house.control.stats.route("stats").upstream("dockerproxy.web.statistics:statistics ")
    counters.used_successfully, counters.total_time = 4, 0.5

    route = of_route(house, "stats")
    assert (route["kind"], route["upstreams"]) == ("handler", [])
    assert route["handler"] == {
        "name": "dockerproxy.web.statistics:statistics",
        "used_successfully": 4,
        "total_time_seconds": 0.5,
    }
    assert of_route(house, "dockerproxy-health")["handler"]["used_successfully"] == 0


async def test_the_answer_is_json_that_nobody_keeps(house: House) -> None:
    answer = await house.call("stats")

    assert answer.fields["content-type"] == "application/json; charset=utf-8"
    assert answer.fields["cache-control"] == "no-store"
    assert answer.json.keys() == {"proxy", "certificates", "discovery", "routes", "overrides"}
    assert b"\n" not in answer.body


async def test_a_browser_gets_the_same_json_indented(house: House) -> None:
    answer = await house.call("stats", Accept="text/html,application/xhtml+xml,*/*;q=0.8")

    assert answer.json.keys() == {"proxy", "certificates", "discovery", "routes", "overrides"}
    assert answer.body.startswith(b'{\n  "proxy"')
