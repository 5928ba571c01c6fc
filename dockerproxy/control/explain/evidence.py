"""Evidence: all that an explanation goes by, whether the proxy runs or is only imagined from its settings. Values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dockerproxy.discovery.engine.entry import Entry
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.discovery.status import DiscoveryStatus, EngineState
from dockerproxy.labels.native import LabelReader
from dockerproxy.routing.route import DEFAULT_PORTS, Route, Upstream
from dockerproxy.routing.table import RouteTable
from dockerproxy.settings import Settings

Json = dict[str, Any]


class Condition(NamedTuple):
    """How an upstream fares in one route; times as they are shown.

    state: `up`, `benched`, `probation`, `draining`, or `unknown` where nothing runs
    cause: why it is draining, or ""
    mend:  what ends that, or ""
    """

    state: str = "unknown"
    since: str | None = None
    until: str | None = None
    last_error: str | None = None
    cause: str = ""
    mend: str = ""


def _unknown(_route: str, _upstream: Upstream) -> Condition:
    return Condition()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known at one moment.

    table:      all routes
    containers: those with labels of ours, with all reasons
    discovery:  the engine, and the containers without labels of ours
    condition:  route name and upstream -> how it fares
    notes:      what makes the evidence itself doubtful, in sentences
    """

    settings: Settings
    table: RouteTable
    containers: tuple[ContainerView, ...]
    discovery: DiscoveryStatus
    condition: Callable[[str, Upstream], Condition] = _unknown
    notes: tuple[str, ...] = ()
    reader: LabelReader = field(init=False)
    _by_name: Mapping[str, Route] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        docker = self.settings.docker
        object.__setattr__(self, "reader", LabelReader(docker.label_prefix, docker.default_domain))
        object.__setattr__(self, "_by_name", {route.name: route for route in self.table.routes})

    @property
    def engine(self) -> str:
        """The engine, for people."""
        return self.discovery.engine or f"the engine at {self.settings.docker.host}"

    @property
    def unlabelled(self) -> tuple[Entry, ...]:
        """The containers without a label of ours."""
        listing = self.discovery.listing
        return listing.strangers if listing is not None else ()

    @property
    def doubts(self) -> list[str]:
        """The notes, and what is to be said of the engine."""
        if self.discovery.state is not EngineState.RECONNECTING or self.discovery.listing is None:
            return list(self.notes)
        why = f" ({self.discovery.error})" if self.discovery.error else ""
        return [*self.notes, f"the engine does not answer{why}; this is what was known when it last did"]

    def route(self, name: str) -> Route | None:
        """The route of this name, or None."""
        return self._by_name.get(name)

    def url(self, route: Route) -> str:
        """Where a person finds the route, as far as that can be written down."""
        domain = route.domains[0] if route.domains else None
        address = self.settings.own_address if route.options.https == "redirect" else self.settings.listen[0]
        port = domain.port if domain is not None and domain.port else address.port
        scheme = "https" if address.tls else "http"
        # Of a wildcard any name will do.
        name = domain.name.replace("*", "any", 1) if domain is not None else "localhost"
        path = str(route.path).removesuffix("*") if not str(route.path).startswith("~") else "/"
        return f"{scheme}://{name}{'' if port == DEFAULT_PORTS[scheme] else f':{port}'}{path}"
