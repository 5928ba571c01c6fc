"""RelayedResponse: an answer on its way to the client, as middlewares get it from `call_next`.

`status` and `headers` can be changed, as in any aiohttp response, until the outermost middleware has returned it. The
body flows afterwards, from `content`, unless somebody reads it before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from aiohttp import hdrs, web
from multidict import CIMultiDict

from dockerproxy.http1.editing import changed, edited, pairs
from dockerproxy.http1.head import ResponseHead
from dockerproxy.proxy.exchange.buffered_client import BufferedClient

LARGEST_READ = 1 << 20  # bytes; as much as aiohttp reads of a request


class TooLarge(ValueError):
    """The body is larger than whoever reads it allows; nothing of it is lost."""


class RelayedResponse(web.StreamResponse):
    """An answer whose head and body have not been sent.

    body:     the whole body where it is here already, else None
    upgrades: whether the request asks for another protocol (WebSocket); then there is no answer yet, and what is
              changed here does not count
    """

    def __init__(
        self, status: int, headers: CIMultiDict[str], body: bytes | None = b"", *, reason: str | None = None
    ) -> None:
        super().__init__(status=status, reason=reason, headers=headers)
        self.body = body
        self.upgrades = False
        self._parts: AsyncIterator[bytes] | None = None
        self._client: BufferedClient | None = None
        self._head: ResponseHead | None = None
        self._before: list[tuple[str, str]] = []

    @classmethod
    def of(cls, head: ResponseHead, client: BufferedClient) -> RelayedResponse:
        """The answer of an exchange."""
        headers = CIMultiDict(pairs(head.lines))
        if head.length_field >= 0:
            headers[hdrs.CONTENT_LENGTH] = str(head.length_field)
        reason = head.line[13:-2].decode("latin-1")
        response = cls(head.status, headers, client.whole(), reason=reason)
        response._head, response._before, response._client = head, list(headers.items()), client
        if response.body is None:
            response._parts = _pieces(client)
        return response

    @classmethod
    def like(cls, answer: web.Response) -> RelayedResponse:
        """An answer that a middleware or aiohttp has made, with its whole body in memory."""
        assert answer.body is None or isinstance(answer.body, (bytes, bytearray))
        response = cls(answer.status, answer.headers, bytes(answer.body or b""), reason=answer.reason)
        response.headers.extend((hdrs.SET_COOKIE, cookie.OutputString()) for cookie in answer.cookies.values())
        return response

    @property
    def content(self) -> AsyncIterator[bytes]:
        """The parts of the body as they come; to change it, assign another iterator, perhaps around this one."""
        return self._parts if self._parts is not None else _once(self.body or b"")

    @content.setter
    def content(self, parts: AsyncIterator[bytes]) -> None:
        self.body = None
        self._parts = parts
        self.headers.popall(hdrs.CONTENT_LENGTH, None)

    async def read(self, limit: int = LARGEST_READ) -> bytes:
        """The whole body, which is sent all the same. Raises TooLarge, BrokenAnswer."""
        if self.body is None:
            parts, size = [], 0
            source = self.content
            async for part in source:
                parts.append(part)
                size += len(part)
                if size > limit:
                    self._parts = _chain(parts, source)
                    raise TooLarge(f"the body is larger than {limit} bytes")
            self.body, self._parts = b"".join(parts), None
        elif len(self.body) > limit:
            raise TooLarge(f"the body is larger than {limit} bytes")
        return self.body

    @property
    def trailers(self) -> Sequence[bytes]:
        """Field lines behind the body, once it has ended."""
        return self._client.trailers if self._client is not None else ()

    def replace(self, body: bytes) -> None:
        """Send this body."""
        self.body, self._parts = body, None
        self.headers[hdrs.CONTENT_LENGTH] = str(len(body))

    def block(self) -> tuple[bytes, list[bytes]]:
        """Status line with CRLF, and field lines; those that nobody changed are as they came, byte for byte.

        Raises ValueError for a field that no head may have.
        """
        for cookie in self.cookies.values():
            self.headers.add(hdrs.SET_COOKIE, cookie.OutputString())
        after = list(self.headers.items())
        head = self._head
        if head is None:
            return self._status_line(), edited([], {name.lower() for name, _ in after}, after)
        same = head.status == self.status and head.line[13:-2].decode("latin-1") == self.reason
        line = head.line if same else self._status_line()
        return line, edited(head.lines, changed(self._before, after), after)

    def _status_line(self) -> bytes:
        return b"HTTP/1.1 %d %b\r\n" % (self.status, self.reason.encode("latin-1", "replace"))


async def _pieces(client: BufferedClient) -> AsyncIterator[bytes]:
    while data := await client.piece():
        yield data


async def _once(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body


async def _chain(parts: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    async for part in rest:
        yield part
