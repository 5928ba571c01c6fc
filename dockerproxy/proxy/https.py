"""What makes browsers use https: the redirect, and Strict-Transport-Security (RFC 6797)."""

from __future__ import annotations

import re

from dockerproxy.http1.head import RequestHead, ResponseHead

DEFAULT_PORT = 443
# Whoever issues certificates asks over plain http (RFC 8555 section 8.3), perhaps before there is one.
# A token and nothing else: behind dots or slashes in any spelling would be other pages.
_ACME = re.compile(r"/\.well-known/acme-challenge/[A-Za-z0-9_-]*(?:\?.*)?")
_HSTS = b"Strict-Transport-Security"
_HSTS_BEGIN = _HSTS.lower() + b":"


def hsts_line(max_age: float | None) -> bytes:
    """The field line for so many seconds, or b"" for None."""
    return b"" if max_age is None else b"%b: max-age=%d" % (_HSTS, max_age)


def set_hsts(head: ResponseHead, line: bytes) -> None:
    """Let an answer have this line, in the place of what it says itself (section 7.1: only one)."""
    head.lines = [other for other in head.lines if other[: len(_HSTS_BEGIN)].lower() != _HSTS_BEGIN]
    head.lines.append(line)


def must_be_https(head: RequestHead) -> bool:
    """Whether a request is redirected, where its route redirects."""
    return _ACME.fullmatch(head.target) is None


def location(target: str, host: str, port: int) -> str:
    """Where a request would be at home over https; "" when it names no host.

    port: of https, in the client's address bar
    """
    name, _, end = host.rpartition(":")
    host = name if name and end.isdecimal() and not name.endswith(":") else host
    if not host:
        return ""
    target = target if target.startswith("/") else "/"
    return f"https://{host}{'' if port == DEFAULT_PORT else f':{port}'}{target}"
