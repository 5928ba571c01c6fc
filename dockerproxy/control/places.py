"""Places: which domain, path and method is taken, and by whom. First come, first served; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dockerproxy.routing.route import ANY_PATH, Domain, PathKind, PathRule, Route, Source


class Clash(NamedTuple):
    """A domain (None: every domain) that a route cannot have, because `owner` answers there."""

    domain: Domain | None
    owner: Route


class Places:
    """What is taken, on top of what `below` says; `below` is only read."""

    __slots__ = ("_below", "_domains", "_taken")

    def __init__(self, below: Places | None = None) -> None:
        self._below = below
        self._taken: dict[tuple[Domain | None, PathRule], list[Route]] = {}
        self._domains: dict[str, set[Domain]] = {}

    def __repr__(self) -> str:
        return f"<Places: {len(self._taken)} taken over {self._below!r}>"

    def clashes(self, route: Route) -> list[Clash]:
        """Where `route` cannot be, and why not."""
        found = ((domain, self._owner(domain, route)) for domain in route.domains or (None,))
        return [Clash(domain, owner) for domain, owner in found if owner is not None]

    def take(self, route: Route) -> None:
        """Note that `route` answers at its domains, its path and its methods."""
        for domain in route.domains or (None,):
            self._taken.setdefault((domain, _same(route.path)), []).append(route)
            if domain is not None:
                self._domains.setdefault(domain.name, set()).add(domain)

    def _owner(self, domain: Domain | None, route: Route) -> Route | None:
        for where in self._contested(domain, route):
            for other in self._taken.get((where, _same(route.path)), ()):
                if _overlap(other.methods, route.methods):
                    return other
        return self._below._owner(domain, route) if self._below is not None else None

    def _contested(self, domain: Domain | None, route: Route) -> Iterable[Domain | None]:
        """The domains at which a route would be in the way of another.

        A file may split a name by port. A container may not: by adding the port to its label it would take a place
        from whoever has the name without one.
        """
        if domain is None or route.source is not Source.DOCKER:
            return (domain,)
        known = self._domains.get(domain.name, ())
        return [other for other in known if other.port == domain.port or None in (other.port, domain.port)]


def _same(path: PathRule) -> PathRule:
    """A prefix of `/` is every path."""
    return ANY_PATH if path.kind is PathKind.PREFIX and path.text == "/" else path


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return not one or not other or not set(one).isdisjoint(other)
