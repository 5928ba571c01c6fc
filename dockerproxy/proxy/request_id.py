"""RequestIds: a name for each request, by which a client's complaint is found in the log.

A name that the client, or a proxy before this one, gave in X-Request-Id is kept when it is harmless in a log.
"""

from __future__ import annotations

import re
import secrets

from dockerproxy.http1.head import RequestHead

_FIELD = b"x-request-id"
_COLON = len(_FIELD)
_HARMLESS = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")


class RequestIds:
    """Makes names: one part per proxy, one per request."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(4)
        self._count = 0

    def of(self, head: RequestHead) -> str:
        """The name of a request, the same at every call."""
        if not head.id:
            place = _place(head.lines)
            head.id = (_harmless(head.lines[place]) if place >= 0 else "") or self._new()
        return head.id

    def send_along(self, head: RequestHead) -> str:
        """The name of a request, which its upstream is told as well."""
        place = _place(head.lines)
        if not head.id:
            head.id = _harmless(head.lines[place]) if place >= 0 else ""
        name = head.id = head.id or self._new()
        if place < 0:
            head.lines.append(b"X-Request-Id: " + name.encode())
        else:
            if _harmless(head.lines[place]) != name:
                head.lines[place] = b"X-Request-Id: " + name.encode()
            if _place(head.lines[place + 1 :]) >= 0:  # which of them an application takes nobody knows
                head.lines[place + 1 :] = [line for line in head.lines[place + 1 :] if _place([line]) < 0]
        return name

    def _new(self) -> str:
        self._count += 1
        return f"{self._prefix}-{self._count:x}"


def _place(lines: list[bytes]) -> int:
    """Where the first field of that name is, or -1."""
    for place, line in enumerate(lines):
        if len(line) > _COLON and line[_COLON] == 0x3A and line[:_COLON].lower() == _FIELD:
            return place
    return -1


def _harmless(line: bytes) -> str:
    """The name in such a field, or "" when it could disguise a line of the log."""
    found = _HARMLESS.fullmatch(line[_COLON + 1 :].strip())
    return found[0].decode() if found else ""
