"""Editing heads: fields that Python code has changed, put back among lines that stay byte for byte as they were.

Sans-I/O and pure. What says where a message ends, and what belongs to one connection, cannot be changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from dockerproxy.http1.headers import HOP_BY_HOP, TEXT, TOKEN, is_reserved, twin

Pairs = Iterable[tuple[str, str]]  # names and values, in order

_OURS = HOP_BY_HOP | {b"content-length", b"expect", b"trailer"}


def pairs(lines: Iterable[bytes]) -> list[tuple[str, str]]:
    """Field lines as names and values; bytes that are not UTF-8 are read as Latin-1."""
    split = (line.partition(b":") for line in lines)
    return [(name.decode("ascii"), decoded(value.strip(b" \t"))) for name, _, value in split]


def decoded(value: bytes) -> str:
    """A field's value as text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def changed(before: Pairs, after: Pairs) -> set[str]:
    """Lower-case names of the fields whose values are others than before."""
    before, after = list(before), list(after)
    if before == after:
        return set()
    old, new = _grouped(before), _grouped(after)
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def edited(lines: Sequence[bytes], names: Collection[str], after: Pairs) -> list[bytes]:
    """The lines, those of these fields replaced by what `after` says of them. Raises ValueError for a malformed one.

    Nor does any other field stay that an application may take for one of them.
    """
    if not names:
        return list(lines)
    kept = without(lines, names)
    added = (encoded(name, value) for name, value in after if name.lower() in names)
    return kept + [line for line in added if line]


def without(lines: Iterable[bytes], names: Iterable[str]) -> list[bytes]:
    """The lines but those of these fields, and of others that an application may take for them."""
    twins = {twin(name.encode("utf-8", "surrogateescape")) for name in names}
    return [line for line in lines if twin(line.partition(b":")[0]) not in twins]


def encoded(name: str, value: str) -> bytes:
    """A field line; b"" for a field that is the proxy's own matter. Raises ValueError for one that no head may have."""
    raw = name.encode("utf-8", "surrogateescape")
    text = value.encode("utf-8", "surrogateescape")
    if not TOKEN.fullmatch(raw):
        raise ValueError(f"{name!r} is not the name of a field")
    if text.translate(None, TEXT):
        raise ValueError(f"the value of {name} has a line break or a control character: {value!r}")
    return b"" if raw.lower() in _OURS or is_reserved(raw.lower()) else raw + b": " + text


def _grouped(items: Pairs) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in items:
        found.setdefault(name.lower(), []).append(value)
    return found
