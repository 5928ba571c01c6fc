"""Serving: an upstream in a process of its own, on the loop that dockerproxy runs on, until it is ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from bench.ports import LOOPBACK
from dockerproxy.run import loop_factory


def serve(protocol: Callable[[], asyncio.Protocol], ports: Iterable[str]) -> None:
    """Listen on these ports; `protocol` makes what serves a connection. Never returns."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_listen(protocol, ports))


async def _listen(protocol: Callable[[], asyncio.Protocol], ports: Iterable[str]) -> None:
    loop = asyncio.get_running_loop()
    for port in ports:
        await loop.create_server(protocol, LOOPBACK, int(port))
    await asyncio.Event().wait()
