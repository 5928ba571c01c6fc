"""logs: what is asked for and printed. Following a real proxy is in tests/test_cli.py."""

from __future__ import annotations

import signal

import pytest

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


def test_ctrl_c_is_what_it_was_when_the_log_has_ended(proxy: FakeProxy, run: Run) -> None:
    proxy.answer("/logs", "one\n")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # of a job in the background it is ignored
    try:
        run("logs", "-f")
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_log_that_is_followed_in_the_background_is_not_ended_by_a_ctrl_c_meant_for_others(
    proxy: FakeProxy, run: Run
) -> None:
    proxy.answer("/logs", "one\n")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run("logs", "-f").out == "one\n"
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_number_that_is_none_is_a_mistake_on_the_command_line(run: Run) -> None:
    result = run("logs", "-n", "many")
    assert result.code == 2
    assert "'many' is no number of lines" in result.err
