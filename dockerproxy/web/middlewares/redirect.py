"""redirect: sends clients to another address, all of them or those whose address fits an expression."""

from __future__ import annotations

import re
import time
from typing import Annotated, Any, ClassVar, Literal

from aiohttp import web
from pydantic import BeforeValidator, Field, model_validator

from dockerproxy.routing.expression import Budget, Clocks, Expression
from dockerproxy.settings.options import Strict
from dockerproxy.settings.routes import parse_regex
from dockerproxy.web.context import EXPRESSION_BUDGET, path_of
from dockerproxy.web.middlewares.location import location
from dockerproxy.web.middlewares.registry import CallNext

_VISIBLE = re.compile(r"[!-~]+")
_CLOCKS = Clocks(cheap=time.thread_time, own=time.thread_time)
_WHOSE = "middleware redirect: its match"


def _visible(value: Any) -> str:
    if not _VISIBLE.fullmatch(str(value)):
        raise ValueError(
            "expected a path or URL of visible ASCII characters; write others as %C3%BC, in a host as xn--…"
        )
    return str(value)


class RedirectOptions(Strict):
    """Options of redirect."""

    to: Annotated[str, BeforeValidator(_visible)] = Field(
        min_length=1, description=r"the new address, a path or a URL; `\1` or `\g<name>` is a group of `match`"
    )
    match: Annotated[str, BeforeValidator(parse_regex)] | None = Field(
        None,
        description="regular expression that all of `http://host/path?query` has to fit; any, when left out",
    )
    status: Literal[301, 302, 303, 307, 308] = Field(
        302, description="302 for a while, 301 for good; 307 and 308 keep the method"
    )

    @model_validator(mode="after")
    def _fits(self) -> RedirectOptions:
        if self.match is None:
            return self
        try:
            re.compile(f"{self.match}|").fullmatch("").expand(self.to)  # type: ignore[union-attr]  # it fits ""
        except (re.error, IndexError) as error:
            raise ValueError(f"to: {self.to!r} does not fit to match: {error}") from None
        return self


class Redirect:
    """Answers with a redirect; what does not fit goes on."""

    Options = RedirectOptions
    reads_body: ClassVar[bool] = False

    def __init__(self, options: RedirectOptions) -> None:
        self._to = options.to
        self._match = None if options.match is None else Expression(options.match, _WHOSE)
        self._status = options.status

    async def __call__(self, request: web.Request, call_next: CallNext) -> web.StreamResponse:
        origin, (path, mark, query) = f"{request.scheme}://{request.host}", request.raw_path.partition("?")
        # As it was sent, for its target may bear a part of that; else as it is read, for no other spelling gets past.
        budget = request.get(EXPRESSION_BUDGET) or Budget(_CLOCKS)
        request[EXPRESSION_BUDGET] = budget  # for those behind
        for written in dict.fromkeys((path, path_of(request))):
            target = self.target(f"{origin}{written}{mark}{query}", budget)
            if target is not None:
                return web.Response(status=self._status, headers={"Location": target})
        return await call_next(request)

    def target(self, url: str, budget: Budget) -> str | None:
        """Where a request for `url` is sent, or None."""
        if self._match is None:
            return self._to
        found = self._match.whole(url, budget)
        if found is None:
            return None
        target = location(self._to, found)
        return target if target is not None and _VISIBLE.fullmatch(target) else None
