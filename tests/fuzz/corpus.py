"""Corpus: the inputs worth keeping, one text file each, by target.

A file holds the input with `\\r`, `\\n` and other bytes that are no visible ASCII written as escapes; real line breaks
are only there for the reader, and do not count.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"


def as_text(data: bytes) -> str:
    """`data` as text to read."""
    return data.decode("latin-1").encode("unicode_escape").decode("ascii").replace("\\n", "\\n\n")


def as_bytes(text: str) -> bytes:
    """The input that `text` stands for."""
    return text.replace("\n", "").encode("ascii").decode("unicode_escape").encode("latin-1")


class Corpus:
    """The kept inputs of one target."""

    def __init__(self, target: str, folder: Path = FOLDER) -> None:
        self._folder = folder / target

    def __repr__(self) -> str:
        return f"<Corpus in {self._folder.name}>"

    def files(self) -> list[Path]:
        return sorted(self._folder.glob("*.txt"))

    def inputs(self) -> list[bytes]:
        return [as_bytes(file.read_text(encoding="ascii")) for file in self.files()]

    def keep(self, data: bytes, kind: str) -> Path:
        """Write `data` into a file whose name begins with `kind`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{kind}-{hashlib.sha256(data).hexdigest()[:12]}.txt"
        file.write_text(as_text(data), encoding="ascii")
        return file
