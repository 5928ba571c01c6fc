"""Flow: back-pressure. A Valve stops one side from being read while the other side cannot take more.

What is on its way through the proxy is bounded by one transport buffer (64 KiB) and one read in each direction.
"""

from __future__ import annotations

import asyncio
from asyncio import Transport
from collections.abc import Callable

# Over TLS transports would else keep eight times as much; over TCP it is what they keep anyway.
MOST_UNSENT = 64 << 10  # bytes

# Why a valve is shut: the other side cannot take more, or it is others' turn.
PRESSURE, TURN = 1, 2


class Valve:
    """Reading from one transport, open or shut. Both may be said again and again, also after the end."""

    __slots__ = ("_reasons", "_transport")

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._reasons = 0

    def __repr__(self) -> str:
        return f"<Valve {'shut' if self.shut else 'open'}>"

    @property
    def shut(self) -> bool:
        return bool(self._reasons)

    def close(self, reason: int = PRESSURE) -> None:
        """Read no more for now."""
        if not self._reasons and not self._transport.is_closing():
            self._transport.pause_reading()
        self._reasons |= reason

    def open(self, reason: int = PRESSURE) -> None:
        """Read on, unless there is another reason not to."""
        if not self._reasons:
            return
        self._reasons &= ~reason
        if not self._reasons and not self._transport.is_closing():
            self._transport.resume_reading()

    def take_turns(self, go_on: Callable[[], None]) -> None:
        """Let all others have their turn before `go_on` is called; nothing is read meanwhile."""
        self.close(TURN)
        asyncio.get_running_loop().call_soon(self._next_turn, go_on)

    def _next_turn(self, go_on: Callable[[], None]) -> None:
        self.open(TURN)
        go_on()
