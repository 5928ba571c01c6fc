"""POST /drain, /bench, /weight, /maintenance, /pause and their like: what a person decides while the proxy runs.

They check what is asked, and tell what came of it; finding and deciding is the Operator's.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from aiohttp import web
from pydantic import AfterValidator, Field, ValidationError

from dockerproxy.control.overrides.operator import Operator, Outcome
from dockerproxy.control.overrides.overrides import HEAVIEST, LONGEST_MESSAGE
from dockerproxy.control.overrides.target import Target
from dockerproxy.errors import InvalidInput, NotPossible
from dockerproxy.settings import problems_in
from dockerproxy.settings.options import Strict
from dockerproxy.settings.values import Duration
from dockerproxy.web.admin import guarded, json_object
from dockerproxy.web.context import CONTROL, Control
from dockerproxy.web.reports.overrides import maintenance_entry, pause_entry

# Whoever wants an upstream out for longer drains it, which is kept and shown.
LONGEST_BENCH = 24 * 3600.0  # seconds
DEFAULT_PAUSE = 30.0  # seconds; a database migration or a restart, and a browser still waits
LONGEST_PAUSE = 3600.0  # seconds; no client waits that long
# The message goes into a page and a line of the log.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("expected one line of text, without control characters")
    return text


class _Named(Strict):
    """An upstream or a container; in all routes, or in one."""

    name: str
    route: str | None = None


class _Bench(_Named):
    duration: Duration | None = Field(None, alias="for", gt=0, le=LONGEST_BENCH)


class _Weight(_Named):
    weight: int | None = Field(ge=0, le=HEAVIEST)


class _Route(Strict):
    route: str


class _Maintenance(_Route):
    on: bool
    message: Annotated[str, AfterValidator(_one_line)] = Field("", max_length=LONGEST_MESSAGE)


class _Pause(_Route):
    duration: Duration = Field(DEFAULT_PAUSE, alias="for", gt=0, le=LONGEST_PAUSE)


class _Nothing(Strict):
    """An empty object."""


_Body = TypeVar("_Body", bound=Strict)


@guarded
async def drain(request: web.Request) -> web.StreamResponse:
    """POST `{"name": …}`: no new requests go to these upstreams."""
    asked = await _body(request, _Named)
    return _answer(await _operator(request).drain(asked.name, asked.route))


@guarded
async def undrain(request: web.Request) -> web.StreamResponse:
    """POST `{"name": …}`: they come back, also those whose container was told to stop and goes on."""
    asked = await _body(request, _Named)
    return _answer(await _operator(request).undrain(asked.name, asked.route))


@guarded
async def weight(request: web.Request) -> web.StreamResponse:
    """POST `{"name": …, "weight": 0 to 100}`: their share in the round robin; null: what their source says."""
    asked = await _body(request, _Weight)
    operator = _operator(request)
    if asked.weight is None:
        return _answer(await operator.unweigh(asked.name, asked.route))
    return _answer(await operator.weigh(asked.name, asked.route, asked.weight))


@guarded
async def bench(request: web.Request) -> web.StreamResponse:
    """POST `{"name": …, "for": "90s"}`: they sit out for so long, by default for as long as after errors."""
    asked = await _body(request, _Bench)
    control = request.app[CONTROL]
    targets = _operator(request).targets(asked.name, asked.route)
    there = tuple(target for target in targets if target.upstreams)
    if not there:
        raise NotPossible(f"{asked.name!r} is not there at the moment, and no bench waits for it; drain does")
    for target in there:
        for upstream in target.upstreams:
            control.bench(target.route, upstream, asked.duration or _usual_bench(control, target))
    away = tuple(target for target in targets if not target.upstreams)
    return _answer(Outcome(there, away, _all_benched(control, there)))


@guarded
async def unbench(request: web.Request) -> web.StreamResponse:
    """POST `{"name": …}`: they come back at once, whyever they were benched."""
    asked = await _body(request, _Named)
    control = request.app[CONTROL]
    changed: list[Target] = []
    unchanged: list[Target] = []
    for target in _operator(request).targets(asked.name, asked.route):
        ended = [control.unbench(target.route, upstream) for upstream in target.upstreams]
        (changed if any(ended) else unchanged).append(target)
    return _answer(Outcome(tuple(changed), tuple(unchanged)))


@guarded
async def maintenance(request: web.Request) -> web.StreamResponse:
    """POST `{"route": …, "on": true, "message": …}`: new requests are answered with 503 and the message."""
    asked = await _body(request, _Maintenance)
    if asked.on:
        entry = maintenance_entry(await _operator(request).maintain(asked.route, asked.message))
        return web.json_response({"route": asked.route, "maintenance": entry})
    ended = await _operator(request).end_maintenance(asked.route)
    return web.json_response({"route": asked.route, "maintenance": None, "changed": ended})


@guarded
async def pause(request: web.Request) -> web.StreamResponse:
    """POST `{"route": …, "for": "30s"}`: requests are held until the time is over, then go through."""
    asked = await _body(request, _Pause)
    entry = pause_entry(await _operator(request).pause(asked.route, asked.duration))
    return web.json_response({"route": asked.route, "paused": entry})


@guarded
async def resume(request: web.Request) -> web.StreamResponse:
    """POST `{"route": …}`: what a pause holds goes through at once."""
    asked = await _body(request, _Route)
    ended = await _operator(request).resume(asked.route)
    return web.json_response({"route": asked.route, "paused": None, "changed": ended})


@guarded
async def reload(request: web.Request) -> web.StreamResponse:
    """POST `{}`: the settings file is read again; what changed, in words."""
    if request.can_read_body:
        await _body(request, _Nothing)
    control = request.app[CONTROL]
    changed = await control.reload_beside() if control.reload_beside is not None else control.reload()
    return web.json_response({"routes": len(control.registry.routes), "changed": changed})


async def _body(request: web.Request, model: type[_Body]) -> _Body:
    """What the request asks for. Raises InvalidInput with all that is wrong with it."""
    body = await json_object(request)
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise InvalidInput("request", problems_in(error, model, body)) from None


def _operator(request: web.Request) -> Operator:
    control = request.app[CONTROL]
    return Operator(control.registry, control.revive)


def _answer(outcome: Outcome) -> web.Response:
    answer: dict[str, Any] = {
        "changed": [_entry(target) for target in outcome.changed],
        "unchanged": [_entry(target) for target in outcome.unchanged],
    }
    if outcome.warning:
        answer["warning"] = outcome.warning
    return web.json_response(answer)


def _entry(target: Target) -> dict[str, str]:
    return {"route": target.route, "upstream": target.upstream}


def _usual_bench(control: Control, target: Target) -> float:
    route = control.registry.route(target.route)
    return (route.options if route is not None else control.settings.route_defaults).bench


def _all_benched(control: Control, targets: tuple[Target, ...]) -> str:
    """A sentence about the routes of these whose upstreams are benched, all of them, or ""."""
    found = []
    for target in targets:
        route = control.registry.route(target.route)
        upstreams = [upstream for upstream in route.upstreams if upstream.in_rotation] if route is not None else []
        if upstreams and all(control.status(target.route, upstream).state == "benched" for upstream in upstreams):
            found.append(target.route)
    if not found:
        return ""
    return (
        f"All upstreams are benched now of {', '.join(dict.fromkeys(found))}, so the next request brings all of them "
        "back; to keep one out, drain it."
    )
