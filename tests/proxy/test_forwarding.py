"""What upstreams and handlers are told of the client, and what a client may not claim."""

from __future__ import annotations

import asyncio

import pytest

from ..support.certificate import self_signed
from ..support.scene import Scene
from ..support.upstreams import Conversation, Request, Upstream

CLAIMS = {
    "X_Forwarded_For": "1.2.3.4",
    "X_Forwarded_Proto": "https",
    "X_Forwarded_Host": "evil.example",
    "X_Forwarded_Port": "444",
    "X_Forwarded_Prefix": "/evil",
    "X_Real_IP": "1.2.3.4",
    "Forwarded": "for=1.2.3.4",
    "Dockerproxy_Remote": "1.2.3.4",
    "Dockerproxy_Route": "admin",
}


async def told(scene: Scene, upstream: Upstream, host: str = "site.localhost:8888", **fields: str) -> Request:
    client = await scene.client()
    assert (await client.get(host=host, **fields)).status == 200
    return upstream.requests[-1]


@pytest.mark.parametrize(
    ("host", "port"), [("site.localhost:8888", "8888"), ("site.localhost", "80"), ("[::1]:81", "81"), ("[::1]", "80")]
)
async def test_an_upstream_is_told_where_the_request_comes_from(scene: Scene, host: str, port: str) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    request = await told(scene, upstream, host)
    assert request["x-forwarded-for"] == "127.0.0.1"
    assert request["x-forwarded-proto"] == "http"
    assert request["x-forwarded-host"] == host
    assert request["x-forwarded-port"] == port
    assert request["x-real-ip"] == "127.0.0.1"
    assert "via" not in request
    assert [name for name, _ in request.fields if name.startswith("dockerproxy")] == ["dockerproxy-hops"]


async def test_what_a_client_claims_of_itself_does_not_get_through(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    for _ in range(2):
        await client.get(host="site.localhost", **CLAIMS)
    for request in upstream.requests:
        text = str(request.fields)
        assert not [claim for claim in ("1.2.3.4", "evil", "admin") if claim in text]
        assert request["x-forwarded-port"] != CLAIMS["X_Forwarded_Port"]
        assert request["x-forwarded-proto"] == "http"
        assert request["x-forwarded-for"] == "127.0.0.1"
        assert "forwarded" not in request


async def test_a_field_that_an_application_would_take_for_ours_does_not_get_through(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    await client.send(
        b"GET / HTTP/1.1\r\nHost: test\r\nX_Forwarded_For: 1.2.3.4\r\nX_Real-IP: 1.2.3.4\r\n"
        b"Dockerproxy_Remote: 1.2.3.4\r\nContent_Length: 4\r\nX.Forwarded.Prefix: /1.2.3.4\r\n"
        b"X!Real|IP: 1.2.3.4\r\nX-Forwarded.Proto: 1.2.3.4\r\nMy_Own: fine\r\nMy.Own: fine too\r\n\r\n"
    )
    await client.answer()
    assert "1.2.3.4" not in str(upstream.requests[0].fields)
    assert upstream.requests[0]["my_own"] == "fine"
    assert upstream.requests[0]["my.own"] == "fine too"


async def test_a_trusted_proxy_is_believed(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, trusted_proxies=["127.0.0.0/8", "10.0.0.0/8"])
    client = await scene.client()
    await client.get(
        host="site.localhost", X_Forwarded_For="6.6.6.6, 203.0.113.9, 10.0.0.7", X_Forwarded_Proto="https",
        X_Forwarded_Host="shop.example", X_Forwarded_Port="8443", X_Real_IP="6.6.6.6",
    )  # fmt: skip
    request = upstream.requests[0]
    assert request["x-forwarded-for"] == "6.6.6.6, 203.0.113.9, 10.0.0.7, 127.0.0.1"
    assert request["x-forwarded-proto"] == "https"
    assert request["x-forwarded-host"] == "shop.example"
    assert request["x-forwarded-port"] == "8443"
    assert request["x-real-ip"] == "203.0.113.9"  # the nearest that is not a proxy of ours

    await client.get(host="site.localhost")
    request = upstream.requests[1]
    assert (request["x-forwarded-for"], request["x-forwarded-proto"]) == ("127.0.0.1", "http")


async def test_for_a_trusted_proxy_that_claims_nonsense_no_address_is_told(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, trusted_proxies=["127.0.0.1"])
    request = await told(scene, upstream, X_Forwarded_For="unknown, not-an-address", X_Forwarded_Proto="gopher")
    assert "x-real-ip" not in request
    assert request["x-forwarded-proto"] == "http"


async def test_another_proxy_in_the_same_network_is_not_believed(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, trusted_proxies=["127.0.0.2"])
    request = await told(scene, upstream, X_Forwarded_For="1.2.3.4")
    assert request["x-forwarded-for"] == "127.0.0.1"
    client = await scene.client(source="127.0.0.2")
    await client.get(X_Forwarded_For="1.2.3.4")
    assert upstream.requests[-1]["x-forwarded-for"] == "1.2.3.4, 127.0.0.2"
    assert upstream.requests[-1]["x-real-ip"] == "1.2.3.4"


async def test_the_name_of_the_host_may_change_within_a_connection(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    client = await scene.client()
    for host in ("a.localhost", "b.localhost", "a.localhost"):
        await client.get(host=host)
    assert [request["x-forwarded-host"] for request in upstream.requests] == [
        "a.localhost", "b.localhost", "a.localhost"
    ]  # fmt: skip


async def test_a_request_that_comes_back_is_a_loop(scene: Scene) -> None:
    async def back(conversation: Conversation) -> None:
        request = await conversation.request()
        client = await scene.client()
        await client.ask(host="test", Dockerproxy_Hops=request["dockerproxy-hops"], body=b"x")
        answer = await client.answer()
        conversation.answer(answer.body, answer.line.partition(" ")[2])

    await scene.proxy(await scene.upstream(back))
    answer = await scene.get(Dockerproxy_Hops="another, and-another")
    assert answer.status == 508
    assert scene.route().requests == 1


async def test_a_request_that_goes_round_for_ever_is_a_loop_whoever_does_not_say_so(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    assert (await scene.get(Dockerproxy_Hops=", ".join(["dockerproxy-00000000"] * 200))).status == 508
    assert upstream.requests == []


async def test_the_way_that_others_tell_is_kept_and_ours_added(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream)
    request = await told(scene, upstream, Dockerproxy_Hops="dockerproxy-of-somebody")
    first, second = request["dockerproxy-hops"].split(", ")
    assert first == "dockerproxy-of-somebody"
    assert second.startswith("dockerproxy-")


async def test_an_upstream_is_told_of_proxies_in_via_only_where_the_route_says_so(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(
        upstream, routes=[{"name": "told", "host": "told.test", "upstreams": [upstream.url], "via": True}]
    )
    assert "via" not in await told(scene, upstream, via="1.0 fred")
    upstream.requests.clear()
    request = await told(scene, upstream, "told.test", via="1.0 fred")
    ours = "1.1 " + request["dockerproxy-hops"]
    assert request["via"] == f"1.0 fred, {ours}"
    upstream.requests.clear()
    assert (await told(scene, upstream, "told.test"))["via"] == ours
    assert (await scene.get(host="told.test", via=f"1.0 fred, {ours}")).status == 508


async def test_an_https_upstream_is_reached_without_checking_when_the_route_says_so(scene: Scene) -> None:
    upstream = await scene.upstream(tls=self_signed())
    await scene.proxy(upstream, tls_verify=False)
    client = await scene.client()
    assert [(await client.get()).text for _ in range(3)] == ["a"] * 3
    await client.ask("POST", body=b"x" * 300_000)
    assert (await client.answer()).text == "a"
    assert upstream.requests[-1].body == b"x" * 300_000
    assert upstream.connections == 1


async def test_an_https_upstream_whose_certificate_is_not_trusted_is_an_error(scene: Scene) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the upstream's side of the failed handshake
    upstream = await scene.upstream(tls=self_signed())
    await scene.proxy(upstream, max_attempts=2)
    assert (await scene.post(b"order")).status == 502
    assert upstream.requests == []
    assert "certificate" in scene.counted(upstream).last_error.lower()
    assert scene.open_connections() == 0


async def test_plain_http_at_an_https_upstream_is_an_error(scene: Scene) -> None:
    await scene.proxy((await scene.upstream()).url.replace("http", "https"), max_attempts=1, connect_timeout="500ms")
    assert (await scene.get()).status in (502, 504)


async def test_after_a_reload_nobody_is_believed_who_is_trusted_no_longer(scene: Scene) -> None:
    upstream = await scene.upstream()
    server = await scene.proxy(
        upstream, trusted_proxies=["127.0.0.0/8"], read_settings=lambda: scene.settings(upstream)
    )
    client = await scene.client()
    await client.get(X_Forwarded_For="6.6.6.6")
    server.reread()
    await client.get(X_Forwarded_For="6.6.6.6")
    assert [request["x-forwarded-for"] for request in upstream.requests] == ["6.6.6.6, 127.0.0.1", "127.0.0.1"]
