"""Routes as a person writes them -> Route, and the pages of domains. Pure; nothing is loaded or served here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dockerproxy.errors import Problem, SettingsError
from dockerproxy.routing.route import ANY_PATH, Domain, PathKind, PathRule, Route, Source, Upstream
from dockerproxy.settings import PathSettings, RouteOptions, RouteSettings, Settings

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
    """All static routes: those given in Python, then those of the settings. Raises SettingsError on a repeated name."""
    handlers: dict[str, Any] = {}
    defaults = settings.route_defaults
    given = [_with_defaults(_with_handlers(route, handlers), defaults) for route in python_routes]
    written = [route_of(route, defaults, Source.STATIC) for route in settings.routes]
    _refuse_repeated_names(given, written)
    pages = _pages(settings, given, handlers)
    for key in _handler_keys(given + written, pages):
        handlers.setdefault(key, None)
    return StaticRoutes(tuple(pages.dress(route) for route in given + written), pages, handlers)


def route_of(written: RouteSettings, defaults: RouteOptions, source: Source) -> Route:
    """A Route from what a person wrote, its options over `defaults`."""
    return Route(
        name=written.name,
        domains=tuple(Domain.parse(host) for host in written.hosts),
        path=_path_rule(written.path),
        methods=written.path.method if written.path is not None else (),
        upstreams=handler_upstreams(written.handler) if written.handler else _upstreams(written, source),
        options=written.options(defaults),
        source=source,
        handler=written.handler or "",
        access=written.access or "",
    )


def handler_upstreams(key: str) -> tuple[Upstream, ...]:
    """The one in-process upstream of a handler route."""
    return (Upstream(name=key, url="", handler=key),)


def _upstreams(written: RouteSettings, source: Source) -> tuple[Upstream, ...]:
    return tuple(
        Upstream(name=upstream.name or upstream.url, url=upstream.url, weight=upstream.weight, source=source)
        for upstream in written.upstreams
    )


def _path_rule(path: PathSettings | None) -> PathRule:
    if path is None:
        return ANY_PATH
    rules = ((PathKind.EXACT, path.path), (PathKind.PREFIX, path.prefix), (PathKind.REGEX, path.regex))
    return next((PathRule(kind, text) for kind, text in rules if text is not None), ANY_PATH)


def _with_defaults(route: Route, defaults: RouteOptions) -> Route:
    """A route given in Python, the options that it does not give itself taken from the settings."""
    own = {name: getattr(route.options, name) for name in route.options.model_fields_set}
    return replace(route, options=defaults.model_copy(update=own))


def _with_handlers(route: Route, handlers: dict[str, Any]) -> Route:
    """A route given in Python, its handlers known by their keys; with its in-process upstream if it has one."""
    key = _key(route.handler, route.target, handlers)
    return replace(
        route,
        handler=key,
        upstreams=handler_upstreams(key) if key else route.upstreams,
        not_found_handler=_key(route.not_found_handler, route.not_found_target, handlers),
        error_handler=_key(route.error_handler, route.error_target, handlers),
    )


def _key(name: str, target: Any, handlers: dict[str, Any]) -> str:
    """What a handler is known by; one that was given as an object is put among `handlers`."""
    if target is None:
        return name
    key = _free_key(name or _dotted_name(target), target, handlers)
    handlers[key] = target
    return key


def _dotted_name(target: Any) -> str:
    named = target if hasattr(target, "__qualname__") else type(target)
    return f"{named.__module__}:{named.__qualname__}"


def _free_key(name: str, target: Any, handlers: Mapping[str, Any]) -> str:
    """`name`, or with a number where another handler has it: two closures of one function, two Applications."""
    key, number = name, 1
    while key in handlers and handlers[key] is not target:
        number += 1
        key = f"{name}#{number}"
    return key


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
        _set_page(pages, EVERY_DOMAIN, page if isinstance(page, str) else _key("", page, handlers))
    return Pages(not_found, error)


def _set_page(pages: dict[str, str], domain: str, key: str | None) -> None:
    if key:
        pages.setdefault(domain, key)


def _handler_keys(routes: Iterable[Route], pages: Pages) -> Iterable[str]:
    yield from (route.handler for route in routes if route.handler)
    yield from pages.not_found.values()
    yield from pages.error.values()


def _refuse_repeated_names(given: Sequence[Route], written: Sequence[Route]) -> None:
    first: dict[str, str] = {}
    problems = []
    places = [(f"route {route.name!r} given in Python", route) for route in given]
    places += [(f"routes[{index}].name", route) for index, route in enumerate(written)]
    for place, route in places:
        if route.name in first:
            message = f"{route.name!r} is already taken by {first[route.name]}; give each route a name of its own"
            problems.append(Problem(place, message))
        first.setdefault(route.name, place)
    if problems:
        raise SettingsError("settings", problems)
