"""ContainerReader: what the engine says of a container, and what its labels ask for -> a ContainerView.

Decides whether a container may join right now and where it is reached. Pure; knows no other container.
"""

from __future__ import annotations

from dockerproxy.discovery.address import AddressBook, NoAddress
from dockerproxy.discovery.entry import RUNNING, Entry
from dockerproxy.discovery.reading import Dialect, RouteReading
from dockerproxy.discovery.snapshot import ContainerView, RouteWish
from dockerproxy.routing.route import Source, Upstream

_STATE_REASONS = {
    "created": "it has been created, but not started; run: docker start {name}",
    "paused": "it is paused; run: docker unpause {name}",
    "restarting": "it is being restarted by the engine; docker logs {name} tells why it ended",
    "removing": "it is being removed",
    "exited": "it has exited; docker logs {name} may tell why",
    "dead": "the engine could not remove it (dead); run: docker rm --force {name}",
}
_HEALTH_REASONS = {
    "starting": "its health check has not succeeded yet",
    "unhealthy": "its health check fails; docker inspect {name} shows what it said",
}


class ContainerReader:
    """Views of containers, by one dialect of labels and one address book."""

    def __init__(self, dialect: Dialect, addresses: AddressBook) -> None:
        self._dialect = dialect
        self._addresses = addresses

    def __repr__(self) -> str:
        return f"<ContainerReader {self._dialect!r} {self._addresses!r}>"

    def view(self, entry: Entry, draining: bool = False) -> ContainerView:
        """What to make of `entry`; `draining` when it was told to stop."""
        reading = self._dialect.read(entry.labels, entry.name, entry.service)
        reasons = list(reading.reasons)
        wishes: list[RouteWish] = []
        obstacle = _obstacle(entry) if reading.wanted else ""
        if obstacle:
            reasons.append(obstacle)
        else:
            wishes = self._wishes(entry, reading.routes, draining, reasons)
        return ContainerView(
            id=entry.id,
            name=entry.name,
            created=entry.created,
            state=entry.health if entry.health == "starting" and entry.state == RUNNING else entry.state,
            wishes=tuple(wishes),
            reasons=tuple(dict.fromkeys(reasons)),
            mentioned=reading.mentioned,
        )

    def _wishes(
        self, entry: Entry, routes: tuple[RouteReading, ...], draining: bool, reasons: list[str]
    ) -> list[RouteWish]:
        wishes = []
        for route in routes:
            try:
                address = self._addresses.find(entry, route)
            except NoAddress as error:
                reasons.append(str(error))
                continue
            upstream = Upstream(
                name=entry.name,
                url=f"{route.scheme}://{address}",
                weight=route.weight,
                source=Source.DOCKER,
                container=entry.id,
                draining=draining,
            )
            wishes.append(_wish(route, upstream))
        return wishes


def _wish(route: RouteReading, upstream: Upstream) -> RouteWish:
    return RouteWish(
        route=route.name,
        upstream=upstream,
        default_domain=route.default_domain,
        domains=route.domains,
        path=route.path,
        methods=route.methods,
        options=route.options,
    )


def _obstacle(entry: Entry) -> str:
    """Why a container in this state is not routed, or ""."""
    if entry.state != RUNNING:
        reason = _STATE_REASONS.get(entry.state, f"its state is {entry.state or 'unknown'}, not running")
    else:
        reason = _HEALTH_REASONS.get(entry.health, "")
    return reason.format(name=entry.name)
