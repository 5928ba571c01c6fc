"""Framing: where a chunked body ends, and how one is written (RFC 9112 section 7.1).

Sans-I/O: bytes in, pieces of the body out. Stricter than the grammar where leniency has been an attack: no
white space around the size, no bare LF, bounded extensions and trailers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockerproxy.http1.head import MessageError
from dockerproxy.http1.headers import NOT_IN_TRAILERS, TEXT, is_forwarded, is_reserved, split_field, underscore_twin

# 15 hexadecimal digits are an exabyte: enough, and no implementation behind us overflows on it.
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})((?:;[^\r\n]*)?)")
# RFC 9112 section 7.1.1: a name, and a token or quoted string as its value.
_EXTENSIONS = re.compile(
    rb"(?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb"(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|\"(?:[^\"\\]|\\.)*\"))?)*[ \t]*"
)
# RFC 9112 section 7.1.1 asks for a limit on extensions: they cost work and carry nothing.
_LONGEST_LINE = 4096  # bytes
_EXTENSION_BUDGET = 16 << 10  # bytes in one body
_TRAILER_BUDGET = 16 << 10  # bytes

# A read of 256 KiB may hold 40,000 chunks of one byte: nobody else shall wait until all of them are taken apart.
_CHUNKS_AT_ONCE = 1024

LAST_CHUNK = b"0\r\n\r\n"


def encode_chunk(data: bytes) -> bytes:
    """`data` as one chunk; it must not be empty, for an empty chunk ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def encode_end(trailers: Sequence[bytes]) -> bytes:
    """The last chunk with the trailer lines given."""
    if not trailers:
        return LAST_CHUNK
    return b"0\r\n%b\r\n\r\n" % b"\r\n".join(trailers)


class LengthDecoder:
    """Takes a body of known length; the same interface as ChunkedDecoder."""

    __slots__ = ("done", "remaining", "rest")
    pending = False
    trailers: tuple[bytes, ...] = ()

    def __init__(self, length: int) -> None:
        self.remaining = length
        self.done = False
        self.rest = b""

    def __repr__(self) -> str:
        return f"<LengthDecoder remaining={self.remaining}>"

    def feed(self, data: bytes) -> bytes:
        """The bytes of the body in `data`."""
        remaining = self.remaining
        if len(data) < remaining:
            self.remaining -= len(data)
            return data
        self.done = True
        self.remaining = 0
        self.rest = data[remaining:]
        return data[:remaining]


class ChunkedDecoder:
    """Takes a chunked body apart, in whatever pieces it comes.

    done:     whether the body has ended
    pending:  whether `feed` left chunks for the next call, which may bring nothing new: so many were too much for one
    rest:     once done, the bytes behind the body
    trailers: once done, the trailer lines that may be forwarded
    """

    __slots__ = ("_buffer", "_extensions", "_position", "_remaining", "_state", "done", "pending", "rest", "trailers")

    def __init__(self) -> None:
        self._buffer = b""
        self._position = 0  # in the buffer; it is cut once per feed, for a chunk may be one byte
        self._remaining = 0
        self._extensions = 0
        self._state = self._size_line
        self.done = self.pending = False
        self.rest = b""
        self.trailers: list[bytes] = []

    def __repr__(self) -> str:
        return f"<ChunkedDecoder {self._state.__name__.strip('_')} remaining={self._remaining}>"

    def feed(self, data: bytes) -> bytes:
        """The bytes of the body in `data`. Raises MessageError where the grammar is broken."""
        self._buffer = self._buffer + data if self._buffer else data
        self._position = 0
        pieces: list[bytes] = []
        self.pending = False
        while not self.done and not self.pending and self._state(pieces):
            self.pending = len(pieces) >= _CHUNKS_AT_ONCE
        self._buffer = self._buffer[self._position :]
        if self.done:
            self.rest, self._buffer = self._buffer, b""
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _line(self, longest: int) -> bytes | None:
        """The next line without its CRLF, or None when it is not complete."""
        buffer, start = self._buffer, self._position
        end = buffer.find(b"\n", start)
        if end < 0:
            if len(buffer) - start > longest:
                raise MessageError("bad_request", "a line of the chunked body is too long")
            if buffer[start:-1].translate(None, TEXT):
                raise MessageError("bad_request", "a control character in the chunked body's framing")
            return None
        line = buffer[start : end + 1]
        self._position = end + 1
        if not line.endswith(b"\r\n") or line[:-2].translate(None, TEXT) or len(line) > longest:
            raise MessageError("bad_request", "a malformed line in the chunked body's framing")
        return line[:-2]

    def _size_line(self, pieces: list[bytes]) -> bool:
        line = self._line(_LONGEST_LINE)
        if line is None:
            return False
        match = _SIZE_LINE.fullmatch(line)
        if match is None or (match[2] and not _EXTENSIONS.fullmatch(match[2])):
            raise MessageError("bad_request", f"a malformed chunk size: {line[:40]!r}")
        self._extensions += len(match[2])
        if self._extensions > _EXTENSION_BUDGET:
            raise MessageError("bad_request", "too many chunk extensions")
        self._remaining = int(match[1], 16)
        self._state = self._data if self._remaining else self._trailer_line
        return True

    def _data(self, pieces: list[bytes]) -> bool:
        start = self._position
        piece = self._buffer[start : start + self._remaining]
        if not piece:
            return False
        pieces.append(piece)
        self._position = start + len(piece)
        self._remaining -= len(piece)
        if self._remaining:
            return False
        self._state = self._data_end
        return True

    def _data_end(self, pieces: list[bytes]) -> bool:
        end = self._buffer[self._position : self._position + 2]
        if not b"\r\n".startswith(end):
            raise MessageError("bad_request", "chunk data is longer than its size")
        if len(end) < 2:
            return False
        self._position += 2
        self._state = self._size_line
        return True

    def _trailer_line(self, pieces: list[bytes]) -> bool:
        line = self._line(_TRAILER_BUDGET)
        if line is None:
            return False
        if not line:
            self.done = True
            return False
        self._remaining += len(line)  # of no other use once the data has ended
        field = split_field(line)
        if field is None or self._remaining > _TRAILER_BUDGET:
            raise MessageError("bad_request", f"a malformed or too long trailer: {line[:40]!r}")
        name = field[0].lower()
        if not (name in NOT_IN_TRAILERS or is_forwarded(name) or is_reserved(name) or underscore_twin(name)):
            self.trailers.append(field[0] + b": " + field[1])
        return True
