"""forward_auth: asks another service whether a request may pass."""

from __future__ import annotations

import logging
import time
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, hdrs, web
from multidict import CIMultiDict
from pydantic import BeforeValidator, Field

from dockerproxy.http1.headers import HOP_BY_HOP
from dockerproxy.proxy.log_limit import LogLimit
from dockerproxy.routing.readings import readings
from dockerproxy.settings.options import Strict
from dockerproxy.settings.paths import is_plain, normalised
from dockerproxy.settings.values import Duration, split_list
from dockerproxy.web.context import ENCODED_SLASHES
from dockerproxy.web.middlewares.identity import asserting
from dockerproxy.web.middlewares.registry import CallNext
from dockerproxy.web.relayed import RelayedResponse

_LARGEST_ANSWER = 1 << 20  # bytes; a login page
# They are about the body that the service does not get, or about the client's copy of the page that it wants.
_NOT_SENT = frozenset(name.decode() for name in HOP_BY_HOP) | {
    "host", "content-length", "content-type", "content-encoding", "expect", "range", "if-range", "if-match",
    "if-none-match", "if-modified-since", "if-unmodified-since", "accept-encoding",
}  # fmt: skip
_NOT_RELAYED = frozenset(name.decode() for name in HOP_BY_HOP) | {"content-length"}

log = logging.getLogger("dockerproxy.web")


def _service(value: Any) -> str:
    parts = urlsplit(str(value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{value!r} is not the URL of a service; write for example http://auth:9000/verify")
    return str(value)


def _names(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in split_list(value))


class ForwardAuthOptions(Strict):
    """Options of forward_auth."""

    url: Annotated[str, BeforeValidator(_service)] = Field(description="where to ask, with GET")
    copy_headers: Annotated[tuple[str, ...], BeforeValidator(_names)] = Field(
        (), description="fields of the service's answer that the upstream gets, such as `X-User`"
    )
    timeout: Duration = Field(5.0, gt=0, description="how long the service may take")


class ForwardAuth:
    """A 2xx lets the request pass; any other answer of the service goes to the client. No answer: 503."""

    Options = ForwardAuthOptions
    reads_body: ClassVar[bool] = False

    def __init__(self, options: ForwardAuthOptions) -> None:
        self._options = options
        self._session: ClientSession | None = None
        self._log_limit = LogLimit()

    async def close(self) -> None:
        """End the connections to the service."""
        if self._session is not None:
            await self._session.close()

    async def __call__(self, request: web.Request, call_next: CallNext) -> web.StreamResponse:
        try:
            answer, body = await self._ask(request)
        except web.HTTPBadRequest:
            raise
        except (ClientError, OSError, TimeoutError, ValueError) as error:
            self._complain(str(error) or type(error).__name__)
            raise web.HTTPServiceUnavailable(text="It cannot be found out whether you may come in.\n") from None
        if not 200 <= answer.status < 300:
            return _relayed(answer, body)
        told = {name: answer.headers.getall(name, []) for name in self._options.copy_headers}
        return await call_next(asserting(request, told))

    def _complain(self, why: str) -> None:
        unsaid = self._log_limit.unsaid(why, time.monotonic())
        if unsaid is not None:
            more = f" (and {unsaid} more like it before)" if unsaid else ""
            log.warning("forward_auth: no answer of %s: %s%s", self._options.url, why, more)

    async def _ask(self, request: web.Request) -> tuple[ClientResponse, bytes]:
        """The service's answer. Raises ClientError, TimeoutError, and ValueError for one that is too large."""
        if self._session is None:
            self._session = ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False)
        headers = CIMultiDict(
            (name, value) for name, value in request.headers.items() if name.lower() not in _NOT_SENT
        )  # X-Forwarded-For, -Proto and -Host are among them, as the upstream gets them
        headers["X-Forwarded-Method"] = request.method
        headers["X-Forwarded-Uri"] = uri = _uri(request)
        headers.popall("X-Forwarded-Raw-Uri", None)
        if uri != request.raw_path:
            headers["X-Forwarded-Raw-Uri"] = request.raw_path
        async with self._session.get(
            self._options.url,
            headers=headers,
            allow_redirects=False,
            timeout=ClientTimeout(total=self._options.timeout),
            skip_auto_headers=(hdrs.USER_AGENT, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING),
        ) as answer:
            body = await answer.content.read(_LARGEST_ANSWER + 1)
            while not answer.content.at_eof() and len(body) <= _LARGEST_ANSWER:
                body += await answer.content.read(_LARGEST_ANSWER + 1 - len(body))
            if len(body) > _LARGEST_ANSWER:
                raise ValueError(f"its answer is larger than {_LARGEST_ANSWER} bytes")
            return answer, body


def _uri(request: web.Request) -> str:
    """Path and query as the service is to judge them: the path as it is read, not as it was sent.

    Raises HTTPBadRequest for a path that the application behind may read as one that the service has not seen.
    """
    path, mark, query = request.raw_path.partition("?")
    if is_plain(path):
        return request.raw_path
    policy, read = request.get(ENCODED_SLASHES, "refuse"), readings(path)
    if read is None or (read.slashed and policy == "refuse"):
        raise web.HTTPBadRequest(text="The path is written so that it may be read in several ways.\n")
    return f"{read.slash if policy == 'decode' else normalised(path)}{mark}{query}"


def _relayed(answer: ClientResponse, body: bytes) -> RelayedResponse:
    headers = CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in _NOT_RELAYED)
    return RelayedResponse(answer.status, headers, body, reason=answer.reason)
