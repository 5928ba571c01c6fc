"""Whether an expression takes all paths of a domain, as `^/` does. Pure."""

from __future__ import annotations

from functools import lru_cache
from string import ascii_lowercase, digits

import regex

from dockerproxy.routing.expression import PATIENCE

_STARTS = ascii_lowercase + digits
# What sites answer, and something for each beginning; no expression for a part of a site finds nearly all of them.
_PATHS = (
    "/", "/index.html", "/login", "/static/app.js", "/api/v1/users/1", "/favicon.ico", "/robots.txt", "/A/B", "/_x/y",
    "/.well-known/security.txt", "/a%20b", "/wp-admin/", "/@user", "/-/z",
    *(f"/{start}" for start in _STARTS),
    *(f"/{start}o/page-1.html" for start in _STARTS),
)  # fmt: skip
_NEARLY_ALL = 0.9  # `^/(?!health)` leaves little to anybody else
_REMEMBERED = 1024  # expressions


@lru_cache(_REMEMBERED)
def takes_all(text: str) -> bool:
    """Whether the expression is found in nearly every path. One that takes too long to tell is not."""
    pattern = regex.compile(text, regex.V0)
    seconds = PATIENCE / len(_PATHS)
    try:
        found = sum(pattern.search(path, timeout=seconds) is not None for path in _PATHS)
    except (TimeoutError, MemoryError):
        return False
    return found >= _NEARLY_ALL * len(_PATHS)
