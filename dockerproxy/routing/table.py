"""RouteTable: the immutable index of all routes.

Built on change, swapped in one assignment, only looked up on the request path; the cost of a look-up does not
grow with the number of routes (regex rules of one domain aside: they are tried in the order given).

Order of preference, each step deciding before the next is looked at:

host    exact name > wildcard > routes for every domain > those for whoever names nobody
path    exact > longest prefix by whole segments > regex in the order given > whole domain
port    between equal path rules of one name: the route with the port > the one without
method  last: path known, method not -> 405

Paths are compared in the form of `settings.paths.comparable`. Where applications differ in how they read a path, and
the readings lead to different routes, the one with the middlewares of all is preferred; where none has them, no route
answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dockerproxy.routing.expression import Budget, Clocks, Expression, Slow
from dockerproxy.routing.readings import readings
from dockerproxy.routing.route import DEFAULT_PORTS, NO_NAME, PathKind, Route, names_nobody
from dockerproxy.settings.paths import comparable, is_plain

# Distinct Host values remembered beside those of the table's own domains; a flood of made-up ones only empties the
# memory again.
_REMEMBERED_HOSTS = 4096


class MissReason(StrEnum):
    """Why no route answers."""

    HOST = "unknown_host"
    PATH = "unknown_path"
    METHOD = "unknown_method"
    AMBIGUOUS = "ambiguous_path"
    UNDECIDED = "undecided_path"


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
    guarded:  whether any of them has middlewares
    """

    __slots__ = ("any", "by_method", "complete", "guarded")

    def __init__(self) -> None:
        self.any: Route | None = None
        self.by_method: dict[str, Route] = {}
        self.complete = False
        self.guarded = False

    def add(self, route: Route, *, behind: bool = False) -> None:
        if behind and self.complete:
            return
        self.complete = self.complete or not (behind or route.methods)
        self.guarded = self.guarded or bool(route.options.middlewares)
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


_UNDECIDED = _Methods()


class _Expressions:
    """The expressions of one table, by their texts; those of the table before are taken over.

    slow: those that were too slow, in this table or in any before
    """

    __slots__ = ("_before", "_by_text", "slow")

    def __init__(self, before: _Expressions | None) -> None:
        self._before: dict[str, Expression] = before._by_text if before is not None else {}
        self._by_text: dict[str, Expression] = {}
        self.slow: Slow = before.slow if before is not None else Slow()

    def of(self, text: str, route: Route) -> Expression:
        """The one of this text."""
        found = self._by_text.get(text) or self._before.get(text)
        if found is None:
            found = Expression(text, f"route {route.name!r}: its path rule", self.slow)
        self._by_text[text] = found
        return found

    def keep(self, text: str, expression: Expression) -> None:
        """Take one over that its domain keeps."""
        self._by_text.setdefault(text, expression)

    def close(self) -> None:
        """All are there."""
        self._before = {}


class _Site:
    """All path rules of one domain.

    routes:      in the order in which they are preferred
    behind:      those of the same name for any port, where this one has a port
    expressions: makes those of the whole table: one that takes too long does so once, not once per domain
    simple:      whether every path leads to the same routes, however it is read
    last:        routes at exact paths for whoever names nobody, where no other takes the request
    """

    __slots__ = (
        "_expressions", "behind", "depth", "exact", "last", "name", "prefixes", "regexes", "routes", "simple", "whole",
    )  # fmt: skip

    def __init__(
        self, name: str, routes: list[Route], behind: Sequence[Route], expressions: _Expressions,
        last: Sequence[Route] = (),
    ) -> None:  # fmt: skip
        self.name = name
        self.last = last
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
        ruled = self.exact or self.prefixes or self.regexes
        based = any(upstream.base_path for route in (*routes, *behind) for upstream in route.upstreams)
        self.simple = not (ruled or based)

    def _add(self, route: Route, *, behind: bool = False) -> None:
        kind, text = route.path.kind, route.path.text
        if kind is not PathKind.REGEX:
            text = comparable(text)
        if kind is PathKind.EXACT:
            methods = self.exact.setdefault(text, _Methods())
        elif kind is PathKind.PREFIX and text != "/":
            methods = self.prefixes.setdefault(text.rstrip("/"), _Methods())
            self.depth = max(self.depth, text.rstrip("/").count("/"))
        elif kind is PathKind.REGEX:
            if text not in self.regexes:
                self.regexes[text] = (self._expressions.of(text, route), _Methods())
            methods = self.regexes[text][1]
        else:
            methods = self.whole
        methods.add(route, behind=behind)

    def route(self, method: str, path: str, budget: Budget | None) -> Route | Miss:
        """The route for a path in the form that rules are compared in."""
        found = self.whole if self.simple else self._find(path, budget)
        route = found.get(method)
        if route is not None:
            return route
        if found is _UNDECIDED:
            return Miss(MissReason.UNDECIDED, self.name)
        if not found.by_method:
            return self._last(method, path) or Miss(MissReason.PATH if self.routes else MissReason.HOST, self.name)
        return Miss(MissReason.METHOD, self.name, found.allowed())

    def _last(self, method: str, path: str) -> Route | None:
        methods = _Methods()
        for route in self.last:
            if route.path.text == path:
                methods.add(route)
        return methods.get(method)

    def _find(self, path: str, budget: Budget | None) -> _Methods:
        """The methods of the most specific rule for `path`, perhaps none; _UNDECIDED when an expression is too slow."""
        if self.exact and (found := self.exact.get(path)) is not None:
            return found
        if self.prefixes and (found := self._longest_prefix(path)) is not None:
            return found
        if self.regexes and budget is not None:
            for expression, methods in self.regexes.values():
                fits = expression.fits(path, budget)
                if fits:
                    return methods
                if fits is None and (methods.guarded or budget.over):
                    return _UNDECIDED  # else whoever makes it slow would get past its middlewares
        return self.whole

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
    clocks: what the time that expressions take goes by
    """

    __slots__ = (
        "_clocks", "_every", "_expressions", "_fallback", "_last", "_most_remembered", "_nameless", "_remembered",
        "_sites", "routes",
    )  # fmt: skip

    def __init__(
        self, routes: Sequence[Route] = (), before: RouteTable | None = None, clocks: Clocks | None = None
    ) -> None:
        self.routes = tuple(routes)
        self._clocks: Clocks = clocks or (before._clocks if before is not None else Clocks())
        self._sites: dict[str, _Site] = {}
        self._expressions: _Expressions = _Expressions(before._expressions if before is not None else None)
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
        self._last: Sequence[Route] = sites.pop(NO_NAME.name, ())
        for name, found in sites.items():
            self._add(name, found, sites.get(ports[name], ()) if name in ports else (), before)
        self._every = _Site("", everywhere, (), self._expressions)
        self._expressions.close()
        self._fallback = self._every if everywhere else None
        self._nameless = _Site("", everywhere, (), self._expressions, self._last) if self._last else self._fallback
        # Each domain may be asked for by some names of its own, with and without the port.
        self._most_remembered = _REMEMBERED_HOSTS + 2 * len(sites)

    def __repr__(self) -> str:
        return f"<RouteTable: {len(self.routes)} routes, {len(self._sites)} domains>"

    def match(self, host: str, method: str, path: str, budget: Budget | None = None) -> Route | Miss:
        """The route for a request, or why there is none.

        host:   the Host field's value, in any case, with or without a port
        method: in upper case
        path:   the path of the target as it was sent, without the query
        budget: what its expressions may cost; for whoever wants to know what they did cost
        """
        site = self._remembered.get(host) or self._find(host)
        if site is None:
            return Miss(MissReason.HOST)
        if site.regexes and budget is None:
            budget = self.budget()
        if site.simple or is_plain(path):
            return site.route(method, path, budget)
        return _weighed(site, method, path, budget)

    def budget(self) -> Budget:
        """What the expressions may cost one request."""
        return Budget(self._clocks)

    def _add(self, name: str, routes: list[Route], behind: Sequence[Route], before: RouteTable | None) -> None:
        known = before._sites.get(name) if before is not None else None
        last = self._last if names_nobody(_name_and_port(name)[0]) else ()
        if known is not None and known.routes == routes and known.behind == behind and known.last == last:
            self._sites[name] = known
            for text, (expression, _) in known.regexes.items():
                self._expressions.keep(text, expression)
        else:
            self._sites[name] = _Site(name, routes, behind, self._expressions, last)

    def _find(self, host: str) -> _Site | None:
        """The site for a host that is not remembered."""
        if len(self._remembered) >= self._most_remembered:
            self._remembered.clear()
        found = self._remembered[host] = self._site_for(host)
        return found

    def _site_for(self, host: str) -> _Site | None:
        name, port = _name_and_port(host)
        suffix = name.partition(".")[2]
        for known in (name, f"*.{suffix}"):
            site = self._sites.get(f"{known}:{port}") or self._sites.get(known)
            if site is not None:
                return site
        return self._nameless if names_nobody(name) else self._fallback


def _name_and_port(host: str) -> tuple[str, str]:
    """The host without its port, in lower case, and the port."""
    name, _, port = host.lower().rpartition(":") if not host.endswith("]") else (host.lower(), "", "")
    if not name:
        name, port = port, ""
    return name.rstrip("."), port or str(DEFAULT_PORTS["http"])


def _weighed(site: _Site, method: str, path: str, budget: Budget | None) -> Route | Miss:
    """The route for a path that can be read in several ways."""
    read = readings(path)
    if read is None:
        return Miss(MissReason.AMBIGUOUS, site.name)
    route = site.route(method, read.main, budget)
    if isinstance(route, Miss):
        return route
    policy = route.options.encoded_slashes
    if read.climbs and policy != "keep":
        return Miss(MissReason.AMBIGUOUS, site.name)
    if policy == "decode":
        route = site.route(method, read.slash, budget)
        if isinstance(route, Miss):
            return route
    found = [route, *(site.route(method, other, budget) for other in read.others)]
    if policy != "keep":
        slashed = [site.route(method, other, budget) for other in read.slashed]
        if policy == "refuse" and any(isinstance(other, Miss) or other not in found for other in slashed):
            return Miss(MissReason.AMBIGUOUS, site.name)
        found += slashed
    if any(isinstance(other, Miss) and other.reason is MissReason.UNDECIDED for other in found):
        return Miss(MissReason.UNDECIDED, site.name)
    return _guarded([other for other in found if isinstance(other, Route)]) or Miss(MissReason.AMBIGUOUS, site.name)


def _guarded(routes: Sequence[Route]) -> Route | None:
    """The first that has the middlewares of all, or None."""
    all_of_them = {name for route in routes for name in route.options.middlewares}
    return next((route for route in routes if all_of_them.issubset(route.options.middlewares)), None)
