"""Process: a program that runs beside the benchmark, from its start to its certain end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.ports import LOOPBACK

# Seconds. dockerproxy with 10,000 routes and a cold disk needs a few.
_START = 60.0
# Seconds between SIGTERM and SIGKILL.
_STOP = 5.0
_POLL = 0.02  # seconds
_LOG_LINES = 8


class Process:
    """One program; its output goes to `log`."""

    def __init__(self, name: str, argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._log = log
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
            )

    def __repr__(self) -> str:
        return f"<Process {self.name} {self.pid}>"

    @property
    def pid(self) -> int:
        """Its number."""
        return self._popen.pid

    async def wait_for(self, ready: Callable[[], bool], what: str) -> None:
        """Wait until `ready` says so. Raises BenchError when the program ends before, or takes too long."""
        deadline = time.monotonic() + _START
        while not ready():
            if self._popen.poll() is not None:
                raise BenchError(f"{self.name} ended with code {self._popen.returncode}:\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise BenchError(f"{self.name} did not {what} within {_START:g} s:\n{self._last_words()}")
            await asyncio.sleep(_POLL)

    async def wait_for_port(self, port: int) -> None:
        """Wait until the program listens. Raises BenchError."""
        await self.wait_for(lambda: _listens(port), f"listen on {LOOPBACK}:{port}")

    def stop(self) -> None:
        """End it: asked first, then forced."""
        self._popen.terminate()
        try:
            self._popen.wait(_STOP)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:]) or "(it said nothing)"


def _listens(port: int) -> bool:
    """Asked of the kernel, so that the program sees no connection: one that closes at once could count as an error."""
    wanted = f"{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[1].endswith(":" + wanted):
            return True
    return False
