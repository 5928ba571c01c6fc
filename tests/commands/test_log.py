"""logs: what is asked for and printed. Following a real proxy is in tests/test_cli.py."""

from __future__ import annotations

import pytest

from dockerproxy.commands.client import AdminClient

from .conftest import Run
from .fake_proxy import FakeProxy


def test_the_last_lines_are_printed_as_they_are(proxy: FakeProxy, run: Run) -> None:
    proxy.answer("/logs", "one\ntwo \x1b[31m ä\n")
    assert run("logs") == (0, "one\ntwo ?[31m ä\n", "")
    assert proxy.asked[-1].query == {"lines": ["100"]}
    run("logs", "-n", "7")
    assert proxy.asked[-1].query == {"lines": ["7"]}


def test_a_proxy_that_ends_while_it_is_followed_is_told(proxy: FakeProxy, run: Run) -> None:
    proxy.answer("/logs", "one\n")
    result = run("logs", "-f")
    assert (result.code, result.out) == (1, "one\n")
    assert "the proxy has ended its log" in result.err
    assert proxy.asked[-1].query == {"lines": ["100"], "follow": ["1"]}


@pytest.mark.usefixtures("proxy")
def test_ctrl_c_ends_it_well(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(AdminClient, "lines", interrupted)
    assert run("logs", "-f") == (0, "", "")


def test_a_number_that_is_none_is_a_mistake_on_the_command_line(run: Run) -> None:
    result = run("logs", "-n", "many")
    assert result.code == 2
    assert "'many' is no number of lines" in result.err
