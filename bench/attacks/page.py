"""Page: the table in docs/robustness.md, between its two marks; the words around it are written by hand."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

from bench.attacks.storm import TITLES, Row
from bench.errors import BenchError
from bench.report import markdown

PAGE = Path(__file__).parents[2] / "docs" / "robustness.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def write(rows: Sequence[Row], page: Path = PAGE) -> None:
    """Put the table of `rows` into the page. Raises BenchError when its marks are not there."""
    text = page.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise BenchError(f"{page.name} has no {BEGIN} … {END} any longer; put the two lines where the table belongs")
    table = markdown([TITLES, *(row.cells() for row in rows)])
    page.write_text(f"{before}{BEGIN}\n{_where()}\n\n{table}\n{END}{after}", encoding="utf-8")


def _where() -> str:
    date = time.strftime("%Y-%m-%d")
    return (
        f"Measured on {date} with Python {platform.python_version()} on {platform.system()}, {os.cpu_count()} cores, "
        "which the proxy shared with the attackers, the upstreams and other work."
    )
