"""Message: what a request and an answer have in common where they are taken apart, by a reading of the tests' own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self


@dataclass
class Message:
    """A message as it came over the wire; names of fields in lower case."""

    line: str
    fields: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, head: bytes) -> Self:
        """The message that begins with this head, which ends with an empty line."""
        line, *rest = head[:-4].decode("latin-1").split("\r\n")
        return cls(line, [field_of(text) for text in rest])

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name.lower()]

    def __getitem__(self, name: str) -> str:
        values = self.all(name)
        assert len(values) == 1, f"{name}: {values} in {self.fields}"
        return values[0]

    def __contains__(self, name: str) -> bool:
        return bool(self.all(name))


def field_of(line: str) -> tuple[str, str]:
    """Name and value of one field."""
    name, _, value = line.partition(":")
    return name.lower(), value.strip(" ")
