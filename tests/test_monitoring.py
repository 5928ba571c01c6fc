"""docs/metrics.md, the alerts and the dashboard: all name metrics that there are, and alerts come in time."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
import yaml

from dockerproxy.web.metrics.endpoint import FAMILIES
from dockerproxy.web.metrics.family import Kind

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "metrics.md").read_text()
ALERTS = yaml.safe_load((DOCS / "alerts.yaml").read_text())
DASHBOARD = json.loads((DOCS / "grafana-dashboard.json").read_text())
# What Prometheus adds to every series, and what a histogram has.
ADDED = {"job", "instance"}
PARTS = ("_bucket", "_sum", "_count")
# What the client library tells of the process, on Linux only.
PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}

needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed: apt-get install prometheus"
)


def series_labels() -> Mapping[str, set[str]]:
    """Every name that a query may use, with its labels."""
    found = {name: set(ADDED) for name in PROCESS}
    for family in FAMILIES:
        if family.kind is Kind.HISTOGRAM:
            found |= {family.name + part: {*family.labels, *ADDED, "le"} for part in PARTS}
        else:
            found[family.name] = {*family.labels, *ADDED}
    return found


LABELS = series_labels()


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def queries() -> Iterator[tuple[str, str]]:
    """Where it stands, and every query of the dashboard, the alerts and the page."""
    for panel in panels():
        for target in panel["targets"]:
            yield f"dashboard: {panel['title']} {target['refId']}", target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield f"dashboard: ${variable['name']}", re.sub(r"label_values\((.*), \w+\)", r"\1", variable["definition"])
    for rule in rules():
        yield f"alert: {rule['alert']}", rule["expr"]
    (block,) = re.findall(r"```promql\n(.*?)```", PAGE, re.DOTALL)
    for number, query in enumerate(re.split(r"^#.*\n", block, flags=re.MULTILINE)[1:]):
        yield f"page: {number}", query


def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    return found


QUERIES = dict(queries())


def test_the_page_has_every_metric_with_its_type_labels_and_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*) \| (.*) \|$", PAGE, re.MULTILINE)

    assert rows == [(family.name, family.kind, ", ".join(family.labels), family.help) for family in FAMILIES]


@pytest.mark.parametrize("where", QUERIES)
def test_a_query_names_metrics_and_labels_that_there_are(where: str) -> None:
    query = QUERIES[where]
    names = re.findall(r"\b(?:dockerproxy|process|python)_\w+", query)
    selected = re.findall(r"(\w+)\{([^}]*)\}", query)
    grouped = [label for group in re.findall(r"\bby \(([^)]*)\)", query) for label in group.split(", ")]

    assert names
    assert [name for name in names if name not in LABELS] == []
    for name, matchers in selected:
        assert set(re.findall(r"(\w+)=?[=!]~?\"", matchers)) <= LABELS[name]
    assert set(grouped) <= set().union(*(LABELS[name] for name in names))


def test_the_process_metrics_that_queries_use_are_told_by_the_library() -> None:
    told = {sample.name for metric in prometheus_client.REGISTRY.collect() for sample in metric.samples}

    assert told >= PROCESS


def test_the_dashboard_can_be_imported_with_any_datasource() -> None:
    everywhere = [*panels(), *(target for panel in panels() for target in panel["targets"])]

    assert [each["datasource"]["uid"] for each in everywhere] == ["${datasource}"] * len(everywhere)
    assert DASHBOARD["templating"]["list"][0]["type"] == "datasource"
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert "id" not in DASHBOARD


def test_no_panel_of_the_dashboard_lies_on_another() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken.get((x, y))}"
                assert x < 24
                taken[x, y] = panel["title"]


def test_every_alert_says_what_is_wrong_and_where() -> None:
    assert len(rules()) == 5
    for rule in rules():
        assert set(rule["annotations"]) == {"summary", "description"}
        assert "$labels.instance" in str(rule["annotations"]) or "$labels.upstream" in rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"critical", "warning"}


@needs_promtool
def test_promtool_understands_the_alerts_and_every_query(tmp_path: Path) -> None:
    fill = {"$__rate_interval": "1m", "$job": ".*", "$instance": ".*", "$route": ".*"}
    records = []
    for number, query in enumerate(QUERIES.values()):
        for variable, value in fill.items():
            query = query.replace(variable, value)
        records.append({"record": f"query_{number}", "expr": query})
    (tmp_path / "queries.yaml").write_text(json.dumps({"groups": [{"name": "queries", "rules": records}]}))

    promtool("check", "rules", str(DOCS / "alerts.yaml"), str(tmp_path / "queries.yaml"))


def promtool(*arguments: str) -> None:
    found = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


# Each alert with series in the notation of promtool (a value a minute), what is firing after 20 minutes, and why.
CASES: list[tuple[str, Mapping[str, str], list[dict[str, str]]]] = [
    ("all is well", {'dockerproxy_route_upstreams{route="a", state="up"}': "2x30"}, []),
    (
        "none is in rotation",
        {
            'dockerproxy_route_upstreams{route="a", state="up"}': "2x10 0x20",
            'dockerproxy_route_upstreams{route="a", state="probation"}': "0x30",
            'dockerproxy_route_upstreams{route="b", state="up"}': "0x30",
            'dockerproxy_route_upstreams{route="b", state="probation"}': "1x30",
        },
        [{"alertname": "DockerproxyRouteDown", "route": "a"}],
    ),
    (
        "all fail, and are tried again and again",
        {
            'dockerproxy_route_upstreams{route="a", state="up"}': "2x30",
            'dockerproxy_upstream_attempts_total{route="a", upstream="1", result="error"}': "0+60x30",
            'dockerproxy_upstream_attempts_total{route="a", upstream="1", result="ok"}': "5x30",
            'dockerproxy_upstream_attempts_total{route="b", upstream="1", result="error"}': "0+60x30",
            'dockerproxy_upstream_attempts_total{route="b", upstream="2", result="ok"}': "0+1x30",
        },
        [{"alertname": "DockerproxyRouteDown", "route": "a"}],
    ),
    (
        "a tenth of the answers are errors",
        {
            'dockerproxy_route_answers_total{route="a", status="5xx"}': "0+10x30",
            'dockerproxy_route_answers_total{route="a", status="2xx"}': "0+90x30",
            'dockerproxy_route_answers_total{route="b", status="5xx"}': "0+1x30",
            'dockerproxy_route_answers_total{route="b", status="2xx"}': "0+99x30",
            'dockerproxy_route_answers_total{route="idle", status="5xx"}': "0x30",
        },
        [{"alertname": "DockerproxyErrorsHigh", "route": "a"}],
    ),
    (
        "the engine is lost",
        {"dockerproxy_discovery_connected": "1x10 0x20"},
        [{"alertname": "DockerproxyDiscoveryStale"}],
    ),
    (
        "nothing has been listed for long",
        {
            "dockerproxy_discovery_connected": "1x30",
            "dockerproxy_discovery_last_sync_timestamp_seconds": "0+60x10 600x20",
        },
        [{"alertname": "DockerproxyDiscoveryStale"}],
    ),
    (
        "an upstream stays on the bench",
        {
            'dockerproxy_upstream_state{route="a", upstream="1", state="benched"}': "0x5 1x3 0x1 1x20",
            'dockerproxy_upstream_state{route="a", upstream="1", state="probation"}': "0x5 0x3 1x1 0x20",
            'dockerproxy_upstream_state{route="a", upstream="2", state="benched"}': "0x16 1x20",
        },
        [{"alertname": "DockerproxyUpstreamUnsteady", "route": "a", "upstream": "1"}],
    ),
    (
        "an upstream comes and goes",
        {'dockerproxy_upstream_benches_total{route="a", upstream="1"}': "0+1x30"},
        [{"alertname": "DockerproxyUpstreamUnsteady", "route": "a", "upstream": "1"}],
    ),
    (
        "certificates end in 13 days, in 15, soon but made for so short a time, and within its last sixth",
        {
            f'dockerproxy_certificate_not_{when}_timestamp_seconds{{cert="{name}", name="x"}}': f"{days * 86400}x30"
            for name, begins, ends in (("a", -77, 13), ("b", -75, 15), ("c", -3, 3), ("d", -6, 1))
            for when, days in (("before", begins), ("after", ends))
        },
        [{"alertname": "DockerproxyCertificateExpires", "cert": name, "name": "x"} for name in ("a", "d")],
    ),
]


@needs_promtool
def test_an_alert_comes_when_it_should_and_only_then(tmp_path: Path) -> None:
    names = [rule["alert"] for rule in rules()]
    severity = {rule["alert"]: rule["labels"]["severity"] for rule in rules()}
    tests = []
    for _, series, firing in CASES:
        expected: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for alert in firing:
            labels = {name: value for name, value in alert.items() if name != "alertname"}
            expected[alert["alertname"]].append({"exp_labels": {**labels, "severity": severity[alert["alertname"]]}})
        tests.append(
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [
                    {"eval_time": "20m", "alertname": name, "exp_alerts": alerts} for name, alerts in expected.items()
                ],
            }
        )
    unexplained = [{key: value for key, value in rule.items() if key != "annotations"} for rule in rules()]
    (tmp_path / "alerts.yaml").write_text(json.dumps({"groups": [{"name": "alerts", "rules": unexplained}]}))
    wanted = {"rule_files": ["alerts.yaml"], "evaluation_interval": "30s", "tests": tests}
    (tmp_path / "alerts_test.yaml").write_text(json.dumps(wanted))

    promtool("test", "rules", str(tmp_path / "alerts_test.yaml"))
