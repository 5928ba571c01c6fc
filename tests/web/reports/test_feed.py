"""The feed by itself: what a fault in one report does to the next ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest

from dockerproxy.stats import ProxyStats
from dockerproxy.web.reports.feed import Feed

FAST = 0.01  # seconds


async def test_a_report_that_cannot_be_made_is_told_once_and_does_not_end_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = 0

    def report() -> Iterator[tuple[str, Any]]:
        nonlocal made
        made += 1
        if made in (2, 3, 4):
            raise RuntimeError("no idea")
        yield "proxy", {"reports": made}

    feed = Feed(interval=FAST)
    feed.start(ProxyStats(0.0), report, lambda _route: True)
    async with aclosing(feed.listen(60.0)) as events:
        assert b'"reports":1' in await anext(events)
        assert b'"reports":5' in await anext(events)
    await feed.close()
    assert [record.getMessage() for record in caplog.records] == ["dashboard: a report could not be made; trying again"]
