"""GET /metrics: what it tells, in forms that Prometheus and its tools accept, and never more than the table has."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
from prometheus_client import parser
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics import parser as open_metrics_parser

from dockerproxy.control.overrides.overrides import Drain, Maintenance
from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.discovery.status import EngineState
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.bench import UpstreamStatus
from dockerproxy.routing.route import Domain, Route, Source, Upstream
from dockerproxy.stats import RouteStats
from dockerproxy.tls.certificate import Certificate
from dockerproxy.tls.context import server_context
from dockerproxy.web.metrics import exposition
from dockerproxy.web.metrics.endpoint import FAMILIES
from dockerproxy.web.metrics.exposition import MOST_SAMPLES, Exposition
from dockerproxy.web.metrics.family import BUCKETS
from dockerproxy.web.metrics.scrape import Scrape

from ...support.scene import Scene
from ..conftest import Build
from ..making import STARTED_AT, Answer, House

METRICS = "dockerproxy-metrics"
PLAIN = "text/plain;version=0.0.4"
OPEN_METRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
FORMATS = pytest.mark.parametrize("accept", [PLAIN, OPEN_METRICS], ids=["text", "openmetrics"])
CERTIFICATE_ENDS = STARTED_AT + 90 * 86400
HEAD_LINES = 4  # HELP, TYPE, UNIT, EOF
# Series; docs/metrics.md says so, too.
PER_ROUTE, PER_UPSTREAM = 29, 9
# The only names of labels that may be used here; each has as many values as the table, or a fixed few.
LABELS = {"route", "upstream", "state", "status", "result", "source", "kind", "routed", "code", "version", "le",
          "cert", "name"}  # fmt: skip
# https://prometheus.io/docs/practices/naming/#base-units; what counts things has none.
NOT_BASE_UNITS = re.compile(r"_(ms|milliseconds|minutes|hours|kb|mb|kilobytes|percent)(_|$)")
ROUTES: list[dict[str, Any]] = [
    {
        "name": "blog",
        "host": "blog.localhost",
        "upstreams": [
            {"name": "one", "url": "http://127.0.0.1:1"},
            {"name": "two", "url": "http://127.0.0.1:2", "weight": 0},
        ],
    },
    {"name": "stats", "host": "s.localhost", "handler": "examples.pages:hello"},
]
Sample = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture
def house(build: Build) -> House:
    """One route with two upstreams, and what happened there; an engine with three containers."""
    found: House = build(routes=ROUTES)
    wish = RouteWish("shop", Upstream("shop-1", "http://172.18.0.4:80", 1, Source.DOCKER, "id-1"), Domain("shop"))
    why = Reason(Code.NO_PORT, "it exposes no port")
    containers = (
        ContainerView("id-1", "shop-1", 1.0, "running", (wish,)),
        ContainerView("id-2", "lost", 2.0, "running", (), (why, why)),
        ContainerView("id-3", "stranger", 3.0, "running", (), (why,), mentioned=False),
    )
    found.registry.snapshot(Snapshot("docker", containers))
    status = found.control.discovery
    status.state, status.events, status.reconnects, status.last_sync_at = EngineState.CONNECTED, 12, 1, STARTED_AT + 60
    status.lag.add(0.02)
    begin, end = datetime.fromtimestamp(STARTED_AT, UTC), datetime.fromtimestamp(CERTIFICATE_ENDS, UTC)
    many = Certificate(Path("/a.pem"), tuple(f"{n}.example" for n in range(100)), begin, end, server_context("1.2"))
    found.certificates = (many, many, replace(many, cert=Path("/bare.pem"), names=()))
    _happened(found.control.stats.route("blog"))
    return found


def _happened(stats: RouteStats) -> None:
    stats.requests, stats.errors_shown, stats.retries, stats.held, stats.in_flight = 9, 1, 3, 2, 1
    stats.answers[1], stats.answers[2], stats.answers[5] = 1, 6, 1
    for seconds in (0.001, 0.002, 0.3, 60.0):
        stats.latency.add(seconds)
    one = stats.upstream("one http://127.0.0.1:1")
    one.used_successfully, one.error_counter, one.in_flight, one.total_time, one.benches = 7, 3, 1, 1.5, 2


async def scrape(house: House, accept: str = PLAIN, **fields: str) -> Answer:
    return await house.call(METRICS, target="/metrics", Accept=accept, **fields)


def parsed(text: str, accept: str) -> list[Metric]:
    """By the client library's parsers; that of OpenMetrics is strict."""
    of_format = open_metrics_parser if "openmetrics" in accept else parser
    return list(of_format.text_string_to_metric_families(text))


async def values(house: House, accept: str = PLAIN) -> Mapping[str, float]:
    """`name{label="value"}` -> value, the labels in alphabetical order."""
    answer = await scrape(house, accept)
    assert answer.status == 200
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def ours(metrics: list[Metric]) -> list[Metric]:
    return [metric for metric in metrics if metric.name.startswith("dockerproxy_")]


# What it tells


async def test_it_tells_rate_errors_and_duration_of_each_route(house: House) -> None:
    found = await values(house)

    assert found['dockerproxy_route_requests_total{route="blog"}'] == 9
    assert found['dockerproxy_route_answers_total{route="blog",status="1xx"}'] == 1
    assert found['dockerproxy_route_answers_total{route="blog",status="2xx"}'] == 6
    assert found['dockerproxy_route_answers_total{route="blog",status="3xx"}'] == 0
    assert found['dockerproxy_route_answers_total{route="blog",status="5xx"}'] == 1
    assert found['dockerproxy_route_errors_shown_total{route="blog"}'] == 1
    assert found['dockerproxy_route_retries_total{route="blog"}'] == 3
    assert found['dockerproxy_route_holds_total{route="blog"}'] == 2
    assert found['dockerproxy_route_requests_in_flight{route="blog"}'] == 1
    bucket = 'dockerproxy_route_request_duration_seconds_bucket{le="%s",route="blog"}'
    assert [found[bucket % bound] for bound in ("0.001", "0.0025", "0.25", "0.5", "10.0", "+Inf")] == [1, 2, 2, 3, 3, 4]
    assert found['dockerproxy_route_request_duration_seconds_count{route="blog"}'] == 4
    assert found['dockerproxy_route_request_duration_seconds_sum{route="blog"}'] == pytest.approx(60.303)


async def test_it_tells_how_each_upstream_fares(house: House) -> None:
    house.statuses["one"] = UpstreamStatus("benched", 3, 99.0)
    found = await values(house)

    assert found['dockerproxy_upstream_attempts_total{result="ok",route="blog",upstream="one"}'] == 7
    assert found['dockerproxy_upstream_attempts_total{result="error",route="blog",upstream="one"}'] == 3
    assert found['dockerproxy_upstream_attempts_in_flight{route="blog",upstream="one"}'] == 1
    assert found['dockerproxy_upstream_response_seconds_total{route="blog",upstream="one"}'] == 1.5
    assert found['dockerproxy_upstream_benches_total{route="blog",upstream="one"}'] == 2
    states = {
        name: [found[f'dockerproxy_upstream_state{{route="blog",state="{state}",upstream="{name}"}}']
               for state in ("up", "benched", "probation", "draining")]
        for name in ("one", "two")
    }  # fmt: skip
    assert states == {"one": [0, 1, 0, 0], "two": [0, 0, 0, 1]}
    assert found['dockerproxy_route_upstreams{route="blog",state="up"}'] == 0
    assert found['dockerproxy_route_upstreams{route="blog",state="benched"}'] == 1
    assert found['dockerproxy_route_upstreams{route="blog",state="draining"}'] == 1


async def test_a_route_that_has_lost_all_its_containers_has_no_upstream_in_any_state(house: House) -> None:
    house.registry.snapshot(Snapshot("docker"))
    found = await values(house)

    shop = {name: value for name, value in found.items() if name.startswith('dockerproxy_route_upstreams{route="shop"')}
    assert list(shop.values()) == [0, 0, 0, 0]
    assert not any('upstream="shop-1"' in name for name in found)


@FORMATS
async def test_nothing_in_a_name_drives_a_terminal(build: Build, accept: str) -> None:
    names = ["a\x1b[2J", "a\x9b[2J", "a\x85b", "a\u2028b", "a\u202eb", "a\nb", "ä"]
    ups = tuple(Upstream(name, f"http://127.0.0.1:{port}") for port, name in enumerate(names, 1))
    house = build(python_routes=[Route("site", (Domain("site.localhost"),), upstreams=ups)])
    text = (await scrape(house, accept)).text
    assert text.replace("\n", "").isprintable()
    assert text.count("dockerproxy_upstream_benches_total{") == len(names)
    assert 'upstream="ä"' in text


async def test_it_tells_of_the_proxy_itself(house: House) -> None:
    stats = house.control.stats
    stats.connections, stats.connections_total, stats.requests, stats.unrouted = 3, 40, 70, 5
    stats.connections_limit, stats.connections_refused, stats.connections_evicted = 480, 6, 7
    house.held["blog"] = 4
    drained = [Drain(route="blog", upstream=name, since=1.0) for name in ("one", "two")]
    await house.registry.override(lambda before: before.put(Maintenance(route="blog", since=1.0), *drained))
    found = await values(house)

    assert found['dockerproxy_build_info{version="1.2.3"}'] == 1
    assert found["dockerproxy_start_time_seconds"] == STARTED_AT
    assert found["dockerproxy_client_connections"] == 3
    assert found["dockerproxy_client_connections_accepted_total"] == 40
    assert found["dockerproxy_client_connections_limit"] == 480
    assert found["dockerproxy_client_connections_refused_total"] == 6
    assert found["dockerproxy_client_connections_evicted_total"] == 7
    assert found["dockerproxy_requests_total"] == 70
    assert found["dockerproxy_unrouted_requests_total"] == 5
    assert found['dockerproxy_route_requests_held{route="blog"}'] == 4
    assert found['dockerproxy_routes{source="docker"}'] == 1
    assert found['dockerproxy_routes{source="dynamic"}'] == 0
    kinds = ("drain", "weight", "maintenance", "pause")
    assert [found[f'dockerproxy_overrides{{kind="{kind}"}}'] for kind in kinds] == [2, 0, 1, 0]
    assert found["process_resident_memory_bytes"] > 0
    assert found["process_cpu_seconds_total"] > 0


async def test_it_tells_when_each_certificate_ends_under_its_first_name(house: House) -> None:
    found = await values(house)

    ends = "dockerproxy_certificate_not_after_timestamp_seconds"
    label = '{cert="/a.pem",name="0.example"}'
    assert {name: value for name, value in found.items() if name.startswith(ends)} == {
        ends + label: CERTIFICATE_ENDS,
        ends + '{cert="/bare.pem",name=""}': CERTIFICATE_ENDS,
    }
    assert found[f"dockerproxy_certificate_not_before_timestamp_seconds{label}"] == STARTED_AT


async def test_it_tells_of_discovery(house: House) -> None:
    found = await values(house)

    assert found["dockerproxy_discovery_connected"] == 1
    assert found["dockerproxy_discovery_events_total"] == 12
    assert found["dockerproxy_discovery_reconnects_total"] == 1
    assert found["dockerproxy_discovery_last_sync_timestamp_seconds"] == STARTED_AT + 60
    assert "dockerproxy_discovery_last_event_timestamp_seconds" not in found, "there was none"
    assert found['dockerproxy_discovery_lag_seconds_bucket{le="0.025"}'] == 1
    assert found['dockerproxy_containers{routed="true"}'] == 1
    assert found['dockerproxy_containers{routed="false"}'] == 1
    assert found['dockerproxy_container_problems{code="no_port"}'] == 1

    house.control.discovery.state = EngineState.RECONNECTING
    assert (await values(house))["dockerproxy_discovery_connected"] == 0


async def test_without_discovery_there_is_nothing_to_tell_of_it(build: Build) -> None:
    found = await values(build(routes=ROUTES))

    assert not [name for name in found if name.startswith(("dockerproxy_discovery", "dockerproxy_container"))]


async def test_an_admin_handler_of_ours_is_told_of_once_somebody_has_called_it(house: House) -> None:
    before = await values(house)
    house.control.stats.route("dockerproxy-health").requests = 2
    after = await values(house)

    assert not any('route="dockerproxy-' in name for name in before)
    assert after['dockerproxy_route_requests_total{route="dockerproxy-health"}'] == 2
    assert before['dockerproxy_route_requests_total{route="stats"}'] == 0, "a handler of the user's is always there"


async def test_what_a_handler_counts_with_the_client_library_is_told_too(house: House) -> None:
    mine = prometheus_client.Counter("shop_orders_total", "Orders.", ["size"])
    try:
        mine.labels("large").inc(3)
        assert (await values(house))['shop_orders_total{size="large"}'] == 3
        assert (await values(house, OPEN_METRICS))['shop_orders_total{size="large"}'] == 3
    finally:
        prometheus_client.REGISTRY.unregister(mine)


# Formats


async def test_the_format_is_the_one_that_is_asked_for(house: House) -> None:
    plain, open_metrics, any_format = [await scrape(house, accept) for accept in (PLAIN, OPEN_METRICS, "*/*")]

    assert plain.fields["content-type"] == any_format.fields["content-type"]
    assert plain.fields["content-type"].startswith("text/plain; version=0.0.4")
    assert open_metrics.fields["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert "# EOF" not in plain.text
    assert open_metrics.text.count("# EOF\n") == 1
    assert open_metrics.text.endswith("# EOF\n")
    assert plain.fields["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "accept", ["", "text/html", "text/plain;version=x.y", ";;,=", "application/openmetrics-text;version=?"]
)
async def test_whatever_is_asked_for_there_is_an_answer(house: House, accept: str) -> None:
    assert (await scrape(house, accept)).status == 200


async def test_it_is_compressed_for_those_who_like_that(house: House) -> None:
    assert (await scrape(house, Accept_Encoding="gzip")).fields["content-encoding"] == "gzip"


@FORMATS
async def test_names_units_and_labels_are_by_the_conventions(house: House, accept: str) -> None:
    metrics = ours(parsed((await scrape(house, accept)).text, accept))

    assert len(metrics) >= len(FAMILIES) - 1  # there was no event yet
    for metric in metrics:
        names = {sample.name for sample in metric.samples}
        labels = {label for sample in metric.samples for label in sample.labels}
        assert re.fullmatch(r"dockerproxy(_[a-z]+)+", metric.name)
        assert re.fullmatch(r"[A-Z0-9].+\.", metric.documentation), metric.name
        assert not NOT_BASE_UNITS.search(metric.name)
        assert labels <= LABELS
        assert all(name.endswith("_total") for name in names) or metric.type != "counter", names
        assert not any(name.endswith(("_total", "_count", "_sum", "_bucket")) for name in names - {"_total"}) or (
            metric.type in ("counter", "histogram")
        )
        if "openmetrics" in accept:
            assert metric.unit == ("seconds" if "_seconds" in metric.name else "")


@FORMATS
async def test_no_series_is_there_twice_and_no_family_is_torn_apart(house: House, accept: str) -> None:
    text = (await scrape(house, accept)).text
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    series = Counter((sample.name, frozenset(sample.labels.items())) for sample in _samples(text, accept))

    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert [one for one, count in series.items() if count > 1] == []


def _samples(text: str, accept: str) -> Iterator[Any]:
    for metric in parsed(text, accept):
        yield from metric.samples


@FORMATS
async def test_buckets_are_cumulative_and_end_with_the_count(house: House, accept: str) -> None:
    (duration,) = [metric for metric in parsed((await scrape(house, accept)).text, accept)
                   if metric.name == "dockerproxy_route_request_duration_seconds"]  # fmt: skip
    of_blog = [sample for sample in duration.samples if sample.labels["route"] == "blog"]
    buckets = [(float(sample.labels["le"]), sample.value) for sample in of_blog if sample.name.endswith("_bucket")]

    assert [bound for bound, _ in buckets] == [*BUCKETS, float("inf")]
    assert sorted(buckets) == sorted(buckets, key=lambda bucket: bucket[1])
    assert buckets[-1][1] == next(sample.value for sample in of_blog if sample.name.endswith("_count"))


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed: apt-get install prometheus")
async def test_promtool_finds_nothing_to_complain_of(house: House) -> None:
    text = (await scrape(house)).text

    found = await asyncio.to_thread(
        subprocess.run, ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60
    )
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


@FORMATS
async def test_names_that_are_hard_to_write_come_out_as_they_are(build: Build, accept: str) -> None:
    name = 'docker 2 - "error" \\ \n ünïcödé {x="y"} 1'
    route = {**ROUTES[0], "upstreams": [{"name": name, "url": "http://127.0.0.1:1"}]}
    text = (await scrape(build(routes=[route]), accept)).text

    states = [sample for sample in _samples(text, accept) if sample.name == "dockerproxy_upstream_state"]
    assert [sample.labels["upstream"] for sample in states] == [name] * 4


# Bounds


async def test_upstreams_of_one_name_are_told_apart_by_their_urls(build: Build) -> None:
    upstreams = [{"name": "same", "url": f"http://127.0.0.1:{port}"} for port in (1, 2)]
    found = await values(build(routes=[{**ROUTES[0], "upstreams": [*upstreams, {"url": "http://127.0.0.1:3"}]}]))

    prefix = 'dockerproxy_upstream_benches_total{route="blog",upstream="'
    assert [name.removeprefix(prefix) for name in found if name.startswith(prefix)] == [
        'same http://127.0.0.1:1"}',
        'same http://127.0.0.1:2"}',
        'http://127.0.0.1:3"}',
    ]


async def test_a_container_that_is_recreated_goes_on_in_the_same_series(house: House) -> None:
    before = await values(house)
    (view, *_) = house.registry.containers
    (wish,) = view.wishes
    upstream = Upstream("shop-1", "http://172.18.0.9:80", 1, Source.DOCKER, "id-9")
    anew = replace(view, id="id-9", wishes=(replace(wish, upstream=upstream),))
    house.registry.snapshot(Snapshot("docker", (anew,)))

    assert {name for name in await values(house) if "shop" in name} == {name for name in before if "shop" in name}


async def test_clients_cannot_make_series(tmp_path: Any) -> None:
    async with Scene(tmp_path) as scene:
        server = await scene.proxy(await scene.upstream(), host="site.localhost")
        client = await scene.client()

        async def series() -> set[str]:
            await client.ask("GET", "/metrics", host="root.localhost")
            lines = (await client.answer()).text.splitlines()
            return {line.rpartition(" ")[0] for line in lines if line.startswith("dockerproxy_")}

        async def flood(number: int) -> None:
            await client.ask("GET", "/", host=f"random-{number}.example")
            await client.ask(f"METHOD{number}", f"/path-{number}", host="site.localhost")
            assert ((await client.answer()).status, (await client.answer()).status) == (404, 200)

        await series()  # its own route is told of from now on
        before = await series()
        for number in range(200):
            await flood(number)

        assert await series() == before
        assert server.stats.unrouted == 200


def many_routes(count: int) -> list[dict[str, Any]]:
    return [
        {
            "name": f"route-{number}",
            "host": f"r{number}.localhost",
            "upstreams": [{"name": f"r{number}-{each}", "url": f"http://127.0.0.1:{each}"} for each in range(1, 4)],
        }
        for number in range(count)
    ]


async def test_with_500_routes_it_is_written_in_slices_between_which_all_else_goes_on(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build(routes=many_routes(500))
    monkeypatch.setattr(exposition, "_SLICE", 0.0)
    encode, _ = choose_encoder(OPEN_METRICS)
    written = Exposition(FAMILIES, Scrape(house.control), encode, ())
    pieces: list[bytes] = []
    turns = 0

    async def somebody_else() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(somebody_else())
    async for piece in written.slices():
        pieces.append(piece)
    other.cancel()

    # A histogram is added as a whole.
    assert max(piece.count(b"\n") for piece in pieces) <= MOST_SAMPLES + len(BUCKETS) + 3 + HEAD_LINES
    assert turns >= len(pieces) - 1 > 100
    text = b"".join(pieces).decode()
    series = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(series) == len(set(series))
    assert len([line for line in series if line.startswith("dockerproxy_upstream_state{")]) == 500 * 3 * 4
    of_routes = [line for line in series if 'route="route-' in line]
    assert len(of_routes) == 500 * (PER_ROUTE + 3 * PER_UPSTREAM)
    assert len(series) < len(of_routes) + 50
    assert len(parsed(text, OPEN_METRICS)) == len({line.split()[2] for line in text.splitlines() if "# TYPE" in line})


# Access


async def test_who_may_ask_is_said_as_for_other_admin_handlers(build: Build) -> None:
    token = "correct horse battery"
    local, guarded = build(), build(admin_token=token)

    assert (await scrape(local)).status == 200
    assert (await local.call(METRICS, remote="10.0.0.1")).status == 403
    assert (await scrape(guarded)).status == 401
    answer = await scrape(guarded, Authorization=f"Bearer {token}")
    assert answer.status == 200
    assert token not in answer.text
