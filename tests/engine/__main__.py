"""Runs these tests against several engines in turn: `python -m tests.engine [--smoke] [NAME…] [--pytest ARGUMENTS]`.

Each name is `machine` (the engine that is there, or this machine's own dockerd), or `docker-` or `podman-` and a Debian
suite: that one's engine, in a network of its own, on a root that is made once by debootstrap. An engine that cannot be
had is left out, with the reason in one line; with DOCKERPROXY_REQUIRE_ENGINES=1 it is a failure.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.engine.conftest import REQUIRE_ALL_VARIABLE
from tests.engine.inside import run_at
from tests.support.docker_engine import NoEngine
from tests.support.engines.named import MACHINE

ENGINES = (MACHINE, "docker-forky", "podman-forky")
SMOKE_ENGINES = ("docker-forky", "podman-forky")
HERE = Path(__file__).parent
NOTHING_FAILED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them; 0 if nothing failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--smoke", action="store_true", help="only the tests that tell whether an engine is understood")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {' '.join(ENGINES)}")
    parser.add_argument("--pytest", nargs=argparse.REMAINDER, default=[], help="what follows is for pytest")
    given = parser.parse_args(arguments)
    names = given.names or (SMOKE_ENGINES if given.smoke else ENGINES)
    selected = [*(["-m", "smoke"] if given.smoke else []), *(given.pytest or [str(HERE)])]
    told = {name: _told(name, selected) for name in names}
    print("\n" + "\n".join(f"{name}: {what}" for name, (what, _) in told.items()), flush=True)
    return int(any(failed for _, failed in told.values()))


def _told(name: str, arguments: Sequence[str]) -> tuple[str, bool]:
    """How the run against one engine went, and whether that is a failure."""
    print(f"\n=== {name}", flush=True)
    try:
        code = run_at(name, [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments])
    except NoEngine as reason:
        required = os.environ.get(REQUIRE_ALL_VARIABLE) == "1"
        why = f" ({REQUIRE_ALL_VARIABLE}=1 makes this a failure)" if required else ""
        return f"not there: {reason}{why}", required
    return ("passed", False) if code in NOTHING_FAILED else (f"failed, exit code {code}", True)


if __name__ == "__main__":
    sys.exit(main())
