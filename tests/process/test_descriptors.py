"""The number of files that may be open, in a process of its own for each case."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASK = "from dockerproxy.process.descriptors import raise_limit, limit; print(limit(), raise_limit(), limit())"


@pytest.mark.parametrize(
    ("soft", "hard", "found"), [(100, 300, "100 300 300"), (300, 300, "300 300 300")], ids=["lower", "as high"]
)
def test_the_soft_limit_is_raised_to_the_hard_one(soft: int, hard: int, found: str) -> None:
    command = f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$0" -c "{ASK}"'
    done = subprocess.run(["sh", "-c", command, sys.executable], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == found
