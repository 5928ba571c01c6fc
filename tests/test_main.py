"""The command hears signals before it has loaded anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import dockerproxy

DEADLINE = 60.0  # seconds; only a fault takes that long
NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--map-root-user"]
# Stands in for a package that takes long to load: a signal comes, and nothing goes on for a while.
SLOW_PACKAGE = "import os, signal, time\nos.kill(os.getpid(), signal.{signal})\ntime.sleep({seconds})\n"


def command(folder: Path, signal_name: str, seconds: float, *, first_process: bool) -> subprocess.CompletedProcess[str]:
    """`dockerproxy run`, to which a signal comes while it loads its packages."""
    (folder / "yaml.py").write_text(SLOW_PACKAGE.format(signal=signal_name, seconds=seconds))
    # The coverage of subprocesses hears SIGTERM, too.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    return subprocess.run(
        [*(NAMESPACE if first_process else ()), sys.executable, "-m", "dockerproxy", "run"],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


def can_make_namespaces() -> bool:
    try:
        return subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not can_make_namespaces(), reason="no right to make a PID namespace (unshare)")
def test_a_stop_while_the_first_process_of_a_container_loads_is_not_lost(tmp_path: Path) -> None:
    done = command(tmp_path, "SIGTERM", DEADLINE, first_process=True)
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, "")


def test_a_stop_while_any_other_process_loads_ends_it_as_usual(tmp_path: Path) -> None:
    done = command(tmp_path, "SIGTERM", DEADLINE, first_process=False)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")


def test_a_reload_while_it_loads_does_not_end_it(tmp_path: Path) -> None:
    done = command(tmp_path, "SIGHUP", 0.0, first_process=False)
    assert done.returncode == 1  # it went on, to find that the package is none
    assert "yaml" in done.stderr


def test_the_public_names_are_there_without_being_loaded_before() -> None:
    program = (
        "import sys, dockerproxy; assert 'aiohttp' not in sys.modules; print(dockerproxy.Proxy, dockerproxy.Route)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(getattr(dockerproxy, name) is not None for name in dockerproxy.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Proxi'"):
        _ = dockerproxy.Proxi  # type: ignore[attr-defined]  # the point of it
