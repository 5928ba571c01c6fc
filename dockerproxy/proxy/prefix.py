"""Prefix: what a client sees of an application that is below a prefix and does not know it (`strip_prefix: rewrite`).

The application's own addresses begin at `/`. Those that a client follows by itself, or sends cookies to, get the
prefix: Location and Content-Location, and the paths of cookies. What is in the body stays. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from dockerproxy.http1.head import RequestHead, ResponseHead
from dockerproxy.routing.route import Upstream
from dockerproxy.settings.paths import comparable

_AUTHORITY = re.compile(rb"(?:https?:)?//([^/?#]*)", re.IGNORECASE)
_COOKIE_PATH = re.compile(rb"(;[ \t]*path[ \t]*=[ \t]*)([^;]*)", re.IGNORECASE)
_NAMES = (b"location:", b"content-location:", b"set-cookie:")
_LENGTHS = frozenset(map(len, _NAMES))
# RFC 6265bis section 4.1.3.2: a browser takes it with the path / only.
_HOST_COOKIE = b"__host-"


def missing_slash(head: RequestHead, prefix: str) -> str:
    """Where a request for the prefix itself is to go, for relative links to lead below it; "" for all others."""
    path, mark, query = head.target.partition("?")
    if path.endswith("/") or comparable(path) != prefix:
        return ""
    return f"{prefix}/{mark}{query}"


def rewrite(head: ResponseHead, prefix: str, request: RequestHead, upstream: Upstream) -> None:
    """Put the prefix into an answer's addresses; what `upstream` says of itself is said of the client's host."""
    host = request.host.lower().encode()
    place = _Place(
        prefix.encode(),
        upstream.base_path.encode(),
        {host, host.rpartition(b":")[0] or host},
        upstream.address.partition("//")[2].encode(),
    )
    head.lines = [_rewritten(line, place) for line in head.lines]


class _Place(NamedTuple):
    """Where an application is, for the client and behind us.

    prefix:   before its paths, for the client
    base:     before them at the upstream, or b""
    ours:     the client's host, with and without its port
    upstream: host and port there
    """

    prefix: bytes
    base: bytes
    ours: Collection[bytes]
    upstream: bytes

    def path(self, path: bytes) -> bytes:
        """The path as the client is to see it, unless it has the prefix: an application may know of that from
        X-Forwarded-Prefix."""
        if _is_below(path, self.prefix):
            return path
        if self.base and _is_below(path, self.base):
            path = path[len(self.base) :]
            path = path if path.startswith(b"/") else b"/" + path
        return self.prefix + path

    def reference(self, value: bytes) -> bytes:
        """A reference (RFC 3986 section 4.1), with the prefix if it is one to the application."""
        found = _AUTHORITY.match(value)
        if found is None:
            return self.path(value) if value.startswith(b"/") else value
        authority, path = found[1].lower(), value[found.end() :]
        if not path.startswith(b"/"):
            path = b"/" + path
        if authority in self.ours:
            return found[0] + self.path(path)
        return self.path(path) if authority == self.upstream else value

    def cookie(self, value: bytes) -> bytes:
        """A cookie, with its path."""
        if value.lower().startswith(_HOST_COOKIE):
            return value
        return _COOKIE_PATH.sub(lambda found: found[1] + self._cookie_path(found[2].rstrip()), value)

    def _cookie_path(self, path: bytes) -> bytes:
        if not path.startswith(b"/"):  # then it counts as none (RFC 6265 section 5.2.4)
            return path
        found = self.path(path)
        return self.prefix if found == self.prefix + b"/" else found  # also for the prefix without a slash


def _rewritten(line: bytes, place: _Place) -> bytes:
    end = line.find(b":") + 1
    if end not in _LENGTHS or (name := line[:end].lower()) not in _NAMES:
        return line
    value = line[end:].strip()
    changed = place.cookie(value) if name == b"set-cookie:" else place.reference(value)
    return line if changed == value else line[:end] + b" " + changed


def _is_below(path: bytes, prefix: bytes) -> bool:
    """Whether the path is the prefix, or goes on behind it with another segment."""
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in (b"", b"/", b"?", b"#")
