"""The admin handlers: what they take and answer. The deciding is done by the registry."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from dockerproxy.control.overrides.overrides import is_admin
from dockerproxy.control.registry import Registry
from dockerproxy.control.store import as_json
from dockerproxy.errors import (
    DockerproxyError,
    InvalidInput,
    NotPossible,
    Problem,
    RouteExists,
    RouteNotRemovable,
    StoreError,
    UnknownRoute,
    UnknownUpstream,
)
from dockerproxy.settings import RouteSettings, problems_in
from dockerproxy.web.access.permission import check_access
from dockerproxy.web.context import CONTROL, ROUTE_NAME

_LARGEST_BODY = 1 << 20  # bytes; thousands of upstreams in one route
_DEEPEST = 32  # lists and objects in each other; a route has four

_HEALTH = "dockerproxy.web.admin:health"

_STATUSES: Mapping[type[DockerproxyError], int] = {
    InvalidInput: 422,
    RouteExists: 409,
    RouteNotRemovable: 409,
    NotPossible: 409,
    UnknownRoute: 404,
    UnknownUpstream: 404,
    StoreError: 507,  # Insufficient Storage, RFC 4918 section 11.5: the state folder needs a hand
}


class _NotJson(DockerproxyError):
    """The body is not a JSON object."""


def guarded(handler: Callable[[web.Request], Any]) -> Handler:
    """An admin handler: who may call it is said by its route, else by the setting `admin_access`.

    What the registry refuses is answered in JSON: `{"error": …, "problems": [{"where", "message"}]}`.
    """

    @functools.wraps(handler)
    async def guard(request: web.Request) -> web.StreamResponse:
        control = request.app[CONTROL]
        route = control.registry.route(request[ROUTE_NAME])
        if route is None or not route.access:  # else the entrance has checked it
            check_access(request, control.settings.effective_admin_access, control.settings.admin_token)
        try:
            response: web.StreamResponse = await handler(request)
        except DockerproxyError as error:
            return _refused(error)
        return response

    return guard


@guarded
async def add_route(request: web.Request) -> web.StreamResponse:
    """POST a proxy route in JSON: 201 with the route as it is kept, once it is on disk and live."""
    body = await json_object(request)
    try:
        wanted = RouteSettings.model_validate(body)
    except ValidationError as error:
        raise InvalidInput("route", problems_in(error, RouteSettings, body)) from None
    await request.app[CONTROL].registry.add(wanted)
    return web.json_response(as_json(wanted), status=201)


@guarded
async def remove_route(request: web.Request) -> web.StreamResponse:
    """POST `{"name": …}`: 200 once the route is gone from disk and from the table."""
    body = await json_object(request)
    problems = [Problem(key, "unknown key; expected only name") for key in body if key != "name"]
    name = body.get("name")
    if not isinstance(name, str):
        problems.append(Problem("name", 'is missing or no string; expected {"name": "the route\'s name"}'))
    if problems:
        raise InvalidInput("request", problems)
    await request.app[CONTROL].registry.remove(str(name))
    return web.json_response({"removed": name})


async def health(_request: web.Request) -> web.StreamResponse:
    """GET: 200 as long as the proxy serves. It tells nothing else, so anybody may ask."""
    return web.json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})


def open_admin_routes(registry: Registry) -> list[str]:
    """Lines for the log about handlers of ours that anybody may call and that tell something: one for all that are at
    `admin_host` unasked, and one for each other."""
    settings = registry.settings
    default = settings.effective_admin_access
    found = [
        route
        for route in registry.routes
        if is_admin(route) and route.handler != _HEALTH and (route.access or default) == "open"
    ]
    at_home = [route for route in found if not route.access and [*map(str, route.domains)] == [settings.admin_host]]
    lines = [
        f"{route.name}: {route.handler} at {', '.join(map(str, route.domains)) or 'every domain'} {route.path} "
        "is open to everybody"
        for route in found
        if route not in at_home
    ]
    if at_home:
        count = f"{len(at_home)} admin handlers" if len(at_home) > 1 else "admin handler"
        lines.insert(0, f"admin_access is open: everybody may call the {count} at {settings.admin_host}")
    return lines


async def json_object(request: web.Request, largest: int = _LARGEST_BODY) -> dict[str, Any]:
    """The body, whatever its Content-Type says: curl -d does not send JSON's.

    largest: bytes that it may have; a megabyte of JSON takes some 50 ms, which is not for everybody to ask for
    """
    try:
        body = json.loads(await request.clone(client_max_size=largest).read(), object_pairs_hook=_once_each)
        json.dumps(body, ensure_ascii=False).encode()  # RFC 8259 section 8.2: it may have halves of characters
    except (ValueError, RecursionError) as error:
        raise _NotJson(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise _NotJson(f"expected a JSON object, found a {type(body).__name__}")
    if _deeper_than(_DEEPEST, body):
        raise _NotJson(f"expected a JSON object in which at most {_DEEPEST} lists and objects stand in each other")
    return body


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError for a key that is there twice: the second one would silently replace the first."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is given a second time")
        found[key] = value
    return found


def _deeper_than(most: int, value: Any) -> bool:
    level = [value]
    for _ in range(most):
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list)))
        level = list(chain.from_iterable(inner))
    return any(isinstance(each, (dict, list)) for each in level)


def _refused(error: DockerproxyError) -> web.Response:
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 400)
    answer: dict[str, Any] = {"error": str(error)}
    if isinstance(error, InvalidInput):
        answer["problems"] = [{"where": problem.where, "message": problem.message} for problem in error.problems]
    return web.json_response(answer, status=status)
