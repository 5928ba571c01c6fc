"""What dynamic routes may lead to: nothing of this machine and its link, unless a setting says so."""

from __future__ import annotations

import logging

import pytest
import yaml

from dockerproxy.errors import InvalidInput
from tests.control.conftest import Stage
from tests.control.making import Scene, route_settings

METADATA = "http://169.254.169.254/latest"
LOOPBACK = "http://127.0.0.1:9000"
REMOTE = {"admin_access": "token", "admin_token": "12345678"}


async def added(scene: Scene, *urls: str) -> list[str]:
    """The names of the problems, none where the route was added."""
    try:
        await scene.registry.add(route_settings("new", host="new.localhost", upstreams=[{"url": url} for url in urls]))
    except InvalidInput as error:
        assert scene.registry.route("new") is None
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize("access", [REMOTE, {"admin_access": "open"}])
@pytest.mark.parametrize("url", [LOOPBACK, "http://localhost:9000", "https://[::1]", "http://0/", METADATA])
async def test_whoever_is_elsewhere_leads_nobody_to_this_machine(
    stage: Stage, access: dict[str, str], url: str
) -> None:
    (problem,) = await added(stage(**access), "http://10.0.0.1", url)
    assert problem.startswith("upstreams[1].url: ")
    assert "add it to the setting local_upstreams" in problem


@pytest.mark.parametrize("url", [METADATA, "http://[fe80::1]", "http://[fd00:ec2::254]", "http://2852039166"])
async def test_nobody_leads_anybody_to_the_link_or_to_metadata(scene: Scene, url: str) -> None:
    (problem,) = await added(scene, url)
    assert "a link-local address" in problem or "a cloud tells a machine its secrets" in problem


@pytest.mark.parametrize("url", [LOOPBACK, METADATA, "http://[fe80::1]", "http://2852039166", "http://localhost"])
async def test_the_setting_that_is_told_is_the_one_that_allows_it(stage: Stage, url: str) -> None:
    (problem,) = await added(stage(**REMOTE), url)
    written = problem.partition("(")[2].partition(")")[0]
    assert await added(stage(**REMOTE, **yaml.safe_load(written)), url) == []


async def test_whoever_is_on_this_machine_may_lead_to_its_loopback(scene: Scene) -> None:
    assert await added(scene, LOOPBACK, "http://localhost:9000") == []


async def test_but_not_where_others_may_add_routes_at_a_place_of_its_own(stage: Stage) -> None:
    add = {"name": "add", "host": "site.localhost", "path": {"path": "/add", "method": "POST"}, "access": "open",
           "handler": "dockerproxy.web.admin:add_route"}  # fmt: skip
    assert await added(stage(routes=[add]), LOOPBACK)


async def test_a_setting_allows_it(stage: Stage) -> None:
    scene = stage(**REMOTE, local_upstreams="127.0.0.0/8,169.254.1.0/24")
    assert await added(scene, METADATA, LOOPBACK) != []
    assert await added(scene, "http://169.254.1.1", LOOPBACK) == []


async def test_a_setting_forbids_it_on_this_machine_too(stage: Stage) -> None:
    assert await added(stage(local_upstreams=[]), LOOPBACK)


async def test_a_route_that_was_added_under_other_settings_is_left_out_and_told(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await added(scene, LOOPBACK)
    changed = scene.registry.settings.model_copy(update={"local_upstreams": ()})
    with caplog.at_level(logging.WARNING):
        scene.registry.reload(changed)
    assert scene.registry.route("new") is None
    assert "new: the dynamic route is left out: upstreams[0].url: 127.0.0.1 is a loopback address" in caplog.text
