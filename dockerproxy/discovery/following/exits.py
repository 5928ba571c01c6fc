"""Exits: containers that end without being told to, in words for the log. No I/O, no clock.

The engine tells of a `docker stop` by the event kill, with the signal that the container is stopped by, before the
event die; a process that ends by itself, or is killed from outside, dies without. `docker kill` and `docker rm -f`
are kills with SIGKILL and nothing before it.

Podman tells of no signal: neither of a stop, nor which one a kill was; but, asked afterwards, whether somebody has
ended the container. Where it may not be asked, nothing is claimed.
"""

from __future__ import annotations

import logging
from collections.abc import Set
from typing import NamedTuple

from dockerproxy.discovery.following.flapping import Flaps

_KILLED = "137"  # 128 and the number of SIGKILL, as a shell says it
_STOPPED = frozenset({"0", "143", _KILLED})  # what a stop may end with: by itself, by SIGTERM, by SIGKILL


class ExitLine(NamedTuple):
    """One line for the log, at its level."""

    level: int
    text: str


class Exits:
    """Who was told to end, and who ends again and again."""

    def __init__(self) -> None:
        self._stopped: set[str] = set()
        self._killed: set[str] = set()
        self._flaps: Flaps[str] = Flaps()

    def __repr__(self) -> str:
        return (
            f"<Exits: {len(self._stopped)} containers were told to stop, {len(self._killed)} were killed, "
            f"{len(self._flaps)} have ended lately>"
        )

    def signalled(self, container: str, *, killed: bool) -> None:
        """It got the signal that it is stopped by; or SIGKILL, which also ends those that do not listen."""
        (self._killed if killed else self._stopped).add(container)

    def survived(self, container: str) -> None:
        """It lives on after its signal, or was started again."""
        self._stopped.discard(container)
        self._killed.discard(container)

    def keep(self, containers: Set[str]) -> None:
        """Forget all but these: of some the end was not told, while there was no connection."""
        self._stopped &= containers
        self._killed &= containers

    def ended(
        self,
        container: str,
        name: str,
        exit_code: str,
        now: float,
        *,
        by_hand: bool | None = False,
        program: str = "docker",
    ) -> ExitLine | None:
        """What to tell of its end; None when it was told to stop, or has ended just so again and again.

        exit_code: as the engine says it, or "" when it does not
        by_hand:   whether the engine says so afterwards, whatever the signal was; None: nobody knows
        program:   the engine's own, for a person
        """
        stopped = container in self._stopped
        killed = container in self._killed and exit_code in ("", _KILLED)
        self.survived(container)
        if stopped or (by_hand and not killed):
            return None
        self._flaps.settled(now)  # a container of this id may never end again
        flap = self._flaps.add(container, now)
        if flap.flapping and not flap.news:
            return None
        unknown = by_hand is None
        line = f"{name}: {_how_perhaps(exit_code) if unknown else _how(exit_code, killed, program)}"
        if flap.flapping:
            line += f", for the {flap.number}th time in {flap.seconds:.0f} s"
        if not killed:
            line += f"; see {program} logs {name}"
        expected = exit_code == "0" or (unknown and exit_code in _STOPPED)
        return ExitLine(logging.INFO if expected else logging.WARNING, line)


def _how_perhaps(exit_code: str) -> str:
    """The same where the engine does not say whether somebody asked for it."""
    how = f"ended with exit code {exit_code}" if exit_code else "ended"
    return f"{how}; this engine does not say whether it was told to stop"


def _how(exit_code: str, killed: bool, program: str) -> str:
    """What ended it, as far as the engine tells."""
    if killed:
        return f"was killed by {program} kill or {program} rm -f (SIGKILL)"
    if not exit_code:
        return "ended without being told to stop"
    if exit_code == _KILLED:
        return "ended with exit code 137 without being told to stop: killed from outside, perhaps for want of memory"
    return f"ended with exit code {exit_code} without being told to stop"
