"""explain: the verdict first, then what it rests on; the exit code for scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run
from .fake_proxy import FakeProxy

LOST: dict[str, Any] = {
    "container": "office-1",
    "found": True,
    "state": "running",
    "routed": False,
    "verdict": "office-1 is not routed: a label is not known.",
    "code": "unknown_label",
    "labels": [
        {"label": "dockerproxy.hots", "value": "office.localhost", "use": "ignored", "reason": "there is no such label",
         "did_you_mean": "dockerproxy.host"},
        {"label": "dockerproxy.port", "value": "80", "use": "read", "meaning": "the port"},
    ],
    "routes": [],
    "reasons": [{"code": "unknown_label", "text": "dockerproxy.hots is not known", "mend": "write dockerproxy.host"}],
}  # fmt: skip
ROUTED: dict[str, Any] = {
    **LOST,
    "container": "blog-1",
    "routed": True,
    "verdict": "blog-1 is routed.",
    "code": "routed",
    "labels": [],
    "reasons": [],
    "routes": [
        {"route": "blog", "hosts": ["blog.localhost"], "path": "/api/*", "methods": ["GET"], "network": "front",
         "port": 2368, "address": "172.18.0.3:2368", "why_network": "front is shared with the proxy",
         "why_port": "2368 is the only port", "state": "up"},
    ],
}  # fmt: skip
URL: dict[str, Any] = {
    "url": "http://shop.localhost/api",
    "method": "GET",
    "host": "shop.localhost",
    "path": "/api",
    "route": "shop",
    "code": "route_found",
    "verdict": "The request goes to shop.",
    "candidates": [
        {"route": "api", "place": "shop.localhost/api POST", "matched": False, "why": "takes POST only"},
        {"route": "shop", "place": "shop.localhost/*", "matched": True, "why": "the whole domain"},
    ],
    "upstreams": [
        {"name": "shop-1", "url": "http://10.0.0.2", "state": "up", "since": None, "until": None, "last_error": None,
         "weight": 1},
        {"name": "shop-2", "url": "http://10.0.0.3", "state": "benched", "since": None, "until": "2999-01-01T00:00:00Z",
         "last_error": "connection refused", "weight": 1},
    ],
    "overrides": None,
}  # fmt: skip


def test_a_container_that_is_not_routed_is_explained_with_the_verdict_first_and_exit_code_1(
    proxy: FakeProxy, see: Run
) -> None:
    proxy.answer("/explain", LOST)
    result = see("explain", "office-1")
    assert result.code == 1
    assert result.plain.startswith("office-1 is not routed: a label is not known.\n")
    assert "docs/why.md#unknown_label" in result.plain
    assert "dockerproxy.hots is not known write dockerproxy.host" in result.words
    assert "dockerproxy.hots office.localhost there is no such label; did you mean dockerproxy.host?" in result.words
    assert "Labels that are used LABEL VALUE MEANING" in result.words
    assert proxy.asked[-1].query == {"container": ["office-1"]}


def test_a_container_that_is_routed_is_explained_with_its_network_and_port(proxy: FakeProxy, see: Run) -> None:
    proxy.answer("/explain", ROUTED)
    result = see("explain", "blog-1")
    assert result.code == 0
    assert "blog at blog.localhost/api GET -> 172.18.0.3:2368, up" in result.plain
    assert "front is shared with the proxy" in result.plain
    assert "2368 is the only port" in result.plain


def test_a_url_is_explained_with_its_candidates_and_upstreams(proxy: FakeProxy, see: Run) -> None:
    proxy.answer("/explain", URL)
    header = ("-H", "Host: shop.localhost", "-H", "Authorization: Bearer secret", "-H", "wrong")
    result = see("explain", "shop.localhost/api", "-X", "get", *header)
    assert result.code == 0
    assert result.plain.startswith("The request goes to shop.\n")
    assert "no takes POST only" in result.words
    assert "yes the whole domain" in result.words
    assert "shop-2" in result.words
    assert "benched, " in result.words
    assert proxy.asked[-1].query == {
        "url": ["http://shop.localhost/api"],
        "method": ["GET"],
        "header": ["Host:shop.localhost", "Authorization:", "wrong"],
    }


def test_only_the_first_candidates_are_shown_and_the_one_that_matched(proxy: FakeProxy, see: Run) -> None:
    others = [{"route": f"other-{number}", "place": "/", "matched": False, "why": "no"} for number in range(30)]
    proxy.answer("/explain", {**URL, "candidates": [*others, URL["candidates"][1]]})
    words = see("explain", "http://shop.localhost/").words
    assert "other-9" in words
    assert "other-10" not in words
    assert "yes the whole domain" in words
    assert "and 20 more that do not match: --json lists them" in words


def test_what_an_operator_has_set_is_told_with_a_url(proxy: FakeProxy, see: Run) -> None:
    overrides = {"maintenance": {"message": "Soon.", "since": "2026-01-31T12:00:00Z"}, "paused": None}
    proxy.answer("/explain", {**URL, "overrides": overrides, "notes": ["a header plays no part"]})
    words = see("explain", "http://shop.localhost/").words
    assert "shop: maintenance since" in words
    assert "Mind that a header plays no part" in words


def test_a_command_that_mends_something_is_not_broken_into_lines(proxy: FakeProxy, see: Run) -> None:
    mend = "then run: docker network connect a-network-with-a-long-name a-container-with-a-name-that-is-longer-still"
    proxy.answer("/explain", {**LOST, "reasons": [{"code": "no_network", "text": "no network", "mend": mend}]})
    assert f"    {mend}\n" in see("explain", "office-1").plain


def test_a_url_without_a_route_exits_with_1(proxy: FakeProxy, run: Run) -> None:
    answer = {**URL, "route": None, "code": "unknown_host", "verdict": "No route.", "candidates": [], "upstreams": []}
    proxy.answer("/explain", answer)
    result = run("explain", "http://nobody.localhost/")
    assert (result.code, json.loads(result.out)) == (1, answer)


@pytest.mark.parametrize(
    ("first", "status"), [({**LOST, "found": False}, 200), ({"error": "there is no container"}, 404)]
)
def test_a_bare_domain_is_explained_as_a_url_when_no_container_is_called_so(
    proxy: FakeProxy, run: Run, monkeypatch: pytest.MonkeyPatch, first: dict[str, Any], status: int
) -> None:
    def answer_to(asked: Any) -> tuple[int, bytes]:
        proxy.asked.append(asked)
        found = (status, first) if "container" in asked.query else (200, URL)
        return found[0], json.dumps(found[1]).encode()

    monkeypatch.setattr(proxy, "answer_to", answer_to)
    assert json.loads(run("explain", "shop.localhost").out) == URL
    assert [list(asked.query) for asked in proxy.asked] == [["container"], ["url"]]


def test_an_unknown_container_is_told_in_the_proxys_words(proxy: FakeProxy, run: Run) -> None:
    proxy.answer("/explain", {"error": "there is no container named 'ofice-1'; did you mean 'office-1'?"}, 404)
    result = run("explain", "ofice-1")
    assert (result.code, result.err) == (1, "there is no container named 'ofice-1'; did you mean 'office-1'?\n")


def test_what_is_explained_cannot_give_orders_to_the_terminal(proxy: FakeProxy, see: Run) -> None:
    evil = "x\x1b[2J[b]"
    labels = [{"label": evil, "value": evil, "use": "read", "meaning": evil}]
    proxy.answer("/explain", {**ROUTED, "verdict": evil, "code": evil, "labels": labels})
    plain = see("explain", "blog-1").plain
    assert "\x1b" not in plain
    assert "[b]" in plain


def test_a_name_that_ends_a_line_is_one_line_all_the_same(proxy: FakeProxy, see: Run) -> None:
    evil = "x\nforged\u2028forged"
    labels = [{"label": evil, "value": evil, "use": "ignored", "reason": evil}]
    proxy.answer("/explain", {**ROUTED, "verdict": evil, "labels": labels})
    assert not [line for line in see("explain", "blog-1").plain.splitlines() if line.startswith("forged")]
    assert "x\\nforged?forged" in see("explain", "blog-1").plain


@pytest.mark.parametrize("char", ["\x85", "\x9b", "\u2028", "\u202e", "\U000e0001"])
def test_json_of_it_is_harmless_and_tells_the_same(proxy: FakeProxy, run: Run, char: str) -> None:
    proxy.answer("/explain", {**ROUTED, "verdict": f"x{char}ä"})
    out = run("explain", "blog-1", "--json").out
    assert out.replace("\n", "").isprintable()
    assert json.loads(out)["verdict"] == f"x{char}ä"


def test_without_a_proxy_the_settings_and_the_engine_are_asked(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(
        'docker: {host: "unix:///nowhere/x.sock"}\n'
        'routes: [{name: site, host: site.localhost, upstreams: ["http://127.0.0.1:9"]}]\n'
    )

    result = run("explain", "http://any/", "-H", "Host: site.localhost", "--file", str(file))
    assert (result.code, json.loads(result.out)["route"]) == (0, "site")

    result = run("explain", "web-1", "--file", str(file))
    assert (result.code, json.loads(result.out)["code"]) == (1, "engine_not_reached")


def test_what_docker_inspect_printed_is_explained_and_read_as_a_story(tmp_path: Path, see: Run) -> None:
    kept = tmp_path / "inspect.json"
    container = {
        "Id": "a" * 64,
        "Name": "/web-1",
        "Created": "2026-01-02T03:04:05Z",
        "State": {"Status": "running"},
        "Config": {"Labels": {"dockerproxy.enable": "true"}},
        "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
    }
    kept.write_text(json.dumps([container]))

    result = see("explain", "web-1", "--inspect", str(kept))

    assert result.code == 1
    assert "web-1 is not routed: it exposes no TCP port" in result.words
    assert "docs/why.md#no_port" in result.words
    assert "Mind that" in result.words
    assert "no proxy was asked" in result.words


@pytest.mark.parametrize("target", ["", "  "])
def test_nothing_to_explain_is_a_mistake_of_the_command_line(run: Run, target: str) -> None:
    result = run("explain", target)
    assert result.code == 2
    assert "expected a container's name or a URL, found nothing" in result.err


def test_what_to_do_fits_the_screen_but_for_commands(proxy: FakeProxy, see: Run) -> None:
    mend = (
        "write the same label on all containers of the route, or give this one a route of its own; or write another;"
        " then run: docker compose up -d a-service; it will then be at office.localhost, reached at 172.18.0.5:80"
    )
    proxy.answer("/explain", {**LOST, "reasons": [{"code": "x", "text": "it is not", "mend": mend}]})
    lines = see("explain", "office-1").plain.splitlines()

    assert max(map(len, lines)) <= 80
    assert "    then run: docker compose up -d a-service" in lines
    assert "    it will then be at office.localhost, reached at 172.18.0.5:80" in lines
    assert lines == [line.rstrip() for line in lines]
