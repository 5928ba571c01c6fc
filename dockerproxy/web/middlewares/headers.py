"""headers: sets and removes fields of requests and of answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from aiohttp import web
from multidict import CIMultiDict
from pydantic import BeforeValidator, Field

from dockerproxy.http1.editing import encoded
from dockerproxy.settings.options import Strict
from dockerproxy.web.middlewares.identity import asserting
from dockerproxy.web.middlewares.registry import CallNext


def _fields(value: Any) -> Any:
    """Names and values of fields. Raises ValueError for one that no head may have."""
    if not isinstance(value, Mapping):
        return value  # pydantic says what was expected
    found = {str(name): "" if text is None else str(text) for name, text in value.items()}
    for name, text in found.items():
        if not encoded(name, text):
            raise ValueError(f"{name} is written by the proxy itself, and cannot be set")
    return found


Fields = Annotated[Mapping[str, str], BeforeValidator(_fields)]


class HeadersOptions(Strict):
    """Options of headers."""

    request: Fields = Field({}, description="fields that the upstream gets: name and value; an empty value removes one")
    response: Fields = Field({}, description="fields that the client gets: name and value; an empty value removes one")


class Headers:
    """Sets and removes fields."""

    Options = HeadersOptions
    reads_body: ClassVar[bool] = False

    def __init__(self, options: HeadersOptions) -> None:
        self._request = options.request
        self._response = options.response

    async def __call__(self, request: web.Request, call_next: CallNext) -> web.StreamResponse:
        if self._request:
            request = asserting(request, {name: [value] if value else [] for name, value in self._request.items()})
        response = await call_next(request)
        _edit(response.headers, self._response)
        return response


def _edit(headers: CIMultiDict[str], fields: Mapping[str, str]) -> None:
    for name, value in fields.items():
        if value:
            headers[name] = value
        else:
            headers.popall(name, None)
