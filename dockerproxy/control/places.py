"""Places: which domain, path and method is taken, and by whom. First come, first served; pure.

A route that names its methods stands beside one for all methods: the table prefers it. Only what the operator has
written for all methods is not given to containers by parts. An expression of a container that takes all paths is at the
place of the whole domain as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from dockerproxy.routing.catch_all import takes_all
from dockerproxy.routing.route import ANY_PATH, Domain, PathKind, Route, Source


class Clash(NamedTuple):
    """A domain (None: every domain) that a route cannot have, because `owner` answers there."""

    domain: Domain | None
    owner: Route


# A route's name and a domain that it could not have -> who answers there.
Refusals = Mapping[tuple[str, Domain | None], Route]


class Places:
    """What is taken, on top of what `below` says; `below` is only read."""

    __slots__ = ("_below", "_taken")

    def __init__(self, below: Places | None = None) -> None:
        self._below = below
        # A domain's name, "" for every domain -> path rule -> who is there. Strings, for every route is looked up here
        # at every change, and they hash faster than values do.
        self._taken: dict[str, dict[str, list[tuple[Domain | None, Route]]]] = {}

    def __repr__(self) -> str:
        return f"<Places: {len(self._taken)} domains over {self._below!r}>"

    def clashes(self, route: Route, *, yields: bool = False) -> list[Clash]:
        """Where `route` cannot be, and why not. It is in nobody's way where it is already itself.

        yields: whether it takes no method from a route for all methods
        """
        found = []
        for domain in route.domains or (None,):
            owner = self._owner(domain, route, yields=yields)
            if owner is not None:
                found.append(Clash(domain, owner))
        return found

    def take(self, route: Route) -> None:
        """Note that `route` answers at its domains, its path and its methods."""
        for domain in route.domains or (None,):
            paths = self._taken.setdefault(domain.name if domain is not None else "", {})
            for key in _keys(route):
                paths.setdefault(key, []).append((domain, route))

    def has(self, name: str) -> bool:
        """Whether anybody is at the domain of this name; "" is for every domain."""
        return name in self._taken or (self._below is not None and self._below.has(name))

    def _owner(self, domain: Domain | None, route: Route, *, yields: bool) -> Route | None:
        paths = self._taken.get(domain.name if domain is not None else "")
        if paths is not None:
            keys = _keys(route)
            for key in keys:
                for where, other in paths.get(key, ()):
                    # The table looks at expressions before the whole domain, and at methods last.
                    wider = _keys(other)[0] != keys[0]
                    others = other.name != route.name and (wider or _overlap(other, route, yields=yields))
                    if others and _contested(where, domain, route.source):
                        return other
        return self._below._owner(domain, route, yields=yields) if self._below is not None else None


def names_of(route: Route) -> Sequence[str]:
    """The names of its domains, without ports; "" for every domain."""
    return [domain.name for domain in route.domains] or ("",)


def is_wide(route: Route) -> bool:
    """Whether it has an expression of a container that takes all paths."""
    return route.path.kind is PathKind.REGEX and route.source is Source.DOCKER and takes_all(route.path.text)


def contested(places: Places, names: Sequence[str]) -> Set[str]:
    """Of the names that routes have, those that several have, or somebody in `places`.

    No other route can be in another's way; that is nearly all of them.
    """
    found = {name for name, count in Counter(names).items() if count > 1}
    return found.union(name for name in names if places.has(name))


def _contested(taken: Domain | None, domain: Domain | None, source: Source) -> bool:
    """Whether who is at one of two domains of the same name is in the way of who comes to the other.

    A file may split a name by port. A container may not: by adding the port to its label it would take a place from
    whoever has the name without one.
    """
    if taken is None or domain is None:
        return taken is domain
    return taken.port == domain.port or (source is Source.DOCKER and None in (taken.port, domain.port))


def _keys(route: Route) -> tuple[str, ...]:
    """The path rule; a prefix of `/` is every path, and an expression of a container that takes all is so, too."""
    path = ANY_PATH if route.path.kind is PathKind.PREFIX and route.path.text == "/" else route.path
    key = f"{path.kind} {path.text}" if path.text else ""
    return (key, "") if is_wide(route) else (key,)


def _overlap(taken: Route, route: Route, *, yields: bool) -> bool:
    """Whether both want the same of a place, method by method."""
    if taken.methods and route.methods:
        return not set(taken.methods).isdisjoint(route.methods)
    if not taken.methods and route.methods:
        return yields or (route.source is Source.DOCKER and taken.source is not Source.DOCKER)
    return not taken.methods
