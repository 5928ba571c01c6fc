"""`python -m dockerproxy.demo.page`: one page on one port, for the example services of docker-compose.yml.

It behaves as a good application should: on SIGTERM it takes no new requests, finishes those in flight, and ends.
"""

from __future__ import annotations

import argparse
import socket

from aiohttp import web

from dockerproxy.demo.containers.answers import page

_GRACE = 10.0  # seconds; `docker stop` waits that long before it kills


def application(name: str) -> web.Application:
    """An Application that answers every request with a page that names `name`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await page(request, name)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m dockerproxy.demo.page", description="Serve a page that names itself."
    )
    parser.add_argument("--name", default="page", help="the service's name; the container's id is added")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000")
    options = parser.parse_args()
    app = application(f"{options.name} ({socket.gethostname()})")
    web.run_app(app, port=options.port, access_log=None, shutdown_timeout=_GRACE, print=None)


if __name__ == "__main__":
    main()
