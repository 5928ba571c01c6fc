"""Pool: the connections to one address; idle ones last in first out, and a queue of those who wait for one.

The pool decides who gets which connection; making one is handed in as `connect`, so it knows no sockets.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from dockerproxy.proxy.upstream.close_reason import CloseReason
from dockerproxy.proxy.upstream.failure import AttemptError, Failure
from dockerproxy.proxy.upstream.http1 import Owner, UpstreamConnection
from dockerproxy.tasks import Tasks

# Who owns the connection, and seconds.
Connect = Callable[[Owner, float], Coroutine[Any, Any, UpstreamConnection]]


class Requester(Protocol):
    """Whoever asked for a connection. One of these is called once for each time it asked, unless it left the line."""

    def connected(self, connection: UpstreamConnection) -> None:
        """A connection is there, and is the requester's until it is released."""

    def connect_failed(self, error: AttemptError) -> None:
        """There will be none."""


class Watch(Protocol):
    """Whoever wants to know how connections of a pool end, while that matters."""

    def lost(self, pool: Pool, close_reason: CloseReason, rested: float, *, idle: bool) -> None:
        """A connection has ended, by whose hand `close_reason` says.

        rested: seconds since its last answer; 0 where it had none, or was in the middle of one
        """

    def not_reached(self, pool: Pool, error: AttemptError) -> None:
        """There was no connection to be had."""

    def reached(self, pool: Pool, connection: UpstreamConnection) -> None:
        """A connection has been made; it is not used where the pool is doubted then."""


class Pool:
    """The connections to one address, at most `limit` at a time.

    Once whoever was there has left, the address may be another one's: a connection that was begun before is not handed
    over, even if it comes about.

    watch:   who is told how connections end, or None
    doubted: whether somebody else may be at the address by now, so that no new connection is made
    retired: whether the address is out of use
    """

    __slots__ = (
        "_connect", "_idle", "_making", "_tasks", "_waiting", "address", "doubted", "limit", "retired", "size", "watch",
    )  # fmt: skip

    def __init__(self, address: str, connect: Connect, tasks: Tasks, limit: int) -> None:
        self.address = address
        self.limit = limit
        self.size = 0
        self.watch: Watch | None = None
        self.doubted = False
        self._connect = connect
        self._tasks = tasks
        self._idle: deque[UpstreamConnection] = deque()
        # Seconds for connecting, and the timer that ends the waiting.
        self._waiting: OrderedDict[Requester, tuple[float, asyncio.TimerHandle]] = OrderedDict()
        # Whom a connection is being made for, and by which task.
        self._making: dict[Requester, asyncio.Task[None]] = {}
        self.retired = False

    def __repr__(self) -> str:
        return f"<Pool {self.address}: {self.size} open, {len(self._idle)} idle, {len(self._waiting)} waiting>"

    def take_idle(self) -> UpstreamConnection | None:
        """The connection that was used last, or None."""
        return self._idle.pop() if self._idle else None

    def request(self, requester: Requester, timeout: float) -> None:
        """Connect for `requester`, or queue it while the pool is full; its callbacks tell the outcome.

        timeout: seconds for waiting in the queue, and then for connecting
        """
        if self.doubted:
            requester.connect_failed(AttemptError(Failure.DOUBTED))
        elif self.retired:
            requester.connect_failed(AttemptError(Failure.LEFT))
        elif self.size < self.limit:
            self._start_connecting(requester, timeout)
        else:
            timer = asyncio.get_running_loop().call_later(timeout, self._waited_too_long, requester)
            self._waiting[requester] = timeout, timer

    def cancel(self, requester: Requester) -> None:
        """`requester` waits no longer. A connection that is being made for it will serve another."""
        waiting = self._waiting.pop(requester, None)
        if waiting is not None:
            waiting[1].cancel()

    def release(self, connection: UpstreamConnection) -> None:
        """Give a connection back that can be used again."""
        if self._waiting:
            self._next_waiting()[0].connected(connection)
        elif self.retired:
            connection.close()
        else:
            self._idle.append(connection)

    def lost(self, connection: UpstreamConnection, *, idle: bool) -> None:
        """A connection has ended; whoever waits gets a new one."""
        if not connection.counted:
            return  # it ended while it was being made, and whoever makes it counts
        self.size -= 1
        if idle and connection in self._idle:
            self._idle.remove(connection)
        if self.watch is not None:
            self.watch.lost(self, connection.close_reason, connection.rested(time.monotonic()), idle=idle)
        self._serve_waiting()

    def detach(self, connection: UpstreamConnection) -> None:
        """A connection has become a tunnel, which may last for days: it takes no request's place."""
        self.lost(connection, idle=False)
        connection.counted = False

    def close_idle(self) -> None:
        """Keep nothing for later."""
        while self._idle:
            self._idle.pop().close()

    def doubt(self) -> None:
        """Somebody else may be there by now: make no new connection; who waits goes on. What stands is as it was."""
        self.doubted = True
        for requester in [self._next_waiting()[0] for _ in range(len(self._waiting))]:
            requester.connect_failed(AttemptError(Failure.DOUBTED))

    def retire(self) -> None:
        """The address is out of use: close what is idle, and the rest as it is given back; whoever waits goes on."""
        self.retired = True
        self.close_idle()
        waiting = [self._next_waiting()[0] for _ in range(len(self._waiting))]
        making, self._making = self._making, {}
        for requester, task in making.items():
            self.size -= 1
            task.cancel()
            waiting.append(requester)
        for requester in waiting:
            requester.connect_failed(AttemptError(Failure.LEFT))

    def revive(self) -> None:
        """The address is in use (again)."""
        self.retired = False

    def _serve_waiting(self) -> None:
        """There is room: connect for whoever has waited longest."""
        if self._waiting and self.size < self.limit:
            self._start_connecting(*self._next_waiting())

    def _next_waiting(self) -> tuple[Requester, float]:
        """Whoever has waited longest waits no longer, and the seconds that it has for connecting."""
        requester, (timeout, timer) = self._waiting.popitem(last=False)
        timer.cancel()
        return requester, timeout

    def _waited_too_long(self, requester: Requester) -> None:
        del self._waiting[requester]
        requester.connect_failed(AttemptError(Failure.BUSY))

    def _start_connecting(self, requester: Requester, timeout: float) -> None:
        self.size += 1
        attempt = self._connecting(requester, timeout)
        self._making[requester] = self._tasks.start(attempt, name=f"connect to {self.address}")

    async def _connecting(self, requester: Requester, timeout: float) -> None:
        own = asyncio.current_task()
        try:
            connection = await self._connect(self, timeout)
        except AttemptError as error:
            if self.watch is not None and not self.retired:
                self.watch.not_reached(self, error)
            self._not_made(requester, own, error)
        except BaseException as error:
            self._not_made(requester, own, AttemptError(Failure.UNREACHABLE, str(error)))
            raise
        else:
            self._hand_over(connection, requester, own)

    def _not_made(self, requester: Requester, task: asyncio.Task[None] | None, error: AttemptError) -> None:
        if self._still_wanted(requester, task):
            self.size -= 1
            self._serve_waiting()
            requester.connect_failed(error)

    def _hand_over(self, connection: UpstreamConnection, requester: Requester, task: asyncio.Task[None] | None) -> None:
        """From now on the connection itself tells when it is lost."""
        if self.watch is not None and not connection.lost:
            self.watch.reached(self, connection)
        if connection.lost:
            self._not_made(requester, task, AttemptError(Failure.REFUSED, "it was closed at once"))
        elif self.doubted:
            connection.close()
            self._not_made(requester, task, AttemptError(Failure.DOUBTED))
        elif self._still_wanted(requester, task):
            connection.counted = True
            requester.connected(connection)
        else:
            connection.close()

    def _still_wanted(self, requester: Requester, task: asyncio.Task[None] | None) -> bool:
        """Whether what `task` made for `requester` is to be handed over: not when the pool was retired meanwhile."""
        if self._making.get(requester) is not task:
            return False
        del self._making[requester]
        return True
