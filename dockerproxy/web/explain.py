"""GET /explain: why a container is routed or not, and where a request would go.

It gathers what is known; the explaining is `control`'s.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from dockerproxy.control.explain.container import explain_container
from dockerproxy.control.explain.evidence import Condition, Evidence
from dockerproxy.control.explain.reachability import addresses_in, with_reachability
from dockerproxy.control.explain.request import explain_request
from dockerproxy.control.overrides.overrides import Drain
from dockerproxy.errors import InvalidInput, Problem
from dockerproxy.routing.route import Upstream
from dockerproxy.web.admin import guarded
from dockerproxy.web.context import CONTROL, Control
from dockerproxy.web.reports.overrides import route_overrides
from dockerproxy.web.reports.probe import failures
from dockerproxy.web.reports.times import iso_time

_KNOWN = ("container", "url", "method", "header")


@guarded
async def explain(request: web.Request) -> web.StreamResponse:
    """`?container=NAME`, or `?url=URL` with `&method=M` and any number of `&header=Name:value`. In JSON.

    Whether the upstreams take connections is tried. A container that is not there is an answer, too: `found` is false
    then, and the verdict says what is known.
    """
    control = request.app[CONTROL]
    problems = [Problem(key, f"unknown{_meant(key)}") for key in request.query if key not in _KNOWN]
    container, url = request.query.get("container"), request.query.get("url")
    if bool(container) == bool(url):
        problems.append(Problem("query", "expected one of container=NAME and url=URL"))
    headers = _headers(request.query.getall("header", []), problems)
    if problems:
        raise InvalidInput("request", problems)
    evidence = _evidence(control)
    # In a thread, because with thousands of routes it takes a while. What it goes by are values, and single look-ups
    # of counters and benches, which may be those of a moment later.
    if container:
        answer = await asyncio.to_thread(explain_container, container, evidence)
    else:
        method = request.query.get("method", "")
        answer = await asyncio.to_thread(explain_request, str(url), method, headers, evidence)
        route = evidence.route(answer["route"]) if answer["route"] is not None else None
        answer["overrides"] = route_overrides(control.registry, route) if route is not None else None
    answer = with_reachability(answer, await failures(addresses_in(answer)), evidence)
    indent = 2 if "text/html" in request.headers.get("Accept", "") else None
    text = json.dumps(answer, indent=indent, ensure_ascii=False)
    return web.json_response(text=text, headers={"Cache-Control": "no-store"})


def _evidence(control: Control) -> Evidence:
    registry = control.registry
    wall_offset = time.time() - asyncio.get_running_loop().time()
    condition = _conditions(control, wall_offset)
    settings = registry.settings.model_copy(update={"listen": tuple(control.addresses())})
    return Evidence(settings, registry.table, registry.containers, control.discovery, condition)


def _conditions(control: Control, wall_offset: float) -> Callable[[str, Upstream], Condition]:
    """How upstreams fare now.

    wall_offset: seconds from the loop's clock to the epoch
    """

    def condition(route: str, upstream: Upstream) -> Condition:
        status = control.status(route, upstream)
        stats = control.stats.routes.get(route)
        counters = stats.upstreams.get(upstream.key) if stats is not None else None
        overrides = control.registry.overrides
        drain = overrides.drain(route, upstream.name)
        last_error = counters.last_error if counters is not None else ""
        if not upstream.in_rotation:
            since = iso_time(drain.since) if drain is not None else None
            by_hand = overrides.weight(route, upstream.name) is not None
            return Condition("draining", since, None, last_error or None, *_why_draining(upstream, drain, by_hand))
        if status.state == "draining":
            return Condition("draining", None, None, last_error or None, *_AWAY)
        benched = (status.benched_since, status.benched_until)
        since, until = (None if moment is None else iso_time(moment + wall_offset) for moment in benched)
        return Condition(status.state, since, until, last_error or None)

    return condition


# Why, and what ends it, while discovery cannot ask whether an upstream is still who it was.
_AWAY = (
    "it has closed or refused a connection while the engine is away, and another container may have its address by now",
    "bring the engine back; what it lists then gets requests again",
)


def _why_draining(upstream: Upstream, drain: Drain | None, weighed: bool) -> tuple[str, str]:
    """Why, and what ends it. weighed: whether an operator has set the weight"""
    if drain is not None:
        return "drained by the operator", f"run: dockerproxy undrain {upstream.name}"
    if upstream.weight != 0:
        return "its container was told to stop", f"if it is to go on serving: dockerproxy undrain {upstream.name}"
    if weighed:
        return "its weight is 0, by the operator", f"run: dockerproxy weight {upstream.name} reset"
    source = "its label weight" if upstream.container else "the weight in the settings"
    return "its weight is 0", f"run: dockerproxy weight {upstream.name} 1; or change {source}"


def _headers(given: list[str], problems: list[Problem]) -> Mapping[str, str]:
    headers = {}
    for header in given:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            problems.append(Problem("header", f"{header!r} is no header; write for example Host:blog.localhost"))
        headers[name.strip()] = value.strip()
    return headers


def _meant(key: str) -> str:
    close: list[Any] = difflib.get_close_matches(key, _KNOWN, n=1)
    return f"; did you mean {close[0]}?" if close else f"; expected {', '.join(_KNOWN)}"
