"""wrk: the load generator for small answers; one thread, on the cores of the load."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.loop import Load

# Seconds until an answer counts as an error; with the default of 2 a slow proxy would seem a broken one.
_TIMEOUT = 10
# Seconds that wrk may take beyond the load itself.
_GRACE = 30.0
_MICRO = 1e-6

# What wrk prints at the end, in its own units: microseconds.
_DONE = """
done = function(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests": %d, "errors": %d, "duration": %d, "p50": %d, "p99": %d}\\n',
    summary.requests, failed.status + failed.connect + failed.read + failed.write + failed.timeout,
    summary.duration, latency:percentile(50), latency:percentile(99)))
end
"""
# Requests are built before the load begins, one per host, and sent in turn.
_HOSTS = """
local hosts, requests, turn = {%s}, {}, 0
init = function(args)
  for number, host in ipairs(hosts) do
    wrk.headers["Host"] = host
    requests[number] = wrk.format(nil, nil)
  end
end
request = function()
  turn = turn %% #requests + 1
  return requests[turn]
end
"""
# Whole requests, sent in turn.
_REQUESTS = """
local requests, turn = {%s}, 0
request = function()
  turn = turn %% #requests + 1
  return requests[turn]
end
"""


def wrk_path() -> str | None:
    """Where wrk is, or None."""
    return shutil.which("wrk")


def script(headers: Mapping[str, str], hosts: Sequence[str]) -> str:
    """What wrk is told in Lua: the headers of each request, the hosts in turn, and how to print what came of it."""
    lines = [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items()]
    return "\n".join([*lines, _HOSTS % ", ".join(map(json.dumps, hosts)), _DONE])


def script_of(requests: Sequence[bytes]) -> str:
    """The same for whole requests of ASCII characters, which are sent in turn."""
    return _REQUESTS % ",\n".join(json.dumps(each.decode("ascii")) for each in requests) + _DONE


async def run_wrk(url: str, connections: int, seconds: float, lua: str, folder: Path) -> Load:
    """Put load on `url`. Raises BenchError when wrk fails."""
    file = folder / "load.lua"
    file.write_text(lua)
    argv = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{max(1, round(seconds))}s",
        f"--timeout={_TIMEOUT}s",
        "-s",
        str(file),
        url,
    ]
    try:
        done = await asyncio.to_thread(
            subprocess.run, argv, capture_output=True, text=True, timeout=seconds + _GRACE, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BenchError(f"wrk failed: {error}") from error
    return parse(done.stdout)


def parse(output: str) -> Load:
    """What wrk printed -> Load. Raises BenchError."""
    for line in output.splitlines():
        if line.startswith("RESULT "):
            found = json.loads(line.removeprefix("RESULT "))
            times = (found[key] * _MICRO for key in ("duration", "p50", "p99"))
            return Load(found["requests"], found["errors"], *times)
    raise BenchError(f"wrk printed no result; the end of what it did print: {output[-200:]!r}")
