"""Who may call a handler: programs on this machine, whoever bears the token, or everybody. Decides; never serves.

Whoever sends wrong tokens is slowed down by the proxy's Throttle, by address. In place of the token a browser may show
the cookie of a session that began with it (`web.login`); then what it changes has to come from a page of ours.
"""

from __future__ import annotations

import hmac
import ipaddress
import time
from collections.abc import Callable, Mapping

from aiohttp import web

from dockerproxy.web.context import CONTROL, ROUTE_NAME
from dockerproxy.web.credentials.refusal import too_many
from dockerproxy.web.credentials.sessions import Session

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 section 9.2.1
CSRF_FIELD = "X-Dockerproxy-Csrf"


def check_access(request: web.Request, access: str, token: str | None) -> None:
    """Returns when the request may pass. Raises HTTPUnauthorized, HTTPForbidden or, for whoever has sent too many wrong
    tokens, HTTPTooManyRequests, which say why in words.

    access: `loopback`, `token` or `open`
    """
    _CHECKS[access](request, token)


class Grant:
    """What let a request in, for an answer that goes on: whether it would still do so. Counts no wrong tokens."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._by_session = "Authorization" not in request.headers and session_of(request) is not None
        self._began_with = self._asked()

    def __repr__(self) -> str:
        return f"<Grant {'holds' if self.holds else 'is over'}>"

    @property
    def holds(self) -> bool:
        """Whether the request may go on being answered, as the settings and the sessions are now."""
        access, token = self._asked()
        if access == "loopback":
            return is_loopback(self._request.remote or "")
        if access == "token":
            return session_of(self._request) is not None if self._by_session else (access, token) == self._began_with
        return True

    def _asked(self) -> tuple[str, str | None]:
        """Which access is asked for at this moment, and the token that is in force."""
        control = self._request.app[CONTROL]
        route, settings = control.registry.route(self._request[ROUTE_NAME]), control.settings
        return (route.access if route is not None else "") or settings.effective_admin_access, settings.admin_token


def _check_open(request: web.Request, _token: str | None) -> None:
    """Everybody may."""
    check_origin(request)


def _check_loopback(request: web.Request, _token: str | None) -> None:
    if not is_loopback(request.remote or ""):
        raise web.HTTPForbidden(
            text=f"This handler answers to this machine only, and the request came from {request.remote}. "
            "To call it from elsewhere, set admin_token (DOCKERPROXY_ADMIN_TOKEN) and send it as "
            "`Authorization: Bearer <token>`; or set admin_access to token (DOCKERPROXY_ADMIN_ACCESS=token): then a "
            "token is made at the start, and `dockerproxy login` prints a link that logs a browser in.\n"
        )
    check_origin(request)


def check_origin(request: web.Request) -> None:
    """A page of any site may make the browser of somebody who may call post here; browsers say so in Origin."""
    if request.method in _SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    if origin is None:
        check_site(request)
    elif origin.partition("://")[2] != request.host:
        raise web.HTTPForbidden(text=f"This handler does not take requests from pages of {origin}.\n")


def check_site(request: web.Request) -> None:
    """What no page of another host may even ask for; browsers say so in Sec-Fetch-Site, programs do not send it."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise web.HTTPForbidden(text="Only pages of this host may ask for this.\n")


def _check_token(request: web.Request, token: str | None) -> None:
    if not token:
        raise web.HTTPForbidden(
            text="This handler needs a token, but none is set: set admin_token (DOCKERPROXY_ADMIN_TOKEN).\n"
        )
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not scheme and (session := session_of(request)) is not None:
        _check_forgery(request, session)
        return
    bears = scheme.lower() == "bearer" and given.strip()
    if not bears or not is_right_token(request, given.strip(), token):
        raise web.HTTPUnauthorized(
            headers={"WWW-Authenticate": 'Bearer realm="dockerproxy"'},
            text="This handler needs the admin token: send `Authorization: Bearer <token>`.\n",
        )


def session_of(request: web.Request) -> Session | None:
    """The session whose cookie a browser sends, or None."""
    control = request.config_dict.get(CONTROL)
    given = request.cookies.get(cookie_name(request))
    if control is None or not given or not control.settings.admin_token:
        return None
    return control.sessions.find(given, control.settings.admin_token, time.monotonic())


def cookie_name(request: web.Request) -> str:
    """Where there is TLS, a name that no other host of the domain can set (RFC 6265bis section 4.1.3)."""
    return "__Host-dockerproxy" if request.scheme == "https" else "dockerproxy-session"


def _check_forgery(request: web.Request, session: Session) -> None:
    """A browser sends its cookie whoever makes it send the request; only our page knows the session's value."""
    if request.method in _SAFE_METHODS:
        return
    check_origin(request)
    same_site = "Origin" in request.headers or request.headers.get("Sec-Fetch-Site") == "same-origin"
    given = request.headers.get(CSRF_FIELD, "").encode("utf-8", "surrogateescape")
    if not same_site or not hmac.compare_digest(given, session.csrf.encode()):
        raise web.HTTPForbidden(
            text=f"A session changes things only from the dashboard's own page, which sends {CSRF_FIELD}. "
            "Reload the page; a program sends `Authorization: Bearer <token>` instead.\n"
        )


def is_right_token(request: web.Request, given: str, token: str) -> bool:
    """Whether a token that a client gives is the right one; beside it, only `Insight` compares any.

    Raises HTTPTooManyRequests while the client's address is banned for wrong ones, whatever it gives.
    """
    value = given.encode("utf-8", "surrogatepass")  # JSON may have any surrogate
    return is_right(request, lambda: hmac.compare_digest(value, token.encode()))


def is_right(request: web.Request, judge: Callable[[], bool]) -> bool:
    """What `judge` says of a token or a code that a client gives; wrong ones count against its address.

    Raises HTTPTooManyRequests while the address is banned for wrong ones, and does not ask `judge` then.
    """
    control = request.config_dict.get(CONTROL)
    client, now = request.remote or "", time.monotonic()
    if control is not None and (wait := control.throttle.banned_for(client, now)):
        raise too_many(f"wrong tokens came from {client}", wait)
    right = judge()
    if control is not None and right:
        control.throttle.right(client)
    elif control is not None and (ban := control.throttle.wrong(client, now)):
        control.bans.tell(client, ban)
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
