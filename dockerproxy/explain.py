"""Explain: why a container is routed or not, and where a request would go, without a running proxy.

For `dockerproxy explain --file`: what the settings say, and what the engine lists at this moment, or what somebody has
kept of it with `docker inspect`. The answers have the form of those of GET /explain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockerproxy.control.admission.claims import allowed
from dockerproxy.control.admission.constraints import Constraints
from dockerproxy.control.admission.middlewares import with_known
from dockerproxy.control.base.base import build_base
from dockerproxy.control.base.static import static_routes
from dockerproxy.control.explain.container import explain_container
from dockerproxy.control.explain.evidence import Evidence
from dockerproxy.control.explain.reachability import addresses_in, with_reachability
from dockerproxy.control.explain.request import explain_request
from dockerproxy.control.merge.joining import MergeContext
from dockerproxy.control.merge.members import CurrentMembers
from dockerproxy.control.merge.merging import merge
from dockerproxy.control.merge.namesakes import Namesakes
from dockerproxy.discovery.engine.events import EngineLost
from dockerproxy.discovery.engine.inspection import NotInspected, parse_inspection
from dockerproxy.discovery.once import Discovered, discover_listed, discover_once
from dockerproxy.discovery.snapshot import Snapshot
from dockerproxy.discovery.status import DiscoveryStatus, EngineState
from dockerproxy.errors import DockerproxyError
from dockerproxy.routing.table import RouteTable
from dockerproxy.settings import Settings, load
from dockerproxy.web.middlewares.registry import Middlewares
from dockerproxy.web.reports.probe import failures

_IMAGINED = "no proxy was asked: this is what one with these settings would do, run from where this command runs"


def explain_offline(
    file: str | None, target: str, method: str = "", headers: Mapping[str, str] | None = None, inspect_file: str = ""
) -> dict[str, Any]:
    """What GET /explain would answer.

    file:         of the settings; None for those that are found without being named
    target:       a container, or a URL
    inspect_file: what `docker inspect` has printed; the engine is not asked then
    Raises SettingsError, InvalidInput for what is no URL, NotInspected.
    """
    evidence = _evidence(load(file), inspect_file)
    answer = _explained(evidence, target, method, headers or {})
    if inspect_file:  # of another machine, perhaps
        return answer
    return with_reachability(answer, asyncio.run(failures(addresses_in(answer))), evidence)


def _explained(evidence: Evidence, target: str, method: str, headers: Mapping[str, str]) -> dict[str, Any]:
    if method or headers or _is_url(target):
        return explain_request(target, method, headers, evidence)
    answer = explain_container(target, evidence)
    # blog.localhost: a domain, for want of such a container.
    return answer if answer["found"] or "." not in target else explain_request(target, method, {}, evidence)


def _is_url(target: str) -> bool:
    return "/" in target or ":" in target


def _evidence(settings: Settings, inspect_file: str) -> Evidence:
    seen = _seen(settings, inspect_file)
    base = build_base(settings, static_routes(settings), ())
    prefix = settings.docker.label_prefix
    middlewares = Middlewares()
    known, harmless = middlewares.known(settings), middlewares.harmless(settings)
    snapshots = Namesakes().apart((seen.snapshot,), base.routes, ())
    snapshots = allowed(Constraints(settings), base.routes, snapshots, prefix)
    current = CurrentMembers(with_known(snapshots, known, prefix))
    merged = merge(MergeContext(base, settings.route_defaults, prefix), current)
    notes = [_IMAGINED]
    if seen.status.error:
        notes.append(f"the engine is not reached, so the routes of containers are missing: {seen.status.error}")
    table = RouteTable(merged.routes, harmless=harmless)
    return Evidence(settings, table, merged.containers, seen.status, notes=tuple(notes))


def _seen(settings: Settings, inspect_file: str) -> Discovered:
    docker = settings.docker
    if inspect_file:
        return discover_listed(_inspected(inspect_file), inspect_file, docker)
    nothing = Snapshot(docker.host)
    if not docker.enabled:
        return Discovered(nothing, DiscoveryStatus())
    try:
        return discover_once(docker)
    except EngineLost as error:
        return Discovered(nothing, DiscoveryStatus(EngineState.RECONNECTING, error=str(error)))


def _inspected(path: str) -> list[dict[str, Any]]:
    try:
        return parse_inspection(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DockerproxyError(f"{path}: cannot be read: {error}") from None
    except NotInspected as error:
        raise NotInspected(f"{path}: {error}") from None
