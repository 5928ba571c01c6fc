"""GET /: the dashboard's page and the files it is made of. They tell nothing: what the page shows comes from /live.

So where a token is needed, the page is for everybody: it asks for the token.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import web

from dockerproxy.web.access.permission import check_access
from dockerproxy.web.context import CONTROL

_PAGE = "page.html"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# Nothing but our own files, no script in the page itself, and no way for text to become script by accident.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_FIELDS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


async def dashboard(request: web.Request) -> web.StreamResponse:
    """The page."""
    _check(request)
    return _response(_PAGE)


async def file(request: web.Request) -> web.StreamResponse:
    """One of its files, by the last part of the path."""
    _check(request)
    name = request.path.rpartition("/")[2]
    if name not in _names():
        raise web.HTTPNotFound(text=f"The dashboard has no file {name!r}.\n")
    return _response(name)


def _check(request: web.Request) -> None:
    access = request.app[CONTROL].settings.effective_admin_access
    if access != "token":
        check_access(request, access, None)


def _response(name: str) -> web.Response:
    kind = _TYPES["." + name.rpartition(".")[2]]
    return web.Response(body=_content(name), content_type=kind, charset="utf-8", headers=_FIELDS)


def _folder() -> Traversable:
    return files("dockerproxy.web").joinpath("templates", "dashboard")


@cache
def _names() -> frozenset[str]:
    return frozenset(entry.name for entry in _folder().iterdir() if entry.is_file())


@cache
def _content(name: str) -> bytes:
    return _folder().joinpath(name).read_bytes()
