"""Targets: what an operator can mean by a name. Pure: it finds, or refuses in words that name what there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from dockerproxy.control.overrides.overrides import Drain, Overrides, Weight
from dockerproxy.did_you_mean import did_you_mean
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.errors import NotPossible, UnknownRoute, UnknownUpstream
from dockerproxy.routing.route import Route, Upstream

SHORTEST_PREFIX = 4  # characters of a container's id
_SHORT_ID = 12  # characters; what `docker ps` shows


class Target(NamedTuple):
    """An upstream of a route, by names. Several upstreams may bear the name, or at the moment none.

    upstreams: those that are there now
    """

    route: str
    upstream: str
    upstreams: tuple[Upstream, ...] = ()


class Targets:
    """The upstreams that are there, and those that are only remembered because something is set of them."""

    def __init__(self, routes: Sequence[Route], containers: Sequence[ContainerView], overrides: Overrides) -> None:
        self._routes = routes
        self._containers = containers
        self._overrides = overrides

    def route(self, name: str) -> Route | None:
        """The route of this name, or None for one that is away while something is set of it. Raises UnknownRoute."""
        route = next((route for route in self._routes if route.name == name), None)
        if route is None and all(override.route != name for override in self._overrides):
            hint = did_you_mean(name, [route.name for route in self._routes])
            raise UnknownRoute(f"there is no route named {name!r}{hint}")
        return route

    def named(self, name: str, route: str | None = None) -> list[Target]:
        """The upstreams of this name or URL, or of the container of this name or id, in one route or in all.

        An id may be cut short to its first characters. Raises UnknownRoute, UnknownUpstream, NotPossible.
        """
        if route is not None:
            self._refuse_handler(self.route(route))
        here = self._there(route)
        found = [target for target in here if _bears(target, name)] + self._remembered(name, route, here)
        if found:
            return found
        container = self._container(name)
        if container is None:
            raise UnknownUpstream(self._unknown(name, route, here))
        found = [target for target in here if any(up.container == container.id for up in target.upstreams)]
        if not found:
            raise NotPossible(_not_routed(container, route))
        return found

    def _there(self, name: str | None) -> list[Target]:
        """One target for each name in each route."""
        return [
            Target(route.name, upstream, tuple(each for each in route.upstreams if each.name == upstream))
            for route in self._routes
            if not route.handler and name in (None, route.name)
            for upstream in dict.fromkeys(upstream.name for upstream in route.upstreams)
        ]

    def _remembered(self, name: str, route: str | None, here: Iterable[Target]) -> list[Target]:
        there = {(target.route, target.upstream) for target in here}
        names = dict.fromkeys(
            (override.route, override.upstream)
            for override in self._overrides
            if isinstance(override, (Drain, Weight)) and override.upstream == name and route in (None, override.route)
        )
        return [Target(*each) for each in names if each not in there]

    def _container(self, name: str) -> ContainerView | None:
        """The only container of this name or id. Raises NotPossible when there are several."""
        named = [view for view in self._containers if view.name == name]
        by_id = [view for view in self._containers if view.id.startswith(name)] if len(name) >= SHORTEST_PREFIX else []
        found = named or by_id
        if len(found) > 1:
            those = ", ".join(f"{view.name} ({view.id[:_SHORT_ID]})" for view in found)
            raise NotPossible(f"{name!r} may be any of {those}; give more of the id, or the name")
        return found[0] if found else None

    def _refuse_handler(self, route: Route | None) -> None:
        if route is not None and route.handler:
            raise NotPossible(f"route {route.name!r} is answered by the handler {route.handler}, it has no upstreams")

    def _unknown(self, name: str, route: str | None, here: Sequence[Target]) -> str:
        where = "no upstream or container" if route is None else f"no upstream of route {route!r}"
        message = f"there is {where} named {name!r}"
        if route is not None and (elsewhere := [other for other in self._there(None) if _bears(other, name)]):
            return f"{message}; it is one of {_listed(target.route for target in elsewhere)}"
        own = next((known for known in self._routes if known.name == name and not known.handler), None)
        if own is not None:
            return f"{message}; that is a route, its upstreams are {_listed(each.name for each in own.upstreams)}"
        names = [known for target in here for known in _names(target)]
        if route is None:
            names += [view.name for view in self._containers if view.mentioned]
        return message + did_you_mean(name, names)


def _names(target: Target) -> Iterator[str]:
    yield target.upstream
    yield from (upstream.url.rstrip("/") for upstream in target.upstreams)


def _bears(target: Target, name: str) -> bool:
    return target.upstream == name or name.rstrip("/") in _names(target)


def _not_routed(container: ContainerView, route: str | None) -> str:
    message = f"container {container.name} is not routed" + ("" if route is None else f" to {route!r}")
    if container.wishes:
        message += f", but to {_listed(wish.route for wish in container.wishes)}"
    return f"{message}: {'; '.join(container.reasons)}" if container.reasons else message


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names)) or "none at the moment"
