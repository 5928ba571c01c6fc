"""`module:name` in the settings becomes a handler, or an error that says what to mend."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dockerproxy.errors import SettingsError
from tests.web.conftest import Build

PAGES = """
from aiohttp import web

async def hello(request):
    return web.Response(text="hello from the current folder")

class Site:
    hello = staticmethod(hello)

number = 7
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder holds people's code; what was imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    (tmp_path / "site_pages.py").write_text(PAGES)
    (tmp_path / "needs_more.py").write_text("import does_not_exist_either\n")
    (tmp_path / "broken_pages.py").write_text("\nlimit = 1 / 0\n")
    (tmp_path / "wrong_pages.py").write_text("def hello(:\n")
    (tmp_path / "wrong_options.py").write_text("from dockerproxy import RouteOptions\n\nRouteOptions(hold='soon')\n")


@pytest.mark.parametrize("name", ["site_pages:hello", "site_pages:Site.hello"])
async def test_a_handler_of_the_current_folder_answers(build: Build, name: str) -> None:
    house = build(routes=[{"name": "hello", "host": "hello.localhost", "handler": name}])

    assert (await house.call("hello")).text == "hello from the current folder"
    assert house.handlers.load(name) is house.handlers.load(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("site_pagez:hello", "there is no module 'site_pagez'; looked in "),
        ("site_pages.inner:hello", r"'site_pages\.inner'"),
        ("site_pages:helo", "module site_pages has no 'helo'; did you mean 'hello'?"),
        ("site_pages:zzz", "module site_pages has no 'zzz'$"),
        ("site_pages:Site.other", "has no 'other'"),
        ("site_pages:number", "is a int; expected `async def"),
        ("site_pages", "expected module:name"),
        (":hello", "expected module:name"),
        (
            "needs_more:hello",
            r"importing needs_more failed at .*needs_more\.py:1: ModuleNotFoundError: .*does_not_exist",
        ),
        ("broken_pages:hello", r"importing broken_pages failed at .*broken_pages\.py:2: ZeroDivisionError"),
        (
            "wrong_options:proxy",
            r"importing wrong_options failed at .*wrong_options\.py:3: RouteOptions: hold: expected a duration",
        ),
        ("wrong_pages:hello", r"importing wrong_pages failed at .*wrong_pages\.py:1: SyntaxError: "),
    ],
)
async def test_what_cannot_be_loaded_is_an_error_in_words(build: Build, name: str, message: str) -> None:
    handlers = build().handlers
    with pytest.raises(SettingsError, match=message) as caught:
        handlers.load(name)
    assert str(caught.value).startswith(f"handler {name!r}: ")
    assert name not in handlers


async def test_a_handler_that_cannot_be_loaded_stops_the_start(build: Build) -> None:
    with pytest.raises(SettingsError, match="no_such_module"):
        build(routes=[{"name": "hello", "host": "hello.localhost", "handler": "no_such_module:hello"}])
