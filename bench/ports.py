"""Free ports on 127.0.0.1, from below the range that outgoing connections take theirs from."""

from __future__ import annotations

import random
import socket

from bench.errors import BenchError

LOOPBACK = "127.0.0.1"
_LOWEST, _HIGHEST = 20_000, 32_000
_TRIES = 200


def free_ports(count: int) -> list[int]:
    """`count` different ports that nobody listens on now. Raises BenchError."""
    found: set[int] = set()
    for _ in range(_TRIES + count):
        if len(found) == count:
            return sorted(found)
        port = random.randrange(_LOWEST, _HIGHEST)
        if _free(port):
            found.add(port)
    raise BenchError(f"no {count} free ports between {_LOWEST} and {_HIGHEST} on {LOOPBACK}")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
