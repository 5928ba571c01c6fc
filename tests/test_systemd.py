"""The unit for systemd: understood, confined, and with enough time to stop in good order."""

from __future__ import annotations

import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from dockerproxy.settings import Settings

UNIT = Path(__file__).parents[1] / "docs" / "systemd" / "dockerproxy.service"
MOST_EXPOSED = 20  # of 100, as systemd rates it; a service without any confinement has 96
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a command that is there."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/dockerproxy/bin/dockerproxy run", "/bin/true"))
    return copy


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True)


@needs_systemd
def test_systemd_understands_every_line(unit: Path) -> None:
    done = analyze("verify", str(unit))
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_systemd_rates_it_as_well_confined(unit: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(unit))
    assert done.returncode == 0, done.stdout[-200:]


def test_it_has_time_to_let_requests_end() -> None:
    text = RawConfigParser(strict=False, allow_no_value=True)
    text.read(UNIT)
    assert int(text["Service"]["TimeoutStopSec"]) > Settings().grace
