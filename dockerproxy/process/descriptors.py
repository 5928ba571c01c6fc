"""Descriptors: how many files the system lets this process have open, sockets among them.

Many systems begin with a soft limit of 1,024, for programs that use select(2), and let any process raise it.
"""

from __future__ import annotations

import sys

try:
    import resource
except ImportError:  # not a UNIX
    resource = None  # type: ignore[assignment]  # which is asked for below

# More than anybody needs; some hard limits are a thousand million, and some systems take none beyond their own.
_ENOUGH = (1 << 20, 10_240)


def raise_limit() -> int:
    """Raise the soft limit to the hard one, as far as that is of use. Returns the limit that is in force then."""
    if resource is None:
        return sys.maxsize
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for enough in _ENOUGH:
        wanted = enough if hard == resource.RLIM_INFINITY else min(hard, enough)
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            break
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError):
            continue
        break
    return limit()


def limit() -> int:
    """The soft limit, which is in force."""
    if resource is None:
        return sys.maxsize
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
