"""Other parsers: what aiohttp and h11 make of the same bytes; each says None where it refuses them."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from typing import Any, NamedTuple

from aiohttp import http_exceptions, streams
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParser, HttpResponseParser

try:
    h11: Any = importlib.import_module("h11")
except ImportError:  # a second opinion, not a necessity
    h11 = None

_ROOM = 1 << 20  # bytes; limits are not what is compared
_REFUSED = (http_exceptions.HttpProcessingError, http_exceptions.BadHttpMessage, ValueError)


class Seen(NamedTuple):
    """What another parser saw.

    start:  method and target, or the status
    host:   the Host fields
    length: the Content-Length fields
    chunked: whether the body is chunked
    body:   as far as it came with the head
    """

    start: tuple[str, ...]
    host: list[str]
    length: list[str]
    chunked: bool
    body: bytes


def _fields(pairs: Any, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip(" \t") for key, value in pairs if key.lower() == name]


class Aiohttp:
    """aiohttp's parsers (llhttp)."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def request(self, data: bytes) -> Seen | None:
        parser = HttpRequestParser(
            BaseProtocol(self._loop), self._loop, _ROOM, max_line_size=_ROOM, max_field_size=_ROOM
        )
        found = self._first(parser, data)
        if found is None:
            return None
        message, body = found
        return self._seen((message.method, message.path), message, body)

    def response(self, data: bytes) -> Seen | None:
        parser = HttpResponseParser(
            BaseProtocol(self._loop), self._loop, _ROOM, max_line_size=_ROOM, max_field_size=_ROOM
        )
        found = self._first(parser, data)
        return None if found is None else self._seen((str(found[0].code),), *found)

    def close(self) -> None:
        self._loop.close()

    def _first(self, parser: Any, data: bytes) -> tuple[Any, bytes] | None:
        try:
            messages, _, _ = parser.feed_data(data)
        except _REFUSED:
            return None
        if not messages:
            return None
        message, payload = messages[0]
        return message, self._body(payload)

    @staticmethod
    def _body(payload: Any) -> bytes:
        if payload is None or payload is streams.EMPTY_PAYLOAD:
            return b""
        return b"" if payload.exception() is not None else bytes(payload.read_nowait(-1))

    @staticmethod
    def _seen(start: tuple[str, ...], message: Any, body: bytes) -> Seen:
        raw = message.raw_headers
        # It takes a tab behind the value for a part of it (RFC 9110 section 5.5: it is not).
        chunked = message.chunked or [each.lower() for each in _fields(raw, b"transfer-encoding")] == ["chunked"]
        return Seen(start, _fields(raw, b"host"), _fields(raw, b"content-length"), chunked, body)


class H11:
    """h11's parsers."""

    def request(self, data: bytes) -> Seen | None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_ROOM)
        found = self._first(connection, data)
        if not isinstance(found, h11.Request):
            return None
        start = (found.method.decode("latin-1"), found.target.decode("latin-1"))
        return self._seen(start, found, connection)

    def response(self, data: bytes) -> Seen | None:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_ROOM)
        connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
        connection.send(h11.EndOfMessage())
        found = self._first(connection, data)
        if not isinstance(found, h11.Response | h11.InformationalResponse):
            return None
        return self._seen((str(found.status_code),), found, connection)

    def close(self) -> None:
        """Nothing was started."""

    def _first(self, connection: Any, data: bytes) -> Any:
        try:
            connection.receive_data(data)
            return connection.next_event()
        except h11.RemoteProtocolError:
            return None

    def _seen(self, start: tuple[str, ...], found: Any, connection: Any) -> Seen:
        body = b""
        with contextlib.suppress(h11.RemoteProtocolError):
            while isinstance(event := connection.next_event(), h11.Data):
                body += event.data
        chunked = bool(_fields(found.headers, b"transfer-encoding"))
        return Seen(start, _fields(found.headers, b"host"), _fields(found.headers, b"content-length"), chunked, body)


def other_parsers() -> list[Aiohttp | H11]:
    """All there are."""
    return [Aiohttp(), H11()] if h11 is not None else [Aiohttp()]
