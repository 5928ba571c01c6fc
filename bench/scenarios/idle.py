"""Idle: the memory that a kept-alive client connection holds while nothing happens on it."""

from __future__ import annotations

from bench.browser import request
from bench.clients import Client
from bench.errors import BenchError
from bench.loop import closed_loop
from bench.scenarios.figures import TIMES, Column, Row, Scenario
from bench.scenarios.rig import ANY_HOST, Rig, Running
from bench.scenarios.traffic import Table

_COLUMNS = (
    Column("kib", "KiB per connection", 2),
    Column("x_nginx", f"{TIMES} nginx", 2),
    Column("connections", "connections", 0),
    Column("rss_mib", "RSS MiB"),
)
# Connections that ask at the same time; as few as on a quiet day, so that upstream connections do not count.
_AT_ONCE = 8
# Connections before the first reading: what every proxy sets up once is set up by then.
_WARM = 64
# Files that a proxy and this process need beside the idle connections.
_OTHER_FILES = 1_000


async def _opened(running: Running, count: int) -> list[Client]:
    """`count` connections, each of which has had one answer and stays open. Raises BenchError."""
    clients = [Client(running.port) for _ in range(count)]
    asked = request("/", ANY_HOST)
    waiting = iter(clients)

    async def ask() -> bool:
        return await next(waiting).ask(asked) == 200

    load = await closed_loop([ask] * min(_AT_ONCE, count), most=count)
    if load.errors:
        raise BenchError(f"{running.name}: {load.errors} of {count} idle connections had no answer")
    return clients


async def _kib(running: Running, count: int) -> float:
    warm = await _opened(running, min(_WARM, count))
    before = running.rss()
    idle = await _opened(running, count)
    after = running.rss()
    for client in [*warm, *idle]:
        client.close()
    return (after - before) / 1024 / count


async def _idle(rig: Rig) -> Table:
    """Fresh processes, so that no memory that was freed before hides what the connections take."""
    count = max(_WARM, min(rig.plan.idle, rig.files // 2 - _OTHER_FILES))
    found: dict[str, tuple[float, int]] = {}
    async with rig.serving("idle", {"": rig.site()}, rig.peers) as running:
        for name, each in running.items():
            found[name] = await _kib(each, count), each.rss()
    nginx = found.get("nginx", (None, 0))[0]
    return _COLUMNS, [
        Row(
            name,
            {"kib": kib, "x_nginx": kib / nginx if nginx else None, "connections": count, "rss_mib": rss / (1 << 20)},
        )
        for name, (kib, rss) in found.items()
    ]


IDLE = Scenario(
    "idle",
    "Memory per idle connection",
    "Connections that had one answer and then stay open; resident memory of fresh processes, without the kernel's.",
    _idle,
)
