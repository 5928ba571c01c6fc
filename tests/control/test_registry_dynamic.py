"""Routes that are added and removed while the proxy runs."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.control.document import Document
from dockerproxy.control.overrides.operator import Operator
from dockerproxy.errors import InvalidInput, RouteExists, RouteNotRemovable, StoreError, UnknownRoute
from dockerproxy.routing.route import Domain, Source
from dockerproxy.settings import RouteSettings

from .conftest import Stage
from .making import Scene, one, route_settings, settings

GO_ROUTE = json.loads(
    '{"name": "news", "domain": {"subDomain": "news", "domain": "localhost", "port": "8888"}, "proxyEnable": true,'
    ' "proxyServers": [{"name": "docker 1 - ok", "url": "http://localhost:2368"}]}'
)


async def test_an_added_route_is_live_and_on_disk_when_add_returns(scene: Scene) -> None:
    route = await scene.registry.add(RouteSettings.model_validate(GO_ROUTE))

    assert route.source is Source.DYNAMIC
    assert route.domains == (Domain("news.localhost", 8888),)
    assert scene.answers("news.localhost:8888") == "news"
    document = json.loads((scene.store.folder / "routes.json").read_text())
    assert [entry["name"] for entry in document["routes"]] == ["news"]
    assert document["routes"][0]["upstreams"] == [{"name": "docker 1 - ok", "url": "http://localhost:2368"}]


async def test_added_routes_survive_a_restart_until_they_are_removed(tmp_path: Path) -> None:
    first = Scene(tmp_path)
    first.registry.start()
    await first.registry.add(route_settings("a", host="a.localhost", hold="3s"))
    await first.registry.add(route_settings("b", host="b.localhost"))
    await first.registry.remove("b")
    first.registry.close()

    second = Scene(tmp_path)
    second.registry.start()
    assert second.names() == ["a"]
    assert second.route("a") == first.route("a")
    second.registry.close()


async def test_options_of_a_dynamic_route_follow_the_settings(scene: Scene) -> None:
    await scene.registry.add(route_settings("a", host="a.localhost", hold="3s"))
    scene.registry.reload(settings(hold="7s", max_attempts=4))

    assert scene.route("a").options.hold == 3.0
    assert scene.route("a").options.max_attempts == 4


async def test_a_taken_name_is_refused_whoever_has_it(stage: Stage) -> None:
    scene = stage(routes=[{"name": "fixed", "host": "fixed.localhost", "upstreams": [{"url": "http://127.0.0.1:1"}]}])
    scene.see(one("blog-1", 1, "blog"))
    await scene.registry.add(route_settings("mine", host="mine.localhost"))

    for name, source in (("fixed", "static"), ("blog", "docker"), ("mine", "dynamic"), ("dockerproxy-add", "static")):
        with pytest.raises(RouteExists, match=rf"'{name}' \({source}\)"):
            await scene.registry.add(route_settings(name, host="new.localhost"))


@pytest.mark.parametrize("host", ["root.localhost", "root.localhost:8888", "page.root.localhost"])
async def test_the_domain_of_the_admin_handlers_is_refused(scene: Scene, host: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await scene.registry.add(route_settings("mine", host=host))
    (problem,) = caught.value.problems
    assert problem.where == "host"
    assert problem.message.startswith(f"{host}: it belongs to the admin handlers (admin_host is root.localhost)")
    assert problem.message.endswith("; choose another domain")


async def test_the_name_of_a_route_that_only_lingers_is_free(scene: Scene) -> None:
    scene.see(one("blog-1", 1, "blog"))
    scene.see()
    await scene.registry.add(route_settings("blog", host="blog.localhost"))

    assert scene.route("blog").source is Source.DYNAMIC
    scene.clock.move(1000)
    assert scene.names() == ["blog"]


async def test_a_taken_place_is_refused_and_nothing_is_written(stage: Stage) -> None:
    scene = stage(routes=[{"name": "fixed", "host": "x.localhost", "upstreams": [{"url": "http://127.0.0.1:1"}]}])
    scene.see(one("y-1", 1, "y"))

    with pytest.raises(RouteExists, match=r"x\.localhost /\* is answered by route 'fixed' \(static\)"):
        await scene.registry.add(route_settings("new", host="x.localhost,y.localhost"))
    await scene.registry.add(route_settings("all"))
    with pytest.raises(RouteExists, match="every domain"):
        await scene.registry.add(route_settings("all too"))
    assert scene.names() == ["fixed", "all", "y"]


async def test_a_partly_taken_place_is_used_where_it_is_free(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    scene = stage(routes=[{"name": "fixed", "host": "x.localhost", "upstreams": [{"url": "http://127.0.0.1:1"}]}])
    route = await scene.registry.add(route_settings("new", host="x.localhost,free.localhost"))

    assert route.domains == (Domain("free.localhost"),)
    assert "new: x.localhost /* is answered by route fixed (static)" in caplog.messages


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"upstreams": []}, "upstreams"),
        ({"upstreams": [], "handler": "os:system"}, "handler"),
        ({"proxyEnable": False}, "proxy_enable"),
        ({"domain": {"domain": "x.localhost", "errorHandler": "os:system"}}, "domain.error_handler"),
        ({"domain": {"domain": "x.localhost", "notFoundHandle": "os:system"}}, "domain.not_found_handler"),
    ],
)
async def test_only_proxy_routes_can_be_added(scene: Scene, values: dict[str, object], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await scene.registry.add(route_settings("new", **values))

    assert [problem.where for problem in caught.value.problems] == [where]
    assert not (scene.store.folder / "routes.json").exists()


async def test_removing_says_why_it_cannot(stage: Stage) -> None:
    scene = stage(
        routes=[
            {"name": "fixed", "host": "x.localhost", "upstreams": [{"url": "http://127.0.0.1:1"}]},
            {"name": "hello", "host": "h.localhost", "handler": "examples.pages:hello"},
        ]
    )
    scene.see(one("blog-1", 1, "blog"))
    await scene.registry.add(route_settings("newspaper", host="n.localhost"))

    reasons = {
        "fixed": "static: edit the settings file",
        "hello": "answered by a handler",
        "blog": "stop its containers, or change their labels",
        "dockerproxy-statistics": "built-in",
    }
    for name, reason in reasons.items():
        with pytest.raises(RouteNotRemovable, match=reason):
            await scene.registry.remove(name)
    with pytest.raises(UnknownRoute, match="no route named 'newspaperr'; did you mean 'newspaper'"):
        await scene.registry.remove("newspaperr")
    with pytest.raises(UnknownRoute, match="named 'quite else'"):
        await scene.registry.remove("quite else")


async def test_a_container_may_join_a_dynamic_route_and_keeps_it_when_the_route_is_removed(scene: Scene) -> None:
    await scene.registry.add(route_settings("blog", host="news.localhost"))
    scene.see(one("blog-1", 1, "blog"))
    assert scene.upstreams("blog") == ["http://127.0.0.1:9", "blog-1"]

    await scene.registry.remove("blog")
    assert scene.upstreams("blog") == ["blog-1"]
    assert scene.answers("blog.localhost") == "blog"
    assert scene.answers("news.localhost") == "unknown_host"


async def test_a_dynamic_route_comes_before_a_docker_one_after_a_restart(scene: Scene) -> None:
    await scene.registry.add(route_settings("mine", host="x.localhost"))
    scene.see(one("theirs", 1, "theirs", host="x.localhost"))

    assert scene.answers("x.localhost") == "mine"
    assert "answered by the dynamic route mine" in scene.reasons("theirs")


async def test_a_static_route_of_the_same_name_or_place_wins_over_a_dynamic_one(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.registry.add(route_settings("a", host="a.localhost"))
    await scene.registry.add(route_settings("b", host="b.localhost"))
    caplog.clear()
    static = [
        {"name": "a", "host": "other.localhost", "upstreams": [{"url": "http://127.0.0.1:1"}]},
        {"name": "c", "host": "b.localhost", "upstreams": [{"url": "http://127.0.0.1:1"}]},
    ]
    scene.registry.reload(settings(routes=static))

    assert scene.names() == ["a", "c"]
    assert "a: the dynamic route is not used, a static one has this name; remove one of them" in caplog.messages
    assert "b: b.localhost /* is answered by route c (static)" in caplog.messages
    with pytest.raises(RouteExists, match="already a dynamic route named 'b', which is not used"):
        await scene.registry.add(route_settings("b", host="free.localhost"))
    await scene.registry.remove("a")
    assert scene.names() == ["a", "c"]
    scene.registry.reload(settings())
    assert scene.names() == ["b"]


async def test_a_disk_that_fails_changes_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.registry.add(route_settings("a", host="a.localhost"))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match=r"No space left on device.*DOCKERPROXY_STATE_DIR"):
        await scene.registry.add(route_settings("b", host="b.localhost"))
    with pytest.raises(StoreError):
        await scene.registry.remove("a")
    assert scene.names() == ["a"]
    assert sorted(path.name for path in scene.store.folder.iterdir()) == ["lock", "routes.json"]


@pytest.mark.parametrize("document", ["routes.json", "overrides.json"])
async def test_a_removal_that_fails_half_way_loses_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, document: str
) -> None:
    await scene.registry.add(route_settings("a", host="a.localhost"))
    await Operator(scene.registry).maintain("a", "closed")
    replace = Document.replace

    def full(self: Document[Any], content: bytes) -> None:
        if self.file.name == document:
            raise OSError(28, "No space left on device")
        replace(self, content)

    monkeypatch.setattr(Document, "replace", full)
    with pytest.raises(StoreError):
        await scene.registry.remove("a")
    monkeypatch.undo()
    scene.registry.close()
    again = Scene(scene.store.folder)
    again.registry.start()
    assert (again.names(), again.route("a").maintenance) == (["a"], "closed")
    again.registry.close()


async def test_what_docker_says_while_the_disk_is_busy_is_not_lost(scene: Scene) -> None:
    adding = scene.registry.add(route_settings("a", host="a.localhost"))
    # Run the coroutine up to its first wait, the disk, and let a snapshot come in there.
    adding.send(None)
    scene.see(one("blog-1", 1, "blog"))
    adding.close()
    await scene.registry.add(route_settings("b", host="b.localhost"))

    assert scene.names() == ["b", "blog"]


async def test_dynamic_routes_are_told_of_in_the_log(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dockerproxy.control")
    await scene.registry.add(route_settings("shop", host="shop.localhost"))
    await scene.registry.remove("shop")

    assert caplog.messages == [
        "shop: new route at shop.localhost",
        "shop: http://127.0.0.1:9 joined (127.0.0.1:9), 1 upstream",
        "shop: route removed",
    ]
