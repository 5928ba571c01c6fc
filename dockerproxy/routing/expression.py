"""Expression: a regular expression with a bound on what one path or address may cost.

An expression may come from a label, the path from anybody, and together they can take longer than the world lasts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import regex

PATIENCE = 0.02  # seconds that one path may cost

log = logging.getLogger("dockerproxy.routing")

Found = regex.Match[str]


class Expression:
    """One that has taken longer than PATIENCE is suspended as long as this lives: it fits nothing.

    text:   in the notation of Python's `re`
    whose:  whose it is, for the log: "route 'blog': its path rule"
    beyond: until when it is suspended, for the log
    """

    __slots__ = ("_beyond", "_pattern", "_text", "_whose")

    def __init__(self, text: str, whose: str, beyond: str) -> None:
        self._text = text
        self._whose = whose
        self._beyond = beyond
        self._pattern: regex.Pattern[str] | None = regex.compile(text, regex.V0)

    def __repr__(self) -> str:
        return f"<Expression {self._text!r}{'' if self._pattern else ', suspended'}>"

    def fits(self, path: str) -> bool:
        """Whether it is found in `path`."""
        return self._pattern is not None and self._tried(self._pattern.search, path) is not None

    def whole(self, text: str) -> Found | None:
        """What it finds, where it fits all of `text`."""
        return None if self._pattern is None else self._tried(self._pattern.fullmatch, text)

    def _tried(self, attempt: Callable[..., Found | None], text: str) -> Found | None:
        try:
            return attempt(text, timeout=PATIENCE)
        except (TimeoutError, MemoryError):
            self._pattern = None
            log.warning(
                "%s %r takes longer than %.0f ms for %d characters; it fits nothing until %s; write it without nested"
                " or adjoining repetitions",
                self._whose, self._text, PATIENCE * 1000, len(text), self._beyond,
            )  # fmt: skip
            return None


def named_groups(text: str, path: str) -> dict[str, str]:
    """The named groups of the expression in `path`; none if it is not found there in time."""
    try:
        found = regex.compile(text, regex.V0).search(path, timeout=PATIENCE)
    except (TimeoutError, MemoryError):
        return {}
    return {} if found is None else {name: value or "" for name, value in found.groupdict().items()}
