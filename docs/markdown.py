"""Markdown tables: rows of plain text -> a table. Knows nothing of what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`[^`]*`)")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with one line per row; what Markdown would take for something else is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_escaped, line)) + " |" for line in lines)


def _escaped(cell: str) -> str:
    """Bars end a cell even in code; angle brackets are tags except in code."""
    parts = _CODE.split(cell.replace("|", r"\|"))
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in parts)


def code(text: str) -> str:
    """`text` as code; nothing for no text."""
    return f"`{text}`" if text else ""
