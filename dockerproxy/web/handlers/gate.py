"""Gate: the handler before routes with middlewares. It runs them, and begins the exchange on the route itself.

A middleware is `async (request, call_next) -> response`. The innermost `call_next` is the data plane, asked without
HTTP in between; what the two tell each other beside is said in `proxy.gate`.
"""

from __future__ import annotations

import inspect
import logging

from aiohttp import hdrs, web

from dockerproxy.errors import SettingsError
from dockerproxy.http1.framing import encode_end
from dockerproxy.http1.head import ResponseHead
from dockerproxy.proxy.exchange.buffered_client import BrokenAnswer
from dockerproxy.proxy.exchange.gate import AS_TOLD, PASS_ON, AtGate
from dockerproxy.proxy.exchange.shared import Shared
from dockerproxy.tasks import Tasks
from dockerproxy.web.context import ENCODED_SLASHES, PASSAGE, ROUTE_NAME
from dockerproxy.web.handlers.application import EveryPath, Groups
from dockerproxy.web.handlers.call_next import CallNext
from dockerproxy.web.handlers.exception_log import ExceptionLog
from dockerproxy.web.handlers.outermost import EXCEPTION
from dockerproxy.web.middlewares.registry import Chain, Middlewares
from dockerproxy.web.relayed import RelayedResponse

_BODILESS = (204, 304)

log = logging.getLogger("dockerproxy.web")


class Gate:
    """The handler for all routes with middlewares."""

    def __init__(self, shared: Shared, middlewares: Middlewares, groups: Groups) -> None:
        self._shared = shared
        self._groups = groups
        self._middlewares = middlewares
        self._tasks = Tasks("middlewares")
        self._exceptions = ExceptionLog(log)

    def __repr__(self) -> str:
        return f"<Gate: {self._middlewares!r}>"

    def application(self) -> web.Application:
        """The Application that Handlers run."""
        app = web.Application(client_max_size=0)  # unlimited here: the data plane keeps the route's `max_body`
        app.router.register_resource(EveryPath(self._handle, self._groups, _say_nothing))
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        outer = self._shared.routes.gates.claim(request.get(PASSAGE, 0))
        if outer is None:  # its client has gone, and nobody reads this
            return web.Response(status=500)
        sent = outer.passage.request
        if request.method != sent.method:  # aiohttp does not know it
            request = request.clone(method=sent.method)
        request[ENCODED_SLASHES] = outer.live.options.encoded_slashes
        try:
            chain = self._middlewares.chain(outer.live.options.middlewares)
        except SettingsError as error:
            outer.live.log_error("no answer without its middlewares:", str(error.problems[0]))
            return _word(type(error).__name__, 500, close=True)
        continued = sent.expect and any(getattr(middleware, "reads_body", True) for _, middleware in chain)
        if continued:
            outer.interim(ResponseHead(100, 1, b"HTTP/1.1 100 Continue\r\n"))
        visit = _Visit(request, outer, CallNext(self._shared, self._tasks, request, outer, continued=continued))
        try:
            return await visit.send(await visit.through(chain, request))
        except BrokenAnswer:
            return visit.break_off() or web.Response(status=502, text="The answer of the upstream broke off.\n")
        except Exception as error:
            what = f"middleware {visit.at}" if visit.at else "the chain of middlewares"
            self._exceptions.tell(
                error, "%s: %s failed: %s: %s", request[ROUTE_NAME], what, type(error).__name__, error
            )
            outer.stats.errors_shown += visit.begun  # else the exchange counts the page that it shows
            return visit.break_off() or _word(type(error).__name__, 500, close=True)
        finally:
            await visit.call_next.end()


class _Visit:
    """One request at the gate.

    at:    the middleware that an exception came out of, or ""
    begun: whether part of the answer has been sent
    """

    def __init__(self, request: web.Request, outer: AtGate, call_next: CallNext) -> None:
        self.at = ""
        self.begun = False
        self.call_next = call_next
        self._request = request
        self._outer = outer

    async def through(self, chain: Chain, request: web.Request) -> web.StreamResponse:
        """The answer of what is left of the chain, and at last of the route."""
        if not chain:
            return await self.call_next.on(request)
        (name, middleware), rest = chain[0], chain[1:]

        async def call_next(request: web.Request) -> web.StreamResponse:
            return await self.through(rest, request)

        try:
            try:
                return _relayed(await middleware(request, call_next))
            except web.HTTPException as answer:
                return _relayed(answer)
        except Exception:
            self.at = self.at or name  # those before it let it through
            raise

    async def send(self, response: web.StreamResponse) -> web.StreamResponse:
        """Send the answer of the outermost middleware."""
        close = bool(self._outer.head.upgrade)  # aiohttp keeps what comes behind for the other protocol
        if not isinstance(response, RelayedResponse):  # it goes as aiohttp sends it
            self.begun = True
            if close and not response.prepared:
                response.force_close()
            await response.prepare(self._request)
            await response.write_eof()
            return response
        if response.upgrades:
            return _word(PASS_ON.decode(), 200, close=close)
        passage = self._outer.passage
        passage.answer = response.block()
        if self._request.method == hdrs.METH_HEAD or response.status in _BODILESS:
            passage.length = int(response.headers.get(hdrs.CONTENT_LENGTH, -1))
            return _word(AS_TOLD.decode(), response.status, close=close)
        if response.body is not None:
            return _word(AS_TOLD.decode(), response.status, response.body, close=close)
        return await self._stream(response)

    def break_off(self) -> web.StreamResponse | None:
        """Let the client see that the answer is not whole. None when nothing of it has been sent."""
        if not self.begun:
            return None
        if self._request.transport is not None:
            self._request.transport.close()
        return web.Response(status=500)  # which nobody gets

    async def _stream(self, response: RelayedResponse) -> web.StreamResponse:
        wire = web.StreamResponse(status=response.status, headers={EXCEPTION: AS_TOLD.decode()})
        if self._outer.head.upgrade:
            wire.force_close()
        length = response.headers.get(hdrs.CONTENT_LENGTH)
        if length is not None:
            wire.content_length = int(length)
        self.begun = True
        writer = await wire.prepare(self._request)
        async for part in response.content:
            await wire.write(part)
        if response.trailers and length is None and writer is not None:
            writer.chunked = False  # type: ignore[attr-defined]  # StreamWriter has it: the end is not to be framed
            await writer.write(encode_end(response.trailers))
        await wire.write_eof()
        return wire


async def _say_nothing(_request: web.Request) -> None:
    """The client that waits for 100 is told by whoever wants the body."""


def _relayed(response: object) -> web.StreamResponse:
    """The answer of a middleware in the one form that those before it expect, where it can have it."""
    if not isinstance(response, web.StreamResponse):
        if inspect.iscoroutine(response):
            response.close()  # else Python warns that nobody awaited it, at a line of ours
            raise TypeError(f"it returned {response.__name__}(…) without `await`; expected an aiohttp response")
        raise TypeError(f"it returned {response!r}; expected an aiohttp response")
    if not isinstance(response, web.Response) or response.prepared or response.compression:
        return response
    return RelayedResponse.like(response) if isinstance(response.body, (bytes, bytearray, type(None))) else response


def _word(word: str, status: int, body: bytes | None = None, *, close: bool) -> web.Response:
    """What the exchange that asks is told, see `proxy.gate`."""
    response = web.Response(status=status, body=body, headers={EXCEPTION: word})
    if close:
        response.force_close()
    return response
