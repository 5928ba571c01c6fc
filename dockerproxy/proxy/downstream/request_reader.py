"""RequestReader: what one client has sent: takes heads and bodies of requests off it, one after the other (RFC 9112).

It has no socket and no clock, and does not know what becomes of a request.
"""

from __future__ import annotations

import contextlib
import sys

from dockerproxy.http1.framing import ChunkedDecoder, LengthDecoder
from dockerproxy.http1.head import CHUNKED, MessageError, RequestHead
from dockerproxy.http1.previous import PreviousRequest
from dockerproxy.http1.request_parser import RequestParser, check_partial, skip_empty_line


class RequestReader:
    """The bytes of one client connection.

    unread: what has come and was not taken yet
    body:   takes the body of the request under way; None when no more of it is to come
    """

    __slots__ = ("_previous", "_skipped", "body", "unread")

    def __init__(self) -> None:
        self._previous = PreviousRequest()
        self._skipped = False  # the empty line before the request that is to come
        self.unread = b""
        self.body: ChunkedDecoder | LengthDecoder | None = None

    def __repr__(self) -> str:
        return f"<RequestReader with {len(self.unread)} bytes unread, {self.body!r}>"

    def head(self, checked: int, parser: RequestParser) -> RequestHead | None:
        """The head that comes next, or None when it is not complete. Raises MessageError.

        checked: bytes that were looked at before
        """
        data = self.unread
        if not self._skipped and data.startswith(b"\r\n"):
            self._skipped = True
            data = self.unread = skip_empty_line(data)
        end = data.find(b"\r\n\r\n")
        if end < 0:
            check_partial(data, parser.limits, checked)
            return None
        head = parser.parse(data[:end], self._previous)
        self.unread = data[end + 4 :]
        self._skipped = False
        if head.length:
            self.body = ChunkedDecoder() if head.length == CHUNKED else LengthDecoder(head.length)
        return head

    @property
    def left(self) -> int:
        """Bytes of the body that are still to come; a large number where nobody knows."""
        if self.body is None:
            return 0
        return self.body.remaining if isinstance(self.body, LengthDecoder) else sys.maxsize

    def take_all(self) -> bytes:
        """All that is unread."""
        data, self.unread = self.unread, b""
        return data

    def end_body(self, body: ChunkedDecoder | LengthDecoder) -> None:
        """The body has ended; what came behind it waits."""
        self.unread = body.rest
        self.body = None

    def skip_body(self) -> bool:
        """Take what has come of a body that nobody wants. True when that is all: the connection stays in use."""
        body = self.body
        if body is None:
            return False
        with contextlib.suppress(MessageError):
            body.feed(self.take_all())
        if body.done:
            self.end_body(body)
        return body.done

    def swallow(self) -> None:
        """What has come, and what follows, cannot be understood: take it for the rest of the request."""
        self.body, self.unread = LengthDecoder(sys.maxsize), b""

    def clear(self) -> None:
        """There will be no further request."""
        self.body, self.unread = None, b""
