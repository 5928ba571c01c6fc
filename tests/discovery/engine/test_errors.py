"""What is said when the engine cannot be reached: in words, with what mends it."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import docker.errors
import pytest
import requests
from aiohttp import web
from aiohttp.test_utils import unused_port

from dockerproxy.discovery.engine.client import Engine
from dockerproxy.discovery.engine.errors import in_words
from dockerproxy.discovery.engine.events import EngineLost
from dockerproxy.discovery.timing import Timing
from tests.discovery.support import eventually, hanging_engine, watching

SOCKET = "unix:///var/run/docker.sock"


def words(host: str) -> str:
    with pytest.raises(EngineLost) as caught:
        Engine.connect(host, Timing(ping_timeout=0.2))
    return str(caught.value)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("e")


def test_a_missing_socket(folder: Path) -> None:
    said = words(f"unix://{folder}/none.sock")
    assert said.startswith(f"there is no socket {folder}/none.sock: start the engine, mount the socket")


def test_a_socket_that_nobody_listens_on(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f"{folder}/dead.sock")
    assert words(f"unix://{folder}/dead.sock").startswith(f"nobody listens on {folder}/dead.sock: start the engine")


def test_a_mounted_socket_in_whose_place_the_engine_has_made_a_new_one(folder: Path) -> None:
    path = folder / "docker.sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
        mounted = os.open(path, os.O_PATH)  # as in a container: it leads to the file, whatever the name leads to now
    path.unlink()
    assert "new socket since: restart the proxy's container (docker restart)" in words(
        f"unix:///proc/self/fd/{mounted}"
    )
    os.close(mounted)


def test_a_folder_in_place_of_the_socket(folder: Path) -> None:
    assert "is a folder, not a socket" in words(f"unix://{folder}")


def test_a_tcp_port_that_refuses() -> None:
    host = f"tcp://127.0.0.1:{unused_port()}"
    assert words(host).startswith(f"{host} refuses connections: start the engine with --host={host}")


def test_a_name_that_nobody_knows() -> None:
    assert "the name engine.invalid cannot be resolved" in words("tcp://engine.invalid:2375")


def test_an_engine_that_hangs() -> None:
    with hanging_engine() as host:
        assert "does not answer in time" in words(host)


def test_permission_denied_names_the_group(folder: Path) -> None:
    path = folder / "docker.sock"
    path.touch()
    said = in_words(_wrapped(PermissionError(13, "Permission denied")), f"unix://{path}")
    assert said.startswith(f"permission denied on {path}: add the user to the group docker")
    assert f'group_add: ["{os.stat(path).st_gid}"]' in said
    assert "group_add" in in_words(PermissionError(), f"unix://{folder}/none.sock")
    assert in_words(PermissionError(), "tcp://h:1") == "permission denied on tcp://h:1"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every socket")
def test_permission_denied_on_a_real_socket(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/docker.sock")
        os.chmod(f"{folder}/docker.sock", 0)
        assert "permission denied" in words(f"unix://{folder}/docker.sock")


async def _serving(application: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"tcp://127.0.0.1:{runner.addresses[0][1]}"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, '{"Version": "1.11.0", "ApiVersion": "1.23"}', "is too old: API 1.24 (Docker 1.12) or later is needed"),
        (200, '{"hello": "world"}', "is not a Docker engine"),
        (200, "<html>", "is not a Docker engine"),
        (403, "Forbidden", "let the socket proxy in between allow"),
        (500, '{"message": "out of memory"}', "answered 500: out of memory"),
        (400, "Client sent an HTTP request to an HTTPS server.\n", "speaks TLS: set docker.tls_ca"),
    ],
)
async def test_an_answer_that_does_not_do(status: int, body: str, expected: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type="application/json")

    application = web.Application()
    application.router.add_get("/{tail:.*}", answer)
    runner, host = await _serving(application)
    try:
        async with watching(host, Timing(backoff_first=0.01)) as watched:
            await watched.sees(lambda seen: expected in seen.status.error)
    finally:
        await runner.cleanup()


async def test_events_that_are_forbidden_are_told() -> None:
    async def version(_: web.Request) -> web.Response:
        return web.json_response({"Version": "20.10", "ApiVersion": "1.41"})

    async def forbidden(_: web.Request) -> web.Response:
        return web.Response(status=403, text="nope")

    application = web.Application()
    application.router.add_get("/version", version)
    application.router.add_get("/v1.41/events", forbidden)
    runner, host = await _serving(application)
    try:
        async with watching(host, Timing(backoff_first=0.01)) as watched:
            await eventually(lambda: "EVENTS=1" in watched.status.error)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('[{"Id": "4f2a", "Names": ["/web"], "State": "runn', "is not a Docker engine"),
        ('{"containers": []}', "is not a Docker engine"),
        ("null", ""),
    ],
)
async def test_a_list_that_does_not_do_is_told_without_a_traceback(
    body: str, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    over = asyncio.Event()

    async def version(_: web.Request) -> web.Response:
        return web.json_response({"Version": "20.10", "ApiVersion": "1.41"})

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await over.wait()
        return response

    async def listed(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    application = web.Application()
    application.router.add_get("/version", version)
    application.router.add_get("/v1.41/events", events)
    application.router.add_get("/v1.41/containers/json", listed)
    runner, host = await _serving(application)
    try:
        async with watching(host, Timing(backoff_first=0.01)) as watched:
            await watched.sees(lambda seen: expected in seen.status.error if expected else seen.snapshots)
    finally:
        over.set()
        await runner.cleanup()
    assert not any(record.exc_info for record in caplog.records)


def _wrapped(error: OSError) -> BaseException:
    """As the SDK does it: in the args of the args, not as a cause."""
    return docker.errors.DockerException(requests.exceptions.ConnectionError(("Connection aborted.", error), error))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionResetError(), "closed the connection"),
        (docker.errors.TLSParameterError("bad"), "cannot be used: bad"),
        (OSError(), "cannot be used: OSError"),
    ],
)
def test_other_errors(error: BaseException, expected: str) -> None:
    assert expected in in_words(error, SOCKET)
