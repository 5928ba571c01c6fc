"""What a scenario gives: a table of figures with its words. Plain values; nothing here measures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.loop import Load

if TYPE_CHECKING:
    from bench.scenarios.rig import Rig


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of figure. decimals: how many are shown."""

    key: str
    title: str
    decimals: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one proxy, or of one case; None where there is none."""

    name: str
    figures: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one scenario."""

    name: str
    title: str
    about: str
    columns: Sequence[Column]
    rows: Sequence[Row]

    def figure(self, row: str, key: str) -> float | None:
        """One figure, or None when it was not measured."""
        return next((each.figures.get(key) for each in self.rows if each.name == row), None)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that can be measured.

    about: what is done, in one sentence
    """

    name: str
    title: str
    about: str
    run: Callable[[Rig], Awaitable[tuple[Sequence[Column], Sequence[Row]]]]

    async def result(self, rig: Rig) -> Result:
        """Run it. Raises BenchError."""
        columns, rows = await self.run(rig)
        return Result(self.name, self.title, self.about, columns, rows)


@dataclass(frozen=True, slots=True)
class Sample:
    """One proxy in one round. cpu: seconds of its process tree; rss: bytes, at the end of the round."""

    load: Load
    cpu: float
    rss: int

    @property
    def cpu_us(self) -> float:
        """CPU µs per request."""
        return 1e6 * self.cpu / max(1, self.load.requests)


# The name of another build of dockerproxy that takes part.
OLDER = "older"
# The sign for ratios; as an escape, for it looks like a letter in source text.
TIMES = "\N{MULTIPLICATION SIGN}"

TRAFFIC_COLUMNS = (
    Column("cpu_us", "CPU µs per request"),
    Column("x_nginx", f"{TIMES} nginx", 2),
    Column("x_caddy", f"{TIMES} Caddy", 2),
    Column("x_older", f"{TIMES} older build", 2),
    Column("rps", "requests/s", 0),
    Column("p50_ms", "p50 ms", 2),
    Column("p99_ms", "p99 ms", 2),
    Column("rss_mib", "RSS MiB"),
    Column("errors", "errors", 0),
)


def traffic_rows(samples: Mapping[str, Sequence[Sample]]) -> list[Row]:
    """Medians over the rounds, and how the CPU per request compares with nginx and Caddy in the same rounds."""
    cpu = {name: [sample.cpu_us for sample in each] for name, each in samples.items()}
    return [Row(name, _traffic(each, cpu[name], cpu)) for name, each in samples.items()]


def _traffic(
    samples: Sequence[Sample], own: Sequence[float], cpu: Mapping[str, Sequence[float]]
) -> dict[str, float | None]:
    loads = [sample.load for sample in samples]
    return {
        "cpu_us": median(own),
        "x_nginx": ratio(own, cpu.get("nginx")),
        "x_caddy": ratio(own, cpu.get("caddy")),
        "x_older": ratio(own, cpu.get(OLDER)),
        "rps": median(load.requests / load.seconds for load in loads),
        "p50_ms": median(load.p50 * 1e3 for load in loads),
        "p99_ms": median(load.p99 * 1e3 for load in loads),
        "rss_mib": samples[-1].rss / (1 << 20),
        "errors": sum(load.errors for load in loads),
    }


def ratio(own: Sequence[float], other: Sequence[float] | None) -> float | None:
    """The median of the ratios round by round, so that a disturbance that hits a whole round cancels out."""
    if not other or not all(other):
        return None
    return median(mine / theirs for mine, theirs in zip(own, other, strict=True))
