"""The command line itself: help, mistakes, and how little is loaded."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dockerproxy.cli import _DEMO_ACTIONS, commands
from dockerproxy.demo.client import ACTIONS

from .conftest import Run
from .fake_proxy import FakeProxy

NAMES = commands().names
ROOT = Path(__file__).parents[2]


def test_the_overview_lists_every_command_in_its_group(run: Run) -> None:
    result = run("--help")
    assert result.code == 0
    groups = re.findall(r"^(\w+): .*\n((?:  .+\n)+)", result.out, re.MULTILINE)
    listed = {title: [line.split()[0] for line in lines.splitlines()] for title, lines in groups}
    assert list(listed) == ["serve", "look", "change", "try"]
    assert [name for names in listed.values() for name in names] == list(NAMES)
    assert {"routes", "explain", "logs", "wait"} <= set(listed["look"])
    assert {"drain", "weight", "maintenance", "pause", "add", "reload"} <= set(listed["change"])
    assert max(len(line) for line in result.out.splitlines()) <= 90


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_a_description_examples_and_exit_codes(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.code == 0
    assert result.out.startswith(f"usage: dockerproxy {name}")
    _, description, *_ = result.out.split("\n\n")
    assert len(description.split()) > 5
    assert re.search(rf"^examples:\n  .*dockerproxy {name}", result.out, re.MULTILINE)
    assert re.search(r"^exit codes:\n  0  \w.*\n(     .*\n)*  1  \w.*\n(     .*\n)*  2  \w", result.out, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_in_the_documentation(name: str) -> None:
    pages = [(ROOT / page).read_text(encoding="utf-8") for page in ("docs/operating.md", "README.md")]
    assert any(re.search(rf"(`|dockerproxy ){name}\b", page) for page in pages)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rotues",), "there is no command 'rotues'; did you mean 'routes'?"),
        (("zzz",), f"there is no command 'zzz'; there are: {', '.join(NAMES)}"),
        (("--url", "http://x", "routes"), "--url stands before the command; options stand behind it: COMMAND --url …"),
        (("drain",), "the following arguments are required: UPSTREAM|CONTAINER"),
        (("routes", "--hlep"), "unrecognized arguments: --hlep"),
        ((), "the following arguments are required: COMMAND"),
    ],
)
def test_a_mistake_exits_with_2_and_says_what_was_meant(run: Run, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "usage: dockerproxy" in result.err
    assert words in result.err


def loaded(code: str) -> set[str]:
    """The modules that are loaded after this code has run in a process of its own."""
    program = f"import sys; {code}; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(done.stderr.split())


def test_a_proxy_starts_without_what_only_tables_and_completion_need() -> None:
    found = loaded("import dockerproxy.cli, dockerproxy.program; dockerproxy.cli.commands()")
    assert "aiohttp" in found
    assert not {"rich", "shtab"} & found


def test_a_command_starts_without_what_only_a_proxy_needs(proxy: FakeProxy) -> None:
    found = loaded(f"import dockerproxy.cli; dockerproxy.cli.main(['routes', '--json', '--url', '{proxy.url}'])")
    assert proxy.asked
    assert not {"rich", "shtab", "aiohttp", "docker", "dockerproxy.server"} & found


def test_the_actions_of_the_demo_are_those_that_the_demo_knows() -> None:
    assert set(_DEMO_ACTIONS) == set(ACTIONS)
