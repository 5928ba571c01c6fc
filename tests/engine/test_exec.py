"""`docker exec` over a route to an engine's API: the request that asks for the upgrade has a body."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import docker

from tests.engine.conftest import Launch
from tests.engine.containers import Containers
from tests.support.docker_engine import Engine
from tests.support.relay import Relay


async def test_a_command_is_run_and_talked_to_through_the_proxy(
    engine: Engine, containers: Containers, launch: Launch
) -> None:
    app = containers.run(labels={"dockerproxy.enable": "false"})
    async with Relay(Path(engine.host.removeprefix("unix://"))) as relay:
        upstreams = [{"url": f"http://127.0.0.1:{relay.port}"}]
        proxy = await asyncio.to_thread(
            launch, docker={"enabled": False}, routes=[{"name": "api", "upstreams": upstreams}]
        )
        said = await asyncio.to_thread(_talk, f"tcp://127.0.0.1:{proxy.port}", str(app.id))
    assert said == b"hello"


def _talk(host: str, container: str) -> bytes:
    """What `cat` in the container says to `hello`."""
    client = docker.DockerClient(base_url=host)
    try:
        made = client.api.exec_create(container, ["cat"], stdin=True, tty=True)
        hijacked: Any = client.api.exec_start(made["Id"], tty=True, socket=True)
        line: socket.socket = hijacked._sock
        line.sendall(b"hello\n")
        said = b""
        while b"hello" not in said:
            said += line.recv(100)
        line.close()
        return said.split()[0]
    finally:
        client.close()
