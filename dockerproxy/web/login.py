"""POST /login and /logout, GET /session: a browser shows the admin token once and gets a cookie for it.

POST /login-link makes the code of a link that logs a browser in without the token. It stands in the link's fragment,
which browsers keep to themselves: no server, no access log and no Referer gets to see it; the page posts it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from dockerproxy.errors import DockerproxyError
from dockerproxy.settings import Settings
from dockerproxy.settings.values import ListenAddress
from dockerproxy.web.access.permission import (
    check_access,
    check_origin,
    cookie_name,
    is_right,
    is_right_token,
    session_of,
)
from dockerproxy.web.admin import guarded, json_object
from dockerproxy.web.context import CONTROL
from dockerproxy.web.credentials.login_codes import LIFETIME as CODE_LIFETIME
from dockerproxy.web.credentials.sessions import LIFETIME

_LARGEST_BODY = 16 << 10  # bytes; anybody may send one
_DEFAULT_PORTS = {"http": 80, "https": 443}
FRAGMENT = "#login="
_NO_LOGIN = "no login is needed here: admin_access is not token, or no admin_token is set"
_STALE_CODE = "this link has been used, or is too old; `dockerproxy login` prints a new one"
_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


async def session(request: web.Request) -> web.StreamResponse:
    """GET: how the page stands: `{"login": "needed" | "done" | "none", "csrf": … | null}`; `none` needs no login."""
    control = request.app[CONTROL]
    access = control.settings.effective_admin_access
    if access != "token":
        check_access(request, access, None)
        return _answer({"login": "none", "csrf": None})
    found = session_of(request)
    if found is None:
        return _answer({"login": "needed", "csrf": None})
    return _answer({"login": "done", "csrf": found.csrf})


async def login(request: web.Request) -> web.StreamResponse:
    """POST `{"token": …}`, or `{"code": …}` of a link: 200 and a cookie for the right one, 401 for a wrong one.

    429 after too many of them.
    """
    check_origin(request)
    control = request.app[CONTROL]
    token = control.settings.admin_token
    if control.settings.effective_admin_access != "token" or not token:
        return _answer({"error": _NO_LOGIN}, 409)
    try:
        body = await json_object(request, _LARGEST_BODY)
    except DockerproxyError as error:
        return _answer({"error": str(error)}, 400)
    given, code = body.get("token"), body.get("code")
    if isinstance(code, str) and given is None:
        if not is_right(request, lambda: control.codes.redeem(code, token, time.monotonic())):
            return _answer({"error": _STALE_CODE}, 401)
    elif not isinstance(given, str):
        return _answer({"error": 'token: is missing or no string; expected {"token": "the admin token"}'}, 422)
    elif not is_right_token(request, given, token):
        return _answer({"error": "that is not the admin token"}, 401)
    return _logged_in(request, token)


def _logged_in(request: web.Request, token: str) -> web.Response:
    control = request.app[CONTROL]
    began = control.sessions.begin(token, time.monotonic())
    answer = _answer({"login": "done", "csrf": began.csrf})
    answer.set_cookie(
        cookie_name(request),
        began.id,
        max_age=int(LIFETIME),
        httponly=True,
        samesite="Strict",
        secure=request.scheme == "https",
    )
    return answer


@guarded
async def login_link(request: web.Request) -> web.StreamResponse:
    """POST: `{"code", "url", "seconds"}` of a link that logs a browser in, once and for so long."""
    control = request.app[CONTROL]
    token = control.settings.admin_token
    if control.settings.effective_admin_access != "token" or not token:
        return _answer({"error": _NO_LOGIN}, 409)
    code = control.codes.begin(token, time.monotonic())
    container = control.discovery.own
    url = login_url(control.settings, control.addresses(), code, container.published_as if container else {})
    return _answer({"code": code, "url": url, "seconds": int(CODE_LIFETIME)})


def login_url(
    settings: Settings, addresses: Sequence[ListenAddress], code: str, published: Mapping[int, int] | None = None
) -> str:
    """The link with this code, as far as the proxy knows where it is reached.

    published: the ports of its container, and those that the host has for them
    """
    own = next((address for address in addresses if address.tls), addresses[0])
    told = settings.tls.public_port if own.tls else None
    port = told or (published or {}).get(own.port, own.port)
    scheme = "https" if own.tls else "http"
    place = settings.admin_host if port == _DEFAULT_PORTS[scheme] else f"{settings.admin_host}:{port}"
    return f"{scheme}://{place}/{FRAGMENT}{code}"


@guarded
async def logout(request: web.Request) -> web.StreamResponse:
    """POST: the session ends, and with it what its pages are shown."""
    found = session_of(request)
    if found is not None:
        request.app[CONTROL].sessions.end(found)
    answer = _answer({"login": "needed", "csrf": None})
    answer.del_cookie(cookie_name(request), httponly=True, samesite="Strict", secure=request.scheme == "https")
    return answer


def _answer(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(body, status=status, headers=_NO_STORE)
