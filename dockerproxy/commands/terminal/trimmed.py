"""Trimmed: what rich draws, without the blanks at the ends of lines that a copied table would carry along."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment


class Trimmed:
    """A part of the screen; each of its lines ends where its text does."""

    def __init__(self, part: RenderableType) -> None:
        self._part = part

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in console.render_lines(self._part, options, pad=False):
            yield from _trimmed(line)
            yield Segment.line()


def _trimmed(line: Iterable[Segment]) -> list[Segment]:
    found = list(line)
    while found and not found[-1].text.rstrip():
        found.pop()
    if found:
        text, style, control = found[-1]
        found[-1] = Segment(text.rstrip(), style, control)
    return found
