"""What a route puts before its answers: https, maintenance, a pause; and what its handler could not be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerproxy.proxy.exchange.client import Client
from dockerproxy.proxy.https import location, must_be_https

if TYPE_CHECKING:
    from dockerproxy.proxy.exchange.exchange import Exchange


# Of any other one aiohttp's parser (llhttp) can make nothing. Upstreams may know more.
_METHODS = frozenset({
    "ACL", "BIND", "CHECKOUT", "COPY", "DELETE", "GET", "HEAD", "LINK", "LOCK", "M-SEARCH", "MERGE",
    "MKACTIVITY", "MKCALENDAR", "MKCOL", "MOVE", "NOTIFY", "OPTIONS", "PATCH", "POST", "PROPFIND", "PROPPATCH",
    "PURGE", "PUT", "QUERY", "REBIND", "REPORT", "SEARCH", "SOURCE", "SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK",
    "UNSUBSCRIBE",
})  # fmt: skip


def restrain(exchange: Exchange, client: Client, https_port: int) -> bool:
    """Answer or hold a request that its route does not let through. False when it does."""
    route, head = exchange.live.route, exchange.head
    if route.options.https == "redirect" and not client.origin.speaks_https(head) and must_be_https(head):
        target = location(head, https_port)
        if target:
            exchange.show_error("https_required", fields=[("Location", target)])
        else:
            exchange.show_error("bad_request", "This site is there over https only, and the request names no host.")
    elif route.maintenance is not None:
        exchange.show_error("maintenance", route.maintenance)
    elif route.paused:
        exchange.hold(0.0)
    elif route.handler and not exchange.live.gated and head.method not in _METHODS:
        exchange.show_error("not_implemented")  # RFC 9110 section 9.1
    else:
        return False
    return True
