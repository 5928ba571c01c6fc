"""explain without a proxy: what the settings say, with what the engine lists, or with what docker inspect printed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.demo import EmbeddedEngine, demo_site
from dockerproxy.discovery.engine.inspection import NotInspected
from dockerproxy.errors import DockerproxyError, SettingsError
from dockerproxy.explain import explain_offline

from .discovery.support import network

SETTINGS = """
docker: {host: "unix:///nowhere/docker.sock"}
routes:
  - {name: site, host: site.localhost, upstreams: ["http://127.0.0.1:9"]}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "site.yaml"
    path.write_text(SETTINGS)
    return str(path)


def rewrite(file: str, text: str) -> None:
    Path(file).write_text(text)


def inspected(name: str = "web-1", **labels: str) -> dict[str, Any]:
    """What docker inspect prints of a container, as far as it matters."""
    return {
        "Id": "a" * 64,
        "Name": f"/{name}",
        "Created": "2026-01-02T03:04:05.123456789Z",
        "State": {"Status": "running", "ExitCode": 0},
        "Config": {"Labels": {key.replace("__", "."): value for key, value in labels.items()},
                   "ExposedPorts": {"8080/tcp": {}, "53/udp": {}}},
        "HostConfig": {"NetworkMode": "bridge"},
        "NetworkSettings": {"Networks": network("bridge", "172.17.0.2"), "Ports": {"8080/tcp": None}},
    }  # fmt: skip


@pytest.fixture
def keep(tmp_path: Path) -> Any:
    """Writes what docker inspect would have printed into a file."""

    def write(*items: dict[str, Any]) -> str:
        path = tmp_path / "inspect.json"
        path.write_text(json.dumps(items))
        return str(path)

    return write


def test_a_url_is_explained_from_the_file_alone_and_what_is_missing_is_said(file: str) -> None:
    answer = explain_offline(file, "http://site.localhost/", "POST", {"A": "b"})

    assert (answer["route"], answer["method"]) == ("site", "POST")
    assert answer["verdict"].startswith("route site answers: it has 1 upstream")
    assert any("no proxy was asked" in note for note in answer["notes"])
    assert any("there is no socket /nowhere/docker.sock" in note for note in answer["notes"])


def test_a_container_without_an_engine_is_not_said_to_be_missing(file: str) -> None:
    assert explain_offline(file, "web-1")["code"] == "engine_not_reached"


async def test_the_engine_is_asked_for_the_containers(file: str, tmp_path: Path) -> None:
    socket = tmp_path / "engine.sock"
    rewrite(file, SETTINGS.replace("/nowhere/docker.sock", str(socket)))

    async with EmbeddedEngine(socket, demo_site()):
        office = await asyncio.to_thread(explain_offline, file, "office-1")
        shop = await asyncio.to_thread(explain_offline, file, "shop.localhost")
        nobody = await asyncio.to_thread(explain_offline, file, "http://office.localhost/")

    assert (office["code"], office["reasons"][-1]["code"]) == ("unknown_label", "several_ports")
    assert (shop["route"], len(shop["upstreams"])) == ("shop", 2)
    assert "the container office-1 asks for this host" in nobody["verdict"]


def test_what_docker_inspect_printed_stands_for_the_engine(file: str, keep: Any) -> None:
    path = keep(inspected(dockerproxy__host="web.localhost"))

    answer = explain_offline(file, "web-1", inspect_file=path)
    assert answer["routes"][0]["address"] == "172.17.0.2:8080"
    assert answer["routes"][0]["network"] == "bridge"

    assert explain_offline(file, "http://web.localhost/", inspect_file=path)["route"] == "web-1"


def test_states_health_and_published_ports_are_read_from_what_was_printed(file: str, keep: Any) -> None:
    ended = inspected(dockerproxy__enable="true") | {"State": {"Status": "exited", "ExitCode": 137}}
    answer = explain_offline(file, "web-1", inspect_file=keep(ended))
    assert answer["verdict"] == "web-1 is not routed: it has exited (exit code 137)"

    ill = inspected(dockerproxy__enable="true")
    ill["State"]["Health"] = {"Status": "unhealthy"}
    assert explain_offline(file, "web-1", inspect_file=keep(ill))["code"] == "unhealthy"

    Path(file).write_text("docker: {address: published}")
    published = inspected(dockerproxy__enable="true")
    published["NetworkSettings"]["Ports"] = {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}]}
    answer = explain_offline(file, "web-1", inspect_file=keep(published))
    assert answer["routes"][0]["address"] == "127.0.0.1:32768"


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "not JSON"), ("[]", "no container in it"), ('[{"Id": "x"}]', "not about containers"), ("7", "not about")],
)
def test_a_file_of_something_else_is_refused(file: str, tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "inspect.json"
    path.write_text(text)
    with pytest.raises(NotInspected, match=told) as caught:
        explain_offline(file, "web-1", inspect_file=str(path))
    assert "expected what `docker inspect NAME` prints" in str(caught.value)


def test_a_file_that_cannot_be_read_is_told(file: str) -> None:
    with pytest.raises(DockerproxyError, match=r"/nowhere/x\.json: cannot be read"):
        explain_offline(file, "web-1", inspect_file="/nowhere/x.json")
    with pytest.raises(SettingsError, match="no such file"):
        explain_offline("/nowhere/x.yaml", "web-1")


def test_where_docker_is_disabled_no_engine_is_asked(file: str) -> None:
    Path(file).write_text("docker: {enabled: false}")
    answer = explain_offline(file, "web-1")
    assert answer["code"] == "discovery_disabled"
    assert not any("engine" in note for note in answer["notes"])
