"""Mixed: a thousand requests of browsers that differ, and the files that they ask for.

The same head again and again flatters whoever remembers the last one; people's requests differ in path, query, cookies,
Referer and Accept. The requests are made from a fixed seed: each run and each proxy gets the same ones, in one order.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.browser import HEADERS

REQUESTS = 1_000
FILES = 200
# Bytes; the median of what pages consist of is some KiB.
SIZES = (128, 512, 2_048, 6_144, 16_384, 40_960)
POST_BODY = 1_024  # bytes
# One request in so many is a POST, or has an If-None-Match that hits.
_ONE_IN = 20
_SEED = 20
# When each file was changed last, in seconds since 1970: nginx makes its ETag of that and of the size.
CHANGED = 1_700_000_000

_KINDS = (
    ("css", "text/css,*/*;q=0.1", "style"),
    ("js", "*/*", "script"),
    ("png", "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "image"),
    ("woff2", "*/*", "font"),
    ("html", HEADERS["Accept"], "document"),
)


@dataclass(frozen=True, slots=True)
class File:
    """One file of the upstream. path: below its root, without a leading slash; size: bytes."""

    path: str
    size: int
    kind: int

    @property
    def etag(self) -> str:
        """As nginx makes it."""
        return f'"{CHANGED:x}-{self.size:x}"'


def files() -> list[File]:
    """All files, each size as often as the others."""
    return [_file(number) for number in range(FILES)]


def requests(host: str) -> list[bytes]:
    """All requests, whole, in the order in which they are sent."""
    return list(_requests(host, files(), random.Random(_SEED)))


def _file(number: int) -> File:
    kind = number % len(_KINDS)
    ending = _KINDS[kind][0]
    return File(f"assets/{number % 17}/part-{number:03}.{ending}", SIZES[number % len(SIZES)], kind)


def _requests(host: str, known: Sequence[File], chance: random.Random) -> Iterator[bytes]:
    for number in range(REQUESTS):
        file = chance.choice(known)
        if number % _ONE_IN == 0:
            yield _post(host, number, chance)
        else:
            yield _get(host, file, chance, fresh=number % _ONE_IN == 1)


def _get(host: str, file: File, chance: random.Random, *, fresh: bool) -> bytes:
    _, accept, destination = _KINDS[file.kind]
    query = f"?v={chance.getrandbits(32):08x}&page={chance.randrange(500)}" if chance.random() < 0.5 else ""
    fields = {**_fields(host, chance), "Accept": accept, "Sec-Fetch-Dest": destination}
    if fresh:
        fields["If-None-Match"] = file.etag
    return _whole(f"GET /{file.path}{query}", fields)


def _post(host: str, number: int, chance: random.Random) -> bytes:
    fields = {
        **_fields(host, chance),
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Content-Length": str(POST_BODY),
        "Origin": f"http://{host}",
    }
    return _whole(f"POST /api/items/{number}?trace={chance.getrandbits(48):012x}", fields, b"j" * POST_BODY)


def _fields(host: str, chance: random.Random) -> dict[str, str]:
    """A browser's, of one of many people on one of many pages."""
    cookies = [f"session={chance.getrandbits(128):032x}", f"seen={chance.randrange(10_000)}", "theme=dark"]
    return {
        "Host": host,
        **HEADERS,
        "Referer": f"http://{host}/pages/{chance.randrange(300)}.html?from={chance.randrange(50)}",
        "Cookie": "; ".join(cookies[: chance.randrange(1, 4)]),
    }


def _whole(line: str, fields: dict[str, str], body: bytes = b"") -> bytes:
    lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body
