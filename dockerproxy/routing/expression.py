"""Expression: a path rule's regular expression, with a bound on what one path may cost.

An expression may come from a label, the path from anybody, and together they can take longer than the world lasts.
"""

from __future__ import annotations

import logging

import regex

PATIENCE = 0.02  # seconds that one path may cost

log = logging.getLogger("dockerproxy.routing")


class Expression:
    """One that has taken longer than PATIENCE is suspended as long as this lives: it fits nothing.

    text:  in the notation of Python's `re`
    route: the name of the route that has it, for the log
    """

    __slots__ = ("_pattern", "_route", "_text")

    def __init__(self, text: str, route: str) -> None:
        self._text = text
        self._route = route
        self._pattern: regex.Pattern[str] | None = regex.compile(text, regex.V0)

    def __repr__(self) -> str:
        return f"<Expression {self._text!r}{'' if self._pattern else ', suspended'}>"

    def fits(self, path: str) -> bool:
        """Whether it is found in `path`."""
        if self._pattern is None:
            return False
        try:
            return self._pattern.search(path, timeout=PATIENCE) is not None
        except (TimeoutError, MemoryError):
            self._pattern = None
            log.warning(
                "route %r: its path rule %r takes longer than %.0f ms for a path of %d characters; it fits no path"
                " until the table of routes changes; write it without nested or adjoining repetitions",
                self._route, self._text, PATIENCE * 1000, len(path),
            )  # fmt: skip
            return False


def named_groups(text: str, path: str) -> dict[str, str]:
    """The named groups of the expression in `path`; none if it is not found there in time."""
    try:
        found = regex.compile(text, regex.V0).search(path, timeout=PATIENCE)
    except (TimeoutError, MemoryError):
        return {}
    return {} if found is None else {name: value or "" for name, value in found.groupdict().items()}
