"""Bars: the budgets that a change must not break, and which of them a run holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.peers import DOCKERPROXY
from bench.scenarios.control import BUSY, QUIET, STARTED
from bench.scenarios.figures import TIMES, Result
from bench.scenarios.routes import MANY


@dataclass(frozen=True, slots=True)
class Bar:
    """An upper bound for one figure. over: a row whose figure the bound is a multiple of, instead of 1."""

    what: str
    scenario: str
    row: str
    figure: str
    limit: float
    unit: str
    over: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a bar holds; found is None when it was not measured."""

    what: str
    limit: float
    unit: str
    found: float | None

    @property
    def words(self) -> str:
        """`holds`, `does not hold` or `not measured`."""
        if self.found is None:
            return "not measured"
        return "holds" if self.found <= self.limit else "does not hold"


BARS: Sequence[Bar] = (
    Bar("small answers: CPU per request", "small-32", DOCKERPROXY, "x_nginx", 3.0, f"{TIMES} nginx"),
    Bar("small answers: CPU per request", "small-32", DOCKERPROXY, "x_caddy", 0.6, f"{TIMES} Caddy"),
    Bar("answers of 1 MiB: CPU per request", "answer-1m", DOCKERPROXY, "x_nginx", 1.2, f"{TIMES} nginx"),
    Bar("server-sent events: first one, p99", "stream", DOCKERPROXY, "first_p99_ms", 5.0, "ms"),
    Bar("10,000 routes: CPU per request", "routes", f"{DOCKERPROXY} {MANY}", "x_one", 1.05, f"{TIMES} one route"),
    Bar("event at the engine → first answer, p99", "event", STARTED, "p99_ms", 100.0, "ms"),
    Bar("full list of 1,000 containers, to the first answer, median", "fleet", STARTED, "median_ms", 300.0, "ms"),
    Bar("100 changes a second: requests lost", "churn", BUSY, "lost", 0.0, "requests"),
    Bar("100 changes a second: changes lost", "churn", BUSY, "wrong", 0.0, "changes"),
    Bar("100 changes a second: p99", "churn", BUSY, "p99_ms", 2.0, f"{TIMES} quiet", over=QUIET),
    Bar("idle client connection", "idle", DOCKERPROXY, "kib", 12.0, "KiB"),
)


def verdicts(results: Sequence[Result]) -> list[Verdict]:
    """What holds, of all bars whose scenario was run."""
    by_name = {result.name: result for result in results}
    return [Verdict(bar.what, bar.limit, bar.unit, _found(bar, by_name)) for bar in BARS if bar.scenario in by_name]


def _found(bar: Bar, results: Mapping[str, Result]) -> float | None:
    result = results[bar.scenario]
    found = result.figure(bar.row, bar.figure)
    if not bar.over or found is None:
        return found
    base = result.figure(bar.over, bar.figure)
    return found / base if base else None
