"""completion: the scripts, in the shells that are installed, and the names that they ask the proxy for."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from ..support.forked import dockerproxy
from .conftest import Run
from .fake_proxy import OWN_ROUTE, FakeProxy, container, report, route, upstream

_TIMEOUT = 60  # seconds; only a fault takes that long
_TRIES = 5
# What each shell says to "complete the last of these words".
_BASH = """source script; COMP_WORDS=({words} ''); COMP_CWORD={index}; _shtab_dockerproxy; echo "${{COMPREPLY[@]}}" """
_FISH = "source script; complete -C '{words} ' | string split -f1 \\t"
_CHECKS = {"bash": ["-n"], "zsh": ["-n"], "fish": ["--no-execute"]}


def shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def script(run: Run, tmp_path: Path) -> Path:
    """`script` in the current folder, made for bash; and a `dockerproxy` that it can call."""
    (tmp_path / "script").write_text(run("completion", "bash").out)
    command = tmp_path / "dockerproxy"
    command.write_text(f'#!/bin/sh\nexec {shlex.join(dockerproxy())} "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def complete(program: str, script: str, folder: Path, expected: str) -> list[str]:
    """What the shell completes. Where `expected` is missing the key is pressed again: on a busy machine the proxy may
    take longer than a person is made to wait."""
    found: list[str] = []
    for _ in range(_TRIES):
        found = _completed(program, script, folder)
        if expected in found:
            break
    return found


def _completed(program: str, script: str, folder: Path) -> list[str]:
    path = f"{folder}:{os.environ['PATH']}"
    done = subprocess.run(
        [program, "-c", script], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True,
        timeout=_TIMEOUT, check=False,  # it may tell by its exit code that it has found nothing
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_can_read(run: Run, tmp_path: Path, name: str) -> None:
    result = run("completion", name)
    assert result.code == 0
    assert "drain" in result.out
    (tmp_path / "script").write_text(result.out)
    subprocess.run([shell(name), *_CHECKS[name], "script"], check=True, timeout=_TIMEOUT)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("dockerproxy", {"routes", "drain", "completion"}),
        ("dockerproxy completion", {"bash", "zsh", "fish"}),
        ("dockerproxy maintenance blog", {"on", "off"}),
        ("dockerproxy wait", {"blog"}),
        ("dockerproxy explain", {"blog-1"}),
        ("dockerproxy drain", {"blog-1", "mirror"}),
        ("dockerproxy drain blog-1 --route", {"blog"}),
    ],
)
def test_bash_completes_commands_choices_and_the_names_of_the_running_proxy(
    proxy: FakeProxy, script: Path, words: str, expected: set[str]
) -> None:
    proxy.answer("/statistics", report(route(upstream(), upstream(name="mirror")), OWN_ROUTE, containers=[container()]))
    line = _BASH.format(words=words, index=len(words.split()))
    found = complete(shell("bash"), line, script, next(iter(expected)))
    assert expected <= set(found)
    assert "dockerproxy-health" not in found
    assert "complete-names" not in found


@pytest.mark.usefixtures("proxy")
def test_fish_completes_the_names_of_the_running_proxy(run: Run, script: Path) -> None:
    (script / "script").write_text(run("completion", "fish").out)
    assert "blog" in complete(shell("fish"), _FISH.format(words="dockerproxy wait"), script, "blog")


@pytest.mark.usefixtures("proxy")
def test_zsh_takes_the_script_without_a_word_and_knows_where_names_come_from(run: Run, script: Path) -> None:
    (script / "script").write_text(run("completion", "zsh").out)
    line = 'autoload -U compinit; compinit -u -D; eval "$(cat script)"; echo $_comps[dockerproxy]; '
    names = "compadd() { shift; echo ${(P)1} }; _dockerproxy_routes"
    assert complete(shell("zsh"), line + names, script, "blog") == ["_shtab_dockerproxy", "blog"]


def test_names_that_mean_something_to_a_shell_are_not_completed(proxy: FakeProxy, run: Run) -> None:
    evil = ["$(touch x)", "`x`", "a b", "a;b", "a'b", "-x", "*", "~", "a\nb", "{a,b}", "ok-1.x"]
    proxy.answer("/statistics", report(*(route(name=name) for name in evil)))
    assert run("complete-names", "routes").out == "ok-1.x\n"


def test_without_a_proxy_there_are_no_names_and_no_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKERPROXY_LISTEN", "127.0.0.1:1")
    assert run("complete-names", "routes") == (1, "", "")
