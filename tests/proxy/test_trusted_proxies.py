"""Which address counts as the client's: what is claimed is believed from trusted proxies, and from nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from dockerproxy.http1.head import RequestHead
from dockerproxy.proxy.forwarding import Forwarding
from dockerproxy.settings.values import parse_networks

from ..support.scene import Scene
from ..support.upstreams import Request

TRUSTED = "10.0.0.0/8, 2001:db8:aa::/48"
STATISTICS = {"name": "panel", "host": "root.localhost", "path": {"path": "/s"},
              "handler": "dockerproxy.web.statistics:statistics"}  # fmt: skip


def client(peer: str, *claims: str, trusted: str = TRUSTED) -> str:
    """The client's address for a request from `peer` with these X-Forwarded-For fields."""
    head = RequestHead.__new__(RequestHead)
    head.claimed = {b"x-forwarded-for": [claim.encode() for claim in claims]} if claims else None
    return Forwarding(parse_networks(trusted), b"test").client(head, peer)


@pytest.mark.parametrize(
    ("peer", "claims", "found"),
    [
        # Somebody who is not trusted claims what he likes.
        ("203.0.113.9", ["127.0.0.1"], "203.0.113.9"),
        ("203.0.113.9", ["10.0.0.1, 127.0.0.1"], "203.0.113.9"),
        ("2001:db8:bb::1", ["127.0.0.1"], "2001:db8:bb::1"),
        # A chain of trusted proxies: what they have added is believed, from the right up to the first stranger.
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["127.0.0.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.9", "10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        # IPv6, and the ways in which addresses are written.
        ("2001:db8:aa::1", ["2001:db8:bb::9"], "2001:db8:bb::9"),
        ("2001:db8:aa::1", ["6.6.6.6, 2001:DB8:BB:0::9, 2001:db8:aa::2"], "2001:db8:bb::9"),
        ("10.0.0.1", ["[2001:db8:bb::9]:4711"], "2001:db8:bb::9"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, ::ffff:10.0.0.2"], "6.6.6.6"),
        # What is no address ends the chain.
        ("10.0.0.1", ["203.0.113.9, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, "], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, 010.0.0.2"], "10.0.0.1"),
        ("10.0.0.1", ["fe80::1%<script>"], "10.0.0.1"),
        # The loopback of another machine is not this machine.
        ("10.0.0.1", ["127.0.0.1"], "10.0.0.1"),
        ("10.0.0.1", ["::1"], "10.0.0.1"),
        ("10.0.0.1", ["::ffff:127.0.0.1"], "10.0.0.1"),
        ("2001:db8:aa::1", ["127.0.0.1, 10.0.0.2"], "10.0.0.2"),
    ],
)
def test_the_client_is_the_nearest_that_is_no_trusted_proxy(peer: str, claims: list[str], found: str) -> None:
    assert client(peer, *claims) == found


def test_only_a_hop_on_this_machine_can_tell_of_this_machine() -> None:
    trusted = f"127.0.0.1, {TRUSTED}"
    assert client("127.0.0.1", "127.0.0.1", trusted=trusted) == "127.0.0.1"
    assert client("127.0.0.1", "127.0.0.1, 10.0.0.5", trusted=trusted) == "10.0.0.5"


@pytest.mark.parametrize("told", ["unix:", "unknown", "_hidden", "127.1", "localhost", "::1%lo", "2130706433"])
def test_whom_a_hop_on_this_machine_does_not_name_is_not_this_machine(told: str) -> None:
    trusted = f"127.0.0.1, {TRUSTED}"
    assert client("127.0.0.1", f"203.0.113.9, {told}", trusted=trusted) == "unknown"
    assert client("10.0.0.1", f"{told}, 127.0.0.1", trusted=trusted) == "10.0.0.1"
    assert client("127.0.0.1", "", trusted=trusted) == "127.0.0.1"


async def test_whom_a_web_server_of_this_machine_does_not_name_may_not_operate(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, trusted_proxies="127.0.0.1")
    assert (await scene.get("/statistics", host="root.localhost", x_forwarded_for="unix:")).status == 403
    assert (await scene.get(x_forwarded_for="unix:")).status == 200
    assert upstream.requests[0]["x-forwarded-for"] == "unix:, 127.0.0.1"


CLAIMS = ("X-Forwarded-Ssl", "X-Forwarded-Scheme", "X-Forwarded-User", "x-forwarded-whatever", "X_Forwarded_Ssl",
          "X-Client-IP", "True-Client-IP", "X-Cluster-Client-IP", "Front-End-Https", "X-Url-Scheme", "X-Original-URL",
          "X-Original-URI", "X-Original-Host",
          "X-Rewrite-URL", "Proxy")  # fmt: skip


@pytest.mark.parametrize("field", CLAIMS)
async def test_no_claim_of_a_client_reaches_an_application_under_any_name(scene: Scene, field: str) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    await client.send(f"GET / HTTP/1.1\r\nHost: a\r\n{field}: on\r\n\r\n".encode())
    await client.answer()
    assert field not in upstream.requests[0]


async def test_what_a_trusted_proxy_tells_beside_is_passed_on(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, trusted_proxies="127.0.0.1/32")
    client = await scene.client()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-User: ada\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n")
    await client.answer()
    (request,) = upstream.requests
    assert (request["x-forwarded-user"], request["x-forwarded-for"]) == ("ada", "203.0.113.9, 127.0.0.1")


async def told(
    scene: Scene, *fields: str, host: str = "inner:8888", trusted: str = "127.0.0.1", **options: Any
) -> Request:
    """What an upstream is told of a request with these fields, from a trusted proxy unless others are trusted."""
    upstream = await scene.upstream()
    await scene.proxy(upstream, trusted_proxies=trusted, **options)
    client = await scene.client()
    lines = "".join(f"{field}\r\n" for field in fields)
    path = options.get("path", "/")
    await client.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n".encode())
    await client.answer()
    return upstream.requests[0]


@pytest.mark.parametrize(
    ("fields", "port"),
    [
        (["X-Forwarded-Host: shop.example", "X-Forwarded-Proto: https"], "443"),
        (["X-Forwarded-Host: shop.example:8443", "X-Forwarded-Proto: https"], "8443"),
        (["X-Forwarded-Host: shop.example"], "80"),
        (["X-Forwarded-Host: [::1]", "X-Forwarded-Proto: https"], "443"),
        (["X-Forwarded-Host: a.example, shop.example:81"], "81"),
        (["X-Forwarded-Host: shop.example:8443", "X-Forwarded-Port: 9443"], "9443"),
        (["X-Forwarded-Port: 80, 9443"], "9443"),
        (["X-Forwarded-Proto: https"], "8888"),
        ([], "8888"),
        (["Forwarded: for=203.0.113.9;proto=https;host=shop.example"], "443"),
        (['Forwarded: for=203.0.113.9;proto=https;host="shop.example:8443"'], "8443"),
    ],
)
async def test_the_port_follows_the_host_and_the_scheme_that_are_told(
    scene: Scene, fields: list[str], port: str
) -> None:
    request = await told(scene, *fields)
    assert request["x-forwarded-port"] == port


@pytest.mark.parametrize(
    ("fields", "scheme"),
    [
        (["X-Forwarded-Proto: wss"], "https"),
        (["X-Forwarded-Proto: WSS"], "https"),
        (["X-Forwarded-Proto: ws"], "http"),
        (["X-Forwarded-Proto: https, http"], "http"),
        (["X-Forwarded-Proto: http, https"], "https"),
        (["X-Forwarded-Ssl: on"], "https"),
        (["X-Forwarded-Ssl: off"], "http"),
        (["X-Forwarded-Scheme: https"], "https"),
        (["Front-End-Https: on"], "https"),
        (["X-Forwarded-Proto: http", "X-Forwarded-Ssl: on"], "http"),
        (["Forwarded: proto=https"], "https"),
        (["forwarded: FOR=203.0.113.9;Proto=WSS"], "https"),
        (["Forwarded: proto=https", "X-Forwarded-Proto: http"], "http"),
        (["Forwarded: proto=https", "X-Forwarded-For: 203.0.113.9"], "http"),
        (["Forwarded: proto=https;;"], "http"),
        (["Forwarded: for=203.0.113.9;proto=https, for=127.0.0.1;proto=http"], "https"),
        (["Forwarded: for=6.6.6.6;proto=https, for=203.0.113.9;proto=http"], "http"),
    ],
)
async def test_a_client_came_by_https_if_a_trusted_proxy_says_so_in_any_words(
    scene: Scene, fields: list[str], scheme: str
) -> None:
    strict = {"name": "strict", "host": "strict.test", "upstreams": ["http://127.0.0.1:1"], "max_attempts": 1}
    request = await told(scene, *fields, routes=[{**strict, "https": "redirect"}])
    assert request["x-forwarded-proto"] == scheme
    client = await scene.client()
    lines = "".join(f"{field}\r\n" for field in fields)
    await client.send(f"GET / HTTP/1.1\r\nHost: strict.test\r\n{lines}\r\n".encode())
    assert (await client.answer()).status == (502 if scheme == "https" else 308)


@pytest.mark.parametrize(
    ("told", "trusted", "host"),
    [
        ("X-Forwarded-Host: shop.example", "127.0.0.1", "shop.example"),
        ("X-Forwarded-Host: shop.example:8080", "127.0.0.1", "shop.example"),
        ("Forwarded: host=shop.example;proto=http", "127.0.0.1", "shop.example"),
        ("X-Forwarded-Host: shop.example/@evil", "127.0.0.1", "inner"),
        ("X-Forwarded-Host: shop.example", "10.0.0.1", "inner"),
        ("X-Forwarded-Proto: http", "127.0.0.1", "inner"),
    ],
)
async def test_a_redirect_to_https_leads_to_the_host_that_the_client_has_asked_for(
    scene: Scene, told: str, trusted: str, host: str
) -> None:
    await scene.proxy("http://127.0.0.1:1", trusted_proxies=trusted, https="redirect")
    client = await scene.client()
    await client.send(f"GET /a?b HTTP/1.1\r\nHost: inner:8888\r\n{told}\r\n\r\n".encode())
    answer = await client.answer()
    assert (answer.status, answer["location"]) == (308, f"https://{host}/a?b")


@pytest.mark.parametrize("trusted", ["127.0.0.1", "10.0.0.1"])
async def test_forwarded_is_passed_on_with_our_part_and_only_from_trusted_proxies(scene: Scene, trusted: str) -> None:
    request = await told(
        scene, 'Forwarded: for="[2001:db8::9]:4711";host=shop.example', "X-Forwarded-Ssl: on", trusted=trusted
    )
    if trusted == "127.0.0.1":
        assert request["forwarded"] == (
            'for="[2001:db8::9]:4711";host=shop.example, for=127.0.0.1;host="inner:8888";proto=https'
        )
        assert request["x-forwarded-ssl"] == "on"
    else:
        assert "forwarded" not in request
        assert "x-forwarded-ssl" not in request
        assert (request["x-forwarded-host"], request["x-forwarded-for"]) == ("inner:8888", "127.0.0.1")


async def test_where_nothing_else_is_said_the_client_is_the_one_of_forwarded(scene: Scene) -> None:
    request = await told(scene, 'Forwarded: for=6.6.6.6, For="[2001:DB8::9]:4711"', "Forwarded: for=127.0.0.1;by=_x")
    assert request["x-forwarded-for"] == "6.6.6.6, 2001:db8::9, 127.0.0.1, 127.0.0.1"
    assert request["x-real-ip"] == "2001:db8::9"


@pytest.mark.parametrize(
    "value", ["for=203.0.113.9;for=6.6.6.6", "for", "for=1 2", 'for="203.0.113.9', "for=a,,b", ";"]
)
async def test_a_malformed_forwarded_says_nothing(scene: Scene, value: str) -> None:
    request = await told(scene, f"Forwarded: {value}")
    assert (request["x-forwarded-for"], request["x-real-ip"]) == ("127.0.0.1", "127.0.0.1")


@pytest.mark.parametrize("node", ["unknown", "_hidden", '"a, 127.0.0.1"', '"\\"127.0.0.1"', '"unix:"'])
async def test_whom_forwarded_does_not_name_is_nobody(scene: Scene, node: str) -> None:
    request = await told(scene, f"Forwarded: for={node}")
    assert request["x-forwarded-for"] == "unknown, 127.0.0.1"
    assert "x-real-ip" not in request


@pytest.mark.parametrize(
    ("fields", "options", "prefix"),
    [
        (["X-Forwarded-Prefix: /outer"], {}, "/outer"),
        (["X-Forwarded-Prefix: /outer/"], {"path": "/api", "strip_prefix": True}, "/outer/api"),
        (["X-Forwarded-Prefix: /a, /b", "X-Forwarded-Prefix: /c"], {}, "/a/b/c"),
        (["X-Forwarded-Prefix: //evil.example", "X-Forwarded-Prefix: x, /, /\\x"], {}, None),
        ([], {"path": "/api", "strip_prefix": True}, "/api"),
        ([], {}, None),
    ],
)
async def test_our_own_prefix_comes_behind_the_one_of_a_trusted_proxy(
    scene: Scene, fields: list[str], options: dict[str, Any], prefix: str | None
) -> None:
    request = await told(scene, *fields, **options)
    assert request.all("x-forwarded-prefix") == ([] if prefix is None else [prefix])


async def test_the_prefix_of_a_stranger_is_dropped_and_ours_is_not(scene: Scene) -> None:
    request = await told(scene, "X-Forwarded-Prefix: /evil", trusted="10.0.0.1", path="/api", strip_prefix=True)
    assert request["x-forwarded-prefix"] == "/api"


def test_a_program_of_this_machine_behind_a_proxy_of_this_machine_is_this_machine() -> None:
    assert client("127.0.0.1", "127.0.0.1", trusted="127.0.0.1") == "127.0.0.1"
    assert client("127.0.0.1", "127.0.0.1, 203.0.113.9", trusted="127.0.0.1") == "203.0.113.9"


async def test_a_stranger_behind_a_trusted_proxy_is_no_program_of_this_machine(scene: Scene) -> None:
    await scene.proxy(routes=[STATISTICS], trusted_proxies=["127.0.0.1"])
    for claim in ("203.0.113.9", "127.0.0.1, 203.0.113.9", "203.0.113.9:80"):
        assert (await scene.get("/s", host="root.localhost", X_Forwarded_For=claim)).status == 403
    assert (await scene.get("/s", host="root.localhost", X_Forwarded_For="127.0.0.1")).status == 200
