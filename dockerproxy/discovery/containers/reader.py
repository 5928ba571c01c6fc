"""ContainerReader: what the engine says of a container, and what its labels ask for -> a ContainerView.

Decides whether a container may join right now and where it is reached. Pure; knows no other container.
"""

from __future__ import annotations

from dockerproxy.discovery.containers.address import AddressBook, NoAddress, without_owner
from dockerproxy.discovery.engine.entry import CONTAINER_MODE, RUNNING, STOPPING, Entry
from dockerproxy.discovery.snapshot import ContainerView, Reach, RouteWish
from dockerproxy.labels.control_characters import has_controls
from dockerproxy.labels.reading import Dialect, Reading, RouteReading
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.route import Source, Upstream

# By what the engine calls it: code, what is wrong, what mends it.
_STATES = {
    "created": (Code.NOT_STARTED, "it has been created, but not started", "run: docker start {name}"),
    "paused": (Code.PAUSED, "it is paused", "run: docker unpause {name}"),
    "restarting": (
        Code.RESTARTING,
        "it is being restarted by the engine{exit}",
        "docker logs {name} tells why it ended",
    ),
    "removing": (Code.NOT_RUNNING, "it is being removed", ""),
    "exited": (
        Code.EXITED,
        "it has exited{exit}",
        "run: docker start {name}; docker logs {name} may tell why it ended",
    ),
    "dead": (Code.NOT_RUNNING, "the engine could not remove it (dead)", "run: docker rm --force {name}"),
}
_TO_START = ("created", "exited")
_HEALTH = {
    "starting": (Code.HEALTH_STARTING, "its health check has not succeeded yet", "it joins as soon as it does"),
    "unhealthy": (
        Code.UNHEALTHY,
        "its health check fails",
        "run: docker inspect --format '{{json .State.Health}}' {name}; it shows what the check said",
    ),
}
_ERROR_SHOWN = 200  # characters


class ContainerReader:
    """Views of containers, by one dialect of labels and one address book."""

    def __init__(self, dialect: Dialect, addresses: AddressBook) -> None:
        self._dialect = dialect
        self._addresses = addresses

    def __repr__(self) -> str:
        return f"<ContainerReader {self._dialect!r} {self._addresses!r}>"

    def view(self, entry: Entry, draining: bool = False) -> ContainerView:
        """What to make of `entry`; `draining` when it was told to stop."""
        # What nobody has foreseen in the labels of one container costs that container only.
        try:
            return self._view(entry, self._dialect.read(entry.labels, entry.name, entry.service), draining)
        except Exception as error:
            return self._view(entry, Reading(True, (), (_unreadable(error),)), draining)

    def _view(self, entry: Entry, reading: Reading, draining: bool) -> ContainerView:
        reasons = list(reading.reasons)
        wishes: list[RouteWish] = []
        obstacle = _obstacle(entry) if reading.wanted else None
        if obstacle is not None:
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
            labels=entry.labels,
            networks=tuple(network.name for network in entry.networks),
            exposed=entry.exposed,
            addresses=tuple(one for each in entry.networks for one in (each.address, each.address6) if one),
        )

    def _wishes(
        self, entry: Entry, routes: tuple[RouteReading, ...], draining: bool, reasons: list[Reason]
    ) -> list[RouteWish]:
        wishes = []
        for route in routes:
            try:
                address = self._addresses.find(entry, route)
            except NoAddress as error:
                reasons.append(error.reason)
                continue
            upstream = Upstream(
                name=entry.name,
                url=f"{route.scheme}://{address}",
                weight=route.weight,
                source=Source.DOCKER,
                container=entry.id,
                draining=draining,
                published=address.published,
                hardware=address.hardware,
            )
            wishes.append(_wish(route, upstream, address.reach, _project(entry) if route.by_service else ""))
        return wishes


def _wish(route: RouteReading, upstream: Upstream, reach: Reach, project: str) -> RouteWish:
    return RouteWish(
        route=route.name,
        upstream=upstream,
        default_domain=route.default_domain,
        domains=route.domains,
        path=route.path,
        methods=route.methods,
        options=route.options,
        reach=reach,
        project=project,
    )


def _project(entry: Entry) -> str:
    """Its compose project; "" where that could forge a line of the log."""
    return "" if has_controls(entry.project) else entry.project


def _obstacle(entry: Entry) -> Reason | None:
    """Why a container in this state is not routed, if so."""
    if entry.state == STOPPING or (entry.state == RUNNING and entry.health not in _HEALTH):
        return None
    other = (Code.NOT_RUNNING, f"its state is {entry.state or 'unknown'}, not running", "")
    code, what, mend = _HEALTH[entry.health] if entry.state == RUNNING else _STATES.get(entry.state, other)
    ended = f" (exit code {entry.exit_code})" if entry.exit_code else ""
    what, mend = what.replace("{exit}", ended), mend.replace("{name}", entry.name)
    if entry.state in _TO_START and entry.network_mode.startswith(CONTAINER_MODE):
        # The engine would not start it.
        owner = without_owner(entry).reason
        what, mend = f"{what}, and {owner.what}", owner.mend
    return Reason(code, what, mend)


def _unreadable(error: Exception) -> Reason:
    what = f"its labels cannot be read ({type(error).__name__}: {str(error)[:_ERROR_SHOWN]})"
    return Reason(Code.UNREADABLE, what, "this is a mistake in dockerproxy, please tell us which labels it has")
