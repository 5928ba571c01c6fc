"""EngineProcess: the engine with its containers, seen from the benchmark; and dockerproxy in front of it."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from bench.browser import request
from bench.clients import Client
from bench.errors import BenchError
from bench.peers import DOCKERPROXY
from bench.process import Process
from bench.scenarios.rig import Rig, Running

_MODULE = "bench.scenarios.fleet_process"
_LONGEST_ANSWER = 4 << 20  # bytes
# Seconds in which a container that has started must have its first answer.
_FIRST_ANSWER = 30.0
# Seconds between two looks: the resolution of what is measured.
_LOOK = 0.001


@dataclass(frozen=True, slots=True)
class Container:
    """A container of the fleet. port: of the upstream that answers for it; labels: without the prefix."""

    name: str
    port: int
    labels: Mapping[str, str]
    running: bool

    @property
    def host(self) -> str:
        """Its domain."""
        return self.labels["host"]


def container(name: str, port: int, *, running: bool) -> Container:
    """A container with a route and a domain of its own, whose requests are never held."""
    return Container(name, port, {"route": name, "host": f"{name}.bench.test", "hold": "0s"}, running)


class Fleet:
    """Orders to the engine's process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, engine_socket: Path) -> None:
        self._reader = reader
        self._writer = writer
        self._engine_socket = engine_socket

    async def add(self, containers: Iterable[Container]) -> None:
        """Make containers, running or not."""
        await self._order(
            "add",
            containers=[
                {
                    "name": each.name,
                    "labels": dict(each.labels),
                    "address": f"127.0.0.1:{each.port}",
                    "running": each.running,
                }
                for each in containers
            ],
        )

    async def start(self, name: str) -> float:
        """Start a container; the moment of it, in monotonic seconds."""
        return float((await self._order("start", name=name))["at"])

    async def outage(self, name: str) -> float:
        """Let the engine go away and come back with one more container; the moment when it is back."""
        return float((await self._order("outage", name=name))["at"])

    async def churn(self, names: list[str], rate: int, seconds: float) -> dict[str, Any]:
        """Change so many containers a second; `changes`, `seconds`, and the names of what is `running` at the end."""
        return await self._order("churn", names=names, rate=rate, seconds=seconds)

    async def list_seconds(self) -> float:
        """How long the engine takes to list all its containers for somebody who does nothing else."""
        connector = aiohttp.UnixConnector(str(self._engine_socket))
        async with aiohttp.ClientSession(connector=connector) as session:
            before = time.monotonic()
            async with session.get("http://engine/containers/json?all=1") as response:
                await response.read()
            return time.monotonic() - before

    async def _order(self, do: str, **more: Any) -> dict[str, Any]:
        self._writer.write(json.dumps({"do": do, **more}).encode() + b"\n")
        line = await self._reader.readline()
        if not line:
            raise BenchError(f"the engine's process ended while it was told to {do}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def discovered(rig: Rig, name: str, containers: Iterable[Container]) -> AsyncIterator[tuple[Fleet, Running]]:
    """An engine with containers, and dockerproxy that discovers them."""
    proxy = [peer for peer in rig.peers if peer.name == DOCKERPROXY]
    if not proxy:
        raise BenchError(f"{name} is about dockerproxy alone: it has to be among --proxies")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:  # short: a socket's path may have 107 bytes
        engine_socket, order_socket = Path(folder, "engine.sock"), Path(folder, "orders.sock")
        argv = [sys.executable, "-m", _MODULE, str(engine_socket), str(order_socket)]
        process = Process("the embedded engine", argv, Path(folder, "log"))
        try:
            await process.wait_for(lambda: _listens(order_socket), "take orders")
            reader, writer = await asyncio.open_unix_connection(str(order_socket), limit=_LONGEST_ANSWER)
            fleet = Fleet(reader, writer, engine_socket)
            await fleet.add(containers)
            site = replace(rig.site(upstreams=()), docker=engine_socket)
            async with rig.serving(name, {"": site}, proxy) as running:
                yield fleet, running[DOCKERPROXY]
            writer.close()
        finally:
            process.stop()


async def first_answer(client: Client, host: str) -> float:
    """The moment of the first good answer for `host`, in monotonic seconds. Raises BenchError."""
    asked = request("/", host)
    deadline = time.monotonic() + _FIRST_ANSWER
    while await client.ask(asked) != 200:
        if time.monotonic() > deadline:
            raise BenchError(f"{host} has no answer {_FIRST_ANSWER:g} s after its container started")
        await asyncio.sleep(_LOOK)
    return time.monotonic()


def _listens(path: Path) -> bool:
    """The file is there before anybody listens, so somebody has to knock."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
