"""The tables of engines.md, from docs/engines.json, which `make engines` writes by asking real engines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from docs.markdown import code, table

RECORD = Path(__file__).with_name("engines.json")
_NOT_TOLD = "not told"
_NOTHING = "nothing"

Record = Mapping[str, Any]


def engine_tables() -> dict[str, str]:
    """Name of the table -> the table."""
    engines: list[Record] = list(json.loads(RECORD.read_text(encoding="utf-8")).values())
    return {
        "engines": _engines(engines),
        "events": _grouped(engines, ("what is done", "events, in this order"), _events),
        "states": _grouped(engines, ("after", "`State` in the list", "`Status`"), _state),
        "list": _list(engines),
        "proxy": _grouped(engines, ("after", "gets requests", "what the log says"), _proxy),
    }


def _engines(engines: Iterable[Record]) -> str:
    header = ("engine", "API", "oldest API that it takes")
    return table(header, ((each["name"], each["api"], each["oldest api"]) for each in engines))


def _events(step: Record) -> tuple[str, ...]:
    return (", ".join(map(code, step["events"])) or _NOTHING,)


def _state(step: Record) -> tuple[str, ...]:
    return code(step["state"]) or "not listed", code(_without_time(step["status"])) or _NOTHING


def _proxy(step: Record) -> tuple[str, ...]:
    said = [line.removeprefix("INFO").strip() for line in step["log"]]
    return "yes" if step["in rotation"] else "no", "; ".join(map(code, said)) or _NOTHING


def _without_time(status: str) -> str:
    """`Up 3 seconds (healthy)` -> `Up … (healthy)`: how long is no matter of the engine."""
    word, _, rest = status.partition(" ")
    ends = [f"({part}" for part in rest.split("(")[1:]]
    return " ".join([word, *(["…"] if word == "Up" else []), *(end.partition(")")[0] + ")" for end in ends)])


def _grouped(engines: Iterable[Record], header: tuple[str, ...], cells: Callable[[Record], tuple[str, ...]]) -> str:
    """One row for each answer that there is to a step, with the engines that gave it."""
    found: dict[tuple[str, ...], list[str]] = {}
    steps = list(dict.fromkeys(step for each in engines for step in each["steps"]))
    for step in steps:
        for each in engines:
            if step in each["steps"]:
                found.setdefault((step, *cells(each["steps"][step])), []).append(each["name"])
    return table((*header, "engines"), ((*row, ", ".join(names)) for row, names in found.items()))


def _list(engines: Iterable[Record]) -> str:
    known = list(engines)
    fields = list(dict.fromkeys(field for each in known for field in each["list"]))
    rows = ((field, *(code(each["list"].get(field, "")) or _NOT_TOLD for each in known)) for field in fields)
    return table(("the list's", *(each["name"] for each in known)), rows)
