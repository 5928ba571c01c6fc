"""ProxyProcess: the proxy as a process of its own, and how much memory it holds."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from ..support.client import Client
from ..support.waiting import DEADLINE

KIB = 1024

# Larger blocks come from the system and go back to it at once. Else freed ones that the C library keeps count as held:
# up to 2 MiB after some hundreds of MiB.
HEAP_BLOCKS = {"MALLOC_MMAP_THRESHOLD_": str(64 * KIB)}


class ProxyProcess:
    """`python -m dockerproxy run` with these settings, from `async with` to its end.

    port: where it listens
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.port = 0
        self._config = folder / "dockerproxy.yaml"
        fixed = {"listen": ["127.0.0.1:0"], "docker": {"enabled": False}, "state_dir": str(folder / "state")}
        self._config.write_text(yaml.safe_dump({**fixed, **settings}), encoding="utf-8")
        self._process: asyncio.subprocess.Process

    async def __aenter__(self) -> ProxyProcess:
        command = [sys.executable, "-m", "dockerproxy", "run", "--config", str(self._config)]
        environment = {**os.environ, **HEAP_BLOCKS}
        self._process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, env=environment)
        async with asyncio.timeout(DEADLINE):
            while not self.port:
                self.port = self._port_in(await self._line())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._process.terminate()
        await self._process.communicate()

    async def client(self, receive_buffer: int = 0) -> Client:
        return await Client.connect(self.port, receive_buffer=receive_buffer)

    @property
    def memory(self) -> int:
        """Bytes that are resident now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) * KIB

    async def _line(self) -> str:
        assert self._process.stderr is not None
        line = await self._process.stderr.readline()
        assert line, "the proxy ended before it listened"
        return line.decode()

    @staticmethod
    def _port_in(line: str) -> int:
        """The port in the line that says where it listens, or 0."""
        _, found, where = line.partition("listens on ")
        return int(where.split(",")[0].rpartition(":")[2]) if found else 0
