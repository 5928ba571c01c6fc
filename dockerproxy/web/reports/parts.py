"""Parts: a report in JSON, made a few items at a time, so that requests have their turn between.

A report on thousands of routes or containers takes longer to make than anybody is to wait. It comes in parts, each with
a key: the items of a list come one by one, under the key of the list, which may stand within an object: `a/b` is an
item of the list `b` of the object `a`, which has come before. It is never one text: to put ten megabytes together takes
too long as well.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

_ONE_GO = 0.001  # seconds of work before others have their turn
_CHUNK = 64 << 10  # characters that are sent at once
_STEP = 2  # spaces of indentation
_TIGHT = (",", ":")  # JSON without spaces

Part = tuple[str, Any]


class TimeSlice:
    """Lets others have their turn whenever some work has been done.

    spent: seconds of work, without those of others
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or asyncio.get_running_loop().time
        self._began = self._clock()
        self.spent = 0.0

    async def pause_when_used(self) -> None:
        """Called after each bit of work, however small."""
        now = self._clock()
        if now - self._began >= _ONE_GO:
            self.spent += now - self._began
            await asyncio.sleep(0)
            self._began = self._clock()


class JsonParts:
    """The parts of a report in JSON.

    lists:  keys of the lists, whose items come one by one; they are there also when no item comes
    indent: whether it is for a person to read
    tight:  whether it is without any spaces
    single: the text of each part that is no item of a list
    items:  the texts of the items of each list
    """

    def __init__(self, lists: Iterable[str], *, indent: bool = False, tight: bool = False) -> None:
        self._indent = indent
        self._separators = _TIGHT if tight else (",", ": ") if indent else (", ", ": ")
        self.single: dict[str, str] = {}
        self.items: dict[str, list[str]] = {key: [] for key in lists}

    async def take(self, parts: Iterable[Part], time_slice: TimeSlice) -> None:
        """Add these parts."""
        for key, value in parts:
            found = self.items.get(key)
            if found is None:
                self.single[key] = self._text(value, _STEP)
            else:
                found.append(self._text(value, _STEP * (2 + key.count("/"))))
            await time_slice.pause_when_used()

    def pieces(self) -> Iterator[str]:
        """The whole report."""
        comma, colon = self._separators
        yield "{"
        between = ""
        for key in [*self.single, *(key for key in self.items if "/" not in key)]:
            yield f'{between}{self._line(_STEP)}"{key}"{colon}'
            yield from self._object(key) if key in self.single else self._list(key, _STEP)
            between = comma
        yield self._line(0) + "}"

    def _object(self, key: str) -> Iterator[str]:
        """A part that is no list, with the lists within it."""
        within = [other for other in self.items if other.startswith(f"{key}/")]
        if not within:
            yield self.single[key]
            return
        yield self.single[key][:-1].rstrip()
        comma, colon = self._separators
        for other in within:
            yield f'{comma}{self._line(2 * _STEP)}"{other.rpartition("/")[2]}"{colon}'
            yield from self._list(other, 2 * _STEP)
        yield self._line(_STEP) + "}"

    def _list(self, key: str, depth: int) -> Iterator[str]:
        begin = self._line(depth + _STEP)
        yield "["
        for place, item in enumerate(self.items[key]):
            yield f"{self._separators[0]}{begin}{item}" if place else f"{begin}{item}"
        yield f"{self._line(depth) if self.items[key] else ''}]"

    def _line(self, depth: int) -> str:
        return "\n" + " " * depth if self._indent else ""

    def _text(self, value: Any, depth: int) -> str:
        if not self._indent:
            return json.dumps(value, ensure_ascii=False, separators=self._separators)
        return json.dumps(value, ensure_ascii=False, indent=_STEP).replace("\n", self._line(depth))


async def pairs_of(items: Iterable[Part], time_slice: TimeSlice) -> list[str]:
    """The inside of an object of these keys and values."""
    made: list[str] = []
    for key, value in items:
        made.append(f"{',' if made else ''}{json.dumps(key)}:{json.dumps(value, separators=_TIGHT)}")
        await time_slice.pause_when_used()
    return made


async def chunks_of(pieces: Iterable[str], time_slice: TimeSlice) -> list[bytes]:
    """The pieces in as few as can be sent at once."""
    made: list[bytes] = []
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            made.append("".join(waiting).encode("utf-8", "replace"))
            waiting, size = [], 0
            await time_slice.pause_when_used()
    return [*made, "".join(waiting).encode("utf-8", "replace")]
