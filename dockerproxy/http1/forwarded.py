"""The field Forwarded (RFC 7239): who has passed a request on, and what each of them says of whom he had it from.

Sans-I/O and pure. Whom to believe is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dockerproxy.http1.headers import TOKEN

# Section 4: a token or a quoted string; quotes and backslashes in one are escaped. More than the grammar is taken, such
# as an IPv6 address without quotes, for nothing of it is ambiguous.
_PAIR = re.compile(rb'[ \t]*([!#$%&\'*+\-.^_`|~0-9A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^\s",;]*)[ \t]*')
_ESCAPED = re.compile(rb"\\(.)")


def hops(values: Sequence[bytes]) -> list[Mapping[bytes, bytes]]:
    """What each of those on the way says, the nearest last: parameters by their lower-case names.

    Nothing at all where the field is malformed: then it is not certain who says what.
    """
    found: list[Mapping[bytes, bytes]] = []
    text = b",".join(values)
    said: dict[bytes, bytes] = {}
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None or pair[1].lower() in said:
            return []
        said[pair[1].lower()] = _unquoted(pair[2])
        at = pair.end()
        separator = text[at : at + 1]
        if separator in (b",", b""):
            found.append(said)
            said = {}
        elif separator != b";":
            return []
        at += 1
    return [] if said else found


def hop(said: Mapping[bytes, bytes]) -> bytes:
    """What one of those on the way says, as it is written."""
    return b";".join(name + b"=" + _quoted(value) for name, value in said.items() if value)


def node(address: str) -> bytes:
    """An address as it is written in `for` (section 6)."""
    return f"[{address}]".encode() if ":" in address else address.encode()


def _unquoted(value: bytes) -> bytes:
    return _ESCAPED.sub(rb"\1", value[1:-1]) if value.startswith(b'"') else value


def _quoted(value: bytes) -> bytes:
    if TOKEN.fullmatch(value):
        return value
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
