"""POST /add and /remove, GET /health, and who may call them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.routing.route import Domain, Route, Source, Upstream
from dockerproxy.web.access.permission import is_loopback
from dockerproxy.web.admin import open_admin_routes

from .conftest import Build
from .making import House

ADD, REMOVE, HEALTH, STATISTICS = (f"dockerproxy-{name}" for name in ("add", "remove", "health", "statistics"))
TOKEN = "correct horse battery"
GO_ROUTE = (
    b'{"name": "news", "domain": {"subDomain": "news", "domain": "localhost", "port": "8888"}, "proxyEnable": true,'
    b' "proxyServers": [{"name": "docker 1 - ok", "url": "http://localhost:2368"}]}'
)


def new(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "host": f"{name}.localhost", "upstreams": [{"url": "http://10.0.0.9:9"}], **values}


async def test_the_json_of_the_go_project_is_added_unchanged(build: Build) -> None:
    house = build()
    answer = await house.call(ADD, "POST", "/add", GO_ROUTE, Content_Type="application/x-www-form-urlencoded")

    assert answer.status == 201
    assert answer.json == {
        "name": "news",
        "domain": {"sub_domain": "news", "domain": "localhost", "port": 8888},
        "proxy_enable": True,
        "upstreams": [{"name": "docker 1 - ok", "url": "http://localhost:2368"}],
    }
    found = house.registry.table.match("news.localhost:8888", "GET", "/")
    assert isinstance(found, Route)
    assert found.name == "news"


async def test_a_name_that_is_taken_is_a_conflict(build: Build) -> None:
    house = build()
    await house.call(ADD, "POST", "/add", new("a"))
    answer = await house.call(ADD, "POST", "/add", new("a", host="other.localhost"))

    assert answer.status == 409
    assert "already a route named 'a'" in answer.json["error"]


async def test_all_that_is_wrong_is_told_with_the_path_of_each_field(build: Build) -> None:
    house = build()
    wrong = {"name": "a", "hosst": "x", "domain": {"domain": "no spaces here"}, "upstreams": [{"url": "ftp://x"}]}
    answer = await house.call(ADD, "POST", "/add", wrong)

    assert answer.status == 422
    problems = {problem["where"]: problem["message"] for problem in answer.json["problems"]}
    assert problems.keys() == {"hosst", "domain", "upstreams[0].url"}
    assert problems["hosst"] == "unknown key; did you mean 'host'?"
    assert "write for example http://localhost:2368" in problems["upstreams[0].url"]
    assert "hosst" in answer.json["error"]


@pytest.mark.parametrize(
    ("where", "absurd"),
    [
        ("path.regex", {"path": {"regex": "(" * 3000 + ")" * 3000}}),
        ("path.regex", {"path": {"regex": "a{99999999999999999999}"}}),
        ("max_body", {"max_body": "9" * 400}),
        ("max_body", {"max_body": 10**400}),
        ("hold", {"hold": 10**400}),
    ],
    ids=["nested", "repeated", "size", "size as a number", "duration"],
)
async def test_an_absurd_value_is_told_as_any_other_wrong_one(
    build: Build, where: str, absurd: dict[str, object]
) -> None:
    answer = await build().call(ADD, "POST", "/add", {**new("a"), **absurd})

    assert answer.status == 422
    assert [problem["where"] for problem in answer.json["problems"]] == [where]


async def test_what_is_valid_but_no_proxy_route_is_unprocessable_too(build: Build) -> None:
    house = build()
    answer = await house.call(ADD, "POST", "/add", {"name": "a", "handler": "os:system"})

    assert answer.status == 422
    assert [problem["where"] for problem in answer.json["problems"]] == ["handler"]


async def test_a_route_that_names_a_file_of_this_machine_is_unprocessable(build: Build) -> None:
    files = {"tls_ca": "/etc/shadow", "tls_cert": "/etc/passwd", "tls_key": "/etc/hosts"}
    answer = await build().call(ADD, "POST", "/add", new("a", **files))

    assert answer.status == 422
    assert {problem["where"] for problem in answer.json["problems"]} == files.keys()
    assert "it can only be set in the settings file" in answer.json["error"]


@pytest.mark.parametrize(
    "body",
    [b"", b"name=a", b"\xff", b"[1]", b"3", b"[" * 100_000, b'{"name": ' + b"[" * 500 + b"]" * 500 + b"}",
     b'{"name": "\\ud800"}', b'{"name": "a", "\\udfff": 1}', b'{"name": "a", "name": "b"}'],
    ids=["empty", "form", "bytes", "list", "number", "endless", "nested", "half a character", "half of a key",
         "twice"],
)  # fmt: skip
@pytest.mark.parametrize("route", [ADD, REMOVE])
async def test_what_is_no_json_object_is_a_bad_request(build: Build, route: str, body: bytes) -> None:
    answer = await build().call(route, "POST", "/", body)

    assert answer.status == 400
    assert "JSON" in answer.json["error"]


async def test_a_large_body_with_a_key_that_is_there_twice_holds_up_nobody(build: Build) -> None:
    """Looking for the key by comparing each with each would take minutes."""
    pairs = ", ".join(f'"k{number}": 1' for number in range(60_000))
    answer = await build().call(ADD, "POST", "/", f'{{{pairs}, "k59999": 2}}'.encode())
    assert (answer.status, "'k59999' is given a second time" in answer.json["error"]) == (400, True)


async def test_a_body_beyond_all_measure_is_too_large(build: Build) -> None:
    answer = await build().call(ADD, "POST", "/add", b" " * 2_000_000)
    assert answer.status == 413


async def test_a_removed_route_is_gone_when_the_answer_comes(build: Build) -> None:
    house = build()
    await house.call(ADD, "POST", "/add", new("a"))
    answer = await house.call(REMOVE, "POST", "/remove", {"name": "a"})

    assert (answer.status, answer.json) == (200, {"removed": "a"})
    assert house.registry.route("a") is None
    assert (await house.call(REMOVE, "POST", "/remove", {"name": "a"})).status == 404


async def test_what_cannot_be_removed_is_a_conflict_with_the_reason(build: Build) -> None:
    house = build(routes=[new("fixed")])
    upstream = Upstream("blog-1", "http://10.0.0.1:80", source=Source.DOCKER, container="id")
    wish = RouteWish("blog", upstream, Domain("blog.localhost"))
    house.registry.snapshot(Snapshot("docker", (ContainerView("id", "blog-1", 1.0, "running", (wish,)),)))

    for name, reason in (("fixed", "edit the settings file"), ("blog", "stop its containers"), (ADD, "built-in")):
        answer = await house.call(REMOVE, "POST", "/remove", {"name": name})
        assert answer.status == 409
        assert reason in answer.json["error"]


@pytest.mark.parametrize("body", [{}, {"name": 3}, {"name": "a", "force": True}])
async def test_removing_takes_a_name_and_nothing_else(build: Build, body: dict[str, Any]) -> None:
    house = build()
    await house.call(ADD, "POST", "/add", new("a"))
    answer = await house.call(REMOVE, "POST", "/remove", body)

    assert answer.status == 422
    assert answer.json["problems"]
    assert house.registry.route("a") is not None


async def test_a_disk_that_fails_is_told_and_nothing_is_added(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    house = build()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    answer = await house.call(ADD, "POST", "/add", new("a"))

    assert answer.status == 507
    assert "No space left on device" in answer.json["error"]
    assert house.registry.route("a") is None


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
async def test_without_a_token_this_machine_may_call(build: Build, remote: str) -> None:
    assert (await build().call(STATISTICS, remote=remote)).status == 200


@pytest.mark.parametrize("remote", ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "", "localhost"])
@pytest.mark.parametrize("route", [ADD, REMOVE, STATISTICS])
async def test_without_a_token_nobody_else_may_call(build: Build, route: str, remote: str) -> None:
    answer = await build().call(route, "POST", "/", new("a"), remote=remote)

    assert answer.status == 403
    assert "set admin_token (DOCKERPROXY_ADMIN_TOKEN)" in answer.text


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://site.localhost:1", "http://site.localhost", "http://[", "http://a]b"],
)
async def test_a_page_of_another_site_cannot_make_the_browser_add_a_route(build: Build, origin: str) -> None:
    house = build()
    answer = await house.call(ADD, "POST", "/add", new("a"), Origin=origin)

    assert answer.status == 403
    assert origin in answer.text
    assert house.registry.route("a") is None


@pytest.mark.parametrize("access", ["loopback", "open"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_of_another_site_cannot_do_so_without_an_origin_either(
    build: Build, access: str, site: str
) -> None:
    house = build(admin_access=access)
    assert (await house.call(ADD, "POST", "/add", new("a"), Sec_Fetch_Site=site)).status == 403
    assert house.registry.route("a") is None
    assert (await house.call(ADD, "POST", "/add", new("a"), Sec_Fetch_Site="same-origin")).status == 201


async def test_a_page_of_the_same_place_may_add_a_route(build: Build) -> None:
    answer = await build().call(ADD, "POST", "/add", new("a"), Origin="http://site.localhost:8888")
    assert answer.status == 201


async def test_with_a_token_it_is_asked_of_everybody(build: Build) -> None:
    house = build(admin_token=TOKEN)
    for remote in ("127.0.0.1", "10.0.0.1"):
        answer = await house.call(STATISTICS, remote=remote)
        assert answer.status == 401
        assert answer.fields["www-authenticate"].startswith("Bearer")
        answer = await house.call(STATISTICS, remote=remote, Authorization=f"Bearer {TOKEN}")
        assert answer.status == 200


@pytest.mark.parametrize(
    "given", [f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer wrong", f"Bearer {TOKEN}x", "Bearer \udcff\udcfe", "Bearer é"]
)
async def test_a_wrong_token_is_refused(build: Build, given: str) -> None:
    house = build(admin_token=TOKEN)
    assert (await house.call(ADD, "POST", "/add", new("a"), Authorization=given)).status == 401
    assert house.registry.route("a") is None


async def test_a_token_that_is_asked_for_but_not_set_admits_nobody(build: Build) -> None:
    house = build(admin_access="token")
    answer = await house.call(STATISTICS, Authorization="Bearer ")
    message = "This handler needs a token, but none is set: set admin_token (DOCKERPROXY_ADMIN_TOKEN).\n"
    assert (answer.status, answer.text) == (403, message)


async def test_admin_handlers_may_be_opened_and_the_log_says_so(build: Build) -> None:
    house = build(admin_access="open")

    assert (await house.call(STATISTICS, remote="10.0.0.1")).status == 200
    count = len(house.registry.routes) - 1  # health tells nothing
    assert open_admin_routes(house.registry) == [
        f"admin_access is open: everybody may call the {count} admin handlers at root.localhost"
    ]


async def test_an_admin_handler_that_is_open_elsewhere_is_told_by_its_name(build: Build) -> None:
    handler = "dockerproxy.web.statistics:statistics"
    house = build(routes=[{"name": "open", "host": "open.localhost", "handler": handler, "access": "open"}])
    assert open_admin_routes(house.registry) == [f"open: {handler} at open.localhost /* is open to everybody"]


async def test_a_route_says_for_itself_who_may_call_its_admin_handler(build: Build) -> None:
    handler = "dockerproxy.web.statistics:statistics"
    house = build(
        admin_token=TOKEN,
        routes=[
            {"name": "near", "host": "near.localhost", "handler": handler, "access": "loopback"},
            {"name": "open", "host": "open.localhost", "handler": handler, "access": "open"},
            {"name": "default", "handler": handler},
        ],
    )

    assert (await house.call("near")).status == 200
    assert (await house.call("near", remote="10.0.0.1")).status == 403
    assert (await house.call("open", remote="10.0.0.1")).status == 200
    assert (await house.call("default")).status == 401
    lines = [line.split(":")[0] for line in open_admin_routes(house.registry)]
    assert lines == ["open"]


async def test_access_is_kept_for_any_handler_whose_route_asks_for_it(build: Build) -> None:
    async def secret(_request: web.Request) -> web.Response:
        return web.Response(text="secret")

    app = web.Application()
    app.router.add_get("/", secret)
    house = build(
        admin_token=TOKEN,
        python_routes=[
            Route("function", (Domain("f.localhost"),), target=secret, access="token"),
            Route("application", (Domain("a.localhost"),), target=app, access="loopback"),
            Route("public", (Domain("p.localhost"),), target=secret),
        ],
    )

    assert (await house.call("function")).status == 401
    assert (await house.call("function", Authorization=f"Bearer {TOKEN}")).text == "secret"
    assert (await house.call("application", remote="10.0.0.1")).status == 403
    assert (await house.call("application")).text == "secret"
    assert (await house.call("public", remote="10.0.0.1")).text == "secret"


async def test_a_reload_changes_who_may_call(build: Build) -> None:
    house: House = build()
    assert (await house.call(STATISTICS, remote="10.0.0.1")).status == 403
    house.registry.reload(build(admin_token=TOKEN).registry.settings)

    answer = await house.call(STATISTICS, remote="10.0.0.1", Authorization=f"Bearer {TOKEN}")
    assert answer.status == 200


async def test_health_tells_anybody_that_the_proxy_serves(build: Build) -> None:
    answer = await build(admin_token=TOKEN).call(HEALTH, target="/health", remote="10.0.0.1")

    assert answer.status == 200
    assert json.loads(answer.text) == {"status": "ok"}


def test_only_addresses_of_this_machine_are_loopback() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("127.0.0.1.example.com")
    assert not is_loopback("")
