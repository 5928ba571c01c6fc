"""A fake proxy, and the command line run in this process against it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from dockerproxy.cli import main

from .fake_proxy import OWN_ROUTE, FakeProxy, Serving, container, report, route, upstream

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


class Result(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def plain(self) -> str:
        """What it printed, without colours."""
        return _ESCAPE.sub("", self.out)

    @property
    def words(self) -> str:
        """What it printed, on one line."""
        return " ".join(self.plain.split())


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but the test's, and a terminal of 80 columns in which every colour shows."""
    request.getfixturevalue("alone")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProxy]:
    """A proxy with one route, which the settings lead to."""
    fake = FakeProxy()
    fake.answer("/statistics", report(route(upstream()), OWN_ROUTE, containers=[container()]))
    with Serving(fake):
        monkeypatch.setenv("DOCKERPROXY_LISTEN", f"127.0.0.1:{fake.port}")
        yield fake


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command to its end."""

    def run_with(*arguments: str) -> Result:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        return Result(code, *capsys.readouterr())

    return run_with


@pytest.fixture
def see(run: Run) -> Run:
    """Runs a command as in a terminal."""
    return lambda *arguments: run(*arguments, "--no-json")
