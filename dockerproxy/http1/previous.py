"""PreviousRequest and PreviousResponse: the head that came before on a connection.

Clients send the same fields with every request, and busy applications the same head within a second. What is the same
again to the byte need not be taken apart again. Secrets in it live no longer than the connection, and are shared with
nobody: so it belongs to a connection, and not to the parser.
"""

from __future__ import annotations

from dockerproxy.http1.head import RequestHead, ResponseHead

# Browsers send half of that. A connection may be idle for long, and there may be many.
_LARGEST = 2048  # bytes


class PreviousRequest:
    """The last plain request head, as `parser` read it; `line` and `fields` are the bytes that it was read from.

    Another parser, of other settings, may not take it.
    """

    __slots__ = ("fields", "head", "line", "parser")

    def __init__(self) -> None:
        self.parser: object = None
        self.line = self.fields = b""
        self.head: RequestHead

    def __repr__(self) -> str:
        return f"<PreviousRequest of {len(self.fields)} bytes>"

    def remember(self, line: bytes, fields: bytes, head: RequestHead, parser: object) -> None:
        """Keep what `head` says, whatever becomes of it; a large one, or one that is not plain, is read each time."""
        if head.plain and len(line) + len(fields) <= _LARGEST:
            self.line, self.fields, self.parser = line, fields, parser
            self.head = RequestHead(head.method, head.target, head.minor).with_fields_of(head)


class PreviousResponse:
    """The last plain response head, as it was read from `block`."""

    __slots__ = ("block", "head")

    def __init__(self) -> None:
        self.block: bytes | None = None
        self.head: ResponseHead

    def __repr__(self) -> str:
        return f"<PreviousResponse of {len(self.block or b'')} bytes>"

    def remember(self, block: bytes, head: ResponseHead) -> None:
        """Keep what `head` says, whatever becomes of it; a large one, or one that is not plain, is read each time."""
        if head.plain and len(block) <= _LARGEST:
            self.block, self.head = block, head.again()
