"""Expression: a regular expression with a bound on what one path or address may cost; and Budget, that of one request.

An expression may come from a label, the path from anybody, and together they can take longer than the world lasts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

import regex

BUDGET = 0.02  # seconds that all expressions together may cost one request
# Each may take half of what is left, so that a slow one does not keep those behind it from being asked.
PATIENCE = _HALF = BUDGET / 2  # seconds
_LEAST = 0.001  # seconds; with less left, this request has been asked enough
# For those that were too slow before: enough for any usual path, so that nobody ends a route by one long path.
_HURRY = 0.001  # seconds, all of them together
_LEAST_HURRIED = 0.0001  # seconds
_MOST_SLOW = 1000  # texts that are remembered, of at most 1,000 characters each

log = logging.getLogger("dockerproxy.routing")

Found = regex.Match[str]


def stopped() -> float:
    """The clock of those who have none: no time goes by, and each expression has its patience."""
    return 0.0


class Clocks(NamedTuple):
    """Seconds by a clock that is cheap to read, and by one that stands still while others have the processor."""

    cheap: Callable[[], float] = stopped
    own: Callable[[], float] = stopped


_STOPPED = Clocks()


class Budget:
    """What one request may cost, in seconds.

    Half of it goes by the cheap clock; whoever has used that up is measured by the one that nobody else can advance.

    now:   the clock
    left:  of what those may take that were not too slow before; hurry: of what the others may take
    tried: how many expressions were tried
    over:  whether one was not tried any more
    """

    __slots__ = ("_dearest", "_exact", "_most", "_own", "hurry", "left", "now", "over", "tried")

    def __init__(self, clocks: Clocks = _STOPPED) -> None:
        self.now, self._own = clocks
        self._exact = False
        self._dearest: Expression | None = None
        self._most = 0.0
        self.hurry = _HURRY
        self.left = BUDGET
        self.tried = 0
        self.over = False

    def __repr__(self) -> str:
        return f"<Budget: {self.left:.6f} s left after {self.tried} expressions>"

    @property
    def spent(self) -> float:
        """Seconds."""
        return BUDGET - self.left

    def settle(self, expression: Expression, cost: float) -> None:
        """Half is gone after this expression, or was before: measure exactly, and note who is the dearest."""
        if not self._exact:
            self._exact, self.now, self.left = True, self._own, BUDGET / 2
        elif cost > self._most:
            self._most, self._dearest = cost, expression

    def close(self) -> None:
        """There is nothing left to try another one with, for which the dearest one pays."""
        self.over = True
        if self._dearest is not None:
            self._dearest.hurry(f"took most of the {BUDGET * 1000:.0f} ms that one request may cost")


class Slow:
    """The expressions that were too slow, by their texts: they were so whatever becomes of their routes."""

    __slots__ = ("_texts",)

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}

    def __repr__(self) -> str:
        return f"<Slow: {len(self._texts)} expressions>"

    def __contains__(self, text: object) -> bool:
        return text in self._texts

    def add(self, text: str) -> None:
        """Remember one; of too many the oldest is forgotten."""
        self._texts[text] = None
        if len(self._texts) > _MOST_SLOW:
            del self._texts[next(iter(self._texts))]


class Expression:
    """One that has been too slow once has to hurry from then on: what it has not found in a short time it does not fit.

    text:  in the notation of Python's `re`
    whose: whose it is, for the log: "route 'blog': its path rule"
    known: where it is remembered that it was too slow
    """

    __slots__ = ("_known", "_pattern", "_slow", "_whose", "text")

    def __init__(self, text: str, whose: str, known: Slow | None = None) -> None:
        self.text = text
        self._whose = whose
        self._known = Slow() if known is None else known
        self._slow = text in self._known
        self._pattern = regex.compile(text, regex.V0)

    def __repr__(self) -> str:
        return f"<Expression {self.text!r}{', slow' if self._slow else ''}>"

    def fits(self, path: str, budget: Budget) -> bool | None:
        """Whether it is found in `path`; None when it did not get the time to tell."""
        if self._slow:
            return self._fits_in_a_hurry(path, budget)
        share = budget.left / 2
        if share < _LEAST:
            budget.close()
            return None
        now = budget.now
        began = now()
        found = self._search(path, share)
        cost = now() - began
        budget.tried += 1
        budget.left -= cost
        if budget.left <= _HALF:
            budget.settle(self, cost)
        return found

    def whole(self, text: str, budget: Budget) -> Found | None:
        """What it finds, where it fits all of `text` and finds that in time."""
        seconds = min(budget.left, budget.hurry if self._slow else BUDGET) / 2
        if seconds < _LEAST_HURRIED:
            return None
        began = budget.now()
        try:
            return self._pattern.fullmatch(text, timeout=seconds)
        except (TimeoutError, MemoryError):
            self._too_slow(text, seconds)
            return None
        finally:
            budget.left -= budget.now() - began

    def hurry(self, why: str) -> None:
        """It was too slow; told once."""
        if self._slow:
            return
        self._slow = True
        self._known.add(self.text)
        log.warning(
            "%s %r %s; from now on it has %g ms for a path, and fits none that takes longer; write it without"
            " nested or adjoining repetitions",
            self._whose, self.text, why, _HURRY / 2 * 1000,
        )  # fmt: skip

    def _fits_in_a_hurry(self, path: str, budget: Budget) -> bool | None:
        share = budget.hurry / 2
        if share < _LEAST_HURRIED:
            return None
        began = budget.now()
        found = self._search(path, share)
        budget.tried += 1
        budget.hurry -= budget.now() - began
        return found

    def _search(self, path: str, seconds: float) -> bool | None:
        try:
            return self._pattern.search(path, timeout=seconds) is not None
        except (TimeoutError, MemoryError):
            self._too_slow(path, seconds)
            return None

    def _too_slow(self, text: str, seconds: float) -> None:
        self.hurry(f"takes longer than {seconds * 1000:.0f} ms for {len(text)} characters")


def named_groups(text: str, path: str) -> dict[str, str]:
    """The named groups of the expression in `path`; none if it is not found there in time."""
    try:
        found = regex.compile(text, regex.V0).search(path, timeout=PATIENCE)
    except (TimeoutError, MemoryError):
        return {}
    return {} if found is None else {name: value or "" for name, value in found.groupdict().items()}
