"""Rig: the proxies under test, side by side on one machine, with their upstreams; and the measuring of one of them."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.browser import request
from bench.clients import Client
from bench.cores import Cores
from bench.cpu import cpu_seconds, rss_bytes
from bench.errors import BenchError
from bench.loop import Load
from bench.peers import Command, Peer, Site
from bench.plan import Plan
from bench.ports import free_ports
from bench.process import Process
from bench.scenarios.figures import Sample

# Seconds of load before anything is measured: connections are open, caches are warm, Go's heap has its size.
_WARM_UP = 1.0
# Seconds in which a proxy that listens has to answer its first request.
_FIRST_ANSWER = 30.0
ANY_HOST = "bench.test"


@dataclass(frozen=True, slots=True)
class Running:
    """A proxy that serves. port: on 127.0.0.1."""

    name: str
    port: int
    process: Process

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/"

    def cpu(self) -> float:
        """CPU seconds of its process tree."""
        return cpu_seconds(self.process.pid)

    def rss(self) -> int:
        """Bytes of its process tree."""
        return rss_bytes(self.process.pid)


Generate = Callable[[Running, float], Awaitable[Load]]


@dataclass(frozen=True, slots=True)
class Case:
    """A proxy and the load that it is measured under."""

    running: Running
    generate: Generate

    async def sample(self, seconds: float) -> Sample:
        """Put load on the proxy and read what it used meanwhile."""
        before = self.running.cpu()
        load = await self.generate(self.running, seconds)
        return Sample(load, self.running.cpu() - before, self.running.rss())


@dataclass(frozen=True, slots=True)
class Rig:
    """What scenarios work with.

    peers:  the proxies that take part
    origin: ports of the upstreams
    files:  open files that one process may have
    """

    plan: Plan
    peers: Sequence[Peer]
    origin: Sequence[int]
    folder: Path
    cores: Cores
    files: int

    def site(self, hosts: Sequence[str] = (), upstreams: Sequence[int] | None = None) -> Site:
        """A site to serve, by default with the first three upstreams."""
        return Site(0, self.origin[:3] if upstreams is None else upstreams, hosts, self.files)

    @asynccontextmanager
    async def serving(
        self, name: str, sites: Mapping[str, Site], peers: Sequence[Peer]
    ) -> AsyncIterator[dict[str, Running]]:
        """Every peer with every site, each in a process of its own; named `peer` or `peer label`.

        sites: by label; "" for the only one
        """
        running: dict[str, Running] = {}
        try:
            for label, site in sites.items():
                for peer in peers:
                    key = f"{peer.name} {label}".strip()
                    running[key] = await self._start(key, peer, site, self.folder / name / key.replace(" ", "-"))
            yield running
        finally:
            for each in running.values():
                each.process.stop()

    async def compare(self, cases: Mapping[str, Case], pieces: int = 1) -> dict[str, list[Sample]]:
        """Measure all cases, in turn: A B C A B C …

        pieces: that each round is cut into; where a few hundredths count, more samples help more than longer ones
        """
        for case in cases.values():
            await case.generate(case.running, min(_WARM_UP, self.plan.seconds))
        samples: dict[str, list[Sample]] = {name: [] for name in cases}
        for _ in range(self.plan.rounds * pieces):
            for name, case in cases.items():
                samples[name].append(await case.sample(self.plan.seconds / pieces))
        return samples

    async def _start(self, key: str, peer: Peer, site: Site, folder: Path) -> Running:
        (port,) = free_ports(1)
        command = _prepared(peer, replace(site, port=port), folder)
        with self.cores.as_proxy():
            process = Process(key, command.argv, folder / "log", command.env)
        try:
            await process.wait_for_port(port)
            if site.upstreams:
                await _first_answer(key, port, site.hosts[-1] if site.hosts else ANY_HOST)
        except BaseException:
            process.stop()
            raise
        return Running(key, port, process)


def _prepared(peer: Peer, site: Site, folder: Path) -> Command:
    folder.mkdir(parents=True)
    return peer.prepare(site, folder)


async def _first_answer(name: str, port: int, host: str) -> None:
    client = Client(port)
    deadline = time.monotonic() + _FIRST_ANSWER
    status = 0
    while time.monotonic() < deadline:
        status = await client.ask(request("/", host))
        if status == 200:
            client.close()
            return
    raise BenchError(f"{name} answers its first request with {status or 'nothing'}, not with 200")


def say(text: str) -> None:
    """Tell the user how far it is."""
    print(text, file=sys.stderr, flush=True)
