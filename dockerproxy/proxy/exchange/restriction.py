"""What a route puts before its answers: https, maintenance, a pause; and what its handler could not be asked."""

from __future__ import annotations

from typing import NamedTuple

from dockerproxy.http1.head import RequestHead
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.https import location, must_be_https
from dockerproxy.proxy.prefix import missing_slash

# Of any other one aiohttp's parser (llhttp) can make nothing. Upstreams may know more.
_METHODS = frozenset({
    "ACL", "BIND", "CHECKOUT", "COPY", "DELETE", "GET", "HEAD", "LINK", "LOCK", "M-SEARCH", "MERGE",
    "MKACTIVITY", "MKCALENDAR", "MKCOL", "MOVE", "NOTIFY", "OPTIONS", "PATCH", "POST", "PROPFIND", "PROPPATCH",
    "PURGE", "PUT", "QUERY", "REBIND", "REPORT", "SEARCH", "SOURCE", "SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK",
    "UNSUBSCRIBE",
})  # fmt: skip


class Restriction(NamedTuple):
    """What a request gets in the place of an attempt.

    code:   of the answer, or "" when it is to be held
    text:   in place of the code's words
    fields: name and value of what the answer has beside
    """

    code: str
    text: str = ""
    fields: tuple[tuple[str, str], ...] = ()


def restriction(live: LiveRoute, head: RequestHead, secure: bool, at: tuple[str, int]) -> Restriction | None:
    """What a route has against a request, or None.

    secure: whether the client speaks https
    at:     the host that it has asked for, and the port of https in its address bar
    """
    route = live.route
    if route.options.https == "redirect" and not secure and must_be_https(head):
        target = location(head.target, *at)
        if target:
            return Restriction("https_required", fields=(("Location", target),))
        return Restriction("bad_request", "This site is there over https only, and the request names no host.")
    if route.maintenance is not None:
        return Restriction("maintenance", route.maintenance)
    if route.paused:
        return Restriction("")
    if live.rewrites and (target := missing_slash(head, live.prefix)):
        return Restriction("slash_missing", fields=(("Location", target),))
    if route.handler and not live.gated and head.method not in _METHODS:
        return Restriction("not_implemented")  # RFC 9110 section 9.1
    return None
