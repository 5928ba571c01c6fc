"""What a person may give as a handler -> an aiohttp Application, ready to be run.

A handler of one function or one View gets an Application of ours that sends it every path and method: which requests
reach it was decided by the table. An Application of theirs is taken as it is, with our middleware before its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from aiohttp.abc import AbstractView
from aiohttp.http import SERVER_SOFTWARE
from aiohttp.typedefs import Handler
from yarl import URL

from dockerproxy.errors import HandlerError
from dockerproxy.web.context import CONTROL, Control
from dockerproxy.web.handlers.mount import mounted_application
from dockerproxy.web.handlers.outermost import outermost_middleware, route_name

# route name, path as it was sent -> the named groups of the route's path regex in it
Groups = Callable[[str, str], dict[str, str]]
# What is done for a client that waits for 100 (Continue); aiohttp tells it so, unless there is one.
ExpectHandler = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


def is_application(target: Any) -> bool:
    """Whether it is one Application, which can be run once, and not something that makes one."""
    return isinstance(target, web.Application)


def has_startup(target: Any) -> bool:
    """Whether something is to be done before the first request: an Application has hooks, or has to be made."""
    return is_application(target) or _is_factory(target)


async def application_of(
    target: Any, name: str, groups: Groups, control: Control | None, prefix: str = ""
) -> web.Application:
    """The Application for a handler, an Application, or a function without parameters that makes one.

    prefix: the part of the path that an Application is below, and that requests come without
    Raises HandlerError when such a function makes something else, and for an Application that already runs.
    """
    if _is_factory(target):
        target = target()
        if inspect.isawaitable(target):
            target = await target
        if not isinstance(target, web.Application):
            raise HandlerError(f"it takes no request, and made {target!r}; expected an aiohttp Application")
    whole = isinstance(target, web.Application)
    app = target if whole else _application_around(target, groups)
    if app.frozen or app.pre_frozen:
        raise HandlerError(
            "it is an Application that runs already, has run before, or is part of another one; give a function that"
            " makes one"
        )
    if control is not None:
        app[CONTROL] = control
    outermost = mounted_application(app, prefix) if whole and prefix else app
    outermost.middlewares.insert(0, outermost_middleware(name, prefix if whole else ""))
    outermost.on_response_prepare.append(_without_versions)
    if control is not None:
        outermost[CONTROL] = control
    return outermost


async def _without_versions(_request: web.Request, response: web.StreamResponse) -> None:
    """Which Python and which aiohttp serve here is nobody's business; a Server field of the handler's own stays."""
    if response.headers.get("Server") == SERVER_SOFTWARE:
        del response.headers["Server"]


def _application_around(target: Any, groups: Groups) -> web.Application:
    app = web.Application(client_max_size=0)  # unlimited here: the data plane keeps the route's `max_body`
    app.router.register_resource(EveryPath(_as_handler(target), groups))
    return app


class EveryPath(web.AbstractResource):
    """One handler for all paths and methods; the groups of the route's path regex are its match_info."""

    def __init__(
        self, handler: Handler | type[AbstractView], groups: Groups, expect_handler: ExpectHandler | None = None
    ) -> None:
        super().__init__()
        self._groups = groups
        self._route = web.ResourceRoute("*", handler, self, expect_handler=expect_handler)

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo, set[str]]:
        """Always the one handler."""
        groups = self._groups(route_name(request), request.rel_url.raw_path)
        found = {name: unquote(value) for name, value in groups.items()}
        return web.UrlMappingMatchInfo(found, self._route), set()

    @property
    def canonical(self) -> str:
        return "/"

    def url_for(self, **kwargs: str) -> URL:
        """Where the handler is, seen from inside: the table knows the rest."""
        return URL("/")

    def add_prefix(self, prefix: str) -> None:
        """Nothing to do: every path is meant anyway."""

    def get_info(self) -> Any:
        return {"path": "/"}

    def raw_match(self, path: str) -> bool:
        return True

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        yield self._route


def _is_factory(target: Any) -> bool:
    """A function that can be called without an argument makes an Application; a handler needs a request."""
    if isinstance(target, web.Application) or _is_view(target):
        return False
    try:
        signature = inspect.signature(target)
        signature.bind()
    except (TypeError, ValueError):
        return False
    return all(parameter.kind is not parameter.VAR_POSITIONAL for parameter in signature.parameters.values())


def _is_view(target: Any) -> bool:
    return isinstance(target, type) and issubclass(target, AbstractView)


def _as_handler(target: Any) -> Handler | type[AbstractView]:
    """A coroutine function or a View: aiohttp takes nothing else without a warning."""
    if _is_view(target) or inspect.iscoroutinefunction(target):
        return target  # type: ignore[no-any-return]  # a View class or a coroutine function, as just checked

    async def handle(request: web.Request) -> web.StreamResponse:
        result = target(request)
        return await result if inspect.isawaitable(result) else result  # type: ignore[no-any-return]  # checked later

    return handle
