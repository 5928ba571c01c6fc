"""The page of a site whose upstreams fail."""

from __future__ import annotations

from aiohttp import web


async def page(request: web.Request) -> web.Response:
    """The id of the request is told, so that a visitor can name it."""
    return web.Response(text=f"sorry, {request.headers['X-Request-Id']}")


async def gone(_request: web.Request) -> web.Response:
    """One that fails itself."""
    raise RuntimeError("the page is gone")
