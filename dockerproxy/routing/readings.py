"""Readings: how else the application behind a route may read a path than the table does.

Some applications decode before they look for dot segments, some afterwards, some never; some take parameters away
(`/admin;x=1`), some read a backslash or an encoded slash as a slash. Where all of them come to the same route, a path
is harmless. Pure; what follows from another reading is the table's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dockerproxy.settings.paths import climbs, decoded, has_dots, merged, resolved, spelt

# All readings together; no path shall cost much more than others of its length.
_MOST = 48 << 10  # characters
# White space and what ends a C string: some drop it at the ends of a segment, or all behind it.
_BLANK = r"(?:%0[9A-D]|%20)"
_BLANKS = re.compile(rf"{_BLANK}+(?=/|\Z)|(?<=/){_BLANK}+")
_PARAMETERS = re.compile(r"(?:;|%3B|%00)[^/]*")
# A dot segment that only some see.
_DOTS = r"(?:\.|%2E){1,2}"
_HIDDEN_DOTS = re.compile(rf"/{_BLANK}*{_DOTS}(?:;|%3B|%00|{_BLANK})|/{_BLANK}+{_DOTS}(?=/|\Z)", re.IGNORECASE)
SLASHES = ("%2F", "%5C")
_MOST_SEGMENTS = 256  # where there are dot segments


class Readings(NamedTuple):
    """All in the form that rules are compared in.

    main:    the one that chooses the route
    others:  of whoever decodes, resolves, merges slashes or drops parameters otherwise
    slash:   the main one of whoever reads `\\` and encoded slashes as slashes; the same as `main` where there are none
    slashed: all of those
    climbs:  whether dot segments lead above the root where encoded slashes are slashes
    """

    main: str
    others: frozenset[str]
    slash: str
    slashed: frozenset[str]
    climbs: bool


def readings(path: str) -> Readings | None:
    """Of a path as it was sent; None for one that nobody writes in good faith.

    That is one with a dot segment that only some see, or among others that only some see, and one that can be read in
    more ways than are worth a look.
    """
    written = decoded(path)
    if _HIDDEN_DOTS.search(path) is not None:
        return None
    if has_dots(written) and (path.count("/") > _MOST_SEGMENTS or len({*_shortened(written)}) > 1):
        return None
    main = resolved(merged(written))
    bases = {written, spelt(path)}
    with_slashes = {form for base in bases for form in _with_slashes(base)}
    budget = _MOST
    found: list[set[str]] = []
    for forms in (bases, with_slashes):
        read = set()
        for form in {shortened for whole in forms for shortened in _shortened(whole)}:
            for reading in _resolved(form):
                budget -= len(reading)
                if budget < 0:
                    return None
                read.add(reading)
        found.append(read)
    slash = resolved(merged(_slashed(written, SLASHES)))
    others, slashed = (frozenset(read - {main}) for read in found)
    return Readings(main, others, slash, slashed, any(map(climbs, with_slashes)))


def _with_slashes(path: str) -> Iterator[str]:
    """The path with encoded slashes and backslashes as slashes: the one, the other, both."""
    kinds = [kind for kind in SLASHES if kind in path]
    for kind in kinds:
        yield _slashed(path, (kind,))
    if len(kinds) > 1:
        yield _slashed(path, kinds)


def _slashed(path: str, kinds: Iterable[str]) -> str:
    for kind in kinds:
        path = path.replace(kind, "/")
    return path


def _shortened(path: str) -> Iterator[str]:
    """The path as it is, without parameters, without blanks, without both."""
    yield path
    cut = path
    if ";" in path or "%3B" in path or "%00" in path:
        cut = _PARAMETERS.sub("", path)
        yield cut
    if "/%20" in path or "%20/" in path or "%0" in path or path.endswith("%20"):
        yield _BLANKS.sub("", path)
        yield _BLANKS.sub("", cut)


def _resolved(path: str) -> Iterator[str]:
    """The path as it is, with slashes merged, dot segments removed, and both in either order."""
    yield path
    if "//" in path or has_dots(path):
        once, without_dots = merged(path), resolved(path)
        yield from (once, without_dots, merged(without_dots), resolved(once))
