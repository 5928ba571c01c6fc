"""Bounds: how many, how large and how long. The machine's limit of open files is respected."""

from __future__ import annotations

import resource
from dataclasses import dataclass

MIB = 1 << 20
# The proxy has as many files as this program: for each client, one on either side.
_RESERVED_FILES = 2_000
_IDLE = 10_000  # connections


@dataclass(frozen=True, slots=True)
class Bounds:
    """The size of a run; times in seconds.

    slow:       slow clients of a kind; crowding: so many that they hold all connections to an upstream
    idle:       idle connections; hasty: connections that open and close at once; hasty_rounds: how often
    flooding:   clients that flood; faulty: clients of each faulty upstream
    tunnels:    WebSockets at a time
    offered:    bytes of the large bodies, at `rate` bytes a second for `large_seconds`
    """

    slow: int = 400
    crowding: int = 600
    idle: int = _IDLE
    hasty: int = 2_000
    hasty_rounds: int = 3
    flooding: int = 50
    faulty: int = 100
    tunnels: int = 1_000
    file: int = 100 * MIB
    offered: int = 1024 * MIB
    rate: int = MIB
    large_seconds: float = 30.0
    slow_seconds: float = 10.0
    head_timeout: float = 4.0
    stall_timeout: float = 5.0
    idle_timeout: float = 20.0

    @classmethod
    def of(cls, *, full: bool) -> Bounds:
        """Those of a short or a full run, within the limit of open files."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
        room = max(soft, hard) - _RESERVED_FILES
        idle = max(100, min(_IDLE, room))
        if not full:
            return cls(idle=idle)
        return cls(idle=idle, large_seconds=float("inf"), slow_seconds=60.0, head_timeout=10.0, stall_timeout=60.0,
                   idle_timeout=75.0)  # fmt: skip
