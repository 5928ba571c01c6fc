"""The access log reaches whoever reads it, whole, and holds up nobody who does not."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from dockerproxy.access_log import AccessLog
from dockerproxy.http1.head import RequestHead
from dockerproxy.proxy.record import Record

from ..support.waiting import until


def record(number: int) -> Record:
    return Record(lambda _record: None, RequestHead("GET", f"/{number}", 1), "")


def line(one: Record) -> str:
    return f"{one.target} {'x' * 1000}\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):  # the test may have closed it
            os.close(end)


def read_all(descriptor: int) -> list[str]:
    """Everything that is in a pipe whose writing end is closed: the targets."""
    with os.fdopen(os.dup(descriptor), encoding="utf-8") as reader:
        return [text.split(" ")[0] for text in reader]


async def test_what_was_recorded_before_the_end_is_written(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    log = AccessLog(line, writing)
    log.start()
    for number in range(50):
        log(record(number))
    log.close()
    os.close(writing)
    assert read_all(reading) == [f"/{number}" for number in range(50)]
    assert log.dropped == 0


async def test_a_reader_that_stops_reading_costs_lines_but_no_time(
    pipe: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    reading, writing = pipe
    log = AccessLog(line, writing, most_waiting=100)
    log.start()
    for number in range(1000):  # far more than a pipe takes
        log(record(number))
    assert log.dropped > 0
    kept = 1000 - log.dropped
    with os.fdopen(os.dup(reading), "rb") as reader:
        targets = [reader.readline().split(b" ")[0].decode() for _ in range(kept)]
        await until(lambda: "were dropped" in caplog.text)
        log(record(1000))
        assert reader.readline().startswith(b"/1000 ")
    log.close()
    assert targets == sorted(targets, key=lambda target: int(target[1:]))
    assert f"{log.dropped} lines" in caplog.text


async def test_long_lines_that_nobody_reads_are_bounded_in_memory(pipe: tuple[int, int]) -> None:
    _, writing = pipe
    log = AccessLog(lambda one: f"{one.target} {'x' * 100_000}\n", writing)
    for number in range(1000):
        log(record(number))
    assert 600 < log.dropped < 800  # of 100 MB some 32 are kept


async def test_a_reader_that_has_gone_ends_the_log_and_nothing_else(
    pipe: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    reading, writing = pipe
    os.close(reading)
    log = AccessLog(line, writing)
    log.start()
    log(record(1))
    await until(lambda: "the access log ends" in caplog.text)
    log(record(2))
    log.close()
    assert "Broken pipe" in caplog.text


async def test_a_descriptor_that_does_not_block_is_written_all_the_same(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.set_blocking(writing, False)
    log = AccessLog(line, writing)
    log.start()
    for number in range(200):
        log(record(number))
    with os.fdopen(os.dup(reading), "rb") as reader:
        found = [reader.readline().split(b" ")[0].decode() for _ in range(200)]
    log.close()
    assert found == [f"/{number}" for number in range(200)]
