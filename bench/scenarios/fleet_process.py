"""The embedded engine in a process of its own: `python -m bench.scenarios.fleet_process ENGINE_SOCKET ORDER_SOCKET`.

Orders are lines of JSON on a second socket; each is answered with a line of JSON. Times are monotonic seconds, which
all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dockerproxy.demo import ContainerSpec, EmbeddedEngine
from dockerproxy.run import loop_factory

# Bytes of one order: a thousand containers in one line.
_LONGEST_ORDER = 4 << 20
# Seconds without an engine: long enough that nobody overlooks it.
_OUTAGE = 0.5

Order = Mapping[str, Any]


class Fleet:
    """The engine and what is done with it."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._engine = engine
        self._acts: Mapping[str, Callable[[Order], Awaitable[dict[str, Any]]]] = {
            "add": self._add,
            "start": self._start,
            "outage": self._outage,
            "churn": self._churn,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take orders until the other side hangs up."""
        while line := await reader.readline():
            order = json.loads(line)
            answer = await self._acts[order["do"]](order)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _add(self, order: Order) -> dict[str, Any]:
        for each in order["containers"]:
            labels = {f"dockerproxy.{key}": value for key, value in each["labels"].items()}
            spec = ContainerSpec(each["name"], labels=labels, address=each["address"], running=each["running"])
            await self._engine.containers.add(spec)
        return {}

    async def _start(self, order: Order) -> dict[str, Any]:
        at = time.monotonic()
        await self._engine.containers.start(order["name"])
        return {"at": at}

    async def _outage(self, order: Order) -> dict[str, Any]:
        """The engine goes away, a container starts meanwhile, the engine is back."""
        await self._engine.stop(keep_containers=True)
        await self._engine.containers.start(order["name"])
        await asyncio.sleep(_OUTAGE)
        await self._engine.start()
        return {"at": time.monotonic()}

    async def _churn(self, order: Order) -> dict[str, Any]:
        """Start what does not run and stop what runs, one after the other, so many a second."""
        containers = self._engine.containers
        start, changes = time.monotonic(), 0
        for name in itertools.cycle(order["names"]):
            if time.monotonic() - start >= order["seconds"]:
                break
            running = containers.find(name).running
            await (containers.stop(name) if running else containers.start(name))
            changes += 1
            await asyncio.sleep(max(0.0, start + changes / order["rate"] - time.monotonic()))
        seconds = time.monotonic() - start
        running_now = [name for name in order["names"] if containers.find(name).running]
        return {"changes": changes, "seconds": seconds, "running": running_now}


async def _main(engine_socket: str, order_socket: str) -> None:
    async with EmbeddedEngine(engine_socket) as engine:
        server = await asyncio.start_unix_server(Fleet(engine).serve, order_socket, limit=_LONGEST_ORDER)
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_main(*sys.argv[1:]))
