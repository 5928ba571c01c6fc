"""For all tests: which process they run in, which of them coverage has no need of, and fixtures of many."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

# They go over the same lines thousands of times, or ask a proxy in a process of its own: under coverage they take more
# than twice as long, and they reach hardly a line that no other test does.
REPEATING = (
    "bench",
    "browser",
    "engine",
    "fuzz",
    "http1/test_invariant.py",
    "proxy/test_gate_transparency.py",
    "robustness",
    "test_cli.py",
    "test_docs.py",
    "test_examples.py",
    "test_layers.py",
)

# One process, for there is one engine; and a browser breaks off what it is loading whenever a network comes or goes on
# its machine, as the engine's do.
BESIDE_THE_ENGINE = ("engine", "browser", "test_https.py")

HERE = Path(__file__).parent


class Place(NamedTuple):
    """What holds for all tests of a module.

    group: the process that it runs in
    turn:  when, compared with others
    """

    group: str
    turn: int
    repeating: bool


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each module to one process, for that each single test is handed out costs as much as many a test; and begin
    with what takes longest."""
    for item in items:
        place = _place(item.path)
        item.add_marker(pytest.mark.xdist_group(place.group))
        if place.repeating:
            item.add_marker(pytest.mark.repeating)
    items.sort(key=lambda item: _place(item.path).turn)


@functools.cache
def _place(module: Path) -> Place:
    def is_one_of(places: Sequence[str]) -> bool:
        return any(module.is_relative_to(HERE / place) for place in places)

    repeating = is_one_of(REPEATING)
    if is_one_of(BESIDE_THE_ENGINE):
        return Place("engine", 0, repeating)
    return Place(str(module.relative_to(HERE)), 1 if repeating else 2, repeating)


def pytest_collection() -> None:
    """What is loaded now, stays."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end: no collection of garbage has to go through them again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but the test's own: no variable, no file in the current folder, whose modules can be imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in list(os.environ):
        if name.startswith("DOCKERPROXY_"):
            monkeypatch.delenv(name)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose name is short enough for a UNIX socket in it, which pytest's own are not always."""
    folder = Path(tempfile.mkdtemp(prefix="dp"))
    yield folder
    shutil.rmtree(folder)
