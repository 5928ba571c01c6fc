"""The command `python -m bench`: arguments -> Plan -> a run, or a page from a run that was kept.

Exit codes: 0 done; 1 it could not be done, and said why; 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.errors import BenchError
from bench.page import write
from bench.peers import PEERS, older_build
from bench.plan import PLANS, Plan
from bench.report import Report, aligned, bar_table
from bench.run import results_file, run
from bench.scenarios import SCENARIOS
from bench.scenarios.figures import OLDER
from dockerproxy.run import loop_factory


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _publish(options) if options.page_from else _run(options)
    except (BenchError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    plan = _plan(options)
    file: Path = options.json or results_file(plan)
    file.touch()  # whether it can be written is better known before ten minutes than after
    scenarios = [each for each in SCENARIOS if not options.only or each.name in options.only]
    peers = [each for each in PEERS if not options.proxies or each.name in options.proxies]
    if options.older:
        peers.insert(1, older_build(OLDER, options.older))
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        report = runner.run(run(plan, scenarios, peers))
    if report.verdicts:
        print("\n" + aligned(bar_table(report.verdicts)))
    file.write_text(report.to_json(), encoding="utf-8")
    print(f"\nwritten: {file}")
    if options.publish:
        _write_page(report)
    return 0 if report.results else 1


def _publish(options: argparse.Namespace) -> int:
    _write_page(Report.read(options.page_from))
    return 0


def _write_page(report: Report) -> None:
    for path in write(report):
        print(f"written: {path}")


def _plan(options: argparse.Namespace) -> Plan:
    plan = PLANS[options.plan]
    return replace(plan, rounds=options.rounds) if options.rounds else plan


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure dockerproxy beside other proxies, on this machine, over 127.0.0.1.",
        epilog="bench/README.md says what each scenario does and how to read its figures.",
    )
    names = [each.name for each in SCENARIOS]
    parser.add_argument("--only", metavar="NAME", action="append", choices=names, help=", ".join(names))
    parser.add_argument(
        "--proxies", metavar="NAME,...", type=_proxies, help=f"default: all of {', '.join(each.name for each in PEERS)}"
    )
    parser.add_argument(
        "--older",
        metavar="PYTHON",
        type=Path,
        help="compare with the build that this interpreter runs, too",
    )
    plans = parser.add_mutually_exclusive_group()
    parser.set_defaults(plan="default")
    plans.add_argument("--quick", dest="plan", action="store_const", const="quick", help="one short round, 1-2 minutes")
    plans.add_argument(
        "--full", dest="plan", action="store_const", const="full", help="longer and larger, half an hour"
    )
    plans.add_argument("--smoke", dest="plan", action="store_const", const="smoke", help="whether it works at all")
    parser.add_argument("--rounds", metavar="N", type=_rounds, help="rounds, of which medians are shown")
    parser.add_argument("--json", metavar="FILE", type=Path, help="where to keep the figures; default: bench/results/")
    parser.add_argument("--publish", action="store_true", help="write docs/performance.md and its picture")
    parser.add_argument(
        "--page-from", metavar="FILE", type=Path, help="write that page from kept figures, measure nothing"
    )
    return parser


def _proxies(text: str) -> list[str]:
    known = [each.name for each in PEERS]
    names = [name.strip() for name in text.split(",")]
    wrong = [name for name in names if name not in known]
    if wrong:
        raise argparse.ArgumentTypeError(f'"{wrong[0]}" is not one of {", ".join(known)}')
    return names


def _rounds(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f'"{text}": expected a number of at least 1')
    return int(text)
