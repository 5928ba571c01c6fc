"""Why a container is routed, or not: the verdict, its labels, its routes, and what would have to change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dockerproxy.control.explain.advice import add_labels, as_meant, labels_to_add, mend_of
from dockerproxy.control.explain.evidence import Condition, Evidence, Json
from dockerproxy.control.explain.expressions import turn
from dockerproxy.control.explain.label_uses import label_uses
from dockerproxy.control.explain.lookup import Container, closest, find, most_like
from dockerproxy.control.explain.obstacle import Obstacle, of_route, of_upstream
from dockerproxy.discovery.engine.entry import Entry
from dockerproxy.discovery.snapshot import ContainerView, RouteWish
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.route import Route

# What is wrong with a label is seldom why nothing at all is routed, unless it left the route out.
_ABOUT_LABELS = frozenset(
    {Code.NEAR_PREFIX, Code.UNKNOWN_LABEL, Code.WRONG_VALUE, Code.NO_PREFIX_TO_STRIP, Code.ONE_MORE_ROUTE}
)
_ABOUT_SETTINGS = frozenset({Code.OLDER_CONTAINER_WINS, Code.FIRM_ROUTE_WINS})
_LABELS_SHOWN = 5  # of a container without any of ours


def explain_container(name: str, evidence: Evidence) -> Json:
    """The answer of GET /explain?container=NAME."""
    found = find(name, evidence)
    if found is None:
        return _unknown(name, evidence)
    container, others = found
    answer = _of_unlabelled(container, evidence) if isinstance(container, Entry) else _of_view(container, evidence)
    if others:
        answer["others"] = list(others)
    answer["notes"] = [*_notes(name, container, others), *_turns(answer["routes"], evidence), *evidence.doubts]
    return answer


def decisive(view: ContainerView) -> Reason | None:
    """The reason that keeps a container from being routed, of all that there are; None if there is none."""
    left_out = [reason.label for reason in view.reasons if reason.code is Code.ROUTE_LEFT_OUT]
    causes = [reason for reason in view.reasons if reason.code is not Code.ROUTE_LEFT_OUT]
    for lesser in (_ABOUT_LABELS | _ABOUT_SETTINGS, _ABOUT_LABELS):
        for reason in causes:
            if reason.label in left_out or reason.code not in lesser:
                return reason
    return next(iter((*causes, *view.reasons)), None)


def _of_view(view: ContainerView, evidence: Evidence) -> Json:
    routes = [_route(wish, evidence) for wish in view.wishes]
    first = None if view.routed else decisive(view)
    reasons = sorted(view.reasons, key=lambda reason: reason is not (first or decisive(view)))
    obstacles = _obstacles(view, routes, evidence)
    code, verdict = _routed(view, routes, obstacles) if view.routed else _not_routed(view, first)
    return {
        "container": view.name,
        "found": True,
        "state": view.state,
        "routed": view.routed,
        "verdict": verdict,
        "code": str(code),
        "labels": label_uses(view, evidence.reader),
        "routes": routes,
        "reasons": [
            *(found.row() for found in dict.fromkeys(filter(None, obstacles))),
            *_reasons(reasons, view, evidence, view.labels if view.routed else as_meant(view, evidence)),
        ],
    }


def _not_routed(view: ContainerView, first: Reason | None) -> tuple[str, str]:
    if first is None:
        return Code.NOT_RUNNING, f"{view.name} is not routed"
    return first.code, f"{view.name} is not routed: {first.what}"


def _routed(view: ContainerView, routes: Sequence[Json], obstacles: Sequence[Obstacle | None]) -> tuple[str, str]:
    told = ", ".join(f"{route['route']} at {route['url']}" for route in routes)
    verdict = f"{view.name} is routed: {told}"
    first = obstacles[0]
    if first is not None and all(obstacles):
        return first.code, f"{verdict}; but {first.text}"
    reason = decisive(view)
    if reason is None:
        return Code.ROUTED, verdict
    others = len(view.reasons) - 1
    more = f" (and {'one thing' if others == 1 else f'{others} things'} more)" if others else ""
    return reason.code, f"{verdict}; but {reason.what}{more}"


def _obstacles(view: ContainerView, routes: Sequence[Json], evidence: Evidence) -> list[Obstacle | None]:
    """Why each of its routes sends it no new requests, if so."""
    found = []
    for row in routes:
        route = evidence.route(row["route"])
        condition = Condition(*(row[field] for field in Condition._fields))
        found.append((of_route(route) if route is not None else None) or of_upstream(view.name, condition))
    return found


def _route(wish: RouteWish, evidence: Evidence) -> Json:
    route = evidence.route(wish.route)
    upstream = next((each for each in route.upstreams if each.key == wish.upstream.key), None) if route else None
    condition = evidence.condition(wish.route, upstream) if upstream is not None else Condition()
    reach, address = wish.reach, wish.address
    return {
        "route": wish.route,
        "hosts": _hosts(route, wish),
        "path": str(route.path if route is not None else wish.path or "/*"),
        "methods": list(route.methods if route is not None else wish.methods or ()),
        "url": evidence.url(route) if route is not None else "",
        "network": reach.network,
        "port": wish.upstream.port,
        "scheme": wish.upstream.scheme,
        "address": address,
        "why_network": f"network {reach.network or 'of the host'}, because {reach.why_network}"
        if reach.why_network
        else "",
        "why_port": f"port {wish.upstream.port}, because {reach.why_port}" if reach.why_port else "",
        **condition._asdict(),
    }


def _hosts(route: Route | None, wish: RouteWish) -> list[str]:
    domains = route.domains if route is not None else wish.domains or (wish.default_domain,)
    return list(map(str, domains))


def _of_unlabelled(entry: Entry, evidence: Evidence) -> Json:
    """A container without a label of ours, and what else it would lack if it had one."""
    prefix = evidence.settings.docker.label_prefix
    theirs = [key for key in sorted(entry.labels) if not key.startswith("com.docker.compose.")]
    shown = ", ".join(theirs[:_LABELS_SHOWN]) + (" …" if len(theirs) > _LABELS_SHOWN else "")
    labels = f"none of its labels ({shown})" if theirs else "none of its labels"
    what = f"{labels} begins with {prefix}." if entry.labels else "it has no labels"
    added = labels_to_add(entry, evidence)
    reason = Reason(Code.NO_LABEL, what, add_labels(added))
    return {
        "container": entry.name,
        "found": True,
        "state": entry.state,
        "routed": False,
        "verdict": f"{entry.name} is not routed: {what}",
        "code": str(Code.NO_LABEL),
        "labels": [],
        "routes": [],
        "reasons": _reasons([reason], entry, evidence, {**entry.labels, **added}),
    }


def _reasons(told: Sequence[Reason], container: Container, evidence: Evidence, mended: Mapping[str, str]) -> list[Json]:
    """The reasons that there are, and those that there would still be if the labels were as they were meant."""
    rows = [_reason(reason, container, evidence) for reason in told]
    listing = evidence.discovery.listing
    after = listing.what_if(container.id, mended) if listing is not None and mended != container.labels else None
    if after is None or not rows:
        return rows
    known = set(told) | {reason.code for reason in told if reason.code is Code.ROUTE_LEFT_OUT}
    left = (reason for reason in after.reasons if reason not in known and reason.code not in known)
    still = [_reason(reason, container, evidence) for reason in left]
    rows += [{**row, "text": f"then, {row['text']}"} for row in still]
    if after.routed:
        wish = after.wishes[0]
        where = ", ".join(map(str, wish.domains or (wish.default_domain,)))
        rows[0]["mend"] += f"; it will then be at {where}{wish.path or ''}, reached at {wish.address}"
    return rows


def _reason(reason: Reason, container: Container, evidence: Evidence) -> Json:
    text = "; ".join(filter(None, (reason.what, reason.follows)))
    return {"code": str(reason.code), "text": text, "mend": mend_of(reason, container, evidence)}


def _notes(name: str, container: Container, others: Sequence[str]) -> Iterable[str]:
    if others:
        yield f"{name} means {len(others) + 1} containers: this one, and {', '.join(others)}"
    elif name != container.name and not container.id.startswith(name):
        yield f"{name} means the container {container.name}"


def _turns(rows: Sequence[Json], evidence: Evidence) -> Iterable[str]:
    for row in rows:
        route = evidence.route(row["route"])
        if route is not None:
            yield from turn(route, evidence.table.routes)


def _unknown(name: str, evidence: Evidence) -> Json:
    """Nothing is known of such a container; perhaps nothing is known of any."""
    reason = _why_unknown(name, evidence)
    mend = {"code": str(reason.code), "text": reason.what, "mend": reason.mend}
    return {
        "container": name,
        "found": False,
        "state": "",
        "routed": False,
        "verdict": reason.what + (f"; {reason.mend}" if reason.mend.startswith("did you mean") else ""),
        "code": str(reason.code),
        "labels": [],
        "routes": [],
        "reasons": [mend],
        "notes": evidence.doubts,
    }


def _why_unknown(name: str, evidence: Evidence) -> Reason:
    if not evidence.settings.docker.enabled:
        mend = "set docker.enabled to true, and restart the proxy"
        return Reason(Code.DISCOVERY_DISABLED, "no container is looked at: docker.enabled is false", mend)
    if evidence.discovery.listing is None and not evidence.containers:
        why = evidence.discovery.error or "it has not answered yet"
        return Reason(Code.ENGINE_NOT_REACHED, f"nothing is known of any container: the engine is not reached: {why}")
    like = closest(name, evidence)
    if like:
        return Reason(Code.NOT_FOUND, f"there is no container {name} at {evidence.engine}", f"did you mean {like}?")
    route = most_like(name, (route.name for route in evidence.table.routes))
    if route == name:
        mend = f"{name} is a route without containers: ask for its URL instead"
        return Reason(Code.NOT_FOUND, f"there is no container {name} at {evidence.engine}", mend)
    mend = "docker ps --all lists what there is"
    return Reason(Code.NOT_FOUND, f"there is no container {name} at {evidence.engine}", mend)
