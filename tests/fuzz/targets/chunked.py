"""Chunked bodies: the pieces in which one comes make no difference, what is written is read again as it was, and
where another parser finds a whole body as well, it is the same one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dockerproxy.http1.framing import ChunkedDecoder, encode_chunk, encode_end
from dockerproxy.http1.head import MessageError

from .others import other_parsers
from .target import Unexpected, must

_HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Outcome(NamedTuple):
    """What a body came to; a refused one has no body that could count."""

    refused: bool
    done: bool
    body: bytes
    rest: bytes
    trailers: tuple[bytes, ...]


class ChunkedBodies:
    """ChunkedDecoder. The first byte of an input says into how long pieces the rest is cut."""

    words: Sequence[bytes] = (
        b"5\r\nhello\r\n", b"0\r\n\r\n", b"0\r\n", b"A;x=y\r\n", b';a="\\""', b"x: y\r\n", b"content-length: 1\r\n",
        b"\r\n", b"\r", b"\n", b"00000000000000005", b"fffffffffffffff", b" ", b"\t", b";", b"-", b"0x", b"_",
    )  # fmt: skip

    def __init__(self) -> None:
        self._others = other_parsers()

    def check(self, data: bytes) -> None:
        size, data = (data[0] or 1, data[1:]) if data else (1, b"")
        whole = _outcome(data, len(data) + 1)
        must(_outcome(data, size) == whole, f"in pieces of {size} bytes: {_outcome(data, size)}, whole: {whole}")
        if not whole.done:
            return
        again = encode_chunk(whole.body) if whole.body else b""
        again += encode_end(whole.trailers)
        repeated = _outcome(again, len(again) + 1)
        must(repeated == whole._replace(rest=b""), f"written and read again: {repeated}, was {whole}")
        for other in self._others:
            seen = other.request(_HEAD + data)
            if seen is not None:
                must(seen.body == whole.body, f"{type(other).__name__} sees {seen.body!r}, we {whole.body!r}")

    def close(self) -> None:
        for other in self._others:
            other.close()


def _outcome(data: bytes, size: int) -> Outcome:
    decoder, body = ChunkedDecoder(), b""
    for start in range(0, len(data), size):
        with Unexpected("decoding", MessageError) as refused:
            body += decoder.feed(data[start : start + size])
        if refused.raised:
            return Outcome(True, False, b"", b"", ())
        if decoder.done:
            rest = decoder.rest + data[start + size :]
            return Outcome(False, True, body, rest, tuple(decoder.trailers))
    return Outcome(False, False, body, b"", ())
