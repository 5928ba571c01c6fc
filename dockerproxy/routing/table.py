"""RouteTable: the immutable index of all routes.

Built on change, swapped in one assignment, only looked up on the request path; the cost of a look-up does not
grow with the number of routes (regex rules of one domain aside: they are tried in the order given).

Order of preference, each step deciding before the next is looked at:

host    exact name > wildcard > routes for every domain
path    exact > longest prefix by whole segments > regex in the order given > whole domain
port    between equal path rules of one name: the route with the port > the one without
method  last: path known, method not -> 405

Paths are compared as they were sent, without decoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dockerproxy.routing.expression import Expression
from dockerproxy.routing.route import DEFAULT_PORTS, PathKind, Route

# Distinct Host values remembered beside those of the table's own domains; a flood of made-up ones only empties the
# memory again.
_REMEMBERED_HOSTS = 4096


class MissReason(StrEnum):
    """Why no route answers."""

    HOST = "unknown_host"
    PATH = "unknown_path"
    METHOD = "unknown_method"


@dataclass(frozen=True, slots=True)
class Miss:
    """No route answers, and why.

    domain: the domain that was found, as written in its routes, or ""
    allow:  for METHOD, the methods that would be answered
    """

    reason: MissReason
    domain: str = ""
    allow: tuple[str, ...] = ()


class _Methods:
    """The routes of one domain and path rule, by method.

    complete: whether the routes that stand first answer every method, so that none is added behind them
    """

    __slots__ = ("any", "by_method", "complete")

    def __init__(self) -> None:
        self.any: Route | None = None
        self.by_method: dict[str, Route] = {}
        self.complete = False

    def add(self, route: Route, *, behind: bool = False) -> None:
        if behind and self.complete:
            return
        self.complete = self.complete or not (behind or route.methods)
        if not route.methods and self.any is None:
            self.any = route
        for method in route.methods:
            self.by_method.setdefault(method, route)

    def get(self, method: str) -> Route | None:
        found = self.by_method.get(method)
        if found is None and method == "HEAD":  # RFC 9110 section 9.3.2: HEAD is GET without the content
            found = self.by_method.get("GET")
        return found or self.any

    def allowed(self) -> tuple[str, ...]:
        """The methods that are answered, for Allow."""
        implied = {"HEAD"} if "GET" in self.by_method else set()
        return tuple(sorted(self.by_method.keys() | implied))


class _Site:
    """All path rules of one domain.

    routes:      in the order in which they are preferred
    behind:      those of the same name for any port, where this one has a port
    expressions: those of the whole table, by their text: one that takes too long does so once, not once per domain
    """

    __slots__ = ("_expressions", "behind", "depth", "exact", "name", "prefixes", "regexes", "routes", "whole")

    def __init__(
        self, name: str, routes: list[Route], behind: Sequence[Route], expressions: dict[str, Expression]
    ) -> None:
        self.name = name
        self.routes = routes
        self.behind = behind
        self._expressions = expressions
        self.exact: dict[str, _Methods] = {}
        self.prefixes: dict[str, _Methods] = {}
        self.regexes: dict[str, tuple[Expression, _Methods]] = {}
        self.whole = _Methods()
        self.depth = 0
        for route in routes:
            self._add(route)
        for route in behind:
            self._add(route, behind=True)

    def _add(self, route: Route, *, behind: bool = False) -> None:
        kind, text = route.path.kind, route.path.text
        if kind is PathKind.EXACT:
            methods = self.exact.setdefault(text, _Methods())
        elif kind is PathKind.PREFIX and text != "/":
            methods = self.prefixes.setdefault(text.rstrip("/"), _Methods())
            self.depth = max(self.depth, text.rstrip("/").count("/"))
        elif kind is PathKind.REGEX:
            if text not in self.regexes:
                expression = self._expressions.get(text) or Expression(
                    text, f"route {route.name!r}: its path rule", "the table of routes changes"
                )
                self.regexes[text] = (self._expressions.setdefault(text, expression), _Methods())
            methods = self.regexes[text][1]
        else:
            methods = self.whole
        methods.add(route, behind=behind)

    def find(self, path: str) -> _Methods | None:
        """The methods of the most specific rule for `path`, or None."""
        if self.exact and (found := self.exact.get(path)) is not None:
            return found
        if self.prefixes and (found := self._longest_prefix(path)) is not None:
            return found
        for expression, methods in self.regexes.values():
            if expression.fits(path):
                return methods
        whole = self.whole
        return whole if whole.any is not None or whole.by_method else None

    def _longest_prefix(self, path: str) -> _Methods | None:
        # No more segments than the deepest prefix has: a path of a thousand slashes costs no more than another.
        segments = path.split("/", self.depth + 1)[: self.depth + 1]
        while len(segments) > 1:
            found = self.prefixes.get("/".join(segments))
            if found is not None:
                return found
            segments.pop()
        return None


class RouteTable:
    """The index. Two routes for the same domain, path rule and method are the caller's mistake: the first wins.

    before: the table that this one follows. Domains whose routes are the same objects are taken over from it: of
            hundreds of routes a change concerns one or two.
    """

    __slots__ = ("_every", "_expressions", "_fallback", "_most_remembered", "_remembered", "_sites", "routes")

    def __init__(self, routes: Sequence[Route] = (), before: RouteTable | None = None) -> None:
        self.routes = tuple(routes)
        self._sites: dict[str, _Site] = {}
        self._expressions: dict[str, Expression] = {}
        self._remembered: dict[str, _Site | None] = {}
        everywhere: list[Route] = []
        sites: dict[str, list[Route]] = {}
        ports: dict[str, str] = {}  # a domain with a port -> without it
        for route in self.routes:
            if not route.domains:
                everywhere.append(route)
            for domain in route.domains:
                name = domain.name
                if domain.port is not None:
                    name = str(domain)
                    ports[name] = domain.name
                found = sites.get(name)
                if found is None:
                    sites[name] = [route]
                else:
                    found.append(route)
        for name, found in sites.items():
            self._add(name, found, sites.get(ports[name], ()) if name in ports else (), before)
        self._every = _Site("", everywhere, (), self._expressions)
        self._fallback = self._every if everywhere else None
        # Each domain may be asked for by some names of its own, with and without the port.
        self._most_remembered = _REMEMBERED_HOSTS + 2 * len(sites)

    def __repr__(self) -> str:
        return f"<RouteTable: {len(self.routes)} routes, {len(self._sites)} domains>"

    def match(self, host: str, method: str, path: str) -> Route | Miss:
        """The route for a request, or why there is none.

        host:   the Host field's value, in any case, with or without a port
        method: in upper case
        path:   the path of the target, without the query
        """
        site = self._remembered.get(host) or self._find(host)
        if site is None:
            return Miss(MissReason.HOST)
        methods = site.find(path)
        if methods is None:
            return Miss(MissReason.PATH, site.name)
        route = methods.get(method)
        if route is None:
            return Miss(MissReason.METHOD, site.name, methods.allowed())
        return route

    def _add(self, name: str, routes: list[Route], behind: Sequence[Route], before: RouteTable | None) -> None:
        known = before._sites.get(name) if before is not None else None
        # One with an expression is made anew: a suspended expression is tried again in a new table.
        if known is not None and known.routes == routes and known.behind == behind and not known.regexes:
            self._sites[name] = known
        else:
            self._sites[name] = _Site(name, routes, behind, self._expressions)

    def _find(self, host: str) -> _Site | None:
        """The site for a host that is not remembered."""
        if len(self._remembered) >= self._most_remembered:
            self._remembered.clear()
        found = self._remembered[host] = self._site_for(host)
        return found

    def _site_for(self, host: str) -> _Site | None:
        name, _, port = host.lower().rpartition(":") if not host.endswith("]") else (host.lower(), "", "")
        if not name:
            name, port = port, ""
        name = name.rstrip(".")
        port = port or str(DEFAULT_PORTS["http"])
        suffix = name.partition(".")[2]
        for known in (name, f"*.{suffix}"):
            site = self._sites.get(f"{known}:{port}") or self._sites.get(known)
            if site is not None:
                return site
        return self._fallback
