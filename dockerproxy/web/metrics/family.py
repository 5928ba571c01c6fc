"""Family: one metric: what it is called and means, and how its values are read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from dockerproxy.stats import LATENCY_BOUNDS, Latency
from dockerproxy.web.metrics.scrape import Scrape

# Of 64 buckets, those that graphs and objectives are made of: each one is a series for every route.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds
_CUTS = tuple((str(bound), bisect_left(LATENCY_BOUNDS, bound)) for bound in BUCKETS)

Value = float | Latency
Reading = tuple[tuple[str, ...], Value]  # values of the labels in their order, and the value


class Kind(StrEnum):
    """The types of Prometheus that are used here."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric.

    name:   as Prometheus shows it: a counter ends in `_total`, a unit comes before that
    help:   one sentence
    labels: names of its labels
    read:   gives the values; those of an info stand in the labels
    """

    name: str
    kind: Kind
    help: str
    read: Callable[[Scrape], Iterable[Reading]]
    labels: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """`seconds` or ""."""
        return "seconds" if self.name.removesuffix("_total").endswith("_seconds") else ""

    def parts(self, scrape: Scrape, most: int) -> Iterator[Metric]:
        """The metric in parts of about `most` samples each; none when there is nothing to tell."""
        part = _MAKE[self.kind](self)
        for labels, value in self.read(scrape):
            if len(part.samples) >= most:
                yield part
                part = _MAKE[self.kind](self)
            _add(part, self, tuple(map(_harmless, labels)), value)
        if part.samples:
            yield part


def _harmless(label: str) -> str:
    """A value of a label without what would drive the terminal of whoever looks at the text.

    The end of a line is written as `\\n` by the formats themselves.
    """
    if label.isprintable():
        return label
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in label
    )


def _info(family: Family) -> Metric:
    return InfoMetricFamily(family.name.removesuffix("_info"), family.help, labels=())


_MAKE: dict[Kind, Callable[[Family], Metric]] = {
    Kind.COUNTER: lambda family: CounterMetricFamily(family.name, family.help, labels=family.labels, unit=family.unit),
    Kind.GAUGE: lambda family: GaugeMetricFamily(family.name, family.help, labels=family.labels, unit=family.unit),
    Kind.HISTOGRAM: lambda family: HistogramMetricFamily(
        family.name, family.help, labels=family.labels, unit=family.unit
    ),
    Kind.INFO: _info,
}


def _add(part: Metric, family: Family, labels: tuple[str, ...], value: Value) -> None:
    if isinstance(part, HistogramMetricFamily) and isinstance(value, Latency):
        part.add_metric(labels, *_buckets(value))
    elif isinstance(part, InfoMetricFamily):
        part.add_metric((), dict(zip(family.labels, labels, strict=True)))
    elif isinstance(part, (CounterMetricFamily, GaugeMetricFamily)) and not isinstance(value, Latency):
        part.add_metric(labels, value)


def _buckets(latency: Latency) -> tuple[list[tuple[str, float]], float]:
    """The cumulative buckets with their bounds, and the sum."""
    seen = latency.up_to()
    return [*((bound, seen[index]) for bound, index in _CUTS), ("+Inf", seen[-1])], latency.total
