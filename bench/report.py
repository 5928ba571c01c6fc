"""Report: what came of a run, as text to read and as JSON to keep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.bars import Verdict, verdicts
from bench.errors import BenchError
from bench.scenarios.figures import Column, Result, Row

# What stands in a table where nothing was measured.
_NOTHING = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run. skipped: what was left out, each with its reason."""

    plan: str
    date: str
    machine: Mapping[str, str]
    results: Sequence[Result]
    skipped: Sequence[str] = ()

    @property
    def verdicts(self) -> list[Verdict]:
        """Which bars hold."""
        return verdicts(self.results)

    def to_json(self) -> str:
        """As it is kept in a file."""
        return json.dumps(
            {**asdict(self), "bars": [{**asdict(each), "verdict": each.words} for each in self.verdicts]}, indent=1
        )

    @classmethod
    def read(cls, file: Path) -> Report:
        """From such a file. Raises BenchError."""
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            results = [_result(each) for each in found["results"]]
            return cls(found["plan"], found["date"], found["machine"], results, found["skipped"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BenchError(f"{file} is not what --json wrote: {error}") from error


def _result(found: dict[str, Any]) -> Result:
    columns = [Column(**each) for each in found.pop("columns")]
    rows = [Row(**each) for each in found.pop("rows")]
    return Result(**found, columns=columns, rows=rows)


def table(result: Result) -> list[list[str]]:
    """The cells of a result, the titles first; columns in which nothing stands are left out."""
    columns = [
        column for column in result.columns if any(row.figures.get(column.key) is not None for row in result.rows)
    ]
    cells = [["", *(column.title for column in columns)]]
    for row in result.rows:
        cells.append([row.name, *(_number(row.figures.get(column.key), column.decimals) for column in columns)])
    return cells


def bar_table(found: Sequence[Verdict]) -> list[list[str]]:
    """The cells of the verdicts."""
    rows = [[each.what, f"{each.limit:g} {each.unit}", _number(each.found, 2), each.words] for each in found]
    return [["budget", "at most", "measured", ""], *rows]


def aligned(cells: Sequence[Sequence[str]]) -> str:
    """A table for a terminal."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            text.rjust(width) if n else text.ljust(width)
            for n, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    )


def markdown(cells: Sequence[Sequence[str]]) -> str:
    """A table for a page."""
    rule = ["---", *["---:"] * (len(cells[0]) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (cells[0], rule, *cells[1:]))


def _number(value: float | None, decimals: int) -> str:
    return _NOTHING if value is None else f"{value:,.{decimals}f}"
