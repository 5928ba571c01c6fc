"""Mutation: one input -> another one like it. Every choice comes from the generator that is handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

LONGEST = 4096  # bytes of an input
_MOST_STEPS = 6  # changes to one input
_COPIED = 64  # bytes that are copied at most
_Step = Callable[[Random, bytes, Sequence[bytes]], bytes]


def mutate(random: Random, data: bytes, other: bytes, words: Sequence[bytes]) -> bytes:
    """`data` after a few changes; some of them take a part of `other` or one of `words`."""
    for _ in range(random.randint(1, _MOST_STEPS)):
        step = random.choice(_STEPS)
        data = step(random, data, (other, *words))
    return data[:LONGEST]


def _place(random: Random, data: bytes) -> int:
    return random.randint(0, len(data))


def _insert_word(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    at = _place(random, data)
    return data[:at] + random.choice(words[1:]) + data[at:]


def _replace_byte(random: Random, data: bytes, _words: Sequence[bytes]) -> bytes:
    at = _place(random, data)
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def _delete(random: Random, data: bytes, _words: Sequence[bytes]) -> bytes:
    at = _place(random, data)
    return data[:at] + data[at + random.randint(1, 8) :]


def _double(random: Random, data: bytes, _words: Sequence[bytes]) -> bytes:
    start, at = _place(random, data), _place(random, data)
    return data[:at] + data[start : start + random.randint(1, _COPIED)] + data[at:]


def _splice(random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    return data[: _place(random, data)] + words[0][_place(random, words[0]) :]


def _repeat_byte(random: Random, data: bytes, _words: Sequence[bytes]) -> bytes:
    at = _place(random, data)
    return data[:at] + data[at : at + 1] * random.randint(2, _COPIED) + data[at:]


_STEPS: tuple[_Step, ...] = (_insert_word, _insert_word, _replace_byte, _delete, _double, _splice, _repeat_byte)
