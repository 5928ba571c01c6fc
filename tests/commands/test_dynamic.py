"""add, remove, reload."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run
from .fake_proxy import FakeProxy

NEWS = {"name": "news", "host": "news.localhost", "upstreams": [{"url": "http://localhost:2368"}]}


@pytest.fixture(autouse=True)
def _answers(proxy: FakeProxy) -> None:
    proxy.answer("/add", {"name": "news"}, 201)


def added(proxy: FakeProxy) -> list[Any]:
    return [asked.body for asked in proxy.asked if asked.path == "/add"]


def test_a_route_is_added_from_options(proxy: FakeProxy, see: Run) -> None:
    arguments = ("--host", "news.localhost", "--host", "n.localhost", "--path", "/today")
    result = see("add", "news", *arguments, "--upstream", "http://localhost:2368", "--upstream", "10.0.0.5:80")
    assert (result.code, result.plain) == (0, "news is added\n")
    upstreams = [{"url": "http://localhost:2368"}, {"url": "http://10.0.0.5:80"}]
    assert added(proxy) == [{**NEWS, "host": "news.localhost,n.localhost", "upstreams": upstreams, "path": "/today"}]


@pytest.mark.parametrize(
    "text", [json.dumps(NEWS), "name: news\nhost: news.localhost\nupstreams: [{url: 'http://localhost:2368'}]\n"]
)
def test_a_route_is_added_from_a_file_in_json_or_yaml(proxy: FakeProxy, run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "news").write_text(text)
    result = run("add", "-f", "news")
    assert (result.code, json.loads(result.out)) == (0, {"name": "news"})
    assert added(proxy) == [NEWS]


def test_a_route_is_added_from_standard_input_under_another_name(
    proxy: FakeProxy, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(NEWS)))
    assert run("add", "other", "-f", "-").code == 0
    assert added(proxy) == [{**NEWS, "name": "other"}]


def test_several_routes_are_added_from_one_file(proxy: FakeProxy, see: Run, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(json.dumps({"routes": [NEWS, {**NEWS, "name": "more"}]}))
    assert see("add", "-f", "all.yaml").plain == "news is added\nnews is added\n"
    assert added(proxy) == [NEWS, {**NEWS, "name": "more"}]


def test_routes_before_one_that_is_refused_are_told_to_be_there(
    proxy: FakeProxy, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = iter([(201, b'{"name": "news"}'), (409, b'{"error": "there is already a route"}')])
    monkeypatch.setattr(proxy, "answer_to", lambda _asked: next(answers))
    (tmp_path / "all.yaml").write_text(json.dumps({"routes": [NEWS, {**NEWS, "name": "more"}]}))
    result = run("add", "-f", "all.yaml")
    assert result.code == 1
    assert result.err == "route more: there is already a route\nbefore it, these were added: news\n"


def test_what_is_wrong_with_a_route_is_told_by_key(proxy: FakeProxy, run: Run) -> None:
    problems = [{"where": "hots", "message": "unknown key; did you mean 'host'?"}, {"where": "name", "message": "…"}]
    proxy.answer("/add", {"error": "2 problems", "problems": problems}, 422)
    result = run("add", "news", "--host", "h", "--upstream", "u")
    assert result.code == 1
    assert result.err == "route news: hots: unknown key; did you mean 'host'?\nroute news: name: …\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "which route? Give a name with --host and --upstream, or a file with -f FILE"),
        (("news",), "route news: --host is missing"),
        (("news", "--host", "h"), "route news: --upstream is missing"),
        (("-f", "x.yaml", "--host", "h"), "-f says all of the route"),
        (("-f", "gone.yaml"), "gone.yaml: cannot be read"),
        (("-f", "empty.yaml"), "empty.yaml: is empty; expected a route"),
        (("-f", "list.yaml"), "list.yaml: expected keys and values"),
        (("-f", "bad.yaml"), "bad.yaml: line 1, column 2: not valid YAML"),
    ],
)
def test_arguments_that_make_no_route_are_told_in_words(
    proxy: FakeProxy, run: Run, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    for name, text in {"empty.yaml": "", "list.yaml": "[1]", "bad.yaml": "{"}.items():
        (tmp_path / name).write_text(text)
    result = run("add", *arguments)
    assert result.code == (1 if arguments[-1:] and arguments[-1].endswith(".yaml") else 2)
    assert words in result.err
    assert added(proxy) == []


def test_a_route_is_removed(proxy: FakeProxy, see: Run) -> None:
    proxy.answer("/remove", {"removed": "news"})
    assert see("remove", "news").plain == "news is removed\n"
    assert proxy.asked[-1].body == {"name": "news"}


def test_a_reload_tells_what_changed(proxy: FakeProxy, see: Run) -> None:
    proxy.answer("/reload", {"routes": 4, "changed": ["bench: 90 s -> 5 s"]})
    assert see("reload").plain.splitlines() == ["bench: 90 s -> 5 s", "the settings were read again: 4 routes"]
    proxy.answer("/reload", {"routes": 4, "changed": []})
    assert "nothing changed" in see("reload").plain


def test_a_file_with_an_error_changes_nothing_and_is_told(proxy: FakeProxy, run: Run) -> None:
    proxy.answer("/reload", {"error": "…", "problems": [{"where": "bench", "message": "expected a duration"}]}, 422)
    result = run("reload")
    assert (result.code, result.err) == (1, "bench: expected a duration\n")


def test_a_settings_file_that_is_gone_is_told_by_its_name(proxy: FakeProxy, run: Run) -> None:
    error = "site.yaml: no such file; give the path of a settings file in YAML"
    proxy.answer("/reload", {"error": error, "problems": [{"where": "", "message": "no such file"}]}, 422)
    assert run("reload").err == f"{error}\n"
