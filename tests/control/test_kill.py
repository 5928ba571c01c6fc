"""Whatever was acknowledged is there after kill -9, and the file is never half written."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from pathlib import Path

from dockerproxy.control.store import Store

_KILLS = 25
_SCRIPT = Path(__file__).with_name("adds_until_killed.py")
_MOST_BEFORE = 6  # routes that a process adds for certain, however slow the disk is …
_LONGEST_REST = 0.05  # … and seconds for which it goes on until it is killed


def _acknowledged_before_death(folder: Path, first: int, certain: int, rest: float) -> list[str]:
    with subprocess.Popen(
        [sys.executable, str(_SCRIPT), str(folder), str(first)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        lines = [process.stdout.readline() for _ in range(certain)]
        threading.Timer(rest, process.kill).start()
        # A line that the kill cut short was not read by anybody as an acknowledgement.
        return [line.strip() for line in (*lines, *process.stdout) if line.endswith("\n")]


def test_every_acknowledged_route_survives_kill_9(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged: list[str] = []
    for kill in range(_KILLS):
        certain, rest = chance.randrange(_MOST_BEFORE), chance.uniform(0, _LONGEST_REST)
        acknowledged += _acknowledged_before_death(tmp_path, kill * 100_000, certain, rest)
        file = tmp_path / "routes.json"
        if file.exists():
            json.loads(file.read_bytes())

        store = Store(tmp_path)
        kept = {route.name for route in store.load()}
        store.close()
        assert set(acknowledged) <= kept
        # At most the one that was being added when the process died is there besides.
        assert len(kept) <= len(acknowledged) + kill + 1

    assert len(acknowledged) > _KILLS
    assert not list(tmp_path.glob("*.corrupt-*"))
