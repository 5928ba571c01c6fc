"""What a run was made on: the machine, and the versions of what took part."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.cores import Cores

_PATIENCE = 10.0  # seconds


def describe(cores: Cores, versions: Mapping[str, str]) -> dict[str, str]:
    """Name -> words, in the order in which they are shown."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{_memory_gib():.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}",
        "Python": platform.python_version(),
        "cores": cores.words(),
        "load at the start": " ".join(f"{each:.2f}" for each in os.getloadavg()),
        "small answers asked by": _wrk(),
        **versions,
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)


def _wrk() -> str:
    path = shutil.which("wrk")
    if path is None:
        return "the own client, for wrk is not installed"
    done = subprocess.run([path, "-v"], capture_output=True, text=True, timeout=_PATIENCE, check=False)
    return " ".join((done.stdout or done.stderr).split()[:2])
