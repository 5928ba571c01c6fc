"""GET /logs: the last lines of the proxy's own log, and with `follow=1` each further one as it is written.

A reader holds a position in the ring of lines, nothing else: one that is too slow misses lines and is told how many.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from dockerproxy.errors import InvalidInput, Problem
from dockerproxy.process.logs import Ring, find_ring
from dockerproxy.web.access.permission import Grant, check_site
from dockerproxy.web.admin import guarded
from dockerproxy.web.context import CONTROL
from dockerproxy.web.reports.feed import Feed

_DEFAULT_LINES = 100
# Looking is cheap, and no writer of the log, in whatever thread, has to know of readers.
_LOOK_EVERY = 0.2  # seconds
# A reader that takes nothing for so long has gone to sleep.
_PATIENCE = 60.0  # seconds
_AT_ONCE = 64  # lines in one write, so that little is on its way when a reader stops reading
_MOST_DIGITS = 9
_SHOWN = 40  # characters of what is no number
_FIELDS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_NO_LOG = "the log is not kept: the program that runs this proxy has set up its logging itself"


@guarded
async def log_lines(request: web.Request) -> web.StreamResponse:
    """The lines as text. `lines`: how many of the past, default 100; `follow=1`: go on until the reader leaves."""
    check_site(request)
    count = _count(request.query.get("lines", str(_DEFAULT_LINES)))
    ring = find_ring()
    if ring is None:
        return web.json_response({"error": _NO_LOG}, status=409)
    if request.query.get("follow", "0") in ("", "0", "false"):
        return web.Response(text="".join(f"{line}\n" for line in ring.last(count).lines), headers=_FIELDS)
    grant = Grant(request)
    response = web.StreamResponse(headers={**_FIELDS, "Content-Type": "text/plain; charset=utf-8"})
    await response.prepare(request)
    await _follow(response, ring, count, grant, request.app[CONTROL].feed)
    return response


async def _follow(response: web.StreamResponse, ring: Ring, count: int, grant: Grant, feed: Feed) -> None:
    """Write until the reader leaves, which cancels this, or does not read, or may not, or the proxy stops."""
    found = ring.last(count)
    while True:
        lines = (
            [f"... {found.missed} lines were written faster than you read, and are left out"] if found.missed else []
        )
        lines += found.lines
        for start in range(0, len(lines), _AT_ONCE):
            text = "".join(f"{line}\n" for line in lines[start : start + _AT_ONCE])
            if not grant.holds:
                return
            try:
                async with asyncio.timeout(_PATIENCE):
                    await response.write(text.encode("utf-8", "replace"))
            except TimeoutError:
                return
        if feed.closed or not grant.holds:
            return
        await asyncio.sleep(_LOOK_EVERY)
        found = ring.since(found.end)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        found = repr(text[:_SHOWN])
        raise InvalidInput("request", [Problem("lines", f"expected a number of lines, such as 100 (found {found})")])
    return int(text)
