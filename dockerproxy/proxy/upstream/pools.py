"""Pools: the pools of all addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dockerproxy.proxy.upstream.connector import Connector
from dockerproxy.proxy.upstream.pool import Pool, Watch
from dockerproxy.routing.route import Upstream
from dockerproxy.tasks import Tasks
from dockerproxy.tls.client import UpstreamTls

# An address, whose it is (the id of a container, or ""), how https is spoken there, and which local addresses its name
# may stand for.
Key = tuple[str, str, str, object]


class Pools:
    """A pool for each address that requests have gone to, each owner of it, and each way of speaking https there.

    A container that has got the address of another one has a pool of its own: what was begun for that one is not its.

    watch: who is told how connections end, or None
    """

    def __init__(self, connector: Connector, tasks: Tasks) -> None:
        self._connector = connector
        self._tasks = tasks
        self._pools: dict[Key, Pool] = {}
        self.watch: Watch | None = None

    def __repr__(self) -> str:
        return f"<Pools: {len(self._pools)}>"

    def __len__(self) -> int:
        return len(self._pools)

    def __iter__(self) -> Iterator[Pool]:
        return iter(list(self._pools.values()))

    def pool(self, upstream: Upstream, tls: UpstreamTls, limit: int) -> Pool:
        """The pool of connections to `upstream`, of which there may be `limit` at a time."""
        key = (upstream.address, upstream.container, tls.key, upstream.local)
        pool = self._pools.get(key)
        if pool is None:
            connect = self._connector.to(upstream, tls)
            pool = self._pools[key] = Pool(upstream.address, connect, self._tasks, limit)
            pool.watch = self.watch
        pool.limit = limit
        return pool

    def begin_watch(self, watch: Watch) -> None:
        """Have `watch` told how connections end from now on, until `end_watch`."""
        self.watch = watch
        for pool in self:
            pool.watch = watch

    def end_watch(self) -> None:
        """Nobody is told any more, and nobody is doubted."""
        self.watch = None
        for pool in self:
            pool.watch = None
            pool.doubted = False

    def doubt(self, address: str) -> None:
        """Make no new connection to this address."""
        for pool in self:
            if pool.address == address:
                pool.doubt()

    def revive(self, used: Collection[tuple[str, str]]) -> list[Key]:
        """Note that the `used` addresses, with their owners, are in use (again); returns the other pools' keys."""
        unused = []
        for key, pool in self._pools.items():
            if key[:2] in used:
                pool.revive()
            else:
                unused.append(key)
        return unused

    def retire(self, unused: list[Key]) -> None:
        """Close idle connections to addresses that are out of rotation: an application that is told to stop waits
        for them."""
        for key in unused:
            pool = self._pools[key]
            pool.retire()
            if pool.size == 0:
                del self._pools[key]

    def close_idle(self) -> None:
        """Keep nothing for later."""
        for pool in self:
            pool.close_idle()

    def retire_all(self) -> None:
        """Whoever waits in one may go on to another, until all are over."""
        for pool in self:
            pool.retire()
