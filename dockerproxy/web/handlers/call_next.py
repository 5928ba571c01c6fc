"""CallNext: a request that its middlewares let through goes on to the route itself, as the client has sent it.

Fields and the target that no middleware has changed are the client's, byte for byte.
"""

from __future__ import annotations

import asyncio
from copy import copy

from aiohttp import StreamReader, hdrs, web
from multidict import CIMultiDict

from dockerproxy.http1.editing import changed, edited, encoded
from dockerproxy.http1.head import RequestHead
from dockerproxy.http1.headers import HOST, is_forwarded
from dockerproxy.proxy.exchange.buffered_client import BufferedClient
from dockerproxy.proxy.exchange.gate import AtGate
from dockerproxy.proxy.exchange.shared import Shared
from dockerproxy.proxy.forwarding import EditedOrigin, Origin
from dockerproxy.tasks import Tasks
from dockerproxy.web.context import ASSERTED, BODY_LIMIT
from dockerproxy.web.relayed import RelayedResponse


class CallNext:
    """What leads from one request at the gate to the route.

    request:   as the first middleware gets it
    outer:     the exchange that waits for the answer
    continued: whether the client has been told to send the body that it expects to be asked for
    """

    def __init__(self, shared: Shared, tasks: Tasks, request: web.Request, outer: AtGate, *, continued: bool) -> None:
        self._shared = shared
        self._tasks = tasks
        self._request = request
        self._outer = outer
        self._sent = outer.passage.request
        self._continued = continued
        self._feeding: asyncio.Task[None] | None = None
        self._streamed = False

    async def on(self, request: web.Request) -> RelayedResponse:
        """The route's answer. Raises RuntimeError when there is no body to be sent any more."""
        names = self._changed(request)
        withheld = names | request.get(ASSERTED, frozenset())
        head = self._head(request, names)
        sent = self._outer.request_body
        if head.upgrade and sent is not None and not sent.fits:
            head = copy(head)
            head.upgrade = b""  # what has come of it may not be there any more when the tunnel is asked for
        if head.upgrade:
            passage = self._outer.passage
            passage.head, passage.withheld, passage.limit = head, withheld, request.get(BODY_LIMIT)
            response = RelayedResponse(101, CIMultiDict())
            response.upgrades = True
            return response
        body, whole = await self._body(request)
        client = BufferedClient(self._shared, self._outer, self._origin(names))
        self._outer.passage.inner.append(client)
        client.begin(head, body, whole=whole, limit=request.get(BODY_LIMIT), withheld=withheld)
        if not whole:
            self._feeding = self._tasks.start(_feed(client, request.content), name=f"body of {head.target}")
        try:
            return RelayedResponse.of(await client.head(), client)
        except BaseException:
            client.leave()
            raise

    async def end(self) -> None:
        """The answer has been sent, or nobody waits for it: what is still under way is left."""
        inner = self._outer.passage.inner
        while inner:
            inner.pop().leave()
        if self._feeding is not None:
            self._feeding.cancel()
            await asyncio.wait([self._feeding])  # one reader at a time: aiohttp skips what is left of the body

    def _changed(self, request: web.Request) -> set[str]:
        if request.headers is self._request.headers:
            return set()
        return changed(self._request.headers.items(), request.headers.items())

    def _head(self, request: web.Request, names: set[str]) -> RequestHead:
        """The client's head, with what the middlewares have changed."""
        head = self._sent
        if (
            (head.expect and self._continued)
            or names
            or request.raw_path != self._request.raw_path
            or request.method != head.method
        ):
            self._shared.pages.ids.of(head)  # the same name in every copy
            head = copy(head)
            head.expect = head.expect and not self._continued
            head.method = request.method
        if request.raw_path != self._request.raw_path:
            head.target = request.rel_url.raw_path_qs
        if "host" in names:
            head.host_fields = _host_line(request.headers.get(hdrs.HOST, ""))
        if names:
            head.lines = edited(head.lines, names - {"host"}, request.headers.items())
        return head

    def _origin(self, names: set[str]) -> Origin:
        origin = self._outer.passage.client.origin
        return EditedOrigin(origin, names) if any(map(_is_added, names)) else origin

    async def _body(self, request: web.Request) -> tuple[bytes, bool]:
        """What there is of the request's body, and whether that is all."""
        length = self._sent.length
        if not length:
            return b"", True
        if self._streamed:
            raise RuntimeError("the request's body is gone; `await request.read()` keeps it for a second call_next")
        if not request.content.at_eof():
            self._streamed = True
            return request.content.read_nowait(), request.content.at_eof()
        body = await request.read()  # a middleware has done so before, and aiohttp remembers
        if 0 <= length != len(body):
            raise RuntimeError("the request's body is gone; `await request.read()` would have kept it")
        return body, True


async def _feed(client: BufferedClient, content: StreamReader) -> None:
    """Send the body on as it comes, no faster than the route takes it."""
    try:
        async for data in content.iter_any():
            await client.add_body(data)
            if client.over:
                return
        client.end_body()
    except Exception:  # the client's connection has broken, and its request with it
        client.leave()


def _is_added(name: str) -> bool:
    """Whether an Origin adds such a field."""
    return name == "via" or is_forwarded(name.encode("utf-8", "surrogateescape"))


def _host_line(host: str) -> bytes:
    if not HOST.fullmatch(host):
        raise ValueError(f"{host!r} is not a host")
    return encoded(hdrs.HOST, host) if host else b""
