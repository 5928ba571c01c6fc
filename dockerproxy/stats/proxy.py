"""ProxyStats: what happened at the front, and on all routes; forgets those that are long gone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from dockerproxy.stats.route import RouteStats

# An hour is longer than any deployment takes, and than the memory of whoever asks how it went.
KEEP_GONE = 3600.0  # seconds
# With that, what is kept of upstreams that are gone stays within a few megabytes, whatever a container does.
MOST_GONE = 10_000
_BETWEEN_LOOKS = 60.0  # seconds


class ProxyStats:
    """What happened at the front: client connections and requests, and all routes.

    connections_limit:   how many there may be
    connections_refused: those that were one too many, while all others were busy
    connections_evicted: idle ones that were closed to make room for another
    unrouted: requests that no route answered (404, 405) or that could not be understood (400, 413, 431 …)
    """

    __slots__ = (
        "_gone", "_look_after", "_active", "connections", "connections_evicted", "connections_limit",
        "connections_refused", "connections_total", "requests", "routes", "started_at", "unrouted",
    )  # fmt: skip

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at
        self.connections = 0
        self.connections_total = 0
        self.connections_limit = 0
        self.connections_refused = 0
        self.connections_evicted = 0
        self.requests = 0
        self.unrouted = 0
        self.routes: dict[str, RouteStats] = {}
        self._active: dict[str, RouteStats] = {}
        # Route, and key of the upstream or "" for all of the route -> since when the table has not had it.
        self._gone: dict[tuple[str, str], float] = {}
        self._look_after = 0.0

    @property
    def in_flight(self) -> int:
        """Exchanges under way on all routes."""
        return sum(route.in_flight for route in self.routes.values())

    def route(self, name: str) -> RouteStats:
        """The counters of the route with this name, made at the first call."""
        found = self.routes.get(name)
        if found is None:
            found = self.routes[name] = RouteStats(name, self._active)
        return found

    def take_active(self) -> list[tuple[str, RouteStats]]:
        """The routes, with their names, on which something may have happened since this was called before.

        Of thousands of routes most are idle most of the time, and are not even looked at.
        """
        found = list(self._active.items())
        for name, route in found:
            if not route.in_flight:  # else more will be counted, without another beginning
                route.idle = True
                del self._active[name]
        return found

    def due(self, now: float) -> bool:
        """Whether it is time to look for counters to forget; `now` is in seconds of any monotonic clock."""
        return now >= self._look_after

    def forget(self, present: Mapping[str, Collection[str]], now: float) -> None:
        """Drop the counters of what has been gone for KEEP_GONE, and of the longest gone beyond MOST_GONE.

        A container that is recreated has a new address and so a new key; without this, counters would only grow.

        present: the table's routes, by name, with the keys of their upstreams
        """
        self._look_after = now + _BETWEEN_LOOKS
        known, self._gone = self._gone, {}
        for place in self._absent(present):
            self._gone[place] = known.get(place, now)
        oldest_first = sorted(self._gone, key=lambda place: self._gone[place])
        surplus = len(oldest_first) - MOST_GONE
        for index, place in enumerate(oldest_first):
            if index < surplus or now - self._gone[place] >= KEEP_GONE:
                self._drop(*place)
                del self._gone[place]

    def _absent(self, present: Mapping[str, Collection[str]]) -> Iterator[tuple[str, str]]:
        """What the table does not have and nothing is under way at."""
        for name, route in self.routes.items():
            keys = present.get(name)
            if keys is None and not route.in_flight:
                yield name, ""
            for key, upstream in route.upstreams.items():
                if not upstream.in_flight and (keys is None or key not in keys):
                    yield name, key

    def _drop(self, name: str, key: str) -> None:
        if not key:
            self.routes.pop(name, None)
        elif name in self.routes:
            self.routes[name].upstreams.pop(key, None)
