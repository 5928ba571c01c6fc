"""`python -m bench.attacks`: attack a proxy over 127.0.0.1, and say what came of it.

Exit codes: 0 done; 1 it could not be done, and said why; 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from bench.attacks import bodies, crowds, faults, floods, page, programs, slow, tunnels
from bench.attacks.arena import Arena
from bench.attacks.attack import Attack
from bench.attacks.bounds import Bounds
from bench.attacks.storm import Row, storm
from bench.errors import BenchError
from dockerproxy.run import loop_factory

# Idle connections come first: what they cost can only be seen while no attack has made the process grow before.
MODULES = (crowds, bodies, slow, floods, faults, tunnels, programs)


def main() -> int:
    options = _options()
    attacks = [attack for module in MODULES for attack in module.ATTACKS]
    if options.autobahn:
        attacks.append(programs.autobahn(options.autobahn))
    chosen = [attack for attack in attacks if not options.only or any(word in attack.name for word in options.only)]
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            rows = runner.run(_run(Bounds.of(full=options.full), chosen))
        if options.write:
            page.write(rows)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _run(bounds: Bounds, attacks: list[Attack]) -> list[Row]:
    async with Arena(bounds) as arena:
        return await storm(arena, attacks)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.attacks", description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="default timeouts, and the whole 1 GiB: about an hour")
    parser.add_argument("--only", action="append", metavar="WORD", help="attacks whose name has this word; repeatable")
    parser.add_argument("--write", action="store_true", help="write the table into docs/robustness.md")
    parser.add_argument("--autobahn", metavar="COMMAND", help="how wstest of autobahntestsuite is started here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
