"""Arena: the proxy as a process, good clients beside it, bad upstreams behind it; and the level that it is at."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import yaml

from bench.attacks import behaviours
from bench.attacks.bounds import Bounds
from bench.attacks.good import CLIENTS, HOST, Served
from bench.cpu import rss_bytes
from bench.ports import LOOPBACK, free_ports
from bench.process import Process
from dockerproxy.tasks import Tasks

_POLL = 0.25  # seconds between two looks at the statistics
_LOOKS = 0.05  # seconds between two looks at the memory
_PATIENCE = 30.0  # seconds for the level to return


class Level(NamedTuple):
    """What the proxy holds. files: open ones; memory: resident bytes."""

    connections: int
    in_flight: int
    files: int
    memory: int


class Arena:
    """All that an attack plays with; ends with `async with`.

    port:     of the proxy
    upstream: behaviour -> the Host that leads to it
    rate:     bytes a second that the slow taker takes
    """

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.rate = float(1 << 40)
        self.most_memory = 0
        takes = behaviours.slow_taker(lambda: self.rate)
        self._behaviours = {"much": behaviours.much, "takes": takes, **behaviours.FAULTS}
        self.port, self.good_port, self.socket_port, *self._ports = free_ports(3 + len(self._behaviours))
        self._stack = AsyncExitStack()
        self._tasks = Tasks("arena")
        self._proxy: Process
        self._good: subprocess.Popen[bytes]

    async def __aenter__(self) -> Arena:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._good = self._start_good()
        for behaviour, port in zip(self._behaviours.values(), self._ports, strict=True):
            server = await behaviours.serve(behaviour, port)
            self._stack.callback(server.close)
        config = folder / "dockerproxy.yaml"
        config.write_text(yaml.safe_dump(self._settings(folder)), encoding="utf-8")
        argv = [sys.executable, "-m", "dockerproxy", "run", "--config", str(config), "--log-level", "error"]
        self._proxy = Process("dockerproxy", argv, folder / "log")
        self._stack.callback(self._proxy.stop)
        await self._proxy.wait_for_port(self.port)
        self._stack.push_async_callback(self._tasks.cancel_all)
        self._tasks.start(self._watch(), name="memory")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        await self._stack.aclose()

    def host(self, behaviour: str) -> str:
        """The Host that leads to an upstream that behaves so; "+" behind it: with a good one at its side."""
        side = "b" if behaviour.endswith("+") else "a"
        return f"{re.sub('[^a-z]+', '-', behaviour.rstrip('+'))}.{side}.test"

    def begin(self) -> None:
        """Begin to measure good clients and memory."""
        self._tell(b"begin\n")
        self.most_memory = self.memory

    async def end(self) -> Served:
        """What good clients saw since `begin`."""
        self._tell(b"end\n")
        assert self._good.stdout is not None
        return Served(**json.loads(await asyncio.to_thread(self._good.stdout.readline)))

    @property
    def memory(self) -> int:
        return rss_bytes(self._proxy.pid)

    async def level(self) -> Level:
        found = await asyncio.to_thread(self._statistics_when_it_can)
        files = len(os.listdir(f"/proc/{self._proxy.pid}/fd"))
        return Level(found["connections"] - 1, found["in_flight"] - 1, files, self.memory)

    async def level_at_rest(self) -> Level:
        """The level once only good clients are connected, or after some patience all the same."""
        return await self.level_when(lambda level: level.connections <= CLIENTS, _PATIENCE)

    async def level_when(self, reached: Callable[[Level], bool], patience: float) -> Level:
        """The level once it is what was wanted, or after `patience` seconds all the same."""
        end = time.monotonic() + patience
        while True:
            level = await self.level()
            if reached(level) or time.monotonic() > end:
                return level
            await asyncio.sleep(_POLL)

    def _start_good(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "bench.attacks.good", str(self.good_port), str(self.port)]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._stack.callback(process.wait, 10)
        self._stack.callback(process.terminate)
        return process

    def _tell(self, command: bytes) -> None:
        assert self._good.stdin is not None
        self._good.stdin.write(command)
        self._good.stdin.flush()

    def _settings(self, folder: Path) -> dict[str, Any]:
        bounds = self.bounds
        good = {"url": f"http://{LOOPBACK}:{self.good_port}"}
        echo = {"url": f"http://{LOOPBACK}:{self.socket_port}"}
        routes: list[dict[str, Any]] = [
            {"name": "good", "host": [HOST, LOOPBACK], "upstreams": [good]},
            {"name": "socket", "host": "socket.test", "upstreams": [echo]},
            {"name": "socket by path", "host": LOOPBACK, "path": "/socket", "upstreams": [echo]},
        ]
        for name, port in zip(self._behaviours, self._ports, strict=True):
            bad = {"url": f"http://{LOOPBACK}:{port}"}
            common = {"max_attempts": 2, "consecutive_errors": 1_000_000}
            routes.append({"name": name, "host": self.host(name), "upstreams": [bad], **common})
            routes.append({"name": f"{name}, beside a good one", "host": self.host(f"{name}+"),
                           "upstreams": [bad, good], **common})  # fmt: skip
        return {
            "listen": [f"{LOOPBACK}:{self.port}"],
            "docker": {"enabled": False},
            "state_dir": str(folder / "state"),
            "head_timeout": bounds.head_timeout,
            "stall_timeout": bounds.stall_timeout,
            "response_timeout": bounds.stall_timeout,
            "idle_timeout": bounds.idle_timeout,
            "routes": routes,
        }

    def _statistics_when_it_can(self) -> dict[str, int]:
        """The statistics; a proxy that is busy with an attack may take a while."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._statistics()
            except OSError:  # HTTPError is one
                if time.monotonic() > end:
                    raise
                time.sleep(_POLL)

    def _statistics(self) -> dict[str, int]:
        url = f"http://{LOOPBACK}:{self.port}/statistics"
        request = urllib.request.Request(url, headers={"Host": "root.localhost", "Connection": "close"})
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            found: dict[str, int] = json.load(answer)["proxy"]
        return found

    async def _watch(self) -> None:
        while True:
            self.most_memory = max(self.most_memory, self.memory)
            await asyncio.sleep(_LOOKS)
