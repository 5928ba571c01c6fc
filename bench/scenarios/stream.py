"""Stream: how long server-sent events are on their way through every proxy."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Sequence
from typing import cast

from bench.browser import request
from bench.errors import BenchError
from bench.events_process import EVENTS
from bench.loop import percentile
from bench.ports import LOOPBACK, free_ports
from bench.process import Process
from bench.scenarios.figures import Column, Row, Scenario
from bench.scenarios.rig import ANY_HOST, Rig, Running

_STREAMS = 16  # at a time
_SENT = re.compile(rb"data: (\d+)\n\n")
_PATIENCE = 15.0  # seconds for one answer of about one

_COLUMNS = (
    Column("first_p99_ms", "first event p99 ms", 2),
    Column("p50_ms", "p50 ms", 2),
    Column("p99_ms", "p99 ms", 2),
    Column("events", "events", 0),
    Column("errors", "errors", 0),
)


class _Stream(asyncio.Protocol):
    """One answer. delays: seconds that each event was on its way."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(request("/events", ANY_HOST))

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self._data += data
        end = 0
        for found in _SENT.finditer(self._data):
            self.delays.append((now - int(found[1])) * 1e-9)
            end = found.end()
        self._data = self._data[end:]
        if len(self.delays) == EVENTS:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(len(self.delays) == EVENTS)


async def _stream(running: Running) -> tuple[bool, list[float]]:
    loop = asyncio.get_running_loop()
    transport, stream = await loop.create_connection(_Stream, LOOPBACK, running.port)
    try:
        async with asyncio.timeout(_PATIENCE):
            return await stream.ended, stream.delays
    except TimeoutError:
        return False, stream.delays
    finally:
        transport.abort()


async def _round(running: Running) -> list[tuple[bool, list[float]]]:
    return list(await asyncio.gather(*(_stream(running) for _ in range(_STREAMS))))


async def _run(rig: Rig) -> tuple[Sequence[Column], Sequence[Row]]:
    ports = free_ports(3)
    argv = [sys.executable, "-m", "bench.events_process", *map(str, ports)]
    upstream = Process("the upstream of events", argv, rig.folder / "events.log")
    try:
        await upstream.wait_for_port(ports[-1])
        async with rig.serving("stream", {"": rig.site(upstreams=ports)}, rig.peers) as running:
            found: dict[str, list[tuple[bool, list[float]]]] = {name: [] for name in running}
            for _ in range(rig.plan.rounds):
                for name, each in running.items():
                    found[name] += await _round(each)
    finally:
        upstream.stop()
    return _COLUMNS, [_row(name, streams) for name, streams in found.items()]


def _row(name: str, streams: Sequence[tuple[bool, list[float]]]) -> Row:
    firsts = [delays[0] * 1e3 for _, delays in streams if delays]
    delays = [delay * 1e3 for _, each in streams for delay in each]
    if not delays:
        raise BenchError(f"no event came through {name}")
    figures = {
        "first_p99_ms": percentile(firsts, 0.99),
        "p50_ms": percentile(delays, 0.50),
        "p99_ms": percentile(delays, 0.99),
        "events": len(delays),
        "errors": sum(not whole for whole, _ in streams),
    }
    return Row(name, figures)


STREAM = Scenario(
    "stream",
    "Server-sent events",
    f"{_STREAMS} answers at a time of {EVENTS} events each, one in 20 ms; from the upstream's write to the client.",
    _run,
)
