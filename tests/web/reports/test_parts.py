"""Reports in parts: the same JSON as in one piece, and others have their turn between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from dockerproxy.web.reports.parts import JsonParts, Part, TimeSlice, chunks_of, pairs_of

LISTS = ("outer/list", "items", "none")
PARTS: list[Part] = [
    ("proxy", {"a": 1, "b": [{"c": "ü\n\u2028"}]}),
    ("outer", {"d": {}, "e": []}),
    ("outer/list", {"f": [1, {"g": None}]}),
    ("outer/list", {}),
    ("flat", []),
    ("items", {"h": "}"}),
    ("items", 5),
]
WHOLE: dict[str, Any] = {
    "proxy": PARTS[0][1],
    "outer": {"d": {}, "e": [], "list": [{"f": [1, {"g": None}]}, {}]},
    "flat": [],
    "items": [{"h": "}"}, 5],
    "none": [],
}


async def made(parts: list[Part], *, indent: bool = False, tight: bool = False) -> str:
    turns, texts = TimeSlice(), JsonParts(LISTS, indent=indent, tight=tight)
    await texts.take(parts, turns)
    return b"".join(await chunks_of(texts.pieces(), turns)).decode()


async def test_the_parts_make_the_whole() -> None:
    assert await made(PARTS) == json.dumps(WHOLE, ensure_ascii=False)
    assert await made(PARTS, tight=True) == json.dumps(WHOLE, ensure_ascii=False, separators=(",", ":"))


async def test_for_a_person_it_is_indented_as_a_whole_would_be() -> None:
    assert await made(PARTS, indent=True) == json.dumps(WHOLE, ensure_ascii=False, indent=2)


@pytest.mark.parametrize("count", [1, 3, 5000])
async def test_in_chunks_nothing_is_lost_and_none_is_large(count: int) -> None:
    pieces = [f"{number}," for number in range(count * 10)]
    chunks = await chunks_of(pieces, TimeSlice())
    assert b"".join(chunks).decode() == "".join(pieces)
    assert max(map(len, chunks)) < 70_000


async def test_an_object_of_pairs() -> None:
    assert "".join(await pairs_of([("a", 1), ('"', [2])], TimeSlice())) == '"a":1,"\\"":[2]'


async def test_others_have_their_turn_when_some_work_has_been_done() -> None:
    now = 0.0
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def work() -> Iterator[Part]:
        nonlocal now
        for number in range(100):
            now += 0.0005  # seconds that an item takes
            yield "items", number

    task = asyncio.ensure_future(other())
    counted = TimeSlice(lambda: now)
    await JsonParts(LISTS).take(work(), counted)
    task.cancel()
    assert turns >= 40
    assert counted.spent == pytest.approx(0.05, abs=0.002)
