"""The families about upstreams, each one on each of its routes. A handler is no upstream here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dockerproxy.stats import UpstreamStats
from dockerproxy.web.metrics.family import Family, Kind, Reading
from dockerproxy.web.metrics.scrape import Scrape

STATES = ("up", "benched", "probation", "draining")


def _each(read: Callable[[UpstreamStats], float]) -> Callable[[Scrape], Iterator[Reading]]:
    """One value for each upstream."""
    return lambda scrape: (((route.name, label), read(stats)) for route, label, _, stats in scrape.upstreams())


def _attempts(scrape: Scrape) -> Iterator[Reading]:
    for route, label, _, stats in scrape.upstreams():
        yield (route.name, label, "ok"), stats.used_successfully
        yield (route.name, label, "error"), stats.error_counter


def _state(scrape: Scrape) -> Iterator[Reading]:
    for route, label, upstream, _ in scrape.upstreams():
        found = scrape.state(route, upstream)
        for state in STATES:
            yield (route.name, label, state), state == found


FAMILIES = (
    Family(
        "dockerproxy_upstream_attempts_total",
        Kind.COUNTER,
        "Attempts by result: ok brought an answer, error brought none that could be used.",
        _attempts,
        ("route", "upstream", "result"),
    ),
    Family(
        "dockerproxy_upstream_response_seconds_total",
        Kind.COUNTER,
        "Time until the head of the answer was there, summed over the attempts that were ok.",
        _each(lambda stats: stats.total_time),
        ("route", "upstream"),
    ),
    Family(
        "dockerproxy_upstream_attempts_in_flight",
        Kind.GAUGE,
        "Attempts that wait for the head of an answer.",
        _each(lambda stats: stats.in_flight),
        ("route", "upstream"),
    ),
    Family(
        "dockerproxy_upstream_benches_total",
        Kind.COUNTER,
        "Times that errors in a row put it on the bench.",
        _each(lambda stats: stats.benches),
        ("route", "upstream"),
    ),
    Family(
        "dockerproxy_upstream_state",
        Kind.GAUGE,
        "1 for the state that it is in, 0 for the others: up, benched, probation or draining.",
        _state,
        ("route", "upstream", "state"),
    ),
)
