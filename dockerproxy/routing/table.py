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

# Distinct Host values remembered; a flood of made-up ones only empties the memory again.
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

    expressions: those of the whole table, by their text: one that takes too long does so once, not once per domain
    """

    __slots__ = ("_expressions", "depth", "exact", "name", "prefixes", "regexes", "whole")

    def __init__(self, name: str, expressions: dict[str, Expression]) -> None:
        self.name = name
        self._expressions = expressions
        self.exact: dict[str, _Methods] = {}
        self.prefixes: dict[str, _Methods] = {}
        self.regexes: dict[str, tuple[Expression, _Methods]] = {}
        self.whole = _Methods()
        self.depth = 0

    def add(self, route: Route, *, behind: bool = False) -> None:
        kind, text = route.path.kind, route.path.text
        if kind is PathKind.EXACT:
            methods = self.exact.setdefault(text, _Methods())
        elif kind is PathKind.PREFIX and text != "/":
            methods = self.prefixes.setdefault(text.rstrip("/"), _Methods())
            self.depth = max(self.depth, text.rstrip("/").count("/"))
        elif kind is PathKind.REGEX:
            if text not in self.regexes:
                expression = self._expressions.get(text) or Expression(text, route.name)
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
    """The index. Two routes for the same domain, path rule and method are the caller's mistake: the first wins."""

    __slots__ = ("_every", "_expressions", "_fallback", "_remembered", "_sites", "routes")

    def __init__(self, routes: Sequence[Route] = ()) -> None:
        self.routes = tuple(routes)
        self._sites: dict[str, _Site] = {}
        self._expressions: dict[str, Expression] = {}
        self._every = _Site("", self._expressions)
        self._remembered: dict[str, _Site | None] = {}
        self._add_all()
        self._fallback = None if all(route.domains for route in self.routes) else self._every

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

    def _add_all(self) -> None:
        """Fill the sites: those with a port first, then their names' routes for any port behind them."""
        anywhere: list[tuple[str, Route]] = []
        with_port: dict[str, list[_Site]] = {}
        for route in self.routes:
            if not route.domains:
                self._every.add(route)
            for domain in route.domains:
                if domain.port is None:
                    anywhere.append((domain.name, route))
                    continue
                if str(domain) not in self._sites:
                    with_port.setdefault(domain.name, []).append(self._site(str(domain)))
                self._site(str(domain)).add(route)
        for name, route in anywhere:
            self._site(name).add(route)
            for site in with_port.get(name, ()):
                site.add(route, behind=True)

    def _site(self, name: str) -> _Site:
        return self._sites.setdefault(name, _Site(name, self._expressions))

    def _find(self, host: str) -> _Site | None:
        """The site for a host that is not remembered."""
        if len(self._remembered) >= _REMEMBERED_HOSTS:
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
