"""password: asked for twice, or read from a pipe; its hash is what basic_auth takes."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from dockerproxy.web.middlewares.password import Password

from .conftest import Run


class Terminal(io.StringIO):
    """Standard input at which a person sits."""

    def isatty(self) -> bool:
        return True


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    waiting: Iterator[str] = iter(lines)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(waiting))


def test_it_is_asked_for_twice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "correct horse", "correct horse")
    result = run("password")
    assert result.code == 0
    assert Password(result.out.rstrip("\n")).fits(b"correct horse")


def test_two_that_differ_make_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "correct horse", "correct house")
    assert run("password") == (1, "", "the two differ; nothing was made\n")


def test_in_a_pipe_it_is_the_first_line_and_a_name_makes_a_line_of_a_file(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("sécret:\r\nmore"))
    name, _, written = run("password", "ann").out.rstrip("\n").partition(":")
    assert name == "ann"
    assert Password(written).fits("sécret:".encode())


@pytest.mark.parametrize("given", ["", "\n", "\udcff"])
def test_what_can_be_no_password_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    result = run("password")
    assert (result.code, result.out) == (1, "")
    assert "password" in result.err


@pytest.mark.parametrize("name", ["a:b", " ann", "#ann", "a\nb"])
def test_what_can_be_no_name_is_refused(run: Run, name: str) -> None:
    result = run("password", name)
    assert (result.code, result.out) == (2, "")
    assert "cannot be a user's name" in result.err
