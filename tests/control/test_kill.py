"""Whatever was acknowledged is there after kill -9, and the file is never half written."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from itertools import islice, takewhile
from pathlib import Path
from typing import IO

from dockerproxy.control.store import Store

_KILLS = 25
_SCRIPT = Path(__file__).with_name("adds_until_killed.py")
_MOST_BEFORE = 6  # routes that a process adds for certain, however slow the disk is …
_LONGEST_REST = 0.05  # … and seconds for which it goes on until it is killed


def _acknowledged_before_death(asked: IO[str], told: IO[str], first: int, certain: int, rest: float) -> list[str]:
    print(first, file=asked, flush=True)
    process = int(told.readline())
    names = takewhile(lambda line: line != "over\n", told)
    before = list(islice(names, certain))
    threading.Timer(rest, os.kill, (process, signal.SIGKILL)).start()
    return [line.strip() for line in (*before, *names)]


def test_every_acknowledged_route_survives_kill_9(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged: list[str] = []
    command = [sys.executable, str(_SCRIPT), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        for kill in range(_KILLS):
            certain, rest = chance.randrange(_MOST_BEFORE), chance.uniform(0, _LONGEST_REST)
            acknowledged += _acknowledged_before_death(parent.stdin, parent.stdout, kill * 100_000, certain, rest)
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
