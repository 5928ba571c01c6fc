"""Who may call a handler: programs on this machine, whoever bears the token, or everybody. Decides; never serves.

Whoever sends wrong tokens is slowed down by the proxy's Throttle, by address.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import math
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from aiohttp import web

from dockerproxy.web.context import CONTROL

log = logging.getLogger("dockerproxy.web")

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 section 9.2.1


def check_access(request: web.Request, access: str, token: str | None) -> None:
    """Returns when the request may pass. Raises HTTPUnauthorized, HTTPForbidden or, for whoever has sent too many wrong
    tokens, HTTPTooManyRequests, which say why in words.

    access: `loopback`, `token` or `open`
    """
    _CHECKS[access](request, token)


def _check_open(request: web.Request, _token: str | None) -> None:
    """Everybody may."""
    _check_origin(request)


def _check_loopback(request: web.Request, _token: str | None) -> None:
    if not is_loopback(request.remote or ""):
        raise web.HTTPForbidden(
            text=f"This handler answers to this machine only, and the request came from {request.remote}. "
            "To call it from elsewhere, set admin_token and send it as `Authorization: Bearer <token>`.\n"
        )
    _check_origin(request)


def _check_origin(request: web.Request) -> None:
    """A page of any site may make the browser of somebody who may call post here; browsers say so in Origin."""
    origin = request.headers.get("Origin")
    if origin is not None and request.method not in _SAFE_METHODS and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text=f"This handler does not take requests from pages of {origin}.\n")


def _check_token(request: web.Request, token: str | None) -> None:
    if not token:
        raise web.HTTPForbidden(text="This handler needs a token, but none is set: set admin_token.\n")
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    bears = scheme.lower() == "bearer" and given.strip()
    if not bears or not is_right_token(request, given.strip(), token):
        raise web.HTTPUnauthorized(
            headers={"WWW-Authenticate": 'Bearer realm="dockerproxy"'},
            text="This handler needs the admin token: send `Authorization: Bearer <token>`.\n",
        )


def is_right_token(request: web.Request, given: str, token: str) -> bool:
    """Whether a token that a client gives is the right one; the only place where tokens are compared.

    Raises HTTPTooManyRequests while the client's address is banned for wrong ones, whatever it gives.
    """
    control = request.config_dict.get(CONTROL)
    client, now = request.remote or "", time.monotonic()
    if control is not None and (wait := control.throttle.banned_for(client, now)):
        raise web.HTTPTooManyRequests(
            headers={"Retry-After": str(math.ceil(wait))},
            text=f"Too many wrong tokens came from {client}; try again in {math.ceil(wait)} s.\n",
        )
    right = hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())
    if control is not None and right:
        control.throttle.right(client)
    elif control is not None and (ban := control.throttle.wrong(client, now)):
        log.warning("admin: too many wrong tokens from %s; no token is taken from there for %g s", client, ban)
    return right


_CHECKS: Mapping[str, Callable[[web.Request, str | None], None]] = {
    "open": _check_open,
    "loopback": _check_loopback,
    "token": _check_token,
}


def is_loopback(address: str) -> bool:
    """Whether an IP address is this machine's own; anything else is not."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback
