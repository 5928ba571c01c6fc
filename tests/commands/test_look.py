"""routes, upstreams, containers: what a person sees, and what a program gets."""

from __future__ import annotations

import json

import pytest

from .conftest import Run
from .fake_proxy import OWN_ROUTE, FakeProxy, container, report, route, upstream

BENCHED = upstream(
    name="blog-2", state="benched", benched_until="2026-01-31T12:01:42.000Z", last_error="connection refused",
    error_counter=11,
)  # fmt: skip
DRAINED = upstream(
    name="blog-3", state="draining", overrides={"drained": {"since": "2026-01-31T12:00:00.000Z"}, "weight": None}
)
LOST = container(
    name="office-1", routed=False, routes=[], address="",
    reasons=["dockerproxy.hots: there is no such label; did you mean dockerproxy.host?"],
)  # fmt: skip


def test_routes_tell_where_they_are_and_how_they_fare(
    proxy: FakeProxy, see: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    fields = {"hosts": ["shop.localhost", "www.shop.localhost"], "path": "/api/*", "methods": ["GET", "POST"]}
    proxy.answer("/statistics", report(route(upstream(), BENCHED, DRAINED, name="shop", errors_shown=3, **fields)))
    result = see("routes")
    assert result.code == 0
    assert "shop.localhost/api GET,POST" in result.plain
    assert "www.shop.localhost/api GET,POST" in result.plain
    assert "1 up, 1 benched, 1 draining" in result.words
    assert "12 3 12 ms" in result.words  # requests, errors, p95


def test_a_route_without_upstreams_and_a_handler_are_told_as_such(proxy: FakeProxy, see: Run) -> None:
    handler = route(name="hello", kind="handler", handler={"name": "examples.pages:hello"}, requests=0)
    proxy.answer("/statistics", report(route(), handler))
    words = see("routes").words
    assert "no upstream" in words
    assert "handler" in words
    assert "examples.pages:hello" in words


def test_routes_show_what_an_operator_has_set(proxy: FakeProxy, see: Run) -> None:
    overrides = {
        "maintenance": {"message": "Back at 14:00.", "since": "2026-01-31T12:00:30.000Z"},
        "paused": {"until": "2026-01-31T12:01:25.000Z"},
    }
    proxy.answer("/statistics", report(route(upstream(), overrides=overrides, held_now=4)))
    words = see("routes").words
    assert "maintenance since" in words
    assert "Back at 14:00." in words
    assert "paused, 25 s left" in words
    assert "4 requests held" in words


def test_routes_show_how_to_undo_what_applies_to_nothing_now(proxy: FakeProxy, see: Run) -> None:
    gone = [
        {"kind": "drain", "route": "blog", "upstream": "blog-9", "since": "2026-01-31T12:00:00Z", "applies": False},
        {"kind": "weight", "route": "blog", "upstream": "blog-9", "weight": 3, "since": "", "applies": False},
        {"kind": "maintenance", "route": "gone", "message": "", "since": "2026-01-31T12:00:00Z", "applies": False},
        {"kind": "pause", "route": "gone", "until": "2026-01-31T12:00:00Z", "applies": False},
        {"kind": "drain", "route": "blog", "upstream": "blog-1", "since": "2026-01-31T12:00:00Z", "applies": True},
    ]
    proxy.answer("/statistics", {**report(route(upstream())), "overrides": gone})
    words = see("routes").words
    for undo in (
        "undrain blog-9 --route blog",
        "weight blog-9 reset --route blog",
        "maintenance gone off",
        "resume gone",
    ):
        assert f"`dockerproxy {undo}` undoes it" in words
    assert "blog-1" not in words


@pytest.mark.usefixtures("proxy")
def test_the_proxys_own_routes_are_shown_only_when_asked_for(see: Run) -> None:
    result = see("routes")
    assert "dockerproxy-health" not in result.plain
    assert "1 route of the proxy itself: --all" in result.plain
    assert "dockerproxy-health" in see("routes", "--all").plain


def test_routes_say_that_containers_are_missing(proxy: FakeProxy, see: Run) -> None:
    proxy.answer("/statistics", report(route(upstream()), containers=[LOST, container()]))
    assert "1 container is not routed: `dockerproxy containers` says why" in see("routes").plain


def test_a_container_that_is_left_out_on_purpose_is_not_missing(proxy: FakeProxy, see: Run) -> None:
    why = [{"code": "forbidden", "text": "its label dockerproxy.enable=false forbids it"}]
    off = container(name="job-1", routed=False, routes=[], why=why, reasons=[why[0]["text"]])
    proxy.answer("/statistics", report(route(upstream()), containers=[off]))
    assert "not routed" not in see("routes").plain
    words = see("containers").words
    assert "Not routed" not in words
    assert "Left out on purpose: 1 container job-1 (running) its label dockerproxy.enable=false forbids it" in words


def test_who_misses_a_container_among_all_is_told_that_those_without_labels_are_not_shown(
    proxy: FakeProxy, see: Run
) -> None:
    told = "Those without a label are not shown: `dockerproxy explain NAME` says more"
    proxy.answer("/statistics", report(containers=[container(), LOST]))
    assert told in see("containers").plain
    assert told not in see("containers", "office-1").plain
    proxy.answer("/statistics", report(containers=[]))
    assert told in see("containers").plain


@pytest.mark.parametrize("command", ["routes", "upstreams", "containers"])
def test_no_line_ends_in_blanks(proxy: FakeProxy, see: Run, command: str) -> None:
    lost = {**LOST, "reasons": ["why " * 60]}
    proxy.answer("/statistics", report(route(upstream(), BENCHED, DRAINED), containers=[container(), lost]))
    assert [line for line in see(command).plain.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("command", ["routes", "upstreams", "containers"])
def test_an_engine_that_does_not_answer_is_told_where_it_matters(proxy: FakeProxy, see: Run, command: str) -> None:
    proxy.answer("/statistics", report(state="reconnecting", error="no such file"))
    assert "the engine does not answer, so this may be out of date: no such file" in see(command).words


@pytest.mark.parametrize(
    ("command", "words"),
    [("routes", "No routes: label"), ("upstreams", "No upstreams: label"), ("containers", "No container has a label")],
)
def test_nothing_is_told_in_words_with_the_way_to_have_something(
    proxy: FakeProxy, see: Run, command: str, words: str
) -> None:
    proxy.answer("/statistics", report(OWN_ROUTE))
    assert words in see(command).plain


def test_upstreams_show_the_bench_by_the_proxys_own_clock_and_the_last_error(proxy: FakeProxy, see: Run) -> None:
    proxy.answer("/statistics", report(route(upstream(), BENCHED)))
    result = see("upstreams")
    assert "benched, 42 s left" in result.plain
    assert "connection refused" in result.plain
    assert result.words.index("blog blog-1 up") < result.words.index("blog-2 benched")


def test_an_upstream_that_nobody_has_tried_is_not_plainly_up(proxy: FakeProxy, see: Run) -> None:
    fresh = upstream(name="blog-2", used_successfully=0)
    failing = upstream(name="blog-3", used_successfully=0, error_counter=1, last_error="connection refused")
    proxy.answer("/statistics", report(route(upstream(), fresh, failing)))

    assert see("upstreams").words.count("up, not tried yet") == 1


def test_upstreams_show_what_was_set_by_hand(proxy: FakeProxy, see: Run) -> None:
    weighted = upstream(
        name="blog-4", weight=7, overrides={"drained": None, "weight": {"weight": 7, "since": "2026-01-31T12:00:00Z"}}
    )
    proxy.answer("/statistics", report(route(DRAINED, weighted)))
    words = see("upstreams").words
    assert "blog-3 draining" in words
    assert "by hand since" in words
    assert "blog-4 up 7" in words


def test_containers_that_are_not_routed_come_first_with_their_reasons(proxy: FakeProxy, see: Run) -> None:
    odd = container(name="blog-2", reasons=["dockerproxy.wieght: there is no such label"])
    proxy.answer("/statistics", report(containers=[container(), LOST, odd]))
    words = see("containers").words
    assert words.startswith("Not routed: 1 container office-1 (running) dockerproxy.hots: there is no such label")
    assert "dockerproxy explain office-1" in words
    assert "blog-1 running blog 172.18.0.3:2368" in words
    assert "dockerproxy.wieght: there is no such label" in words


@pytest.mark.parametrize("command", ["routes", "upstreams", "containers"])
def test_tables_fit_80_columns_also_with_long_names(proxy: FakeProxy, see: Run, command: str) -> None:
    long = "a-very-long-name-of-a-service-that-somebody-thought-was-clear"
    one = upstream(
        name=f"{long}-1", url=f"http://{long}.internal:8080", state="benched", last_error="x" * 200,
        error_counter=10**6, used_successfully=10**9, benched_until="2026-01-31T13:31:42.000Z",
    )  # fmt: skip
    proxy.answer(
        "/statistics",
        report(
            route(one, name=long, hosts=[f"{long}.example.com"], requests=10**9, errors_shown=10**6),
            containers=[container(name=f"{long}-1", routes=[long]), {**LOST, "reasons": ["why " * 60]}],
        ),
    )
    result = see(command)
    assert max(len(line) for line in result.plain.splitlines()) <= 80
    assert long in result.plain.replace("\n", "").replace(" ", "") or "a-very-long" in result.plain


@pytest.mark.parametrize("command", ["routes", "upstreams", "containers"])
def test_names_and_errors_cannot_give_orders_to_the_terminal(proxy: FakeProxy, see: Run, command: str) -> None:
    evil = "a\x1b]0;evil\x07\x9b2J[red]b[/red]"
    one = upstream(name=evil, url=f"http://{evil}", state=evil, last_error=evil)
    rows = [container(name=evil, routes=[evil], address=evil, state=evil), {**LOST, "name": evil, "reasons": [evil]}]
    proxy.answer("/statistics", report(route(one, name=evil, hosts=[evil]), containers=rows, error=evil))
    plain = see(command).plain
    assert not {"\x1b", "\x07", "\x9b"} & set(plain)
    assert "[red]" in plain.replace("\n", "").replace(" ", "")


def test_colours_show_states_in_a_terminal_and_no_color_takes_them_away(
    proxy: FakeProxy, see: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.answer("/statistics", report(route(upstream(), BENCHED)))
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[32mup" in see("upstreams").out
    assert "\x1b[31mbenched" in see("upstreams").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in see("upstreams").out
    assert "benched" in see("upstreams").out


def test_a_program_gets_json_in_the_shape_of_the_api(proxy: FakeProxy, run: Run) -> None:
    rows = [LOST, container()]
    proxy.answer("/statistics", report(route(upstream(), BENCHED), OWN_ROUTE, containers=list(reversed(rows))))
    assert json.loads(run("routes").out) == [route(upstream(), BENCHED)]
    assert json.loads(run("routes", "--all").out) == [route(upstream(), BENCHED), OWN_ROUTE]
    assert json.loads(run("upstreams").out) == [{"route": "blog", **upstream()}, {"route": "blog", **BENCHED}]
    assert json.loads(run("containers", "--json").out) == rows


def test_json_has_no_control_characters_either(proxy: FakeProxy, run: Run) -> None:
    proxy.answer("/statistics", report(route(name="ä\x1b\x9b\x7f")))
    text = run("routes").out
    assert not {"\x1b", "\x9b", "\x7f"} & set(text)
    assert json.loads(text)[0]["name"] == "ä\x1b\x9b\x7f"


@pytest.mark.parametrize("command", ["routes", "upstreams"])
def test_only_the_routes_that_are_named_are_shown(proxy: FakeProxy, run: Run, command: str) -> None:
    proxy.answer("/statistics", report(route(upstream()), route(upstream(name="shop-1"), name="shop")))
    found = json.loads(run(command, "shop").out)
    assert [row.get("route", row["name"]) for row in found] == ["shop"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("routes", "blgo"), "there is no route named 'blgo'; did you mean 'blog'?"),
        (("upstreams", "zzz"), "there is no route named 'zzz'; there are: blog, dockerproxy-health"),
        (("containers", "blog1"), "there is no container named 'blog1'; did you mean 'blog-1'?"),
        (
            ("containers", "zzz"),
            "there is no container named 'zzz' with a label of dockerproxy's; there are: blog-1; if there is one"
            " without: dockerproxy explain zzz",
        ),
    ],
)
@pytest.mark.usefixtures("proxy")
def test_an_unknown_name_is_told_with_what_was_meant(run: Run, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert result == (1, "", f"{words}\n")
