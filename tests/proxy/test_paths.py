"""Paths that are written another way, from the client's bytes to what the application is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from dockerproxy.routing.route import Domain, PathRule, Route
from dockerproxy.settings import RouteOptions
from dockerproxy.web import path_of

from ..support.scene import Scene
from ..support.upstreams import Upstream
from .test_gate import CallNext

HOST = "test"


async def password(request: web.Request, call_next: CallNext) -> web.StreamResponse:
    if "Authorization" not in request.headers:
        raise web.HTTPUnauthorized
    return await call_next(request)


def entry(name: str, upstream: Upstream, **more: Any) -> dict[str, Any]:
    return {"name": name, "host": HOST, "upstreams": [upstream.url], **more}


async def site(scene: Scene, *entries: dict[str, Any], **settings: Any) -> None:
    await scene.proxy(routes=entries, given={"password": password}, **settings)


async def status(scene: Scene, target: str, **fields: str) -> int:
    return (await scene.get(target, **fields)).status


@pytest.mark.parametrize("target", ["/admin", "/%61dmin", "/admi%6e/users", "//admin/", "/./admin/", "/x/../admin/?q"])
async def test_no_spelling_of_a_guarded_path_reaches_the_application(scene: Scene, target: str) -> None:
    upstream = await scene.upstream()
    await site(scene, entry("site", upstream), entry("admin", upstream, path="/admin", middlewares="password"))
    assert await status(scene, target) == 401
    assert upstream.requests == []

    assert await status(scene, target, Authorization="it is me") == 200
    assert upstream.requests[0].target == target  # as it was sent


@pytest.mark.parametrize("target", ["/public/../admin/", "/public/%2e%2e/", "/x/../public"])
async def test_an_open_path_is_no_way_into_a_guarded_site(scene: Scene, target: str) -> None:
    upstream = await scene.upstream()
    await site(scene, entry("site", upstream, middlewares="password"), entry("public", upstream, path="/public"))
    assert (await status(scene, "/public/x"), await status(scene, target)) == (200, 401)


@pytest.mark.parametrize(
    "target", ["/admin%2F", "/foo%2f..%2fadmin/", "/admin\\", "/x/..;/admin", "http://test/%2fadmin"]
)
async def test_what_might_be_a_slash_is_400_where_it_would_lead_elsewhere(scene: Scene, target: str) -> None:
    upstream = await scene.upstream()
    await site(scene, entry("site", upstream), entry("admin", upstream, path="/admin", middlewares="password"))
    answer = await scene.get(target)
    assert (answer.status, answer["x-dockerproxy-reason"]) == (400, "ambiguous_path")
    assert upstream.requests == []
    assert await status(scene, "/group%2Fproject") == 200


async def test_an_upstream_that_asks_for_it_sees_the_normalised_path(scene: Scene) -> None:
    upstream = await scene.upstream()
    await site(scene, entry("site", upstream, normalise_paths=True))
    for target in ("/x/../%61//b%2fc%c3%a9?q=/../%61", "/plain", "/a;b=1/%40"):
        await scene.get(target)
    sent = [request.target for request in upstream.requests]
    assert sent == ["/a/b%2Fc%C3%A9?q=/../%61", "/plain", "/a;b=1/%40"]


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        ("/api", "/"),
        ("/api?q", "/?q"),
        ("/api/x%2dy//z?q=%61", "/x%2dy//z?q=%61"),
        ("/%61pi/x%2dy", "/x-y"),
        ("//api/x", "/x"),
        ("/x/../api/y", "/y"),
        ("/api/../api/y", "/y"),
        ("/api/a/%2e%2e/b", "/b"),
    ],
)
async def test_a_prefix_is_cut_off_however_it_is_written(scene: Scene, target: str, seen: str) -> None:
    upstream = await scene.upstream()
    await site(scene, entry("api", upstream, path="/api", strip_prefix=True))
    assert await status(scene, target) == 200
    (request,) = upstream.requests
    assert (request.target, request["x-forwarded-prefix"]) == (seen, "/api")


@pytest.mark.parametrize(
    ("target", "seen"), [("/../x", "/base/x"), ("/a/%2e%2e/%2e%2e/x", "/base/x"), ("/a%20b//c", "/base/a%20b//c")]
)
async def test_no_path_leads_out_of_the_base_path_of_an_upstream(scene: Scene, target: str, seen: str) -> None:
    upstream = await scene.upstream()
    await scene.proxy(f"{upstream.url}/base")
    assert await status(scene, target) == 200
    assert await status(scene, "/..%2fx") == 400
    assert [request.target for request in upstream.requests] == [seen]


async def test_a_route_under_maintenance_is_so_in_every_spelling(scene: Scene) -> None:
    upstream = await scene.upstream()
    closed = Route("shop", HOST, "/shop", upstreams=[upstream.url], maintenance="closed")
    await scene.proxy(routes=[entry("site", upstream)], python_routes=[closed])
    for target in ("/shop", "/%73hop/x", "//shop", "/a/../shop"):
        assert await status(scene, target) == 503, target


async def test_only_a_challenge_is_answered_over_plain_http_where_https_is_asked_for(scene: Scene) -> None:
    upstream = await scene.upstream()
    await scene.proxy(upstream, https="redirect", trusted_proxies="127.0.0.1")
    challenge = "/.well-known/acme-challenge/"
    assert await status(scene, f"{challenge}a-Token_1?x") == 200
    for behind in ("../../admin", "%2e%2e/x", "..%2fadmin", "a/../../x", "a;x", "a/b"):
        assert await status(scene, challenge + behind) == 308, behind


async def test_a_handler_gets_the_groups_of_the_path_that_was_matched(scene: Scene) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.json_response(dict(request.match_info))

    route = Route("page", (Domain(HOST),), PathRule.regex("^/p/(?P<name>[^/]+)$"), handler=page)
    await scene.proxy(python_routes=[route])
    for target in ("/p/a%20b", "/%70/a%20b", "//p/x/../a%20b"):
        assert json.loads((await scene.get(target)).body) == {"name": "a b"}, target


async def test_a_middleware_of_ones_own_can_judge_by_the_path_as_it_is_read(scene: Scene) -> None:
    seen = []

    async def judge(request: web.Request, call_next: CallNext) -> web.StreamResponse:
        seen.append(path_of(request))
        return await call_next(request)

    upstream = await scene.upstream()
    await scene.proxy(upstream, middlewares="judge", given={"judge": judge})
    for target in ("/x/..//%61dmin?q=/../", "/a%20b", "/plain"):
        await scene.get(target)
    assert seen == ["/admin", "/a%20b", "/plain"]


async def test_what_goes_over_the_gate_is_what_the_client_sent(scene: Scene) -> None:
    upstream = await scene.upstream()
    options = RouteOptions(middlewares=("password",), normalise_paths=False)
    route = Route("site", HOST, upstreams=[upstream.url], options=options)
    await scene.proxy(python_routes=[route], given={"password": password})
    await scene.get("/a/../%61//b", Authorization="x")
    assert upstream.requests[0].target == "/a/../%61//b"
