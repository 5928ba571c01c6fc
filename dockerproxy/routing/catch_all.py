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
# What `^/(?!health|static|api|login)` finds is most of a site; `^/[a-z]` is a part of it, and so is `\.html$`.
_NEARLY_ALL = 0.75
_SECONDS = PATIENCE / len(_PATHS)  # for each of them
_REMEMBERED = 1024  # expressions


@lru_cache(_REMEMBERED)
def takes_all(text: str) -> bool:
    """Whether the expression is found in nearly every path.

    A path for which it takes too long counts as found: nobody has a domain by being slow to tell.
    """
    pattern = regex.compile(text, regex.V0)
    return sum(_is_found(pattern, path) for path in _PATHS) >= _NEARLY_ALL * len(_PATHS)


def _is_found(pattern: regex.Pattern[str], path: str) -> bool:
    try:
        return pattern.search(path, timeout=_SECONDS) is not None
    except (TimeoutError, MemoryError):
        return True
