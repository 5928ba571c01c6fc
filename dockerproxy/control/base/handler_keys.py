"""Keys of handlers: what the data plane, statistics and logs call them by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dockerproxy.routing.route import PathKind, Route, Upstream

# Between the name of a handler and the prefix below which it is, for one that is not shown the prefix.
_AT = " at "


def handler_upstreams(key: str) -> tuple[Upstream, ...]:
    """The one in-process upstream of a handler route."""
    return (Upstream(name=key, url="", handler=key),)


def mounted(route: Route) -> Route:
    """The route, its handler known together with the prefix that it is not shown, if there is one.

    One Application can be below one prefix only, so that it can tell its own addresses.
    """
    prefix = route.path.text.rstrip("/") if route.path.kind is PathKind.PREFIX else ""
    if not (route.handler and route.options.strip_prefix and prefix):
        return route
    key = f"{route.handler}{_AT}{prefix}"
    return replace(route, handler=key, upstreams=handler_upstreams(key))


def name_and_prefix(key: str) -> tuple[str, str]:
    """The name of a handler, and the prefix that it is not shown, or ""."""
    name, _, prefix = key.partition(_AT)
    return name, prefix


def key_of(name: str, target: Any, handlers: dict[str, Any]) -> str:
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
