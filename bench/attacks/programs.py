"""Programs of others: slowhttptest, and Autobahn's WebSocket test suite with and without the proxy."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from bench.attacks.arena import Arena
from bench.attacks.attack import Attack, Got
from bench.ports import LOOPBACK

_SECONDS = 20  # of each mode
_CONNECTIONS = 500
_RATE = 250  # connections a second
_PROBE = 5  # seconds; its own good client gives up after that
_MODES = {"slow heads": "-H", "slow bodies": "-B", "slow readers": "-X"}
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CASES = 1800.0  # seconds for all cases of Autobahn, twice
# 12 and 13 are of compression, which passes through a tunnel like any other byte, and take an hour.
_LEFT_OUT = ["12.*", "13.*"]


def _slowhttptest(mode: str) -> Attack:
    async def run(arena: Arena) -> Got:
        program = shutil.which("slowhttptest")
        if program is None:
            return Got({"slowhttptest is not installed": 1})
        argv = [program, _MODES[mode], "-c", str(_CONNECTIONS), "-r", str(_RATE), "-l", str(_SECONDS), "-i", "1",
                "-p", str(_PROBE), "-u", f"http://{LOOPBACK}:{arena.port}/"]  # fmt: skip
        process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        return _last_status(_COLOUR.sub("", output.decode("utf-8", "replace")))

    return Attack(f"slowhttptest: {mode}", run)


def _last_status(output: str) -> Got:
    """The counters of its last report, and whether its own good client was served in each report."""
    got = Got()
    for word in ("error", "closed", "connected"):
        found = re.findall(rf"^{word}:\s+(\d+)", output, re.MULTILINE)
        got[word] = int(found[-1]) if found else 0
    for answer in re.findall(r"service available:\s+(\w+)", output):
        got[f"its own probe: {answer}"] += 1
    return +got


def autobahn(command: str) -> Attack:
    """Autobahn's fuzzing client, as started by `command`, against an echo server with and without the proxy."""

    async def run(arena: Arena) -> Got:
        with tempfile.TemporaryDirectory() as folder:
            spec = Path(folder) / "spec.json"
            spec.write_text(json.dumps(_spec(arena, folder)))
            async with serve(_echo, LOOPBACK, arena.socket_port, max_size=None, ping_interval=None):
                argv = [*shlex.split(command), "-m", "fuzzingclient", "-s", str(spec)]
                process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.DEVNULL, cwd=folder)
                await asyncio.wait_for(process.wait(), _CASES)
            return _compared(json.loads((Path(folder) / "reports" / "index.json").read_text()))

    return Attack("Autobahn's cases, with and without the proxy", run)


def _spec(arena: Arena, folder: str) -> dict[str, Any]:
    return {
        "outdir": f"{folder}/reports",
        "servers": [
            {"agent": "direct", "url": f"ws://{LOOPBACK}:{arena.socket_port}"},
            {"agent": "proxied", "url": f"ws://{LOOPBACK}:{arena.port}/socket"},
        ],
        "cases": ["*"],
        "exclude-cases": _LEFT_OUT,
    }


def _compared(report: dict[str, Any]) -> Got:
    direct, proxied = report["direct"], report["proxied"]
    got = Got()
    for case, found in direct.items():
        same = found["behavior"] == proxied[case]["behavior"]
        got[f"{found['behavior']}, as without it" if same else f"{case}: {proxied[case]['behavior']}"] += 1
    return got


async def _echo(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message)


ATTACKS = [_slowhttptest(mode) for mode in _MODES]
