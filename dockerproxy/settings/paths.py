"""Paths of URLs, and the one form in which they are compared. Pure; which route a path leads to is not decided here.

There are many ways to write one path: `/admin`, `/%61dmin`, `//admin`, `/x/../admin`. Rules and requests are compared
in one form, else who writes it another way would pass by a rule that the application behind goes by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

_UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"  # RFC 3986 section 2.3
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
# More than pchar of section 3.3: browsers differ in what they encode, and no request line is refused for its `|`.
_SEGMENT = _VISIBLE.translate(dict.fromkeys(map(ord, "/\\%?#")))
_BACKSLASH = "%5C"
_SLASHES = re.compile(r"/{2,}")
_DOTS = re.compile(r"/\.{1,2}(?:/|\Z)")


def _table(decodes: str) -> dict[str, str]:
    """The two digits that stand for a byte, in any case -> how it is written; what is not in `decodes` is encoded."""
    found = {}
    for code in range(256):
        char = chr(code)
        digits = f"{code:02X}"
        for one in {digits[0], digits[0].lower()}:
            for other in {digits[1], digits[1].lower()}:
                found[one + other] = char if char in decodes else f"%{digits}"
    return found


_SPELT, _NORMAL, _COMPARED = _table(""), _table(_UNRESERVED), _table(_SEGMENT)


def is_plain(path: str) -> bool:
    """Whether there is nothing about a path that anybody could read in another way. Asked for each request."""
    return not ("%" in path or "//" in path or "/." in path or ";" in path or "\\" in path)


def normalised(path: str) -> str:
    """The path as RFC 3986 section 6.2.2 normalises it, repeated slashes read as one.

    Bytes that need no encoding are decoded, once; all others keep theirs, with upper-case digits. An encoded slash
    stays one, and so does a backslash (`%5C`).
    """
    return resolved(merged(_written(path, _NORMAL)))


def comparable(path: str) -> str:
    """The normalised path, with all that may stand in a segment decoded, such as `@`: the form that rules go by."""
    return resolved(merged(_written(path, _COMPARED)))


def decoded(path: str) -> str:
    """The path with what may stand in a segment decoded, and nothing else changed but the spelling of what may not."""
    return _written(path, _COMPARED)


def spelt(path: str) -> str:
    """The path with nothing decoded, in the spelling of the others."""
    return _written(path, _SPELT)


def merged(path: str) -> str:
    """The path with repeated slashes read as one."""
    return _SLASHES.sub("/", path) if "//" in path else path


def resolved(path: str) -> str:
    """The path without dot segments (RFC 3986 section 5.2.4)."""
    if not has_dots(path):
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def has_dots(path: str) -> bool:
    """Whether there is a dot segment."""
    return "/." in path and _DOTS.search(path) is not None


def climbs(path: str) -> bool:
    """Whether its dot segments lead above the root."""
    depth = 0
    for segment in path.split("/")[1:] if has_dots(path) else ():
        depth += -1 if segment == ".." else segment != "."
        if depth < 0:
            return True
    return False


def _written(path: str, table: Mapping[str, str]) -> str:
    if not path.isascii():  # only a person writes such a one
        path = quote(path, safe=_VISIBLE)
    if "\\" in path:
        path = path.replace("\\", _BACKSLASH)
    if "%" not in path:
        return path
    first, *parts = path.split("%")
    known = table.get
    return first + "".join([(known(part[:2]) or f"%{part[:2]}") + part[2:] for part in parts])
