"""Target: what must hold for every input."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol


class Finding(Exception):
    """An input broke what must hold; the text says what."""


class Target(Protocol):
    """Something to fuzz.

    words: pieces that are likely to matter
    """

    words: Sequence[bytes]

    def check(self, data: bytes) -> None:
        """Raise Finding when `data` breaks what must hold."""

    def close(self) -> None:
        """End what was started."""


class Unexpected(AbstractContextManager["Unexpected"]):
    """Turns every exception but those that were expected into a Finding; the expected ones pass out of the block.

    raised: whether an expected one came
    """

    def __init__(self, what: str, *expected: type[Exception]) -> None:
        self.raised = False
        self._what = what
        self._expected = expected

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or isinstance(error, Finding) or not isinstance(error, Exception):
            return False
        self.raised = isinstance(error, self._expected)
        if self.raised:
            return True
        raise Finding(f"{self._what}: {type(error).__name__}: {error}") from error


def must(holds: bool, what: str) -> None:
    """Raise Finding unless it holds."""
    if not holds:
        raise Finding(what)
