"""Candidates: the routes that come near a request, in the order in which they are looked at, and why not each. Pure.

What matches is never decided here: RouteTable is asked, with all routes for the verdict, and with one alone for what
that one lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dockerproxy.control.explain.lookup import alike
from dockerproxy.control.overrides.overrides import is_admin
from dockerproxy.routing.miss import Miss, MissReason
from dockerproxy.routing.route import DEFAULT_PORTS, NO_NAME, PathKind, Route, names_nobody
from dockerproxy.routing.table import RouteTable

_MOST_NEAR = 3  # routes of other hosts, shown where no route has the host
_EXACT, _WILDCARD, _EVERY, _LAST = range(4)
_PATH_ORDER = tuple(PathKind)


class Request(NamedTuple):
    """What RouteTable goes by."""

    host: str
    method: str
    path: str

    @property
    def name(self) -> str:
        """The host without port, in lower case."""
        host = self.host.lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        return name.rstrip(".")

    @property
    def port(self) -> str:
        return self.host.lower().removeprefix(self.name).strip(".:") or str(DEFAULT_PORTS["http"])


class Candidate(NamedTuple):
    """A route that came near, and in one sentence why it matched or not."""

    route: Route
    matched: bool
    why: str


def candidates(table: RouteTable, request: Request) -> list[Candidate]:
    """The most specific first: all that have the host, or those of the nearest hosts if none has."""
    found = table.match(*request)
    ranked = sorted(
        (route for route in table.routes if _nearness(route, request.name) is not None),
        key=lambda route: _rank(route, request.name),
    )
    if ranked:
        return [_judged(route, found, ranked, request) for route in ranked]
    near = _of_near_hosts(table.routes, request.name)
    return [Candidate(route, False, f"it is at {_domains(route)}, not at {request.name}") for route in near]


def place(route: Route) -> str:
    """Where a route is: `blog.localhost /api/* GET`."""
    return " ".join(filter(None, (_domains(route), str(route.path), ",".join(route.methods))))


def has_host(route: Route, name: str) -> bool:
    """Whether the route names this host, itself or by a wildcard, whatever its port."""
    return _nearness(route, name) in (_EXACT, _WILDCARD)


def _domains(route: Route) -> str:
    return ", ".join(map(str, route.domains)) or "every domain"


def _nearness(route: Route, name: str) -> int | None:
    """How closely the route names the host, or None if it does not."""
    names = {domain.name for domain in route.domains}
    if name in names:
        return _EXACT
    if f"*.{name.partition('.')[2]}" in names:
        return _WILDCARD
    if NO_NAME.name in names and names_nobody(name):
        return _LAST
    return None if names else _EVERY


def _rank(route: Route, name: str) -> tuple[int, int, int]:
    """The order in which routes are looked at; those of one rank in the order of the table."""
    nearness = _nearness(route, name)
    longest_first = -len(route.path.text) if route.path.kind is PathKind.PREFIX else 0
    return nearness if nearness is not None else _EVERY, _PATH_ORDER.index(route.path.kind), longest_first


def _judged(route: Route, found: Route | Miss, ranked: Sequence[Route], request: Request) -> Candidate:
    if isinstance(found, Route) and route.name == found.name:
        return Candidate(route, True, _why_matched(route, request))
    alone = RouteTable([route]).match(*request)
    if isinstance(alone, Miss):
        return Candidate(route, False, _LACKS[alone.reason](route, request))
    return Candidate(route, False, _why_outdone(route, found, ranked, request))


def _why_matched(route: Route, request: Request) -> str:
    host = ("the host is its own", "the host fits its wildcard", "it answers for every host", "the host names nobody")
    path = {
        PathKind.EXACT: "the path is its own",
        PathKind.PREFIX: f"the path is below {route.path.text}",
        PathKind.REGEX: "its expression is found in the path",
        PathKind.ANY: "it takes every path",
    }
    return f"{host[_rank(route, request.name)[0]]}, {path[route.path.kind]}"


def _lacks_port(route: Route, request: Request) -> str:
    return f"it is at {_domains(route)}, and the request is for port {request.port}"


def _lacks_path(route: Route, request: Request) -> str:
    text = route.path.text
    return {
        PathKind.EXACT: f"it answers exactly {text}, not {request.path}",
        PathKind.PREFIX: f"{request.path} is neither {text} nor below it, by whole segments",
        PathKind.REGEX: f"its expression {text} is not found in {request.path}",
    }.get(route.path.kind, f"it has no path for {request.path}")


def _lacks_method(route: Route, request: Request) -> str:
    return f"it answers {', '.join(route.methods)}, not {request.method}"


def _ambiguous(_route: Route, request: Request) -> str:
    return f"applications may read {request.path} otherwise than its rule does"


def _undecided(_route: Route, request: Request) -> str:
    return f"the expressions here take too long for {request.path}"


_LACKS = {
    MissReason.HOST: _lacks_port,
    MissReason.PATH: _lacks_path,
    MissReason.METHOD: _lacks_method,
    MissReason.AMBIGUOUS: _ambiguous,
    MissReason.UNDECIDED: _undecided,
}


_OF_ALL = {MissReason.AMBIGUOUS: _ambiguous, MissReason.UNDECIDED: _undecided}


def _why_outdone(route: Route, found: Route | Miss, ranked: Sequence[Route], request: Request) -> str:
    """Why a route that would match by itself does not."""
    rank = _rank(route, request.name)
    if isinstance(found, Miss) and found.reason in _OF_ALL:
        return _OF_ALL[found.reason](route, request)
    if isinstance(found, Miss):
        before = [other for other in ranked if _rank(other, request.name) < rank]
        closer = [other for other in before if _rank(other, request.name)[0] < rank[0]]
        if closer:
            return f"{_domains(closer[0])} names the host more closely, so that this is not looked at"
        blocker = before[0].name if before else "another route"
        return f"route {blocker} has a more specific path, and the method is looked at last"
    theirs = _rank(found, request.name)
    if theirs[0] < rank[0]:
        return f"route {found.name} names the host more closely"
    if theirs > rank:
        return f"an application may read {request.path} otherwise, and route {found.name} has the middlewares of all"
    if theirs[1:] < rank[1:]:
        return f"route {found.name} has a more specific path: {found.path}"
    if any(domain.port is not None and domain.name == request.name for domain in found.domains):
        return f"route {found.name} has the port, too"
    if found.methods and not route.methods:
        return f"route {found.name} names the method"
    return f"route {found.name} comes first"


def _of_near_hosts(routes: Iterable[Route], name: str) -> list[Route]:
    by_name: dict[str, Route] = {}
    for route in routes:
        if is_admin(route):
            continue
        for domain in route.domains:
            if not domain.wildcard:
                by_name.setdefault(domain.name, route)
    close = alike(name, by_name, _MOST_NEAR)
    return list({by_name[near].name: by_name[near] for near in close}.values())
