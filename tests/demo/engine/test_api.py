"""What the embedded engine answers to clients of the Docker API."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import docker
import pytest

from dockerproxy.demo import EmbeddedEngine, Health

from ..support import RawClient, closed, page


async def listed(client: docker.APIClient, **wishes: Any) -> list[str]:
    entries = await asyncio.to_thread(client.containers, **wishes)
    return [entry["Names"][0] for entry in entries]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("prefix", ["", "/v1.41", "/v1.30"])
async def test_ping_tells_the_api_version_by_which_clients_negotiate(
    engine: EmbeddedEngine, method: str, prefix: str
) -> None:
    async with RawClient(engine) as raw:
        headers = await raw.headers(method, f"{prefix}/_ping")
    assert headers["api-version"] == "1.41"
    assert headers["ostype"] == "linux"
    assert headers["server"].startswith("Docker/")


async def test_the_sdk_reads_version_and_info(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    await engine.containers.add(closed("blog-1"))
    await engine.containers.add(closed("blog-2", running=False))
    version = await asyncio.to_thread(client.version)
    info = await asyncio.to_thread(client.info)
    assert version["ApiVersion"] == "1.41"
    assert (info["Containers"], info["ContainersRunning"], info["ContainersStopped"]) == (2, 1, 1)


async def test_from_env_finds_the_engine_by_docker_host(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.containers.add(page("blog-1"))
    monkeypatch.setenv("DOCKER_HOST", engine.base_url)
    client = await asyncio.to_thread(docker.from_env)
    found = await asyncio.to_thread(client.containers.list)
    assert [container.name for container in found] == ["blog-1"]
    await asyncio.to_thread(found[0].stop)
    assert not engine.containers.find("blog-1").running
    client.close()


async def test_a_list_entry_tells_all_that_discovery_needs(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    labels = {"dockerproxy.route": "blog"}
    container = await engine.containers.add(page("blog-1", labels=labels, networks=("front", "back")))
    assert container.address is not None
    (entry,) = await asyncio.to_thread(client.containers)
    assert entry["Id"] == container.id
    assert entry["Names"] == ["/blog-1"]
    assert entry["Labels"] == labels
    assert entry["State"] == "running"
    assert entry["Status"].startswith("Up ")
    assert isinstance(entry["Created"], int)
    assert entry["HostConfig"] == {"NetworkMode": "front"}
    assert entry["Ports"] == [{"PrivatePort": container.address[1], "Type": "tcp"}]
    networks = entry["NetworkSettings"]["Networks"]
    assert [network["IPAddress"] for network in networks.values()] == ["127.0.0.1", "127.0.0.1"]
    assert networks["front"]["NetworkID"] == engine.containers.networks.find("front").id


async def test_a_published_port_is_listed_with_its_host_side(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    await engine.containers.add(page("blog-1", published=True, extra_ports=("9090/tcp", "53/udp")))
    await engine.containers.add(page("blog-2", published=True, exposed=False))
    hidden, entry = await asyncio.to_thread(client.containers)
    own, metrics, dns = entry["Ports"]
    assert own == {"PrivatePort": own["PublicPort"], "Type": "tcp", "PublicPort": own["PublicPort"], "IP": "127.0.0.1"}
    assert metrics == {"PrivatePort": 9090, "Type": "tcp"}
    assert dns == {"PrivatePort": 53, "Type": "udp"}
    assert len(hidden["Ports"]) == 1


async def test_host_networking_has_neither_address_nor_ports(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    container = await engine.containers.add(page("blog-1", networks=("host",)))
    assert container.address is not None
    (entry,) = await asyncio.to_thread(client.containers)
    inspected = await asyncio.to_thread(client.inspect_container, "blog-1")
    assert entry["HostConfig"]["NetworkMode"] == "host"
    assert entry["Ports"] == []
    assert entry["NetworkSettings"]["Networks"]["host"]["IPAddress"] == ""
    assert inspected["Config"]["ExposedPorts"] == {f"{container.address[1]}/tcp": {}}
    assert inspected["NetworkSettings"]["Ports"] == {}


async def test_a_container_without_networks_has_the_mode_none(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    await engine.containers.add(page("blog-1", networks=()))
    (entry,) = await asyncio.to_thread(client.containers)
    assert entry["HostConfig"]["NetworkMode"] == "none"
    assert entry["Ports"] == []


async def test_a_stopped_container_is_listed_on_request_and_has_no_address(
    engine: EmbeddedEngine, client: docker.APIClient
) -> None:
    await engine.containers.add(page("blog-1"))
    await engine.containers.add(page("blog-2", running=False))
    await engine.containers.stop("blog-1")
    assert await listed(client) == []
    created, exited = await asyncio.to_thread(client.containers, all=True)
    assert (created["State"], created["Status"]) == ("created", "Created")
    assert exited["State"] == "exited"
    assert exited["Status"].startswith("Exited (0) ")
    assert exited["Ports"] == []
    assert exited["NetworkSettings"]["Networks"]["bridge"]["IPAddress"] == ""


async def test_lists_are_filtered_as_docker_filters(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    await engine.containers.add(closed("blog-1", labels={"a": "1"}, networks=("front",)))
    await engine.containers.add(closed("blog-2", labels={"a": "2", "b": ""}, health=Health.HEALTHY))
    last = await engine.containers.add(closed("shop-1", running=False))
    assert await listed(client, filters={"label": "a"}) == ["/blog-2", "/blog-1"]
    assert await listed(client, filters={"label": ["a=2", "b"]}) == ["/blog-2"]
    assert await listed(client, filters={"label": ["a=1", "b"]}) == []
    assert await listed(client, filters={"name": "^/blog"}) == ["/blog-2", "/blog-1"]
    assert await listed(client, filters={"network": "front"}) == ["/blog-1"]
    assert await listed(client, filters={"health": "healthy"}) == ["/blog-2"]
    assert await listed(client, filters={"status": "created"}) == ["/shop-1"]
    assert await listed(client, all=True, filters={"id": last.id[:8]}) == ["/shop-1"]
    assert await listed(client, limit=1) == ["/shop-1"]
    async with RawClient(engine) as raw:
        older = quote(json.dumps({"label": {"a=1": True, "b": False}}))
        _, entries = await raw.ask("GET", f"/containers/json?filters={older}")
    assert [entry["Names"] for entry in entries] == [["/blog-1"]]


async def test_inspect_finds_by_id_name_and_beginning_of_the_id(
    engine: EmbeddedEngine, client: docker.APIClient
) -> None:
    spec = page("blog-1", labels={"com.docker.compose.service": "blog"}, stop_signal="SIGQUIT", health=Health.STARTING)
    container = await engine.containers.add(spec)
    for reference in (container.id, container.id[:10], "blog-1"):
        inspected = await asyncio.to_thread(client.inspect_container, reference)
        assert inspected["Id"] == container.id
    inspected = await asyncio.to_thread(client.inspect_container, "blog-1")
    assert inspected["Name"] == "/blog-1"
    assert inspected["State"]["Running"] is True
    assert inspected["State"]["Health"]["Status"] == "starting"
    assert inspected["State"]["FinishedAt"] == "0001-01-01T00:00:00Z"
    assert inspected["Config"]["StopSignal"] == "SIGQUIT"
    assert inspected["Config"]["Labels"] == spec.labels
    assert "Healthcheck" in inspected["Config"]
    assert inspected["Created"].endswith("Z")
    assert inspected["NetworkSettings"]["IPAddress"] == "127.0.0.1"
    assert inspected["NetworkSettings"]["Networks"]["bridge"]["Aliases"] == ["blog", container.id[:12]]
    assert inspected["HostConfig"]["NetworkMode"] == "default"


async def test_networks_are_listed_and_inspected_with_their_members(
    engine: EmbeddedEngine, client: docker.APIClient
) -> None:
    container = await engine.containers.add(page("blog-1", networks=("front", "none")))
    await engine.containers.add(page("blog-2", networks=("front",), running=False))
    networks = await asyncio.to_thread(client.networks)
    front = engine.containers.networks.find("front")
    assert {network["Name"] for network in networks} == {"bridge", "host", "none", "front"}
    for reference in ("front", front.id, front.id[:12]):
        inspected = await asyncio.to_thread(client.inspect_network, reference)
        assert list(inspected["Containers"]) == [container.id]
    inspected = await asyncio.to_thread(client.inspect_network, "front")
    assert inspected["Containers"][container.id]["IPv4Address"] == "127.0.0.1/8"
    without = await asyncio.to_thread(client.inspect_network, "none")
    assert without["Containers"][container.id]["IPv4Address"] == ""


async def test_the_sdk_connects_and_disconnects(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    container = await engine.containers.add(page("blog-1"))
    engine.containers.networks.ensure("front")
    await asyncio.to_thread(client.connect_container_to_network, "blog-1", "front", aliases=["www"])
    inspected = await asyncio.to_thread(client.inspect_container, "blog-1")
    assert inspected["NetworkSettings"]["Networks"]["front"]["Aliases"] == ["www", container.id[:12]]
    await asyncio.to_thread(client.disconnect_container_from_network, "blog-1", "bridge")
    assert list(container.endpoints) == ["front"]


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/containers/zzz/json", 404, "No such container: zzz"),
        ("POST", "/containers/zzz/stop", 404, "No such container: zzz"),
        ("GET", "/networks/zzz", 404, "network zzz not found"),
        ("GET", "/nothing", 404, "page not found"),
        ("DELETE", "/info", 404, "page not found"),
        ("GET", "/v1.99/info", 400, "client version 1.99 is too new. Maximum supported API version is 1.41"),
        ("GET", "/v1.2/info", 400, "client version 1.2 is too old. Minimum supported API version is 1.12"),
        ("GET", "/containers/json?filters=bad", 500, "invalid character 'b' looking for beginning of value"),
        ("GET", "/containers/json?filters=[]", 400, "invalid filter: expected a JSON object"),
        ("GET", '/containers/json?filters={"name":1}', 400, "invalid filter: expected a list of values"),
        ("GET", '/containers/json?filters={"name":["("]}', 400, "Invalid filter 'name'"),
        ("GET", '/containers/json?filters={"bogus":["x"]}', 400, "Invalid filter 'bogus'"),
        ("GET", '/containers/json?filters={"status":["x"]}', 400, "Invalid filter 'status=x'"),
        ("GET", "/containers/json?limit=x", 500, 'strconv.Atoi: parsing "x": invalid syntax'),
        ("GET", "/events?since=abc", 500, 'strconv.ParseInt: parsing "abc": invalid syntax'),
        ("POST", "/containers/blog-1/kill?signal=BOGUS", 400, "Invalid signal: BOGUS"),
        ("POST", "/containers/blog-1/kill?signal=999", 400, "Invalid signal: 999"),
        ("POST", "/containers/blog-1/rename", 400, "Neither old nor new names may be empty"),
        ("POST", "/containers/blog-1/rename?name=-", 400, "Invalid container name (/-)"),
        ("POST", "/containers/blog-1/rename?name=blog-2", 409, 'The container name "/blog-2" is already in use'),
        ("POST", "/containers/blog-1/unpause", 500, "is not paused"),
        ("POST", "/containers/blog-2/pause", 409, "is not running"),
        ("POST", "/containers/blog-2/kill", 409, "Cannot kill container: blog-2"),
        ("POST", "/containers/blog-1/stop?t=x", 500, 'strconv.Atoi: parsing "x": invalid syntax'),
        ("DELETE", "/containers/blog-1", 409, "You cannot remove a running container"),
        ("POST", "/networks/bridge/connect", 400, "got EOF while reading request body"),
        ("POST", "/demo/scale?service=zzz&replicas=1", 404, "No such service: zzz"),
        ("POST", "/demo/scale?service=blog&replicas=x", 400, 'replicas="x": expected a whole number'),
        ("POST", "/demo/scale?service=blog&replicas=9999", 400, "expected a number from 0 to 1000"),
    ],
)
async def test_errors_are_worded_as_docker_words_them(
    engine: EmbeddedEngine, method: str, path: str, status: int, message: str
) -> None:
    await engine.containers.add(page("blog-1", labels={"com.docker.compose.service": "blog"}))
    await engine.containers.add(page("blog-2", running=False))
    async with RawClient(engine) as raw:
        answered, body = await raw.ask(method, path)
    assert answered == status
    assert message in body["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("x", 400),
        ("[]", 400),
        ('{"Container": "zzz"}', 404),
        ('{"Container": "blog-1"}', 403),
    ],
)
async def test_a_bad_body_or_a_second_connect_is_refused(engine: EmbeddedEngine, body: str, status: int) -> None:
    await engine.containers.add(page("blog-1"))
    async with RawClient(engine) as raw:
        answered, answer = await raw.ask("POST", "/networks/bridge/connect", body)
    assert answered == status
    assert answer["message"]


async def test_a_second_disconnect_is_refused(engine: EmbeddedEngine) -> None:
    await engine.containers.add(page("blog-1"))
    async with RawClient(engine) as raw:
        body = '{"Container": "blog-1"}'
        assert (await raw.ask("POST", "/networks/bridge/disconnect", body))[0] == 200
        assert (await raw.ask("POST", "/networks/bridge/disconnect", body))[0] == 500


async def test_what_is_so_already_is_answered_with_304(engine: EmbeddedEngine) -> None:
    await engine.containers.add(page("blog-1"))
    async with RawClient(engine) as raw:
        assert await raw.ask("POST", "/containers/blog-1/start") == (304, None)
        assert await raw.ask("POST", "/containers/blog-1/stop") == (204, None)
        assert await raw.ask("POST", "/containers/blog-1/stop") == (304, None)


async def test_a_beginning_that_fits_several_ids_is_refused(engine: EmbeddedEngine) -> None:
    for number in range(17):
        await engine.containers.add(closed(f"blog-{number}"))
    firsts = [container.id[0] for container in engine.containers]
    shared = next(first for first in firsts if firsts.count(first) > 1)
    async with RawClient(engine) as raw:
        status, body = await raw.ask("GET", f"/containers/{shared}/json")
    assert status == 400
    assert "Multiple IDs" in body["message"]


async def test_a_thousand_containers_are_listed_at_once(engine: EmbeddedEngine, client: docker.APIClient) -> None:
    for number in range(1000):
        await engine.containers.add(page(f"app-{number}", address=f"127.0.{number // 250}.{number % 250 + 1}:8080"))
    entries = await asyncio.to_thread(client.containers)
    addresses = {entry["NetworkSettings"]["Networks"]["bridge"]["IPAddress"] for entry in entries}
    assert len(addresses) == 1000
    assert entries[-1]["Ports"] == [{"PrivatePort": 8080, "Type": "tcp"}]
