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

from dockerproxy.routing.expression import Budget, Clocks
from dockerproxy.routing.miss import Miss, MissReason
from dockerproxy.routing.readings import SLASHES, readings
from dockerproxy.routing.route import DEFAULT_PORTS, NO_NAME, PathKind, Route, names_nobody
from dockerproxy.routing.site import Expressions, Site
from dockerproxy.settings.paths import is_plain

# Distinct Host values remembered beside those of the table's own domains; a flood of made-up ones only empties the
# memory again.
_REMEMBERED_HOSTS = 4096


class RouteTable:
    """The index. Two routes for the same domain, path rule and method are the caller's mistake: the first wins.

    before: the table that this one follows. Domains whose routes are the same objects are taken over from it: of
            hundreds of routes a change concerns one or two.
    clocks: what the time that expressions take goes by
    harmless: names of middlewares that guard nothing
    """

    __slots__ = (
        "_clocks", "_every", "_expressions", "_fallback", "_harmless", "_last", "_most_remembered", "_nameless",
        "_remembered", "_sites", "routes",
    )  # fmt: skip

    def __init__(
        self,
        routes: Sequence[Route] = (),
        before: RouteTable | None = None,
        clocks: Clocks | None = None,
        harmless: frozenset[str] = frozenset(),
    ) -> None:
        self.routes = tuple(routes)
        self._harmless = harmless
        self._clocks: Clocks = clocks or (before._clocks if before is not None else Clocks())
        self._sites: dict[str, Site] = {}
        self._expressions: Expressions = Expressions(before._expressions if before is not None else None)
        self._remembered: dict[str, Site | None] = {}
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
        self._every = Site("", everywhere, (), self._expressions, harmless)
        self._expressions.close()
        self._fallback = self._every if everywhere else None
        everybody = Site("", everywhere, (), self._expressions, harmless, self._last)
        self._nameless = everybody if self._last else self._fallback
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
        return _weighed(site, method, path, budget, self._harmless)

    def budget(self) -> Budget:
        """What the expressions may cost one request."""
        return Budget(self._clocks)

    def _add(self, name: str, routes: list[Route], behind: Sequence[Route], before: RouteTable | None) -> None:
        known = before._sites.get(name) if before is not None else None
        last = self._last if names_nobody(_name_and_port(name)[0]) else ()
        same = known is not None and before is not None and before._harmless == self._harmless and known.last == last
        if same and known is not None and known.routes == routes and known.behind == behind:
            self._sites[name] = known
            for text, (expression, _) in known.regexes.items():
                self._expressions.keep(text, expression)
        else:
            self._sites[name] = Site(name, routes, behind, self._expressions, self._harmless, last)

    def _find(self, host: str) -> Site | None:
        """The site for a host that is not remembered."""
        if len(self._remembered) >= self._most_remembered:
            self._remembered.clear()
        found = self._remembered[host] = self._site_for(host)
        return found

    def _site_for(self, host: str) -> Site | None:
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


def _weighed(site: Site, method: str, path: str, budget: Budget | None, harmless: frozenset[str]) -> Route | Miss:
    """The route for a path that can be read in several ways."""
    read = readings(path)
    if read is None:
        return Miss(MissReason.AMBIGUOUS, site.name)
    route = site.route(method, read.main, budget)
    if isinstance(route, Miss):
        return route
    policy = _policy(route, read.main)
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
    routes = [other for other in found if isinstance(other, Route)]
    return _best_guarded(routes, harmless) or Miss(MissReason.AMBIGUOUS, site.name)


def _policy(route: Route, path: str) -> str:
    """What encoded slashes are; a part of the name, where the route's own path has them and there are no others."""
    own = "" if route.path.kind is PathKind.REGEX else route.path.text
    written = any(kind in own for kind in SLASHES) and not any(kind in path[len(own) :] for kind in SLASHES)
    return "keep" if written else route.options.encoded_slashes


def _best_guarded(routes: Sequence[Route], harmless: frozenset[str]) -> Route | None:
    """The first that has the middlewares of all, or None."""
    guards = {name for route in routes for name in route.options.middlewares} - harmless
    return next((route for route in routes if guards.issubset(route.options.middlewares)), None)
