"""RequestIds: a name for each request, by which a client's complaint is found in the log.

A name that the client, or a proxy before this one, gave in X-Request-Id is kept when it is harmless in a log.
"""

from __future__ import annotations

import re
import secrets

from dockerproxy.http1.head import RequestHead

_FIELD = b"x-request-id:"
_HARMLESS = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")


class RequestIds:
    """Makes names: one part per proxy, one per request."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(4)
        self._count = 0

    def of(self, head: RequestHead) -> str:
        """The name of a request, the same at every call."""
        if not head.id:
            head.id = _given(head) or self._new()
        return head.id

    def send_along(self, head: RequestHead) -> str:
        """The name of a request, which its upstream is told as well."""
        name = self.of(head)
        line = b"X-Request-Id: " + name.encode()
        head.lines = [line, *(other for other in head.lines if not _is_id(other))]
        return name

    def _new(self) -> str:
        self._count += 1
        return f"{self._prefix}-{self._count:x}"


def _is_id(line: bytes) -> bool:
    return line[:13].lower() == _FIELD


def _given(head: RequestHead) -> str:
    for line in head.lines:
        if _is_id(line) and (found := _HARMLESS.fullmatch(line[13:].strip())):
            return found[0].decode()
    return ""
