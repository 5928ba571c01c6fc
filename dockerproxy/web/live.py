"""GET /live: the report of `/statistics` as it changes, as server-sent events; what the dashboard shows."""

from __future__ import annotations

import asyncio
import contextlib
import time

from aiohttp import web

from dockerproxy.control.overrides.overrides import is_admin
from dockerproxy.web.access.permission import Grant, check_site
from dockerproxy.web.admin import guarded
from dockerproxy.web.context import CONTROL, ROUTE_NAME, Control
from dockerproxy.web.statistics import LISTS, report_parts

# Proxies on the way end what is silent for a minute, ours after `stall_timeout`.
_HEARTBEAT = 15.0  # seconds
_BEATS_BEFORE_STALL = 3
_SLICE = 64 << 10  # bytes that are sent before others have their turn
_FIELDS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",  # nginx on the way would keep the events until they fill its buffer
}


@guarded
async def live(request: web.Request) -> web.StreamResponse:
    """Events `history` (of the last minute, once) and `report` (at once, then each second while it changes)."""
    control = request.app[CONTROL]
    check_site(request)
    if control.feed.closed or control.feed.full:
        why = "the proxy stops" if control.feed.closed else "too many dashboards are open; close one of them"
        return web.json_response({"error": why}, status=503, headers={"Retry-After": "10"})
    grant = Grant(request)
    response = web.StreamResponse(headers=_FIELDS)
    await response.prepare(request)
    if request.method != "HEAD":
        await _send(request, response, grant)
    return response


def start_feed(control: Control) -> None:
    """Let the feed look at the counters from now on. A call of the server's, inside its loop."""
    clock = asyncio.get_running_loop().time

    def counts(name: str) -> bool:
        route = control.registry.route(name)
        return route is None or not is_admin(route)

    control.feed.start(control.stats, lambda: report_parts(control, clock(), time.time()), counts, LISTS)


async def _send(request: web.Request, response: web.StreamResponse, grant: Grant) -> None:
    control = request.app[CONTROL]
    async with contextlib.aclosing(control.feed.listen(_heartbeat(request))) as events:
        async for event in events:
            if not grant.holds:
                return
            for begin in range(0, len(event), _SLICE):
                await response.write(event[begin : begin + _SLICE])


def _heartbeat(request: web.Request) -> float:
    """Seconds, so that the data plane does not take the stream for stalled."""
    control = request.app[CONTROL]
    route = control.registry.route(request[ROUTE_NAME])
    stall = control.settings.stall_timeout if route is None else route.options.stall_timeout
    return _HEARTBEAT if stall is None else min(_HEARTBEAT, stall / _BEATS_BEFORE_STALL)
