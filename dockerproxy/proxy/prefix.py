"""Prefix: what a client sees of an application that is below a prefix and does not know it (`strip_prefix: rewrite`).

The application's own addresses begin at `/`. Those that a client follows by itself, or sends cookies to, get the
prefix: Location and Content-Location, and the paths of cookies. What is in the body stays. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from dockerproxy.http1.head import RequestHead, ResponseHead
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


def rewrite(head: ResponseHead, prefix: str, request: RequestHead, upstream: str) -> None:
    """Put the prefix into an answer's addresses.

    upstream: host and port of who has answered; what it says of itself is said of the client's host
    """
    host = request.host.lower().encode()
    ours = {host, host.rpartition(b":")[0] or host}
    path = prefix.encode()
    head.lines = [_rewritten(line, path, ours, upstream.encode()) for line in head.lines]


def _rewritten(line: bytes, prefix: bytes, ours: Collection[bytes], upstream: bytes) -> bytes:
    end = line.find(b":") + 1
    if end not in _LENGTHS or (name := line[:end].lower()) not in _NAMES:
        return line
    value = line[end:].strip()
    if name == b"set-cookie:":
        changed = value if value.lower().startswith(_HOST_COOKIE) else _cookie(value, prefix)
    else:
        changed = _location(value, prefix, ours, upstream)
    return line if changed == value else line[:end] + b" " + changed


def _location(value: bytes, prefix: bytes, ours: Collection[bytes], upstream: bytes) -> bytes:
    """A reference (RFC 3986 section 4.1), below the prefix if it is one to the application."""
    found = _AUTHORITY.match(value)
    if found is None:
        return _below(value, prefix) if value.startswith(b"/") else value
    authority, path = found[1].lower(), value[found.end() :]
    if not path.startswith(b"/"):
        path = b"/" + path
    if authority in ours:
        return found[0] + _below(path, prefix)
    return _below(path, prefix) if authority == upstream else value


def _cookie(value: bytes, prefix: bytes) -> bytes:
    return _COOKIE_PATH.sub(lambda found: found[1] + _cookie_path(found[2].rstrip(), prefix), value)


def _cookie_path(path: bytes, prefix: bytes) -> bytes:
    if not path.startswith(b"/"):  # then it counts as none (RFC 6265 section 5.2.4)
        return path
    return prefix if path == b"/" else _below(path, prefix)


def _below(path: bytes, prefix: bytes) -> bytes:
    """The path below the prefix, unless it is there already: an application may know it from X-Forwarded-Prefix."""
    rest = path[len(prefix) :]
    if path.startswith(prefix) and (not rest or rest[:1] in b"/?#"):
        return path
    # A path that begins with two slashes would be taken for a host.
    return prefix + path
