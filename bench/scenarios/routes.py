"""Routes: whether a request costs more when there are thousands of routes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bench.scenarios.figures import TIMES, TRAFFIC_COLUMNS, Column, Row, Sample, Scenario, ratio, traffic_rows
from bench.scenarios.rig import Case, Rig, Running
from bench.scenarios.traffic import Table, small_load

_CONNECTIONS = 32
_PIECES = 4  # of each round: the bar is five hundredths, and a machine that others use is twice as slow now and then
_COLUMNS = (
    TRAFFIC_COLUMNS[0],
    Column("x_one", f"{TIMES} one route", 2),
    *[column for column in TRAFFIC_COLUMNS if column.key in ("rps", "p50_ms", "p99_ms", "rss_mib", "errors")],
)
ONE, MANY, ALL = "1 route", "many routes", "many routes, all asked"


def _case(rig: Rig, running: Running, hosts: Sequence[str]) -> Case:
    return Case(running, partial(small_load, rig, connections=_CONNECTIONS, hosts=hosts))


async def _routes(rig: Rig) -> Table:
    """The same request with one route and with many; then requests to all of the many in turn."""
    hosts = [f"site-{number}.bench.test" for number in range(rig.plan.routes)]
    asked = [hosts[len(hosts) // 2]]
    peers = [peer for peer in rig.peers if peer.has_routes]
    async with rig.serving("routes", {ONE: rig.site(asked), MANY: rig.site(hosts)}, peers) as running:
        cases: dict[str, Case] = {}
        for peer in peers:
            one, many = running[f"{peer.name} {ONE}"], running[f"{peer.name} {MANY}"]
            cases[f"{peer.name} {ONE}"] = _case(rig, one, asked)
            cases[f"{peer.name} {MANY}"] = _case(rig, many, asked)
            cases[f"{peer.name} {ALL}"] = _case(rig, many, hosts)
        samples = await rig.compare(cases, _PIECES)
    return _COLUMNS, [_with_ratio(row, samples) for row in traffic_rows(samples)]


def _with_ratio(row: Row, samples: dict[str, list[Sample]]) -> Row:
    peer = row.name.split(" ", 1)[0]
    own, one = ([sample.cpu_us for sample in samples[name]] for name in (row.name, f"{peer} {ONE}"))
    return Row(row.name, {**row.figures, "x_one": ratio(own, one)})


ROUTES = Scenario(
    "routes",
    "One route against many",
    "Small answers over 32 connections with one route, with many (10,000 in the default run) of which one is asked, "
    "and with many that are all asked in turn.",
    _routes,
)
