"""Which address counts as the client's: what is claimed is believed from trusted proxies, and from nobody else."""

from __future__ import annotations

import pytest

from dockerproxy.http1.head import RequestHead
from dockerproxy.proxy.forwarding import Forwarding
from dockerproxy.settings.values import parse_networks

from ..support.scene import Scene

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


def test_a_program_of_this_machine_behind_a_proxy_of_this_machine_is_this_machine() -> None:
    assert client("127.0.0.1", "127.0.0.1", trusted="127.0.0.1") == "127.0.0.1"
    assert client("127.0.0.1", "127.0.0.1, 203.0.113.9", trusted="127.0.0.1") == "203.0.113.9"


async def test_a_stranger_behind_a_trusted_proxy_is_no_program_of_this_machine(scene: Scene) -> None:
    await scene.proxy(routes=[STATISTICS], trusted_proxies=["127.0.0.1"])
    for claim in ("203.0.113.9", "127.0.0.1, 203.0.113.9", "203.0.113.9:80"):
        assert (await scene.get("/s", host="root.localhost", X_Forwarded_For=claim)).status == 403
    assert (await scene.get("/s", host="root.localhost", X_Forwarded_For="127.0.0.1")).status == 200
