"""rate_limit and body_limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from dockerproxy.web.middlewares.rate_limit import Buckets, parse_rate

from ...support.scene import Scene
from .conftest import Before

Refused = Callable[..., Awaitable[str]]


async def test_a_client_that_is_too_fast_is_told_when_to_come_again(scene: Scene, before: Before) -> None:
    upstream = await before("rate_limit", rate="1/h", burst=2)
    assert [(await scene.get()).status for _ in range(2)] == [200, 200]
    answer = await scene.get()
    assert (answer.status, 3590 <= int(answer["retry-after"]) <= 3600) == (429, True)
    assert (await scene.get(X_Forwarded_For="203.0.113.9")).status == 200
    assert len(upstream.requests) == 3


def test_a_bucket_fills_steadily_and_never_beyond_its_size() -> None:
    buckets = Buckets(rate=2.0, burst=3)
    assert [buckets.take("a", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("a", 0.25) == 0.25
    assert buckets.take("a", 0.5) == 0
    assert [buckets.take("a", 1000.0) for _ in range(4)] == [0, 0, 0, 0.5]


def test_many_clients_take_bounded_memory() -> None:
    buckets = Buckets(rate=1.0, burst=1, most=10)
    for number in range(100):
        buckets.take(str(number), float(number))
    assert len(buckets) == 10
    assert buckets.take("99", 99.0) > 0


@pytest.mark.parametrize(("written", "rate"), [("10", 10), (0.5, 0.5), ("10/s", 10), ("600 / m", 10), ("1800/h", 0.5)])
def test_a_rate_means(written: object, rate: float) -> None:
    assert parse_rate(written) == rate


async def test_a_rate_that_cannot_be_is_told(refused: Refused) -> None:
    assert "rate: is missing" in await refused("rate_limit")
    for wrong in ("0/s", "fast", "10/d", -1):
        assert "expected a rate such as 10/s" in await refused("rate_limit", rate=wrong)


async def test_a_body_that_is_too_large_is_refused_however_it_comes(scene: Scene, before: Before) -> None:
    upstream = await before("body_limit", max="10b")
    assert (await scene.post(b"x" * 10)).status == 200
    assert (await scene.post(b"x" * 11)).status == 413
    client = await scene.client()
    await client.ask("POST", transfer_encoding="chunked")
    await client.send(b"5\r\nxxxxx\r\n")
    await client.send(b"6\r\nxxxxxx\r\n")
    assert (await client.answer()).status == 413
    assert len(upstream.requests) == 1
