"""GET /explain: what it takes, what it answers, and that the running proxy's states stand in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from dockerproxy.control.explain.reachability import Address, Failure
from dockerproxy.control.overrides.overrides import Drain, Weight
from dockerproxy.discovery.containers.fleet import Fleet
from dockerproxy.discovery.status import EngineState
from dockerproxy.routing.bench import UpstreamStatus
from dockerproxy.web.reports import probe
from dockerproxy.web.reports.probe import failures

from ..control.explaining import listed
from ..discovery.support import network
from ..support.certificate import self_signed
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
async def port() -> AsyncIterator[int]:
    """Where somebody listens on this machine."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def house(build: Build, port: int) -> House:
    found: House = build(routes=ROUTES, listen=":8888")
    fleet = Fleet(found.registry.settings.docker, own=())
    here = network("here", "127.0.0.1")
    fleet.replace(
        [
            listed("web-1", {"dockerproxy.port": str(port)}, port, service="web", networks=here),
            listed("deaf", {"dockerproxy.port": "1"}, port, networks=here),
            listed("lost", {}),
        ]
    )
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
    assert (answer.json["routes"][0]["state"], answer.json["routes"][0]["reached"]) == ("up", True)
    assert (await ask(house, container="lost")).json["code"] == "no_label"


async def test_a_container_at_whose_port_nobody_listens_is_told_so(house: House, port: int) -> None:
    answer = (await ask(house, container="deaf")).json

    assert (answer["routed"], answer["code"], answer["routes"][0]["reached"]) == (True, "not_listening", False)
    assert answer["verdict"] == (
        "deaf is routed: deaf at http://deaf.localhost:8888/; but nothing answers at 127.0.0.1:1: connection refused"
    )
    assert "though the container exposes" in answer["routes"][0]["why_port"]
    assert answer["reasons"][0]["mend"].startswith(f"write dockerproxy.port={port}, which the container exposes; then ")


async def test_a_url_whose_upstreams_are_all_out_of_reach_is_told_so(house: House) -> None:
    answer = (await ask(house, url="http://blog.localhost/")).json
    assert (answer["code"], [upstream["reached"] for upstream in answer["upstreams"]]) == ("not_listening", [False] * 2)

    answer = (await ask(house, url="http://web.localhost/")).json
    assert (answer["code"], answer["upstreams"][0]["reached"]) == ("routed", True)


async def test_an_address_that_keeps_silent_or_has_no_name_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silence(*_where: object, **_how: object) -> None:
        await asyncio.Event().wait()

    unknown = await failures([Address("nowhere.invalid", 80)])
    monkeypatch.setattr(probe, "PATIENCE", 0.01)
    monkeypatch.setattr(asyncio, "open_connection", silence)
    silent = await failures([Address("192.0.2.1", 80)])

    assert silent == {Address("192.0.2.1", 80): Failure("no connection within 0.01 s")}
    assert unknown[Address("nowhere.invalid", 80)].why


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

    answer = (await ask(house, url="http://blog.localhost/")).json
    idle, out = answer["upstreams"]

    assert (idle["state"], idle["cause"], idle["since"]) == ("draining", "its weight is 0", None)
    assert (out["state"], out["since"]) == ("draining", "2023-11-14T22:13:20.000Z")
    assert (out["cause"], out["mend"]) == ("drained by the operator", "run: dockerproxy undrain out")

    assert [(reason["text"], reason["mend"]) for reason in answer["reasons"]] == [
        (
            "idle: it is draining and gets no new requests: its weight is 0",
            "run: dockerproxy weight idle 1; or change the weight in the settings",
        ),
        (
            "out: it is draining and gets no new requests: drained by the operator",
            "run: dockerproxy undrain out",
        ),
    ]

    await house.registry.override(
        lambda overrides: overrides.put(Weight(route="blog", upstream="idle", weight=0, since=1))
    )
    idle, _ = (await ask(house, url="http://blog.localhost/")).json["upstreams"]
    assert idle["mend"] == "run: dockerproxy weight idle reset"


async def test_an_application_that_is_said_to_speak_tls_and_does_not_is_told_so(build: Build) -> None:
    async def plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plainly, "127.0.0.1", 0) as server:
        plain = server.sockets[0].getsockname()[1]
        upstreams = [f"https://127.0.0.1:{plain}", f"http://127.0.0.1:{plain}"]
        house = build(routes=[{"name": "blog", "host": "blog.localhost", "upstreams": upstreams}])
        answer = (await ask(house, url="http://blog.localhost/")).json

    assert answer["code"] == "no_tls"
    assert answer["verdict"].startswith(
        f"route blog answers, but 1 of its 2 upstreams does not: 127.0.0.1:{plain} answers, but does not speak TLS: "
    )
    assert answer["reasons"][0]["mend"].startswith("write http:// instead of https:// in the URL of the upstream")


async def test_an_application_that_speaks_tls_and_is_sent_plain_http_is_told_so() -> None:
    def leave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(leave, "127.0.0.1", 0, ssl=self_signed()) as server:
        port = server.sockets[0].getsockname()[1]
        doubted = Address("127.0.0.1", port, doubted=True)

        found = await failures([doubted, Address("127.0.0.1", port)])

    assert found == {doubted: Failure("a handshake succeeds there", tls_only=True)}


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


async def test_whoever_says_nothing_in_a_handshake_is_not_said_to_speak_no_tls(port: int) -> None:
    assert await failures([Address("127.0.0.1", port, tls=True), Address("127.0.0.1", port, doubted=True)]) == {}


async def test_whoever_takes_connections_and_says_nothing_in_a_handshake_speaks_no_tls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")  # of a request
        writer.close()

    monkeypatch.setattr(probe, "PATIENCE", 0.05)
    async with await asyncio.start_server(wait, "127.0.0.1", 0) as server:
        plain = Address("127.0.0.1", server.sockets[0].getsockname()[1])
        secured = plain._replace(tls=True)
        found = await failures([secured, plain, plain._replace(doubted=True)])
    assert found == {secured: Failure("no handshake within 0.05 s", no_tls=True)}
