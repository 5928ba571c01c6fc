r"""Where a redirect leads, when parts of its target are what the client has written. Pure.

`to: \1/` with a group that the client fills could lead anywhere, and a browser that follows it would show the site of
somebody else behind a link to this one. So a target that names no host of its own stays at the host of the request,
and no client adds to the name of a host that stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dockerproxy.routing.expression import Found

_REFERENCE = re.compile(r"(\\[1-9]\d?|\\g<\w+>)")
_NAMES_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//")
_RELATIVE = ("?", "#")
_ORIGIN = re.compile(r"https?://[^/?#\\]*")  # of the request
_END = re.compile(r"[/?#\\]")  # of a host; browsers read `\` as a slash


class _Piece(NamedTuple):
    """A part of the target; `begin` is where in the request's URL it stands, or -1 for what the target says itself."""

    text: str
    begin: int


def location(to: str, found: Found) -> str | None:
    """The target `to` with its groups, or None when the client has chosen the host.

    found: in the URL of the request
    """
    pieces = list(_pieces(to, found))
    target = "".join(piece.text for piece in pieces)
    origin = _ORIGIN.match(found.string)
    own = origin[0] if origin is not None else ""
    named = _NAMES_HOST.match(to)
    if named is not None:
        return target if _is_named(pieces, named.end(), len(own)) else None
    if to.startswith(_RELATIVE) or (own and re.match(rf"{re.escape(own)}(?:[/?#]|\Z)", target)):
        return target
    return "/" + target.lstrip("/\\")


def _pieces(to: str, found: Found) -> Iterator[_Piece]:
    for part in _REFERENCE.split(to):
        if _REFERENCE.fullmatch(part):
            name = part[3:-1] if part.startswith("\\g") else part[1:]
            group = int(name) if name.isdecimal() else name
            yield _Piece(found[group] or "", max(0, found.start(group)))
        elif part:
            yield _Piece(found.expand(part), -1)


def _is_named(pieces: list[_Piece], begin: int, end: int) -> bool:
    """Whether the host's end, which decides whose it is, stands in the target or in the host of the request.

    begin: where in the target the host begins
    end:   where in the request's URL its host ends
    """
    named = False
    for piece in pieces:
        text, skipped = piece.text[begin:], min(begin, len(piece.text))
        begin -= skipped
        stop = _END.search(text)
        length = len(text) if stop is None else stop.start()
        if length:
            named = piece.begin < 0 or piece.begin + skipped + length <= end
        if stop is not None:
            break
    return named
