"""rate_limit: so many requests in a time from one client, and some more at once."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from typing import Annotated, Any, ClassVar

from aiohttp import web
from pydantic import BeforeValidator, Field

from dockerproxy.settings.options import Strict
from dockerproxy.web.credentials.refusal import too_many
from dockerproxy.web.credentials.throttle import site_of
from dockerproxy.web.middlewares.registry import CallNext

MOST_CLIENTS = 10_000  # some 200 bytes each; whoever has been quiet for longest is forgotten first
_RATE = re.compile(r"(\d+(?:\.\d+)?)(?:/(s|m|h))?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}


def parse_rate(value: Any) -> float:
    """Requests a second, from `10`, `10/s`, `600/m` or `1000/h`. Raises ValueError."""
    found = _RATE.fullmatch(str(value).replace(" ", ""))
    if found is None or float(found[1]) <= 0:
        raise ValueError("expected a rate such as 10/s, 600/m or 1000/h")
    return float(found[1]) / _SECONDS[found[2]]


class RateLimitOptions(Strict):
    """Options of rate_limit."""

    rate: Annotated[float, BeforeValidator(parse_rate)] = Field(
        description="requests that one client may make in the long run, such as `10/s` or `600/m`"
    )
    burst: int = Field(20, ge=1, description="requests that it may make at once after a pause")


class Buckets:
    """A bucket of tokens for each client, filled steadily; `now` is in seconds of any monotonic clock."""

    def __init__(self, rate: float, burst: int, most: int = MOST_CLIENTS) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when there were so many

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, client: str, now: float) -> float:
        """Take a token. The seconds until there is one, or 0 when it was there."""
        tokens, then = self._buckets.pop(client, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        wait = max(0.0, (1 - tokens) / self._rate)
        self._buckets[client] = (tokens if wait else tokens - 1, now)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return wait


class RateLimit:
    """Answers 429 to a client that is too fast. Of IPv6 a whole /64 is one client."""

    Options = RateLimitOptions
    reads_body: ClassVar[bool] = False

    def __init__(self, options: RateLimitOptions) -> None:
        self._buckets = Buckets(options.rate, options.burst)

    async def __call__(self, request: web.Request, call_next: CallNext) -> web.StreamResponse:
        wait = self._buckets.take(site_of(request.remote or ""), time.monotonic())
        if wait:
            raise too_many("requests", wait)
        return await call_next(request)
