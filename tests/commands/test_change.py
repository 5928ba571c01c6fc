"""drain, bench, weight, maintenance, pause: what is asked of the proxy, and what is told of its answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Run
from .fake_proxy import FakeProxy

CHANGED = {"changed": [{"route": "blog", "upstream": "blog-1"}], "unchanged": []}


@pytest.mark.parametrize(
    ("arguments", "path", "body"),
    [
        (("drain", "blog-1"), "/drain", {"name": "blog-1"}),
        (("undrain", "blog-1", "--route", "blog"), "/undrain", {"name": "blog-1", "route": "blog"}),
        (("bench", "blog-1"), "/bench", {"name": "blog-1"}),
        (("bench", "blog-1", "--for", "10m"), "/bench", {"name": "blog-1", "for": "10m"}),
        (("unbench", "http://h:1"), "/unbench", {"name": "http://h:1"}),
        (("weight", "blog-1", "0"), "/weight", {"name": "blog-1", "weight": 0}),
        (("weight", "blog-1", "reset"), "/weight", {"name": "blog-1", "weight": None}),
    ],
)
def test_a_change_of_an_upstream_is_posted_and_answered(
    proxy: FakeProxy, run: Run, arguments: tuple[str, ...], path: str, body: dict[str, Any]
) -> None:
    proxy.answer(path, CHANGED)
    result = run(*arguments)
    assert (result.code, json.loads(result.out)) == (0, CHANGED)
    assert (proxy.asked[-1].method, proxy.asked[-1].path, proxy.asked[-1].body) == ("POST", path, body)


def test_a_person_reads_what_was_changed_what_was_so_already_and_the_warning(proxy: FakeProxy, see: Run) -> None:
    unchanged = [{"route": "api", "upstream": "blog-1"}]
    proxy.answer("/drain", {**CHANGED, "unchanged": unchanged, "warning": "Nobody is left."})
    assert see("drain", "blog-1").plain.splitlines() == [
        "blog-1 gets no new requests (route blog)",
        "blog-1 was drained already (route api)",
        "Nobody is left.",
    ]


def test_maintenance_is_switched_on_with_a_message_and_off(proxy: FakeProxy, see: Run) -> None:
    proxy.answer(
        "/maintenance", {"route": "shop", "maintenance": {"message": "Soon.", "since": "2026-01-31T12:00:00Z"}}
    )
    assert (
        "shop is under maintenance: new requests get 503"
        in see("maintenance", "shop", "on", "--message", "Soon.").plain
    )
    assert proxy.asked[-1].body == {"route": "shop", "on": True, "message": "Soon."}
    proxy.answer("/maintenance", {"route": "shop", "maintenance": None})
    assert "shop is no longer under maintenance" in see("maintenance", "shop", "off").plain
    assert proxy.asked[-1].body == {"route": "shop", "on": False}


def test_a_pause_lasts_30_seconds_unless_said_otherwise_and_is_ended_by_resume(proxy: FakeProxy, see: Run) -> None:
    proxy.answer("/pause", {"route": "shop", "paused": {"until": "2026-01-31T12:00:30Z"}})
    proxy.answer("/resume", {"route": "shop", "paused": None})
    assert "shop is paused for 30s" in see("pause", "shop").words
    assert proxy.asked[-1].body == {"route": "shop", "for": "30s"}
    see("pause", "shop", "--for", "5m")
    assert proxy.asked[-1].body == {"route": "shop", "for": "5m"}
    assert "shop goes on" in see("resume", "shop").plain
    assert proxy.asked[-1].body == {"route": "shop"}


@pytest.mark.parametrize("weight", ["101", "-1", "heavy", "1.5"])
def test_a_weight_that_is_none_is_a_mistake_on_the_command_line(proxy: FakeProxy, run: Run, weight: str) -> None:
    result = run("weight", "blog-1", weight)
    assert result.code == 2
    assert "usage: dockerproxy weight" in result.err
    assert proxy.asked == []


@pytest.mark.parametrize(
    "arguments",
    [("bench", "blog-1", "--for", "5x"), ("pause", "blog", "--for", "soon"), ("wait", "blog", "--timeout", "5x")],
)
def test_a_time_that_is_none_is_a_mistake_on_the_command_line(
    proxy: FakeProxy, run: Run, arguments: tuple[str, ...]
) -> None:
    result = run(*arguments)
    assert result.code == 2
    assert f"expected a duration such as 90, 90s, 2m, 1m30s or 250ms (found '{arguments[-1]}')" in result.err
    assert proxy.asked == []


def test_what_the_proxy_does_not_take_is_a_mistake_on_the_command_line_too(proxy: FakeProxy, run: Run) -> None:
    problem = {"where": "for", "message": "expected 1h or less (found '2h')"}
    proxy.answer("/pause", {"error": "…", "problems": [problem]}, 422)
    result = run("pause", "blog", "--for", "2h")
    assert (result.code, result.err) == (2, "--for: expected 1h or less (found '2h')\n")


def test_what_cannot_be_done_now_is_no_mistake_on_the_command_line(proxy: FakeProxy, run: Run) -> None:
    proxy.answer("/drain", {"error": "there is no upstream named 'blog-9'"}, 404)
    result = run("drain", "blog-9")
    assert (result.code, result.err) == (1, "there is no upstream named 'blog-9'\n")


@pytest.mark.parametrize(
    ("weight", "changed", "unchanged"),
    [
        ("3", "blog-1 has weight 3 now", "blog-2 had weight 3 already"),
        ("reset", "blog-1 has the weight of its source again", "blog-2 had no other weight than that of its source"),
    ],
)
def test_a_weight_is_told_by_its_number(proxy: FakeProxy, see: Run, weight: str, changed: str, unchanged: str) -> None:
    proxy.answer("/weight", {**CHANGED, "unchanged": [{"route": "blog", "upstream": "blog-2"}]})
    assert see("weight", "blog-1", weight).plain == f"{changed} (route blog)\n{unchanged} (route blog)\n"


def test_what_was_not_set_is_not_told_to_have_ended(proxy: FakeProxy, see: Run) -> None:
    proxy.answer("/maintenance", {"route": "shop", "maintenance": None, "changed": False})
    assert see("maintenance", "shop", "off").plain == "shop was not under maintenance\n"
    proxy.answer("/resume", {"route": "shop", "paused": None, "changed": False})
    assert see("resume", "shop").plain == "shop was not paused\n"
