"""GET /metrics: all metrics, in the format that the client asks for."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from dockerproxy.web.admin import guarded
from dockerproxy.web.context import CONTROL
from dockerproxy.web.metrics import about_discovery, about_proxy, about_routes, about_upstreams
from dockerproxy.web.metrics.exposition import Exposition
from dockerproxy.web.metrics.scrape import Scrape

FAMILIES = (
    *about_proxy.FAMILIES,
    *about_routes.FAMILIES,
    *about_upstreams.FAMILIES,
    *about_discovery.FAMILIES,
)


@guarded
async def metrics(request: web.Request) -> web.StreamResponse:
    """The text of Prometheus, or OpenMetrics for a client that accepts it.

    The client library's own registry comes last: the process, Python, and what handlers count with that library.
    """
    encode, content_type = _encoder(request.headers.get("Accept", ""))
    scrape = Scrape(request.app[CONTROL])
    response = web.StreamResponse(headers={"Content-Type": content_type, "Cache-Control": "no-store"})
    response.enable_compression()
    await response.prepare(request)
    async for text in Exposition(FAMILIES, scrape, encode, REGISTRY.collect()).slices():
        await response.write(text)
    await response.write_eof()
    return response


def _encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """Of the format that a client wants, with its Content-Type."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # the library compares versions, and what a client sent may be none
        return choose_encoder("")
