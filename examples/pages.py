"""A page in Python: what the route's regular expression found in the path is `request.match_info`.

How to run it:

    dockerproxy run --config examples/blog.yaml
    open http://localhost:8888/shop/shoes/red.html
"""

from __future__ import annotations

from aiohttp import web


async def hello(request: web.Request) -> web.Response:
    """Say what the path's three groups are."""
    groups = request.match_info
    return web.Response(
        text=f"Hello! controller: {groups['controller']}, module: {groups['module']}, site: {groups['site']}\n"
    )
