"""What the kernel knows of the other end of a connection: whether it is still there, and what it has taken.

Whoever is cut off from the network says no word. The engine takes a network from a container, a machine loses its
power, a telephone leaves: without a question, the connection would look as if an answer were still to come. So the
kernel asks (RFC 9293 section 3.8.4).
"""

from __future__ import annotations

import contextlib
import socket
import sys
from asyncio import BaseTransport, Transport
from typing import NamedTuple


class Probes(NamedTuple):
    """When the kernel asks, and when it gives the other end up.

    after: seconds of silence before the first question
    every: seconds between two questions
    most:  questions without an answer after which the connection is over
    """

    after: int
    every: int
    most: int


# A request waits for it, and another upstream may be there to answer it: after 5 s of silence.
UPSTREAM = Probes(2, 1, 3)
# As long as something is unacknowledged the kernel asks nothing, and would send it again and again for a quarter of an
# hour (RFC 5482). It counts from when it first sends it again: a second later at most, where the machine is busy. That
# makes 5 s.
MOST_UNACKNOWLEDGED = 4.0  # seconds
# More than so much of a request may wait in the kernel for an application that does not read, which is its right.
READ_AT_ONCE = 16 << 10  # bytes
# A tunnel may be silent for ever. Two minutes after the other end was heard last, it is not there.
TUNNEL = Probes(60, 15, 4)
# `struct tcp_info` of Linux: the state is its first byte, the segments that nobody has acknowledged are here.
_CLOSE_WAIT, _UNACKED, _INFO = 8, 24, 28
_OPTIONS = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")


def probe(transport: BaseTransport, probes: Probes) -> None:
    """Have the other end asked from now on, where it is at the other end of a network."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with contextlib.suppress(OSError):  # it has just ended
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in zip(_OPTIONS, probes, strict=True):
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def bound_unacknowledged(transport: BaseTransport, seconds: float) -> None:
    """Give the other end up when it has acknowledged nothing for so long; 0 for as long as the kernel does by itself.

    The kernel counts the time, too, in which the other end takes nothing for its window is full.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6) or not hasattr(socket, "TCP_USER_TIMEOUT"):
        return
    with contextlib.suppress(OSError):  # it has just ended
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


def closed_after_all_was_taken(transport: Transport) -> bool:
    """Whether the other end has closed in order, and has taken all that was sent to it; False where nobody knows.

    Of what its application has not read the kernel there would tell by a reset, and of what came when it had closed
    already it would acknowledge nothing.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6) or not hasattr(socket, "TCP_INFO"):
        return False
    if transport.get_write_buffer_size():
        return False
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO)
    except OSError:
        return False
    return len(info) == _INFO and info[0] == _CLOSE_WAIT and not int.from_bytes(info[_UNACKED:_INFO], sys.byteorder)
