"""`python -m tests.fuzz`: fuzz every target for its part of the time; the exit code is 1 when something was found."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile

from .campaign import Campaign, atheris_is_installed
from .targets import TARGETS, share

DEFAULT_SECONDS = 600.0


def main() -> int:
    arguments = _arguments()
    if arguments.target and arguments.alone:
        return Campaign(arguments.target, arguments.seconds, arguments.seed).run()
    names = [arguments.target] if arguments.target else list(TARGETS)
    print(
        f"guided by {'atheris' if atheris_is_installed() else 'the lines reached'}, seed {arguments.seed}", flush=True
    )
    shares = sum(share(name) for name in names)
    codes = [_run(name, arguments.seconds * share(name) / shares, arguments.seed) for name in names]
    return int(any(codes))


def _run(name: str, seconds: float, seed: int) -> int:
    """One target in a process of its own: what one breaks does not stop the others."""
    print(f"{name}: {seconds:.0f} s", flush=True)
    own = ["--alone", "--target", name, "--seconds", str(seconds), "--seed", str(seed)]
    with tempfile.TemporaryDirectory() as folder:  # libFuzzer ends the process without cleaning up
        environment = {**os.environ, "TMPDIR": folder}
        return subprocess.run([sys.executable, "-m", str(__package__), *own], check=False, env=environment).returncode


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=DEFAULT_SECONDS, help="in all; default: %(default)g")
    parser.add_argument("--target", choices=TARGETS, help="only this one")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="for the same run once more")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
