"""Routes as a person writes them -> Route, and the pages of domains. Pure; nothing is loaded or served here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dockerproxy.control.base.handler_keys import handler_upstreams, key_of, mounted, name_and_prefix
from dockerproxy.control.base.python_routes import refuse_wrong, with_defaults, with_handlers
from dockerproxy.routing.local_addresses import Network, is_address
from dockerproxy.routing.route import ANY_PATH, Domain, PathKind, PathRule, Route, Source, Upstream
from dockerproxy.settings import PathSettings, RouteOptions, RouteSettings, Settings

Local = tuple[Network, ...] | None

EVERY_DOMAIN = ""  # in Pages: the page of domains that have none of their own


@dataclass(frozen=True, slots=True)
class Pages:
    """Handlers of not-found and error pages: a domain as written -> key of the handler; "" is every other domain."""

    not_found: Mapping[str, str] = field(default_factory=dict)
    error: Mapping[str, str] = field(default_factory=dict)

    def dress(self, route: Route) -> Route:
        """The route with the error page of its domain, unless it has one of its own."""
        if route.error_handler or not self.error:
            return route
        names = (*map(str, route.domains), EVERY_DOMAIN)
        return replace(route, error_handler=next((self.error[name] for name in names if name in self.error), ""))


@dataclass(frozen=True, slots=True)
class StaticRoutes:
    """What the settings and the program say.

    handlers: keys of all handlers that are named -> the handler if it was given in Python, None if it is to be loaded
    """

    routes: tuple[Route, ...]
    pages: Pages
    handlers: Mapping[str, Any]


def static_routes(settings: Settings, python_routes: Sequence[Route] = ()) -> StaticRoutes:
    """All static routes: those given in Python, then those of the settings. Raises SettingsError."""
    refuse_wrong(python_routes, settings.routes)
    objects: dict[str, Any] = {}
    defaults = settings.route_defaults
    routes = [with_defaults(with_handlers(route, objects), defaults) for route in python_routes]
    pages = _pages(settings, routes, objects)
    routes += [route_of(route, defaults, Source.STATIC) for route in settings.routes]
    routes = [mounted(pages.dress(route)) for route in routes]
    handlers = {key: objects.get(name_and_prefix(key)[0]) for key in _handler_keys(routes, pages)}
    return StaticRoutes(tuple(routes), pages, handlers)


def route_of(written: RouteSettings, defaults: RouteOptions, source: Source, local: Local = None) -> Route:
    """A Route from what a person wrote, its options over `defaults`.

    local: the networks of this machine and its link that host names of upstreams may stand for; None: all of them
    """
    return Route(
        name=written.name,
        domains=tuple(Domain.parse(host) for host in written.hosts),
        path=_path_rule(written.path),
        methods=written.path.method if written.path is not None else (),
        upstreams=handler_upstreams(written.handler) if written.handler else _upstreams(written, source, local),
        options=written.options(defaults),
        source=source,
        handler=written.handler or "",
        access=written.access or "",
    )


def _upstreams(written: RouteSettings, source: Source, local: Local) -> tuple[Upstream, ...]:
    return tuple(
        _guarded(Upstream(upstream.name or upstream.url, upstream.url, upstream.weight, source), local)
        for upstream in written.upstreams
    )


def _guarded(upstream: Upstream, local: Local) -> Upstream:
    """What a name stands for is known when it is connected to; an address was looked at when it was taken."""
    return upstream if local is None or is_address(upstream.host) else replace(upstream, local=local)


def _path_rule(path: PathSettings | None) -> PathRule:
    if path is None:
        return ANY_PATH
    rules = ((PathKind.EXACT, path.path), (PathKind.PREFIX, path.prefix), (PathKind.REGEX, path.regex))
    return next((PathRule(kind, text) for kind, text in rules if text is not None), ANY_PATH)


def _pages(settings: Settings, given: Iterable[Route], handlers: dict[str, Any]) -> Pages:
    """The first that says something for a domain has its way."""
    not_found: dict[str, str] = {}
    error: dict[str, str] = {}
    for route in given:
        for domain in route.domains:
            _set_page(not_found, str(domain), route.not_found_handler)
            _set_page(error, str(domain), route.error_handler)
    for written in settings.routes:
        if written.domain is not None:
            _set_page(not_found, written.hosts[0], written.domain.not_found_handler)
            _set_page(error, written.hosts[0], written.domain.error_handler)
    for pages, page in ((not_found, settings.not_found_handler), (error, settings.error_handler)):
        _set_page(pages, EVERY_DOMAIN, page if isinstance(page, str) else key_of("", page, handlers))
    return Pages(not_found, error)


def _set_page(pages: dict[str, str], domain: str, key: str | None) -> None:
    if key:
        pages.setdefault(domain, key)


def _handler_keys(routes: Iterable[Route], pages: Pages) -> Iterable[str]:
    yield from (key for route in routes for key in (route.handler, route.error_handler) if key)
    yield from pages.not_found.values()
    yield from pages.error.values()
