"""What aiohttp, which serves handlers, would refuse in a head though upstreams get it: told so that it refuses nothing.

A client could else have an answer of aiohttp's in the place of ours, and a traceback in the log each time. Such field
lines go as values of Dockerproxy-Field, from which `web.handlers.entrance` makes what they were. Pure.
"""

from __future__ import annotations

import base64
from importlib.util import find_spec

FIELD = "Dockerproxy-Field"
_PREFIX = FIELD.encode() + b": "

# Fields that aiohttp takes once only (its SINGLETON_HEADERS); upstreams may get them as often as a client sends them.
_ONCE = frozenset(
    {b"content-location", b"content-range", b"content-type", b"etag", b"max-forwards", b"server", b"user-agent"}
)
_NEVER = frozenset({b"sec-websocket-key1"})  # of the draft before RFC 6455; aiohttp refuses whoever sends it
_CODING = b"content-encoding"
_NOT_ALWAYS = _NEVER | {_CODING}
# What aiohttp decodes bodies with where it is installed, and refuses the request for where it is not.
_LIBRARIES = {b"br": ("brotli", "brotlicffi"), b"zstd": ("compression.zstd", "backports.zstd")}


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it would be in
        return False


_UNDECODABLE = frozenset(coding for coding, modules in _LIBRARIES.items() if not any(map(_is_there, modules)))


def for_handler(lines: list[bytes]) -> list[bytes]:
    """The field lines of a request, as a handler is told them: these very ones, but for few requests."""
    names = [line.partition(b":")[0].lower() for line in lines]
    if len(set(names)) == len(names) and _NOT_ALWAYS.isdisjoint(names):
        return lines
    told: list[bytes] = []
    seen: set[bytes] = set()
    for name, line in zip(names, lines, strict=True):
        undecodable = name == _CODING and line[len(_CODING) + 1 :].strip().lower() in _UNDECODABLE
        if name in seen or name in _NEVER or undecodable:
            line = _PREFIX + base64.b64encode(line)
        elif name in _ONCE:
            seen.add(name)
        told.append(line)
    return told
