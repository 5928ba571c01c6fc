"""A process that adds routes and says which, until it is killed: `python adds_until_killed.py <folder> <first>`."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path
from typing import Any

from dockerproxy.control import Registry, Store
from dockerproxy.settings import RouteSettings, Settings


def _nothing(*_arguments: Any) -> None:
    """Neither tables nor timers matter here."""


async def _add(folder: Path, first: int) -> None:
    registry = Registry(Settings(), Store(folder), _nothing, _nothing, lambda: 0.0)
    registry.start()
    print("ready", flush=True)
    for number in itertools.count(first):
        name = f"route-{number}"
        upstreams = [{"url": f"http://127.0.0.1:{1 + number % 65535}"}]
        await registry.add(
            RouteSettings.model_validate({"name": name, "host": f"{name}.localhost", "upstreams": upstreams})
        )
        print(name, flush=True)


if __name__ == "__main__":
    asyncio.run(_add(Path(sys.argv[1]), int(sys.argv[2])))
