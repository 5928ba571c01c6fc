"""Signals: their names and numbers, and which of them end an application."""

from __future__ import annotations

import signal

from dockerproxy.demo.refusals import BadParameter

KILL = int(signal.SIGKILL)
TERM = int(signal.SIGTERM)

# What a well-behaved web server takes as "finish what is in flight, then exit", beside its own stop signal.
POLITE_ENDS = frozenset({TERM, int(signal.SIGINT), int(signal.SIGQUIT)})


def signal_number(name: str) -> int:
    """`SIGTERM`, `TERM`, `term` or `15` -> 15. Raises BadParameter for anything else."""
    if name.isascii() and name.isdigit():
        return _known(int(name), name)
    upper = name.upper()
    full = upper if upper.startswith("SIG") else f"SIG{upper}"
    try:
        return int(signal.Signals[full])
    except KeyError:
        raise BadParameter(f"Invalid signal: {name}") from None


def _known(number: int, name: str) -> int:
    try:
        return int(signal.Signals(number))
    except ValueError:
        raise BadParameter(f"Invalid signal: {name}") from None
