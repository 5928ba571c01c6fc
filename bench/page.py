"""Page: docs/performance.md and its picture, made from a report."""

from __future__ import annotations

from pathlib import Path

from bench.peers import DOCKERPROXY
from bench.plot import plot
from bench.report import Report, bar_table, markdown, table
from bench.scenarios.figures import Result

DOCS = Path(__file__).parents[1] / "docs"

_PAGE = """<!-- Made by `python -m bench --publish`; the words are in bench/page.py. -->

# Performance

How much dockerproxy costs beside other proxies, measured side by side in one run. `make bench` repeats it on your
machine in about ten minutes; [how it measures](../bench/README.md) is written beside the code.

**The figure to look at is CPU per request**: nanoseconds that the kernel counted for the proxy's process tree, divided
by the requests it answered meanwhile. It holds on a busy machine. Requests per second and latencies depend on what else
the machine does, and on the load generator that shares it.

![CPU per request of each proxy](performance.svg)

## The machine

A shared virtual machine on which other work went on. All figures are medians over the rounds, in which the proxies take
turns; ratios are medians of the ratios within a round.

{machine}

Every proxy runs with one process and one thread for traffic (nginx `worker_processes 1`, haproxy `nbthread 1`, Caddy
with `GOMAXPROCS=1`), takes turns between three upstreams over kept-alive connections, sets `X-Forwarded-*` and logs no
requests. aiohttp is the [proxy one would write with it in 40 lines](../bench/aiohttp_proxy.py), on uvloop: it has no
routes, no retries and no timeouts of its own.

## The budgets

{bars}

## All figures

{results}
"""


def write(report: Report, folder: Path = DOCS) -> list[Path]:
    """Write the page and its picture into `folder`; what was written."""
    page, picture = folder / "performance.md", folder / "performance.svg"
    page.write_text(text(report), encoding="utf-8")
    picture.write_text(plot(report.results, DOCKERPROXY), encoding="utf-8")
    return [page, picture]


def text(report: Report) -> str:
    """The page."""
    machine = [["", ""], ["date", report.date], ["plan", report.plan], *(list(each) for each in report.machine.items())]
    return _PAGE.format(
        machine=markdown(machine).replace("---:", "---"),
        bars=markdown(bar_table(report.verdicts)),
        results="\n\n".join([*map(_section, report.results), *report.skipped]),
    )


def _section(result: Result) -> str:
    return f"### {result.title}\n\n`{result.name}`: {result.about}\n\n{markdown(table(result))}"
