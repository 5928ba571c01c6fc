"""Exposition: families -> the text that is scraped, by the encoders of the official client.

Thousands of series take longer to write than anybody's request may wait, so it is done in slices, in between which
the event loop does all else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from dockerproxy.web.metrics.family import Family
from dockerproxy.web.metrics.scrape import Scrape

MOST_SAMPLES = 100  # in one part: about a millisecond
_SLICE = 0.002  # seconds; the longest that the loop waits for us is this and one part
_END = b"# EOF\n"  # https://prometheus.io/docs/specs/om/open_metrics_spec/, only there and only once


class _Collected(Collector):
    """One part, as an encoder takes it."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterator[Metric]:
        yield self._metric


Encode = Callable[[Collector], bytes]


class Exposition:
    """The text of one scrape.

    encode: an encoder of prometheus_client
    others: metrics that are no families of ours; they come last
    """

    def __init__(self, families: Iterable[Family], scrape: Scrape, encode: Encode, others: Iterable[Metric]) -> None:
        self._families = families
        self._scrape = scrape
        self._encode = encode
        self._others = others
        self._ended = False

    async def slices(self) -> AsyncIterator[bytes]:
        """The text in pieces; whatever else there is to do is done after each."""
        found: list[bytes] = []
        until = time.perf_counter() + _SLICE
        for text in self._texts():
            found.append(text)
            if time.perf_counter() >= until:
                yield b"".join(found)
                found.clear()
                await asyncio.sleep(0)
                until = time.perf_counter() + _SLICE
        yield b"".join([*found, _END] if self._ended else found)

    def _texts(self) -> Iterator[bytes]:
        for family in self._families:
            for index, part in enumerate(family.parts(self._scrape, MOST_SAMPLES)):
                yield self._text(part, with_head=index == 0)
        for metric in self._others:
            yield self._text(metric, with_head=True)

    def _text(self, metric: Metric, *, with_head: bool) -> bytes:
        """The lines of one part; HELP and TYPE stand before the first one only."""
        text = self._encode(_Collected(metric))
        if text.endswith(_END):
            self._ended = True
            text = text[: -len(_END)]
        while not with_head and text.startswith(b"#"):
            text = text[text.index(b"\n") + 1 :]
        return text
