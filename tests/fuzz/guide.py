"""Guide: fuzzing guided by the lines of the package that an input reaches. Needs nothing but Python."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from random import Random
from types import CodeType, FrameType, TracebackType
from typing import Any

from .mutation import mutate
from .targets.target import Finding, Target

_PACKAGE = "dockerproxy"


class Reached:
    """The steps from line to line in the package that were taken while this was entered."""

    def __init__(self) -> None:
        self.steps: set[tuple[CodeType, int, int]] = set()
        self._last: dict[CodeType, int] = {}
        self._before: Any = None  # coverage, when the tests are measured

    def __enter__(self) -> Reached:
        self.steps = set()
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        sys.settrace(self._before)

    def _call(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        if not frame.f_globals.get("__name__", "").startswith(_PACKAGE):
            return None
        self._last[frame.f_code] = 0
        return self._line

    def _line(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
        if event == "line":
            code, line = frame.f_code, frame.f_lineno
            self.steps.add((code, self._last.get(code, 0), line))
            self._last[code] = line
        return self._line


class Guide:
    """One run at one target.

    tried: inputs so far; kept: those that reached something new
    """

    def __init__(self, target: Target, seeds: Sequence[bytes], seed: int) -> None:
        self.tried = 0
        self.kept: list[bytes] = []
        self._target = target
        self._random = Random(seed)
        self._known: set[tuple[CodeType, int, int]] = set()
        for data in seeds or [b""]:
            self._look(data)
        self.kept = list(seeds) or [b""]

    def run(self, seconds: float) -> bytes | None:
        """Try inputs for that long. The input that broke what must hold, or None."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            data = self._next()
            if not self._look(data):
                return data
        return None

    def _next(self) -> bytes:
        # The newest ones stand for what is hardest to reach.
        newest = self.kept[-20:]
        data = self._random.choice(newest if self._random.random() < 0.5 else self.kept)
        return mutate(self._random, data, self._random.choice(self.kept), self._target.words)

    def _look(self, data: bytes) -> bool:
        """Try one input. False when it broke what must hold."""
        self.tried += 1
        reached = Reached()
        try:
            with reached:
                self._target.check(data)
        except Finding:
            return False
        if not reached.steps <= self._known:
            self._known |= reached.steps
            self.kept.append(data)
        return True
