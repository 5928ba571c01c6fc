"""Evidence made of containers as an engine lists them and of settings, for the tests of explanations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from dockerproxy.control.admission.claims import allowed
from dockerproxy.control.admission.constraints import Constraints
from dockerproxy.control.admission.middlewares import with_known
from dockerproxy.control.base.base import build_base
from dockerproxy.control.base.static import static_routes
from dockerproxy.control.explain.evidence import Condition, Evidence
from dockerproxy.control.merge.joining import MergeContext
from dockerproxy.control.merge.members import CurrentMembers
from dockerproxy.control.merge.merging import merge
from dockerproxy.control.merge.namesakes import Namesakes
from dockerproxy.discovery.containers.fleet import Fleet
from dockerproxy.discovery.status import DiscoveryStatus, EngineState
from dockerproxy.routing.route import Upstream
from dockerproxy.routing.table import RouteTable

from ..discovery.support import entry, network
from .making import settings

OWN_ID = "c0ffee" * 10 + "beef"


def listed(name: str, labels: Mapping[str, str], *ports: int, service: str = "", created: int = 0, **more: Any
           ) -> dict[str, Any]:  # fmt: skip
    """A container as the engine lists it; its id begins with its name's letters in hexadecimal."""
    compose = {"com.docker.compose.project": "shop", "com.docker.compose.service": service} if service else {}
    told = [{"PrivatePort": port, "Type": "tcp"} for port in ports or (80,)]
    id_ = name.encode().hex().ljust(64, "0")
    return entry({**compose, **labels}, id_=id_, name=name, ports=told, created=created, **more)


def proxy_on(*networks: str) -> dict[str, Any]:
    """The proxy's own container."""
    attached: dict[str, Any] = {}
    for name in networks:
        attached |= network(name, "172.30.0.2")
    return entry({}, id_=OWN_ID, name="proxy", networks=attached, mode="front")


def evidence(
    *containers: Mapping[str, Any],
    condition: Callable[[str, Upstream], Condition] | None = None,
    engine_networks: Iterable[Mapping[str, Any]] = (),
    **values: Any,
) -> Evidence:
    """What is known when the engine lists these containers and networks, with settings by their names."""
    said = settings(**values)
    fleet = Fleet(said.docker, own=(OWN_ID,))
    fleet.replace(containers)
    fleet.learn_networks(engine_networks)
    base = build_base(said, static_routes(said), ())
    prefix = said.docker.label_prefix
    snapshots = Namesakes().apart((fleet.snapshot(set()),), base.routes, ())
    snapshots = allowed(Constraints(said), base.routes, snapshots, prefix)
    snapshots = with_known(snapshots, said.define_middlewares.keys(), prefix)
    merged = merge(MergeContext(base, said.route_defaults, prefix), CurrentMembers(snapshots))
    status = DiscoveryStatus(EngineState.CONNECTED, engine="Docker 24 at unix:///x", listing=fleet.listing)
    found = Evidence(said, RouteTable(merged.routes), merged.containers, status)
    return found if condition is None else replace(found, condition=condition)
