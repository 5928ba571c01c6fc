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
