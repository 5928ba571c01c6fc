"""The middleware before every handler.

It gives the handler the client as it really is, from the fields that the data plane adds (and strips from clients):

Dockerproxy-Remote  the client's IP address
Dockerproxy-Scheme  http or https
Dockerproxy-Route   name of the route, percent-encoded UTF-8
Dockerproxy-Error   `502 attempts_exhausted`: an error page is wanted
Dockerproxy-Field   a field line in base64 that aiohttp would have refused
Dockerproxy-Passage  before middlewares: the number by which the exchange that asks is found

It checks access where the route asks for it, and turns a failure of the handler into an empty 500 with the field
Dockerproxy-Exception, which makes the data plane count it and serve the route's error page.
"""

from __future__ import annotations

import base64
import logging
from http import HTTPStatus
from urllib.parse import unquote

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict

from dockerproxy.http1.editing import pairs
from dockerproxy.proxy.exchange.handler_head import FIELD
from dockerproxy.web.access.permission import check_access
from dockerproxy.web.context import CONTROL, ERROR_INFO, PASSAGE, ROUTE_NAME, ErrorInfo
from dockerproxy.web.handlers.exception_log import ExceptionLog
from dockerproxy.web.handlers.mount import with_prefix

REMOTE = "Dockerproxy-Remote"
SCHEME = "Dockerproxy-Scheme"
ROUTE = "Dockerproxy-Route"
ERROR = "Dockerproxy-Error"
PASSAGE_NUMBER = "Dockerproxy-Passage"
EXCEPTION = "Dockerproxy-Exception"
_HOPS = "Dockerproxy-Hops"  # what ends a loop
_OURS = (REMOTE, SCHEME, ROUTE, ERROR, PASSAGE_NUMBER, _HOPS)

log = logging.getLogger("dockerproxy.web")


def route_name(request: web.Request) -> str:
    """The name of the route that a request came by, as the data plane says."""
    return unquote(request.headers.get(ROUTE, ""))


def outermost_middleware(name: str, prefix: str = "") -> Middleware:
    """The middleware for the handler called `name`, which is below `prefix`."""

    complaints = ExceptionLog(log)

    @web.middleware
    async def enter(request: web.Request, handler: Handler) -> web.StreamResponse:
        request = _as_the_client_sent_it(with_prefix(request, prefix) if prefix else request)
        try:
            _check(request)
            response = await handler(request)
            if not isinstance(response, web.StreamResponse):
                raise TypeError(f"it returned {response!r}; expected an aiohttp response")
        except web.HTTPException:
            raise
        except Exception as error:
            return _failed(request, name, error, complaints)
        info = request.get(ERROR_INFO)
        if info is not None and response.status == HTTPStatus.OK and not response.prepared:
            response.set_status(info.status)  # a page about an error is no success, unless the handler says so
        return response

    return enter


def _as_the_client_sent_it(request: web.Request) -> web.Request:
    ours = request.headers
    headers = CIMultiDict((key, _encodable(value)) for key, value in ours.items())
    for field in _OURS:
        headers.popall(field, None)
    for line in headers.popall(FIELD, ()):
        headers.extend(pairs([base64.b64decode(line)]))
    client = request.clone(headers=headers, remote=ours.get(REMOTE, ""), scheme=ours.get(SCHEME, "http"))
    client[ROUTE_NAME] = route_name(request)
    if ERROR in ours:
        status, _, code = ours[ERROR].partition(" ")
        client[ERROR_INFO] = ErrorInfo(int(status), code)
    if PASSAGE_NUMBER in ours:
        client[PASSAGE] = int(ours[PASSAGE_NUMBER])
    return client


def _encodable(value: str) -> str:
    """Bytes that are not UTF-8 arrive as lone surrogates, which no handler can do anything with: read as Latin-1."""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value


def _check(request: web.Request) -> None:
    """A route that says who may call its handler is kept to that, whatever the handler is."""
    control = request.config_dict.get(CONTROL)
    if control is None:  # then nobody has routes
        return
    route = control.registry.route(request[ROUTE_NAME])
    if route is not None and route.access:
        check_access(request, route.access, control.settings.admin_token)


def _failed(request: web.Request, name: str, error: Exception, complaints: ExceptionLog) -> web.StreamResponse:
    transport = request.transport
    if transport is None or transport.is_closing():
        # The client is gone, which a handler may take as it likes; the answer reaches nobody.
        if isinstance(error, (ConnectionError, web.RequestPayloadError)):
            log.debug("%s: handler %s failed: %r", request[ROUTE_NAME], name, error, exc_info=error)
        else:
            complaints.tell(error, "%s: handler %s failed: %r", request[ROUTE_NAME], name, error)
        return web.Response(status=500)
    if isinstance(error, web.RequestPayloadError) and request.writer.output_size == 0:
        return _undecodable(request)
    complaints.tell(error, "%s: handler %s failed: %s: %s", request[ROUTE_NAME], name, type(error).__name__, error)
    if request.writer.output_size > 0:
        # Part of the answer is on its way: cut it, so that nobody takes it for the whole.
        transport.close()
    return web.Response(status=500, headers={EXCEPTION: type(error).__name__})


def _undecodable(request: web.Request) -> web.StreamResponse:
    """The answer to a body that is not encoded as the request says: the client's fault, and none of the handler's."""
    request.content.feed_eof()  # nobody shall wait for the rest, nor stumble over the same fault again
    coding = request.headers.get("Content-Encoding", "none")
    answer = web.json_response({"error": f"the body cannot be decoded; Content-Encoding is {coding!r}"}, status=400)
    answer.force_close()
    return answer
