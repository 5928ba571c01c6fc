"""wait: until a route answers, or why it does not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Run
from .fake_proxy import FakeProxy, container, report, route, upstream

BENCHED = upstream(state="benched", last_error="connection refused")


def report_in_turn(proxy: FakeProxy, reports: Iterator[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the proxy answer each question for its statistics with the next of these."""
    answer_to = proxy.answer_to

    def answer(asked: Any) -> tuple[int, bytes]:
        if asked.path == "/statistics":
            proxy.answer("/statistics", next(reports))
        return answer_to(asked)

    monkeypatch.setattr(proxy, "answer_to", answer)


def test_a_route_that_answers_ends_the_wait(proxy: FakeProxy, run: Run) -> None:
    proxy.sites["blog.localhost"] = lambda: 404
    result = run("wait", "blog")
    assert result.code == 0
    answer = json.loads(result.out)
    assert (answer["route"], answer["status"]) == ("blog", 404)
    assert answer["seconds"] >= 0


def test_it_waits_until_the_proxy_no_longer_answers_for_the_route(proxy: FakeProxy, see: Run) -> None:
    statuses = iter([503, 502, 504, 200])
    proxy.sites["blog.localhost"] = lambda: next(statuses)
    assert "blog answers after" in see("wait", "blog").plain
    assert [asked.path for asked in proxy.asked if asked.headers["host"] == "blog.localhost"] == ["/"] * 4


def test_it_waits_until_the_route_is_there_and_has_an_upstream_that_is_up(
    proxy: FakeProxy, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: Iterator[Any] = iter(
        [report(), report(route()), report(route(BENCHED)), report(route(BENCHED, upstream()))]
    )
    report_in_turn(proxy, reports, monkeypatch)
    proxy.sites["blog.localhost"] = lambda: 200
    assert run("wait", "blog").code == 0
    assert next(reports, None) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (report(), "there is no such route"),
        (report(route(name="blg")), "there is no such route; did you mean 'blg'?"),
        (report(route()), "it has no upstream"),
        (report(route(BENCHED)), "none of its 1 upstream is up: blog-1 is benched (connection refused)"),
        (
            report(containers=[container(name="blog-2", routed=False, routes=[], reasons=["it exposes no port"])]),
            "container blog-2 is not routed: it exposes no port",
        ),
    ],
)
def test_at_the_end_of_its_time_it_exits_with_1_and_says_why(
    proxy: FakeProxy, run: Run, found: dict[str, Any], words: str
) -> None:
    proxy.answer("/statistics", found)
    result = run("wait", "blog", "--timeout", "0s")
    assert (result.code, result.out) == (1, "")
    assert "route blog does not answer after 0 s: " in result.err
    assert words in result.err


def test_a_request_that_fails_is_told_with_the_proxys_explanation(proxy: FakeProxy, run: Run) -> None:
    proxy.sites["blog.localhost"] = lambda: 503
    proxy.answer("/explain", {"verdict": "The route is under maintenance."})
    assert run("wait", "blog", "--timeout", "0").err == (
        "route blog does not answer after 0 s: GET http://blog.localhost/ is answered with 503; "
        "The route is under maintenance.\n"
    )
    assert proxy.asked[-1].query == {"url": ["http://blog.localhost/"]}
    del proxy.answers["/explain"]
    assert run("wait", "blog", "--timeout", "0").err.endswith("is answered with 503\n")


@pytest.mark.parametrize(
    ("fields", "host", "path"),
    [
        ({"hosts": ["*.example.com"], "path": "/api/*"}, "any.example.com", "/api/"),
        ({"hosts": ["a.test:8888", "b.test"], "path": "/login"}, "a.test:8888", "/login"),
        ({"hosts": [], "methods": ["GET", "POST"]}, "localhost", "/"),
        ({"kind": "handler", "handler": {"name": "site:hello"}, "upstreams": []}, "blog.localhost", "/"),
    ],
)
def test_the_request_is_one_that_the_route_answers(
    proxy: FakeProxy, run: Run, fields: dict[str, Any], host: str, path: str
) -> None:
    proxy.answer("/statistics", report({**route(upstream()), **fields}))
    proxy.sites[host] = lambda: 200
    assert run("wait", "blog").code == 0
    assert (proxy.asked[-1].method, proxy.asked[-1].headers["host"], proxy.asked[-1].path) == ("GET", host, path)


@pytest.mark.parametrize("fields", [{"path": "~^/[a-z]+$"}, {"methods": ["POST"]}])
def test_a_route_that_takes_no_plain_get_gets_none(proxy: FakeProxy, run: Run, fields: dict[str, Any]) -> None:
    proxy.answer("/statistics", report({**route(upstream()), **fields}))
    assert json.loads(run("wait", "blog").out)["status"] is None
    assert {asked.path for asked in proxy.asked} == {"/statistics"}


def test_a_proxy_that_does_not_run_yet_is_waited_for_and_told_at_the_end(run: Run) -> None:
    result = run("wait", "blog", "--url", "http://127.0.0.1:1", "--timeout", "0")
    assert result.code == 1
    assert "no proxy answers at http://127.0.0.1:1" in result.err


def test_a_proxy_that_says_no_is_not_waited_for(proxy: FakeProxy, run: Run) -> None:
    proxy.answer("/statistics", "needs a token", 401)
    result = run("wait", "blog", "--timeout", "1h")
    assert result.code == 1
    assert "wants its admin token" in result.err


def test_a_time_that_is_none_is_a_mistake_on_the_command_line(run: Run) -> None:
    result = run("wait", "blog", "--timeout", "soon")
    assert result.code == 2
    assert "expected a duration such as" in result.err


def test_a_request_that_waits_for_an_upstream_is_told_with_the_upstreams_error(proxy: FakeProxy, run: Run) -> None:
    over = threading.Event()
    failing = upstream(last_error="connection refused", consecutive_errors=3)
    proxy.answer("/statistics", report(route(failing)))
    proxy.sites["blog.localhost"] = lambda: 200 if over.wait(20) else 500
    result = run("wait", "blog", "--timeout", "1s")
    over.set()
    assert (result.code, result.err) == (
        1,
        "route blog does not answer after 1 s: GET http://blog.localhost/ has no answer after 1 s; "
        "upstream blog-1 does not answer: connection refused\n",
    )


def test_a_request_that_a_pause_holds_is_told_to_be_held(proxy: FakeProxy, run: Run) -> None:
    over = threading.Event()
    overrides = {"maintenance": None, "paused": {"until": "2026-01-31T12:01:25.000Z"}}
    proxy.answer("/statistics", report(route(upstream(), overrides=overrides)))
    proxy.sites["blog.localhost"] = lambda: 200 if over.wait(20) else 500
    result = run("wait", "blog", "--timeout", "1s")
    over.set()
    assert "the route is paused: dockerproxy resume blog" in result.err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("blgo", "waiting for route blgo: there is no such route; did you mean 'blog'?"),
        ("web-7", "waiting for route web-7: there is no such route; web-7 is a container, of route blog"),
    ],
)
def test_a_name_that_is_not_the_routes_is_told_at_once_and_waited_for(
    proxy: FakeProxy, run: Run, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    first = report(route(upstream()), containers=[container(name="web-7")])
    reports = iter([first, first, report(route(upstream(), name=name))])
    report_in_turn(proxy, reports, monkeypatch)
    proxy.sites["blog.localhost"] = lambda: 200
    result = run("wait", name)
    assert (result.code, result.err) == (0, f"{words}\n")
