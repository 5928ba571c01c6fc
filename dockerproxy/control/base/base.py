"""Base: the routes that do not depend on containers, clashes among them settled.

Static routes stand first, then the built-in admin routes (which yield to them), then dynamic ones. It is rebuilt when
settings or dynamic routes change, so that a change among containers need not look at all of them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from dockerproxy.control.base.builtin import builtin_routes
from dockerproxy.control.base.static import Pages, StaticRoutes
from dockerproxy.control.places import Clash, Places
from dockerproxy.errors import Problem, SettingsError
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.route import Route
from dockerproxy.settings import Settings


@dataclass(slots=True)
class Base:
    """The routes by name, in the table's order.

    builtin:  names of the admin routes that nobody asked for
    warnings: in words, which routes cannot have what they ask for
    https:    whether a redirect to https leads anywhere
    """

    routes: dict[str, Route] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
    pages: Pages = field(default_factory=Pages)
    builtin: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    https: bool = True

    def add(self, route: Route) -> None:
        self.routes[route.name] = route
        self.places.take(route)


def build_base(settings: Settings, static: StaticRoutes, dynamic: Iterable[Route]) -> Base:
    """Raises SettingsError when two static routes are at the same place."""
    base = Base(pages=static.pages, https=settings.https_reachable)
    _add_static(base, static.routes)
    dynamic = tuple(dynamic)
    for route in builtin_routes(settings, base.routes.keys() | {route.name for route in dynamic}):
        left = without(route, base.places.clashes(route, yields=True))
        if left is not None:
            base.add(static.pages.dress(left))
            base.builtin.add(left.name)
    for route in dynamic:
        _add_dynamic(base, static.pages.dress(route))
    _warn_of_redirects(base)
    return base


def leads_nowhere(name: str) -> Reason:
    """Why it is no use that the route redirects to https."""
    what = f"route {name} redirects to https, which no address to listen on speaks"
    return Reason(Code.NO_HTTPS, what, "add an https address to listen, as in docs/tls.md, or set https to allow")


def without(route: Route, clashes: Sequence[Clash]) -> Route | None:
    """The route without the domains that it cannot have, or None when none is left."""
    if not clashes:
        return route
    lost = {clash.domain for clash in clashes}
    kept = tuple(domain for domain in route.domains if domain not in lost)
    return replace(route, domains=kept) if kept else None


def place_of(route: Route, clash: Clash) -> str:
    """Where a clash is, in words: `GET blog.localhost /api/*`."""
    methods = ",".join(route.methods)
    return " ".join(filter(None, (methods, str(clash.domain or "every domain"), str(route.path))))


def _add_static(base: Base, routes: Iterable[Route]) -> None:
    problems = []
    for route in routes:
        clashes = base.places.clashes(route)
        problems += [
            Problem(
                f"route {route.name!r}",
                f"{place_of(route, clash)} is already answered by route {clash.owner.name!r}; "
                "give one of them another host, path or method",
            )
            for clash in clashes
        ]
        base.add(route)
    if problems:
        raise SettingsError("settings", problems)


def _warn_of_redirects(base: Base) -> None:
    routes = base.routes.values() if not base.https else ()
    names = [route.name for route in routes if route.options.https == "redirect" and route.name not in base.builtin]
    if names:
        others = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
        base.warnings.append(f"{names[0]}{others}: {leads_nowhere(names[0])}")


def _add_dynamic(base: Base, route: Route) -> None:
    if route.name in base.routes:
        base.warnings.append(
            f"{route.name}: the dynamic route is not used, a static one has this name; remove one of them"
        )
        return
    clashes = base.places.clashes(route)
    for clash in clashes:
        base.warnings.append(
            f"{route.name}: {place_of(route, clash)} is answered by route {clash.owner.name} ({clash.owner.source})"
        )
    left = without(route, clashes)
    if left is not None:
        base.add(left)
