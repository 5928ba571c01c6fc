"""Ending: the end of a client connection, without destroying an answer that is still on its way.

Closing a socket into which the client is still sending makes the kernel answer with RST, which can throw away what
the client has not read yet (RFC 9112 section 9.6). So the sending side is closed first, and the rest is discarded.
"""

from __future__ import annotations

import socket
import struct
from asyncio import Transport

# How long a client has to close after its answer, and how much it may go on sending.
LINGER_TIME = 2.0  # seconds
_LINGER_BYTES = 1 << 20
# One that is in the middle of an upload which is refused often reads nothing before it has sent everything. It may go
# on as long as it does send, to the end where that is in sight, else for a while.
SENDING_TIME = 5.0  # seconds without a byte
_SENDING_LOOKS = 6  # times that long, at most
_IN_SIGHT = 256 << 20  # bytes
_SENDING_BYTES = 48 << 20
_FAREWELLS = 2  # times that a client is waited for that has been sent everything and is to close


_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close sends RST


def reset(transport: Transport) -> None:
    """End a connection so that the other side sees it as broken, and the kernel drops what it still holds for it."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


class Ending:
    """How one connection ends.

    lingering: whether the answer is complete and what still comes is discarded
    patience:  seconds that the client has to close, or to send more of what it was sending
    """

    __slots__ = (
        "_discarded",
        "_farewells",
        "_looks",
        "_most",
        "_seen",
        "_transport",
        "_unsent",
        "lingering",
        "patience",
    )

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._discarded = self._unsent = self._farewells = self._seen = self._looks = 0
        self._most = _LINGER_BYTES
        self.lingering = False
        self.patience = LINGER_TIME

    def __repr__(self) -> str:
        return f"<Ending {'lingering' if self.lingering else 'not begun'}, {self._discarded} bytes discarded>"

    @property
    def begun(self) -> bool:
        """Whether there will be no further answer."""
        return self.lingering or self._transport.is_closing()

    @property
    def over(self) -> bool:
        """Whether the client has taken all of the last answer, and only has to close."""
        return self.lingering and not self._transport.get_write_buffer_size()

    def close(self) -> bool:
        """Close once everything is sent. True when the client has yet to take some of it."""
        self.mark()
        if not self._transport.is_closing():  # one over TLS that is closed twice can be asked nothing any more
            self._transport.close()
        return self._unsent > 0

    def linger(self, left: int) -> None:
        """Send no more, and discard what still comes: `left` bytes of a request, 0 when it has come to its end."""
        self.lingering = True
        if left:
            self.patience, self._looks = SENDING_TIME, _SENDING_LOOKS
            self._most = left + _LINGER_BYTES if left <= _IN_SIGHT else _SENDING_BYTES
        self.mark()
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def finish(self) -> None:
        """The client has had its time to close: do it from here. One over TLS is told so, and once more given time."""
        if self._transport.is_closing():
            self._transport.abort()
        else:
            self._transport.close()

    def discard(self, data: bytes) -> None:
        """What came after the answer."""
        self._discarded += len(data)
        if self._discarded > self._most:
            self._transport.abort()

    def still_sending(self) -> bool:
        """Whether the client has sent more since this was last asked, and may go on."""
        more, self._seen = self._discarded > self._seen, self._discarded
        self._looks -= 1
        return more and self._looks > 0

    def mark(self) -> None:
        """Remember how much the client has yet to take."""
        self._unsent = self._transport.get_write_buffer_size()

    def progressed(self) -> bool:
        """Whether the client has taken anything since it was last asked. Over TLS it may also say farewell for a while,
        and asyncio does not tell of all that is still to be sent."""
        before = self._unsent
        self.mark()
        if self._transport.is_closing() and not self._unsent:
            self._farewells += 1
            return self._farewells <= _FAREWELLS
        return self._unsent < before

    def give_up(self) -> None:
        """The client takes no more; what the kernel has of the last answer may still reach it."""
        if self._transport.is_closing() and not self._unsent:
            self._transport.abort()
        else:
            reset(self._transport)
