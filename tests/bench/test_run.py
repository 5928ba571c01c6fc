"""A whole run, small: it measures, keeps the figures and leaves nothing behind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bench.cli import main
from bench.peers import program

needs_nginx = pytest.mark.skipif(program("nginx") is None, reason="nginx is not installed: it is the upstream")


@needs_nginx
def test_a_run_measures_side_by_side_and_keeps_the_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.json"
    cores = os.sched_getaffinity(0)

    code = main(["--smoke", "--only", "answer-1m", "--proxies", "dockerproxy,nginx", "--json", str(file)])

    (result,) = json.loads(file.read_text())["results"]
    figures = {row["name"]: row["figures"] for row in result["rows"]}
    assert code == 0
    assert figures.keys() == {"dockerproxy", "nginx"}
    assert all(each["errors"] == 0 and each["cpu_us"] > 0 and each["rss_mib"] > 0 for each in figures.values())
    assert figures["nginx"]["x_nginx"] == 1.0
    assert str(file) in capsys.readouterr().out
    assert os.sched_getaffinity(0) == cores


def test_a_proxy_that_nobody_knows_is_refused_with_those_that_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--proxies", "ngimx"])

    assert '"ngimx" is not one of dockerproxy, nginx' in capsys.readouterr().err


def test_a_page_from_a_file_that_is_not_there_is_an_error_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--page-from", str(tmp_path / "gone.json")]) == 1
    assert "gone.json" in capsys.readouterr().err
