"""findings/: each script has the form that its README asks for. None is run here: they need the package registry."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FINDINGS = [path for path in sorted((ROOT / "findings").glob("*.sh")) if path.name != "all.sh"]
EACH = pytest.mark.parametrize("finding", FINDINGS, ids=lambda path: path.stem)


@EACH
def test_a_finding_says_what_was_seen_with_which_versions_and_why_it_matters(finding: Path) -> None:
    comment = finding.read_text(encoding="utf-8").partition("\nset -euo pipefail\n")[0]

    assert comment.startswith("#!/usr/bin/env bash\n# ")
    assert re.search(r"\d+\.\d+\.\d+", comment.splitlines()[1])
    assert re.search(r"^# Seen: {4}\S.*(\n# {10}\S.*)*\n# Matters: \S", comment, re.MULTILINE)


@EACH
def test_the_modules_that_a_finding_names_are_there(finding: Path) -> None:
    named = re.findall(r"\(?(dockerproxy/[\w/.]+?)[);,]", finding.read_text(encoding="utf-8"))

    assert [name for name in named if not (ROOT / name).exists()] == []


@EACH
def test_a_finding_takes_packages_of_versions_that_it_names(finding: Path) -> None:
    text = finding.read_text(encoding="utf-8")
    installed = " ".join(re.findall(r"^ *python_with (.*)$", text, re.MULTILINE)).split()

    assert installed or "debian_root" in text
    assert [package for package in installed if not re.fullmatch(r"[\w-]+==[\d.$\w]+", package)] == []


@pytest.mark.parametrize("script", sorted((ROOT / "findings").rglob("*.sh")), ids=lambda path: path.stem)
def test_the_shell_can_read_it(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
