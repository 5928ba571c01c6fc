"""HeadParser: what the parsers of request heads and of response heads have in common: the field lines.

Strict where ambiguity is an attack (RFC 9112 sections 2.2 and 5.1): such a head is refused, never mended and forwarded.
Sans-I/O: whoever reads the stream finds the end of a head, everything here works on complete heads.

A client sends nearly the same lines with every request. So a line is checked and classified once and then
remembered; a head costs one look-up per line. Lines with secrets are not remembered, and the memory is bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dockerproxy.http1 import headers
from dockerproxy.http1.head import MessageError, RequestHead, ResponseHead

_REMEMBERED_LINES = 4096  # lines; emptied when full
_LONGEST_REMEMBERED = 256  # bytes


class Limits(NamedTuple):
    """Bounds on a head: bytes in all, number of fields, bytes of the request target."""

    size: int
    fields: int
    target: int


class _Field(NamedTuple):
    """A checked line: what is forwarded of it, or what it does to the head, with its value made ready for that."""

    line: bytes
    act: Callable[..., None] | None
    value: Any


def check_line_ends(data: bytes, checked: int) -> None:
    """Refuse the beginning of a head with control characters, or a bare CR or LF. Raises MessageError.

    checked: bytes at the start that were checked before, so that a head that comes in crumbs is not read over and over
    """
    new = data[max(0, checked - 1) :]  # a CR at the end of what was checked belongs to what comes now
    if checked:
        new = new.removeprefix(b"\n")
    line_ends = new.removesuffix(b"\r").translate(None, headers.TEXT)
    if line_ends.replace(b"\r\n", b"") or line_ends.count(b"\r\n") != new.count(b"\r\n"):
        raise MessageError("bad_request", "a bare CR or LF, or a control character, in the head")


class HeadParser:
    """The memory of lines, and the check of a line that is not in it.

    acts:     what a field does to the head, by its name in lower case; others are forwarded as they are
    prepared: what makes the value of such a field ready for that, once, when its line is remembered
    """

    acts: dict[bytes, Callable[..., None]]
    prepared: dict[bytes, Callable[[bytes], Any]]

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._remembered: dict[bytes, _Field] = {}

    def _split(self, block: bytes) -> list[bytes]:
        """The lines of a head. Raises MessageError for control characters and bare CR or LF."""
        lines = block.split(b"\r\n")
        if block.translate(None, headers.TEXT) != b"\r\n" * (len(lines) - 1):
            raise MessageError("bad_request", "a bare CR or LF, or a control character, in the head")
        return lines

    def _take_fields(self, head: RequestHead | ResponseHead, lines: list[bytes], size: int) -> None:
        """Let every field line have its effect on the head; `lines` begins with the start line, `size` is of all."""
        if len(lines) - 1 > self.limits.fields:
            raise MessageError("head_too_large", f"more than {self.limits.fields} fields")
        if size > self.limits.size:
            raise MessageError("head_too_large", f"the head is larger than {self.limits.size} bytes")
        del lines[0]
        out, remembered = head.lines, self._remembered
        for line in lines:
            field = remembered.get(line) or self._read(line)
            if field.act is None:
                out.append(field.line)
            else:
                field.act(head, field.value)

    def _read(self, line: bytes) -> _Field:
        """Check and classify a line that is not remembered."""
        written, _, value = line.partition(b":")
        if written.lower() in headers.NOT_REMEMBERED:
            return _Field(written + b": " + value.strip(b" \t"), None, b"")
        split = headers.split_field(line)
        if split is None:
            raise MessageError("bad_request", f"a malformed field line: {line[:60]!r}")
        written, value = split
        name = written.lower()
        act = self.acts.get(name) or self._other_act(name)
        if act is None and (headers.is_reserved(name) or headers.underscore_twin(name)):
            act = drop
        prepare = self.prepared.get(name) if act is not None else None
        field = _Field(written + b": " + value, act, prepare(value) if prepare is not None else value)
        if len(line) <= _LONGEST_REMEMBERED:
            if len(self._remembered) >= _REMEMBERED_LINES:
                self._remembered.clear()
            self._remembered[line] = field
        return field

    def _other_act(self, name: bytes) -> Callable[..., None] | None:
        """What a field does whose name stands in no table."""
        return None


def drop(head: RequestHead | ResponseHead, value: bytes) -> None:
    """The field ends here."""


def connection(head: RequestHead | ResponseHead, said: headers.Nomination) -> None:
    head.nominated = said if head.nominated is None else head.nominated.joined(said)


def upgrade(head: RequestHead | ResponseHead, value: bytes) -> None:
    head.upgrade = value
