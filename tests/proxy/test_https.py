"""What makes clients use https: the redirect, and Strict-Transport-Security."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.certificate import Authority
from ..support.client import Answer, Client
from ..support.scene import Scene
from ..support.tls_client import TlsClient
from ..support.upstreams import Conversation
from .test_restrictions import change

SECURE = {"x_forwarded_proto": "https"}


def behind_a_balancer(**values: Any) -> dict[str, Any]:
    """Settings of a proxy whose clients' TLS ends before it."""
    return {"trusted_proxies": "127.0.0.1", **values}


async def test_plain_http_is_sent_to_https(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), https="redirect")
    answer = await scene.get("/a%20b?c=d", host="Blog.localhost:8888")
    assert (answer.status, answer["location"]) == (308, "https://Blog.localhost/a%20b?c=d")
    assert answer["cache-control"] == "no-store"
    assert (scene.route().errors_shown, scene.route().answers[3]) == (0, 1)
    assert scene.upstreams[0].conversations == []


async def test_the_redirect_names_the_port_of_the_first_https_address(scene: Scene, authority: Authority) -> None:
    certificates = [authority.entry("localhost")]
    listen = ["127.0.0.1:0", "https://127.0.0.1:0"]
    await scene.proxy(await scene.upstream(), https="redirect", listen=listen, tls={"certificates": certificates})
    answer = await scene.get(host="localhost:80")
    port = scene.server.addresses[1].port
    assert answer["location"] == f"https://localhost:{port}/"
    client = await TlsClient.shake(port, authority.trusting())
    assert (await client.get()).body == b"a"
    client.close()


async def test_the_redirect_names_the_public_port_where_it_is_another(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), https="redirect", tls={"public_port": 8443})
    assert (await scene.get(host="a.example"))["location"] == "https://a.example:8443/"
    assert (await scene.get(host="[::1]:80"))["location"] == "https://[::1]:8443/"
    assert (await scene.get(host="[::1]"))["location"] == "https://[::1]:8443/"


async def test_a_request_keeps_its_method_and_the_connection_goes_on(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), https="redirect")
    client = await scene.client()
    await client.ask("POST", "/form", body=b"x" * 1000)
    assert (await client.answer()).status == 308
    assert (await client.get()).status == 308


async def test_what_issues_certificates_is_answered_over_plain_http(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), https="redirect")
    assert (await scene.get("/.well-known/acme-challenge/token")).body == b"a"
    assert (await scene.get("/.well-known/acme")).status == 308


async def test_a_request_without_a_host_cannot_be_redirected(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), https="redirect")
    client = await scene.client()
    await client.ask(version="1.0", host="")
    answer = await client.answer()
    assert answer.status == 400
    assert "over https only" in answer.text


async def test_a_client_over_https_at_a_trusted_proxy_is_not_redirected(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), **behind_a_balancer(https="redirect"))
    assert (await scene.get(**SECURE)).body == b"a"
    assert (await scene.get(x_forwarded_proto="http")).status == 308


async def test_nobody_else_can_claim_to_speak_https(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), https="redirect")
    assert (await scene.get(**SECURE)).status == 308


async def test_the_redirect_goes_before_maintenance_and_the_pause(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), **behind_a_balancer(https="redirect"))
    change(scene, maintenance="Back at ten.", paused=True)
    assert (await scene.get()).status == 308
    answer = await scene.get(**SECURE)
    assert (answer.status, "Back at ten." in answer.text) == (503, True)


@pytest.mark.parametrize("own", [{}, {"strict_transport_security": "max-age=1; includeSubDomains"}])
async def test_answers_over_https_say_for_how_long_once(scene: Scene, own: dict[str, str]) -> None:
    async def answer(conversation: Conversation) -> None:
        while True:
            await conversation.request()
            conversation.answer(b"a", **own)

    await scene.proxy(await scene.upstream(answer), **behind_a_balancer(hsts_max_age="365d"))
    assert (await scene.get(**SECURE)).all("strict-transport-security") == ["max-age=31536000"]
    plain: Answer = await scene.get()
    assert plain.all("strict-transport-security") == list(own.values())


@pytest.mark.parametrize("page", [None, "tests.proxy.error_pages:page", "tests.proxy.error_pages:gone"])
async def test_error_pages_over_https_say_it_too(scene: Scene, page: str | None) -> None:
    options = {"hsts_max_age": "365d", "max_attempts": 1, "error_handler": page}
    await scene.proxy("http://127.0.0.1:1", **behind_a_balancer(**options))
    answer = await scene.get(**SECURE)
    assert (answer.status, answer.all("strict-transport-security")) == (502, ["max-age=31536000"])
    assert "strict-transport-security" not in await scene.get()


async def test_an_error_page_that_routes_share_says_what_is_so_for_each(scene: Scene) -> None:
    nowhere = {"upstreams": [{"url": "http://127.0.0.1:1"}]}
    routes = [
        {"name": "strict", "host": "strict.localhost", "hsts_max_age": "1h", **nowhere},
        {"name": "lax", "host": "lax.localhost", **nowhere},
    ]
    page = "tests.proxy.error_pages:page"
    await scene.proxy(routes=routes, **behind_a_balancer(max_attempts=1, error_handler=page))
    assert (await scene.get(host="strict.localhost", **SECURE))["strict-transport-security"] == "max-age=3600"
    assert "strict-transport-security" not in await scene.get(host="lax.localhost", **SECURE)


@pytest.mark.parametrize("middlewares", ["none", "security_headers"])
async def test_maintenance_says_it_once(scene: Scene, middlewares: str) -> None:
    await scene.proxy(await scene.upstream(), **behind_a_balancer(hsts_max_age="1h", middlewares=middlewares))
    change(scene, maintenance="Back at ten.")
    assert (await scene.get(**SECURE)).all("strict-transport-security") == ["max-age=3600"]


async def test_an_error_behind_middlewares_says_it_once(scene: Scene) -> None:
    options = {"hsts_max_age": "1h", "middlewares": "security_headers", "max_attempts": 1}
    await scene.proxy("http://127.0.0.1:1", **behind_a_balancer(**options))
    assert (await scene.get(**SECURE)).all("strict-transport-security") == ["max-age=3600"]


async def test_without_the_option_an_answer_keeps_what_it_says(scene: Scene) -> None:
    async def answer(conversation: Conversation) -> None:
        await conversation.request()
        conversation.answer(b"a", strict_transport_security="max-age=1")

    await scene.proxy(await scene.upstream(answer), **behind_a_balancer())
    assert (await scene.get(**SECURE))["strict-transport-security"] == "max-age=1"


async def test_zero_ends_it(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), **behind_a_balancer(hsts_max_age=0))
    assert (await scene.get(**SECURE))["strict-transport-security"] == "max-age=0"


async def test_a_handler_s_error_page_does_not_hide_the_redirect(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), https="redirect", error_handler="tests.proxy.error_pages:page")
    client: Client = await scene.client()
    assert "location" in await client.get()


async def test_health_is_told_over_plain_http_whatever_the_routes_redirect(scene: Scene) -> None:
    await scene.proxy(await scene.upstream(), https="redirect")
    assert (await scene.get("/health", host="root.localhost")).status == 200
    assert (await scene.get("/statistics", host="root.localhost")).status == 308
