"""body_limit: refuses requests whose body is too large, as `max_body` of a route does."""

from __future__ import annotations

from typing import ClassVar

from aiohttp import web
from pydantic import Field

from dockerproxy.settings.options import Strict
from dockerproxy.settings.values import Size
from dockerproxy.web.context import BODY_LIMIT
from dockerproxy.web.middlewares.registry import CallNext


class BodyLimitOptions(Strict):
    """Options of body_limit."""

    max: Size = Field(description="largest body, such as `10MiB`; a larger one is answered with 413")


class BodyLimit:
    """Leaves the counting to the data plane, which sees the body as it flows."""

    Options = BodyLimitOptions
    reads_body: ClassVar[bool] = False

    def __init__(self, options: BodyLimitOptions) -> None:
        self._most = options.max

    async def __call__(self, request: web.Request, call_next: CallNext) -> web.StreamResponse:
        request[BODY_LIMIT] = min(self._most, request.get(BODY_LIMIT, self._most))
        return await call_next(request)
