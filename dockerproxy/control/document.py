"""Document: a list of things in one JSON file, so that what was acknowledged survives a crash and a power cut.

It is replaced as a whole: a temporary file beside it, fsync, rename, fsync of the folder. A reader finds the old
document or the new one, never a part of one. What cannot be read is set aside, never lost. Which things there are,
and who may use the folder, it does not know.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from dockerproxy.process import private_file

VERSION = 1  # of every document; a change that an older reader would misread raises it
_TEMPORARY_SUFFIX = ".tmp"

log = logging.getLogger("dockerproxy.control")

Thing = TypeVar("Thing")


class Kind(NamedTuple, Generic[Thing]):
    """What a document is a list of.

    key:   how the list is called in the document
    read:  an entry -> the thing; raises ValueError that says what is wrong with the entry
    write: the thing -> an entry
    name:  what there can only be one of, in words, for example "a route named 'blog'"
    """

    key: str
    read: Callable[[Any], Thing]
    write: Callable[[Thing], Any]
    name: Callable[[Thing], str]


class Document(Generic[Thing]):
    """One file of things of one kind. Every method may raise OSError."""

    def __init__(self, file: Path, kind: Kind[Thing]) -> None:
        self.file = file
        self._kind = kind

    def __repr__(self) -> str:
        return f"<Document {self.file} of {self._kind.key}>"

    def remove_leftovers(self) -> None:
        """Remove what a crash while writing has left."""
        for path in self.file.parent.glob(f"{self.file.name}.*{_TEMPORARY_SUFFIX}"):
            path.unlink(missing_ok=True)

    def load(self) -> tuple[Thing, ...]:
        """What the file holds; nothing when there is none.

        What cannot be read is set aside as `<name>.corrupt-<time>` and logged; the rest is loaded.
        """
        try:
            content = self.file.read_bytes()
        except FileNotFoundError:
            return ()
        try:
            entries = self._entries(content)
        except ValueError as error:
            aside = self._set_aside(content)
            log.error("%s cannot be read (%s); it is kept as %s, starting without it", self.file, error, aside.name)
            self.file.unlink()
            return ()
        things, wrong = self._checked(entries)
        if wrong:
            aside = self._set_aside(content)
            for reason in wrong:
                log.error("%s: %s; left out, the whole file is kept as %s", self.file, reason, aside.name)
            self.replace(self.content(things))
        return tuple(things)

    def content(self, things: Iterable[Thing]) -> bytes:
        """The document that holds these things."""
        document = {"version": VERSION, self._kind.key: [self._kind.write(thing) for thing in things]}
        return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"

    def replace(self, content: bytes) -> None:
        """Put a new document in place of the old one, which stands when this raises."""
        temporary = self.file.with_name(f"{self.file.name}.{os.getpid()}{_TEMPORARY_SUFFIX}")
        private_file.replace(self.file, content, temporary, durably=True)

    def _entries(self, content: bytes) -> list[Any]:
        """The entries of a document, unchecked. Raises ValueError."""
        try:
            document = json.loads(content)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if isinstance(document, dict) and document.get("version") == VERSION:
            entries = document.get(self._kind.key)
            if isinstance(entries, list):
                return entries
        raise ValueError(f"expected a document of version {VERSION} with a list of {self._kind.key}")

    def _checked(self, entries: Sequence[Any]) -> tuple[list[Thing], list[str]]:
        """The valid things, and what is wrong with the others."""
        things: dict[str, Thing] = {}
        wrong = []
        for index, entry in enumerate(entries):
            where = f"{self._kind.key}[{index}]"
            try:
                thing = self._kind.read(entry)
            except ValueError as error:
                wrong.append(f"{where}: {error}")
                continue
            name = self._kind.name(thing)
            if things.setdefault(name, thing) is not thing:
                wrong.append(f"{where}: there is already {name}")
        return list(things.values()), wrong

    def _set_aside(self, content: bytes) -> Path:
        """A copy rather than a rename: until the new document stands, the old one is not given up."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        names = (self.file.with_name(f"{self.file.name}.corrupt-{stamp}{suffix}") for suffix in _suffixes())
        aside = next(path for path in names if not path.exists())
        private_file.write(aside, content, durably=True)
        return aside


def _suffixes() -> Iterator[str]:
    yield ""
    number = 1
    while True:
        number += 1
        yield f"-{number}"
