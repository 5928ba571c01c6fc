"""Answers: what a container's web server says to a request. It decides words, never when or whether to listen."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from dockerproxy.demo.spec import Behaviour

# Seconds. `?delay=` of a page is for trying a drain by hand; nobody needs longer.
LONGEST_DELAY = 60.0

Answer = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]


async def page(request: web.BaseRequest, name: str) -> web.StreamResponse:
    """A page that names the container, in the form that `Accept` asks for first; `?delay=2` waits two seconds."""
    await asyncio.sleep(_delay(request))
    content_type, render = _form(request.headers.get("Accept", ""))
    return web.Response(text=render(request, name), content_type=content_type, headers={"X-Served-By": name})


async def silence(request: web.BaseRequest, _name: str) -> web.StreamResponse:
    """No answer: the connection is closed."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()


ANSWERS: dict[Behaviour, Answer] = {Behaviour.PAGE: page, Behaviour.SILENT: silence}


def _delay(request: web.BaseRequest) -> float:
    try:
        wished = float(request.query.get("delay", "0"))
    except ValueError:
        return 0.0
    return min(wished, LONGEST_DELAY) if wished > 0 else 0.0


def _html(request: web.BaseRequest, name: str) -> str:
    title = html.escape(name)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1><p>This is the container {title}. You asked for "
        f"<code>{html.escape(request.path_qs)}</code> at <code>{html.escape(request.host)}</code>.</p></body></html>\n"
    )


def _json(request: web.BaseRequest, name: str) -> str:
    seen = {"container": name, "method": request.method, "host": request.host, "path": request.path_qs}
    return json.dumps({**seen, "headers": dict(request.headers)}) + "\n"


def _text(_request: web.BaseRequest, name: str) -> str:
    return f"{name}\n"


_FORMS: dict[str, Callable[[web.BaseRequest, str], str]] = {
    "text/html": _html,
    "application/json": _json,
    "text/plain": _text,
}


def _form(accept: str) -> tuple[str, Callable[[web.BaseRequest, str], str]]:
    for wish in accept.split(","):
        content_type = wish.partition(";")[0].strip().lower()
        if content_type in _FORMS:
            return content_type, _FORMS[content_type]
    return "text/html", _html
