"""Routes given in Python: held to the rules of those in a file, and made whole with what the settings say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from dockerproxy.control.base.handler_keys import handler_upstreams, key_of
from dockerproxy.errors import Problem, SettingsError
from dockerproxy.routing.route import PathKind, Route
from dockerproxy.settings import RouteOptions, RouteSettings, problems_in

_OBJECT = "given.in:python"  # stands for a handler that is an object


def with_defaults(route: Route, defaults: RouteOptions) -> Route:
    """A route given in Python, the options that it does not give itself taken from the settings."""
    own = {name: getattr(route.options, name) for name in route.options.model_fields_set}
    return replace(route, options=defaults.model_copy(update=own))


def with_handlers(route: Route, handlers: dict[str, Any]) -> Route:
    """A route given in Python, its handlers known by their keys; with its in-process upstream if it has one."""
    key = key_of(route.handler, route.target, handlers)
    return replace(
        route,
        handler=key,
        upstreams=handler_upstreams(key) if key else route.upstreams,
        not_found_handler=key_of(route.not_found_handler, route.not_found_target, handlers),
        error_handler=key_of(route.error_handler, route.error_target, handlers),
    )


def refuse_wrong(given: Sequence[Route], written: Sequence[RouteSettings]) -> None:
    """Raises SettingsError with all that is wrong with routes given in Python, or with a name that two routes have."""
    others = [type(route).__name__ for route in given if not isinstance(route, Route)]
    if others:
        raise SettingsError(
            "settings", [Problem("routes given in Python", f"expected Route(…), found {name}") for name in others]
        )
    problems = [problem for route in given for problem in _problems(route)]
    problems += _repeated_names(given, written)
    if problems:
        raise SettingsError("settings", problems)


def _place(route: Route) -> str:
    return f"route {route.name!r} given in Python"


def _problems(route: Route) -> list[Problem]:
    """What is wrong with one by the rules for those in a file."""
    as_written = _as_written(route)
    try:
        RouteSettings.model_validate(as_written)
    except ValidationError as error:
        found = problems_in(error, RouteSettings, as_written)
        return [Problem(_place(route), str(problem)) for problem in found]
    return []


def _as_written(route: Route) -> dict[str, Any]:
    """What those rules are about, as it would stand in a file."""
    path = {route.path.kind.value: route.path.text} if route.path.kind is PathKind.PREFIX else None
    own = {"strip_prefix"} & route.options.model_fields_set
    return {
        "name": route.name,
        "path": path,
        "upstreams": [{"name": each.name, "url": each.url, "weight": each.weight} for each in route.upstreams],
        "handler": (route.handler or None) if route.target is None else _OBJECT,
        "access": route.access or None,
        **{name: getattr(route.options, name) for name in own},
    }


def _repeated_names(given: Sequence[Route], written: Sequence[RouteSettings]) -> list[Problem]:
    first: dict[str, str] = {}
    problems = []
    places = [(_place(route), route.name) for route in given]
    places += [(f"routes[{index}].name", route.name) for index, route in enumerate(written)]
    for place, name in places:
        if name in first:
            message = f"{name!r} is already taken by {first[name]}; give each route a name of its own"
            problems.append(Problem(place, message))
        first.setdefault(name, place)
    return problems
