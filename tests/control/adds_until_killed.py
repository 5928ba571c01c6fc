"""Processes that add routes and say which, until they are killed: `python adds_until_killed.py <folder>`.

For each number on standard input a new process begins, from which on it counts. It says its process id, then the name
of every route that is acknowledged; when it has ended, `over` is said. They are forked from one that has loaded
everything: loading takes a second, and adding a few milliseconds.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path
from typing import Any

from dockerproxy.control import Registry, Store
from dockerproxy.settings import RouteSettings, Settings


def _say(line: object) -> None:
    """In one write, which a kill cannot cut short: it is shorter than what a pipe takes as a whole (pipe(7))."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def _nothing(*_arguments: Any) -> None:
    """Neither tables nor timers matter here."""


async def _add(folder: Path, first: int) -> None:
    registry = Registry(Settings(), Store(folder), _nothing, _nothing, lambda: 0.0)
    registry.start()
    _say(os.getpid())
    for number in itertools.count(first):
        name = f"route-{number}"
        upstreams = [{"url": f"http://127.0.0.1:{1 + number % 65535}"}]
        await registry.add(
            RouteSettings.model_validate({"name": name, "host": f"{name}.localhost", "upstreams": upstreams})
        )
        _say(name)


def _main() -> None:
    for first in sys.stdin:
        process = os.fork()
        if not process:
            try:
                asyncio.run(_add(Path(sys.argv[1]), int(first)))
            finally:
                os._exit(1)  # only after a mistake, which has been told; the numbers are the parent's
        os.waitpid(process, 0)
        _say("over")


if __name__ == "__main__":
    _main()
