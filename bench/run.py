"""Run: the upstreams, then one scenario after the other; everything that was started is ended."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.cores import Cores
from bench.errors import BenchError
from bench.machine import describe
from bench.origin import Origin
from bench.peers import Peer
from bench.plan import Plan
from bench.report import Report, aligned, table
from bench.scenarios.figures import Result, Scenario
from bench.scenarios.rig import Rig, say

# Files that one process may have open, when the machine allows more.
_MOST_FILES = 32_768


async def run(plan: Plan, scenarios: Sequence[Scenario], peers: Sequence[Peer]) -> Report:
    """Measure. Raises BenchError when nothing can be measured at all; a scenario that fails is left out."""
    present = {peer: version for peer in peers if (version := peer.version()) is not None}
    skipped = [f"{peer.name} is not installed and is left out." for peer in peers if peer not in present]
    cores = Cores()
    machine = describe(cores, {peer.name: version for peer, version in present.items()})
    for line in [f"cores: {cores.words()}", *skipped]:
        say(line)
    files = _raise_file_limit()
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="dockerproxy-bench-") as name, cores.as_load():
        folder = Path(name)
        origin = Origin(folder, plan.large_size, files)
        try:
            await origin.start()
            rig = Rig(plan, list(present), origin.ports, folder, cores, files)
            for scenario in scenarios:
                await _measure(scenario, rig, results, skipped)
        finally:
            origin.stop()
    return Report(
        f"{plan.name}, rounds: {plan.rounds}", datetime.now(UTC).strftime("%Y-%m-%d"), machine, results, skipped
    )


async def _measure(scenario: Scenario, rig: Rig, results: list[Result], skipped: list[str]) -> None:
    say(f"\n{scenario.name}: {scenario.title}")
    try:
        result = await scenario.result(rig)
    except (BenchError, OSError) as error:  # the other scenarios are worth their while all the same
        skipped.append(f"{scenario.name} could not be measured: {error}")
        say(skipped[-1])
        return
    results.append(result)
    say(aligned(table(result)))


def _raise_file_limit() -> int:
    """As many open files as the machine allows, for thousands of connections; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted) if soft != resource.RLIM_INFINITY else wanted


def results_file(plan: Plan) -> Path:
    """Where a run is kept when no other file is named."""
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return folder / f"{stamp}-{plan.name}-{os.getpid()}.json"
