"""How the benchmarks turn what they counted into figures."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.bars import verdicts
from bench.browser import HEADERS
from bench.errors import BenchError
from bench.loop import Load, closed_loop, percentile
from bench.page import text
from bench.plot import plot
from bench.report import Report, aligned, markdown, table
from bench.scenarios import SCENARIOS
from bench.scenarios.figures import TRAFFIC_COLUMNS, Result, Row, Sample, ratio, traffic_rows
from bench.wrk import parse, script


def sample(cpu_us: float, p99: float = 0.002, errors: int = 0) -> Sample:
    return Sample(Load(1_000, errors, 0.5, 0.001, p99), cpu_us * 1_000 / 1e6, 10 << 20)


def result(name: str = "small-32", **cpu_us: float) -> Result:
    samples = {proxy: [sample(value)] for proxy, value in cpu_us.items()}
    return Result(name, "Small", "What is done.", TRAFFIC_COLUMNS, traffic_rows(samples))


def report(*results: Result) -> Report:
    return Report("quick", "2026-01-31", {"processor": "two cores"}, results, ["caddy is not installed"])


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(100, 0, -1)]

    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7
    assert math.isnan(percentile([], 0.5))


def test_what_is_shown_is_the_median_over_the_rounds() -> None:
    (row,) = traffic_rows({"nginx": [sample(20, 0.9), sample(30, 0.002), sample(25, 0.004)]})

    assert row.figures["cpu_us"] == pytest.approx(25)
    assert row.figures["p99_ms"] == pytest.approx(4)
    assert row.figures["rps"] == 2_000


def test_a_disturbance_that_hits_a_whole_round_does_not_change_the_ratio() -> None:
    assert ratio([40.0, 400.0, 42.0], [20.0, 200.0, 20.0]) == 2.0


def test_errors_of_all_rounds_are_counted() -> None:
    (row,) = traffic_rows({"nginx": [sample(20, errors=1), sample(20, errors=2)]})

    assert row.figures["errors"] == 3


def test_without_nginx_there_is_no_ratio_to_it() -> None:
    (row,) = traffic_rows({"dockerproxy": [sample(20)]})

    assert row.figures["x_nginx"] is None
    assert "nginx" not in markdown(table(Result("any", "", "", TRAFFIC_COLUMNS, [row])))


def test_what_wrk_prints_is_understood() -> None:
    output = 'Running 1s test\nRESULT {"requests": 500, "errors": 2, "duration": 1000000, "p50": 1500, "p99": 9000}\n'

    assert parse(output) == Load(500, 2, 1.0, 0.0015, 0.009)


def test_when_wrk_prints_nothing_of_use_the_error_shows_what_it_printed() -> None:
    with pytest.raises(BenchError, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:1")


def test_the_load_has_the_head_of_a_browser_and_the_hosts() -> None:
    lua = script(HEADERS, ["a.test", "b.test"])

    assert 'wrk.headers["Accept-Language"]' in lua
    assert '{"a.test", "b.test"}' in lua


async def test_a_load_counts_what_fails_and_stops_at_the_number() -> None:
    outcomes = iter([True, False, True, True])

    async def worker() -> bool:
        return next(outcomes)

    load = await closed_loop([worker, worker], most=4)

    assert (load.requests, load.errors) == (4, 1)


@pytest.mark.parametrize(("cpu_us", "words"), [(29.0, "holds"), (31.0, "does not hold")])
def test_a_budget_holds_up_to_its_limit(cpu_us: float, words: str) -> None:
    found = verdicts([result(dockerproxy=cpu_us, nginx=10.0)])

    assert [each.words for each in found if each.unit.endswith("nginx")] == [words]


def test_a_budget_is_not_measured_without_the_proxy_it_compares_with() -> None:
    found = verdicts([result(dockerproxy=20.0, nginx=10.0)])

    assert [each.words for each in found if each.unit.endswith("Caddy")] == ["not measured"]


def test_a_p99_that_doubles_under_changes_is_told() -> None:
    rows = [Row("quiet", {"p99_ms": 2.0}), Row("with changes", {"p99_ms": 5.0, "lost": 0, "wrong": 0})]
    found = verdicts([Result("churn", "", "", (), rows)])

    assert [each.words for each in found] == ["holds", "holds", "does not hold"]


def test_a_report_that_was_kept_makes_the_same_page(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    made = report(result(dockerproxy=20.0, nginx=10.0))
    file.write_text(made.to_json())

    assert text(Report.read(file)) == text(made)


def test_a_file_that_is_no_report_is_refused_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text("{}")

    with pytest.raises(BenchError, match=r"other\.json is not what --json wrote"):
        Report.read(file)


def test_the_page_has_the_machine_the_budgets_the_figures_and_what_was_left_out() -> None:
    page = text(report(result(dockerproxy=20.0, nginx=10.0)))

    assert "| processor | two cores |" in page
    assert "| dockerproxy | 20.0 | 2.00 |" in page
    assert "| 3 \N{MULTIPLICATION SIGN} nginx | 2.00 | holds |" in page
    assert "caddy is not installed" in page


def test_the_picture_has_a_bar_per_proxy_and_both_color_schemes() -> None:
    picture = plot([result(dockerproxy=20.0, nginx=10.0)], "dockerproxy")

    bars = [each for each in ElementTree.fromstring(picture).iter() if each.tag.endswith("rect")]
    widths = [float(bar.attrib["width"]) for bar in bars]
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)
    assert "prefers-color-scheme: dark" in picture


def test_a_table_for_a_terminal_is_aligned() -> None:
    lines = aligned(table(result(dockerproxy=20.0, nginx=10.0))).splitlines()

    assert len({len(line) for line in lines}) == 1


def test_every_scenario_is_in_the_readme_and_has_a_name_of_its_own() -> None:
    names = [each.name for each in SCENARIOS]
    page = (Path(__file__).parents[2] / "bench" / "README.md").read_text(encoding="utf-8")

    assert len(set(names)) == len(names)
    assert [name for name in names if f"`{name}`" not in page] == []
