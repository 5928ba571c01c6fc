"""A folder of its own for each test, and an environment without settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.errors import SettingsError
from dockerproxy.settings import Settings, load, validate

Read = Callable[..., Settings]
Problems = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("DOCKERPROXY_", "DOCKER_")):
            monkeypatch.delenv(name)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The settings of a file with this text; arguments by their names."""

    def read_text(text: str, **arguments: Any) -> Settings:
        (tmp_path / "dockerproxy.yaml").write_text(text, encoding="utf-8")
        return load(None, arguments)

    return read_text


@pytest.fixture
def problems(read: Read) -> Problems:
    """What is wrong with a file of this text, as `where: message`."""

    def problems_of(text: str, **arguments: Any) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            read(text, **arguments)
        return [str(problem) for problem in caught.value.problems]

    return problems_of


def wrong(**values: Any) -> list[str]:
    """What is wrong with these values."""
    with pytest.raises(SettingsError) as caught:
        validate(values, "test")
    return [str(problem) for problem in caught.value.problems]
