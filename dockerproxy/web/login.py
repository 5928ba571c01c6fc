"""POST /login and /logout, GET /session: a browser shows the admin token once and gets a cookie for it."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from dockerproxy.errors import DockerproxyError
from dockerproxy.web.access.permission import check_access, check_origin, cookie_name, is_right_token, session_of
from dockerproxy.web.access.sessions import LIFETIME
from dockerproxy.web.admin import guarded, json_object
from dockerproxy.web.context import CONTROL

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
    """POST `{"token": …}`: 200 and a cookie for the right one, 401 for a wrong one, 429 after too many of them."""
    check_origin(request)
    control = request.app[CONTROL]
    token = control.settings.admin_token
    if control.settings.effective_admin_access != "token" or not token:
        return _answer({"error": "no login is needed here: admin_access is not token, or no admin_token is set"}, 409)
    try:
        given = (await json_object(request)).get("token")
    except DockerproxyError as error:
        return _answer({"error": str(error)}, 400)
    if not isinstance(given, str):
        return _answer({"error": 'token: is missing or no string; expected {"token": "the admin token"}'}, 422)
    if not is_right_token(request, given, token):
        return _answer({"error": "that is not the admin token"}, 401)
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
