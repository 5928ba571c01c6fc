"""Logs: one line per event, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from dockerproxy.process.logs import JsonFormatter, Ring, TextFormatter, find_ring, set_up


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """As it was before."""
    root = logging.getLogger()
    loggers = [root, *map(logging.getLogger, ("dockerproxy", "aiohttp", "asyncio", "docker", "urllib3"))]
    handlers, levels = root.handlers[:], [logger.level for logger in loggers]
    yield
    root.handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def without_pytest() -> None:
    """From here on as in a program that has not set its logging up: pytest puts handlers of its own to the root."""
    logging.getLogger().handlers.clear()


def record(message: str, *arguments: object, level: int = logging.INFO) -> logging.LogRecord:
    made = logging.LogRecord("dockerproxy.test", level, __file__, 1, message, arguments, None)
    made.created, made.msecs = 1_767_225_600.25, 250.0
    return made


def test_json_has_time_in_utc_level_logger_and_message() -> None:
    entry = json.loads(JsonFormatter().format(record("%s joined", "blog-1")))
    assert entry == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "info",
        "logger": "dockerproxy.test",
        "message": "blog-1 joined",
    }


def test_json_is_one_line_whatever_the_message_holds() -> None:
    line = JsonFormatter().format(record('two\nlines, "quotes", \x1b[31m and ümlauts'))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == 'two\nlines, "quotes", \x1b[31m and ümlauts'


def test_json_has_the_traceback_when_there_is_one() -> None:
    made = record("it failed", level=logging.ERROR)
    try:
        raise ValueError("why")
    except ValueError:
        made.exc_info = sys.exc_info()
    entry = json.loads(JsonFormatter().format(made))
    assert entry["level"] == "error"
    assert "ValueError: why" in entry["traceback"]


def test_text_has_time_level_and_message() -> None:
    line = TextFormatter().format(record("blog: %s joined", "blog-1"))
    time, level, message = line.split(maxsplit=2)
    assert (len(time), level, message) == (19, "INFO", "blog: blog-1 joined")


def test_text_makes_control_characters_harmless_for_a_terminal() -> None:
    line = TextFormatter().format(record("GET /%s", "\x1b]0;evil\x07\x9b31m"))
    assert line.endswith("GET /?]0;evil??31m")


FORGED = "2026-11-23T00:00:00 WARNING forged"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_no_message_can_forge_a_line(formatter: logging.Formatter, end: str) -> None:
    line = formatter.format(record("%s: there is no such label", f"dockerproxy.foo{end}{FORGED}"))
    assert line.splitlines() == [line]


@pytest.mark.parametrize("char", ["\x1b", "\x9b", "\u202e", "\t"])
@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_nothing_in_a_message_drives_a_terminal(formatter: logging.Formatter, char: str) -> None:
    assert formatter.format(record("a%sb", char)).isprintable()


def test_a_traceback_keeps_its_lines_and_is_harmless_too() -> None:
    made = record("it failed", level=logging.ERROR)
    try:
        raise ValueError("why\x1b[2J\x9b\n2026-01-31T12:00:00 INFO    admin: forged")
    except ValueError:
        made.exc_info = sys.exc_info()
    made.stack_info = "a stack\n2026-01-31T12:00:00 INFO    forged"
    lines = TextFormatter().format(made).split("\n")
    assert lines[0].endswith("it failed")
    assert lines[1] == "    Traceback (most recent call last):"
    assert "    ValueError: why?[2J?" in lines
    assert [line for line in lines[1:] if not line.startswith("    ")] == []


def test_the_kept_lines_are_those_that_were_written() -> None:
    kept = Ring()
    kept.setFormatter(logging.Formatter("%(message)s"))
    kept.handle(record("one\x85and\u2028the same\ntwo"))
    assert kept.last(9).lines == ["one\x85and\u2028the same", "two"]


@pytest.mark.usefixtures("logging_restored")
@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_goes_to_standard_error_from_its_level_on(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    without_pytest()
    set_up(form, "warning")
    log = logging.getLogger("dockerproxy.part")
    log.info("too small")
    log.warning("large enough")
    logging.getLogger("asyncio").info("of others only warnings")
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert "large enough" in line
    assert (line.startswith("{")) is (form == "json")


@pytest.mark.usefixtures("logging_restored")
def test_setting_up_twice_does_not_log_twice(capsys: pytest.CaptureFixture[str]) -> None:
    without_pytest()
    set_up("text", "info")
    set_up("text", "info")
    logging.getLogger("dockerproxy").info("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.usefixtures("logging_restored")
@pytest.mark.parametrize("level", ["debug", "info", "error"])
def test_the_loggers_of_a_program_are_heard_and_kept_from_the_same_level_on(
    level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    without_pytest()
    set_up("text", level)
    theirs = logging.getLogger("home.pages")
    for name in ("debug", "info", "error"):
        getattr(theirs, name)("said at %s", name)
    logging.getLogger("docker.api").info("of libraries only warnings")
    heard = [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines()]
    assert heard == ["debug", "info", "error"][["debug", "info", "error"].index(level) :]
    ring = find_ring()
    assert ring is not None
    assert len(ring.last(9).lines) == len(heard)


@pytest.mark.usefixtures("logging_restored")
def test_a_program_that_has_set_its_logging_up_keeps_it_and_gets_our_lines(capsys: pytest.CaptureFixture[str]) -> None:
    without_pytest()
    logging.basicConfig(format="mine: %(message)s", level=logging.DEBUG)
    set_up("text", "info")
    logging.getLogger("home").debug("theirs")
    logging.getLogger("dockerproxy").info("ours")
    assert capsys.readouterr().err.splitlines() == ["mine: theirs", "mine: ours"]
    ring = find_ring()
    assert ring is not None
    assert len(ring.last(9).lines) == 2  # what `dockerproxy logs` shows


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_no_line_is_longer_than_its_bound(formatter: logging.Formatter) -> None:
    made = record("it failed: %s", "x" * 1_000_000, level=logging.ERROR)
    try:
        raise ValueError("y" * 1_000_000)
    except ValueError:
        made.exc_info = sys.exc_info()
    text = formatter.format(made)
    assert "it failed: xxx" in text
    assert "ValueError: yyy" in text
    assert len(text) < 100_000
    if isinstance(formatter, TextFormatter):
        assert max(map(len, text.split("\n"))) < 9_000
