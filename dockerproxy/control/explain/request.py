"""Where a request would go: its route, why none of the others, who answers there, and what to do if nobody does.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from dockerproxy.control.base.base import leads_nowhere
from dockerproxy.control.explain.advice import add_labels, labels_to_add, mend_of
from dockerproxy.control.explain.candidates import Candidate, Request, candidates, has_host, place
from dockerproxy.control.explain.container import decisive
from dockerproxy.control.explain.evidence import Condition, Evidence, Json
from dockerproxy.control.explain.expressions import cost
from dockerproxy.control.explain.lookup import most_like, service_of
from dockerproxy.control.explain.obstacle import of_route, of_upstream
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.errors import InvalidInput, Problem
from dockerproxy.labels.mentions import find_mentions
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.labels.traefik import traefik_hosts
from dockerproxy.proxy.answers import ANSWERS
from dockerproxy.routing.miss import Miss, MissReason
from dockerproxy.routing.route import Route
from dockerproxy.settings.paths import comparable, normalised
from dockerproxy.settings.values import REWRITE

_MOST_CANDIDATES = 20  # a domain with more routes is better looked at in the list of all routes
_MOST_CONTAINERS = 5
_MOST_UPSTREAMS = 5
_WITHOUT_ANSWER = (MissReason.HOST, MissReason.PATH, "no_upstream")
_SCHEMES = ("http", "https")
# What may stand in a path as it is; browsers encode the rest. RFC 3986 section 3.3, and "%" of what is encoded already.
_IN_PATHS = "/%:@!$&'()*+,;=~-._"


class _Claimant(NamedTuple):
    """A container that was meant to answer for the host, and does not: code, why, and what mends it."""

    name: str
    code: str
    text: str
    mend: str


def explain_request(url: str, method: str, headers: Mapping[str, str], evidence: Evidence) -> Json:
    """The answer of GET /explain?url=URL. Raises InvalidInput when it is no URL.

    method:  "" for GET
    headers: of the request; only Host has a part in routing
    """
    request = _request(url, method, headers)
    budget = evidence.table.budget()
    found = evidence.table.match(*request, budget)
    claimants = list(islice(_claimants(request, found, evidence), _MOST_CONTAINERS))
    rows = candidates(evidence.table, request)
    route = found if isinstance(found, Route) else None
    conditions = _conditions(route, evidence)
    plain = not url.lower().startswith("https:")
    code, verdict = _answered(route, conditions, plain, request.path) if route is not None else _missed(found, request)
    nowhere = route is not None and code == "https_required" and not evidence.settings.https_reachable
    if nowhere:
        code, verdict = Code.NO_HTTPS, f"{verdict}; but no address to listen on speaks https"
    if claimants and code in _WITHOUT_ANSWER:
        verdict += f"; {claimants[0].text}"
    elif code == MissReason.HOST:
        verdict += _nearest(request, evidence)
    return {
        "url": url,
        "method": request.method,
        "host": request.host,
        "path": request.path,
        "read_as": normalised(request.path),
        "route": route.name if route is not None else None,
        "code": str(code),
        "verdict": verdict,
        "candidates": [
            {"route": row.route.name, "place": place(row.route), "matched": row.matched, "why": row.why}
            for row in _shown(rows)
        ],
        "upstreams": [_upstream(upstream, condition) for upstream, condition in conditions],
        "reasons": [
            *([_row(leads_nowhere(route.name))] if route is not None and nowhere else ()),
            *_obstacles(code, route, conditions),
            *({"code": each.code, "text": each.text, "mend": each.mend} for each in claimants),
        ],
        "notes": [
            *_spelling(request, route, evidence),
            *cost(budget, rows),
            *_without_https(plain, evidence),
            *_notes(route, headers, len(rows)),
            *evidence.doubts,
        ],
    }


def _request(url: str, method: str, headers: Mapping[str, str]) -> Request:
    wrong = InvalidInput("request", [Problem("url", f"{url!r} is no URL; write for example http://blog.localhost/")])
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        known = parts.scheme in _SCHEMES and parts.hostname and (parts.port or 0) >= 0
    except ValueError:
        raise wrong from None
    if not known:
        raise wrong
    host = next((value for name, value in headers.items() if name.lower() == "host"), parts.netloc.rpartition("@")[2])
    return Request(host.strip(), (method or "GET").upper(), quote(parts.path, _IN_PATHS) or "/")


def _conditions(route: Route | None, evidence: Evidence) -> list[tuple[Json, Condition]]:
    if route is None or route.handler:
        return []
    return [
        ({"name": each.name, "url": each.url, "weight": each.weight}, evidence.condition(route.name, each))
        for each in route.upstreams
    ]


def _upstream(told: Json, condition: Condition) -> Json:
    return {**told, **condition._asdict()}


def _answered(route: Route, conditions: Sequence[tuple[Json, Condition]], plain: bool, path: str) -> tuple[str, str]:
    """What a route makes of a request; `plain`: one that is not https."""
    options = route.options
    if options.https == "redirect" and plain:
        return "https_required", f"route {route.name} answers over https only: it redirects there, with 308"
    obstacle = of_route(route)
    if obstacle is not None:
        return obstacle.code, obstacle.text
    if options.strip_prefix == REWRITE and not path.endswith("/") and comparable(path) == route.path.text:
        return "slash_missing", f"route {route.name} redirects to {route.path.text}/, with 308"
    if route.handler:
        return Code.ROUTED, f"route {route.name} answers, by the handler {route.handler}"
    states = [condition.state for _, condition in conditions]
    if not any(upstream.in_rotation for upstream in route.upstreams):
        drained = f" ({_counted(len(states), 'is draining', 'are draining')})" if states else ""
        return "no_upstream", (
            f"route {route.name} has no upstream right now{drained}: a request waits for up to {options.hold:g} s,"
            " and is then answered with 503"
        )
    if set(states) <= {"benched", "draining"}:
        return Code.BENCHED, f"all upstreams of route {route.name} are benched: each is tried all the same, at once"
    return Code.ROUTED, f"route {route.name} answers: {_summary(states)}"


def _obstacles(code: str, route: Route | None, conditions: Sequence[tuple[Json, Condition]]) -> list[Json]:
    """What keeps the request from being answered, with what ends it."""
    set_for_it = of_route(route) if route is not None else None
    if set_for_it is not None and code == set_for_it.code:
        return [set_for_it.row()]
    if code not in ("no_upstream", Code.BENCHED):
        return []
    found = [(told["name"], of_upstream(told["name"], condition)) for told, condition in conditions]
    return [obstacle.row(name) for name, obstacle in found if obstacle is not None][:_MOST_UPSTREAMS]


def _summary(states: Sequence[str]) -> str:
    """`2 upstreams are up, 1 is benched`."""
    counts = {state: states.count(state) for state in dict.fromkeys(sorted(states, key="up".__ne__))}
    if set(counts) == {"unknown"}:
        return "it has " + _counted(len(states), "upstream", "upstreams")
    return ", ".join(
        f"{_counted(count, 'upstream is', 'upstreams are')} {'on probation' if state == 'probation' else state}"
        for state, count in counts.items()
    )


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _missed(miss: Route | Miss, request: Request) -> tuple[str, str]:
    """Why no route answers."""
    assert isinstance(miss, Miss)
    status = ANSWERS[miss.reason].status
    if miss.reason is MissReason.AMBIGUOUS:
        return miss.reason, (
            f"applications may read {request.path} in several ways, which lead to different routes: {status}; if it is"
            " meant so, set encoded_slashes to keep or decode for the route, or give one of them the middlewares of all"
        )
    if miss.reason is MissReason.UNDECIDED:
        return (
            miss.reason,
            f"the expressions of {miss.domain or request.name} take too long for {request.path}: {status}",
        )
    if miss.reason is MissReason.METHOD:
        allowed = ", ".join(miss.allow)
        return miss.reason, f"{request.path} is known, but not for {request.method}, only {allowed}: {status}"
    if miss.reason is MissReason.PATH:
        return miss.reason, f"{miss.domain or request.name} is known, but no route for {request.path}: {status}"
    return miss.reason, f"no route is known for the host {request.host}: {status}"


def _nearest(request: Request, evidence: Evidence) -> str:
    """The host that was probably meant."""
    found = (domain for route in evidence.table.routes for domain in route.domains if not domain.wildcard)
    domains = {domain.name: str(domain) for domain in found}
    like = most_like(request.name, domains)
    return f"; did you mean {domains[like]}?" if like else ""


def _claimants(request: Request, found: Route | Miss, evidence: Evidence) -> Iterator[_Claimant]:
    """The containers that ask for the host, or for the route, and are not there; then those without a label."""
    name = found.name if isinstance(found, Route) else None
    for view in evidence.containers:
        asked = find_mentions(evidence.reader, view.labels, view.name, service_of(view))
        if (asked.takes(request.name) or name in asked.routes) and not _serves(view, request, name, evidence):
            yield _claimant(view, evidence)
    if isinstance(found, Miss) and found.reason is MissReason.HOST:
        yield from _without_label(request, evidence)


def _serves(view: ContainerView, request: Request, name: str | None, evidence: Evidence) -> bool:
    """Whether it has a part in the route that was found, or else in any at the host."""
    routes = [evidence.route(wish.route) for wish in view.wishes]
    return any(route is not None and (route.name == name or has_host(route, request.name)) for route in routes)


def _claimant(view: ContainerView, evidence: Evidence) -> _Claimant:
    reason = decisive(view)
    if reason is None:
        text = f"the container {view.name} asks for this host, but is {_where(view, evidence)}"
        return _Claimant(view.name, str(Code.NOT_RUNNING), text, "")
    what = f"the container {view.name} asks for this host, but is {_where(view, evidence)}: {reason.what}"
    return _Claimant(view.name, str(reason.code), what, mend_of(reason, view, evidence))


def _where(view: ContainerView, evidence: Evidence) -> str:
    routes = [route for wish in view.wishes if (route := evidence.route(wish.route)) is not None]
    return f"routed at {', '.join(map(place, routes))}" if routes else "not routed"


def _without_label(request: Request, evidence: Evidence) -> Iterator[_Claimant]:
    """Containers that would be at this host if they had but one label."""
    for entry in evidence.unlabelled:
        at_home = request.name in evidence.reader.default_hosts(entry.service or entry.name)
        by_traefik = request.name in traefik_hosts(entry.labels)
        if at_home or by_traefik:
            where = "is there by its labels for Traefik" if by_traefik else "would be there"
            what = f"the container {entry.name} {where}, but bears no label of dockerproxy's"
            reason = Reason(Code.NO_LABEL, what, add_labels(labels_to_add(entry, evidence)))
            yield _Claimant(entry.name, str(reason.code), what, mend_of(reason, entry, evidence))


def _shown(rows: Sequence[Candidate]) -> Sequence[Candidate]:
    """The first ones, and the one that matched wherever it stands."""
    return [*rows[:_MOST_CANDIDATES], *(row for row in rows[_MOST_CANDIDATES:] if row.matched)]


def _row(reason: Reason) -> Json:
    return {"code": str(reason.code), "text": reason.what, "mend": reason.mend}


def _spelling(request: Request, route: Route | None, evidence: Evidence) -> Iterable[str]:
    """What is made of a path that can be written in a simpler way."""
    read = normalised(request.path)
    if read == request.path:
        return
    sent = "as it is read" if route is not None and route.options.normalise_paths else "as it was written"
    whom = f"; the upstream gets it {sent}" if route is not None and not route.handler else ""
    yield f"the path is read as {read}{whom}"
    plainly = evidence.table.match(*request._replace(path=read))
    if route is not None and isinstance(plainly, Route) and plainly.name != route.name:
        yield (
            f"route {plainly.name} has that path, but an application may read what was written otherwise: route"
            f" {route.name} has the middlewares of both"
        )


def _without_https(plain: bool, evidence: Evidence) -> Iterable[str]:
    if not plain and not evidence.settings.https_reachable:
        yield "the URL is of https, which no address to listen on speaks: docs/tls.md"


def _notes(route: Route | None, headers: Mapping[str, str], count: int) -> Iterable[str]:
    if route is not None and route.options.middlewares:
        names = ", ".join(route.options.middlewares)
        yield f"the request passes the middlewares {names} first, which may answer it themselves"
    if any(name.lower() != "host" for name in headers):
        yield "of the headers only Host has a part in finding the route"
    if count > _MOST_CANDIDATES:
        yield f"{count - _MOST_CANDIDATES} more routes have this host"
