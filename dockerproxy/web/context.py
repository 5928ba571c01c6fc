"""What a handler is told beside its request: the proxy it serves, its route, and the error that wants a page.

`request.app[CONTROL]`, `request[ROUTE_NAME]`, and in the handler of an error or not-found page `request[ERROR_INFO]`.
It only holds things together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from dockerproxy.control.registry import Registry
from dockerproxy.discovery.snapshot import DiscoveryStatus
from dockerproxy.routing.bench import UpstreamStatus
from dockerproxy.routing.route import Upstream
from dockerproxy.settings import Settings
from dockerproxy.stats import ProxyStats
from dockerproxy.web.throttle import Throttle

try:
    from aiohttp.web import RequestKey
except ImportError:  # aiohttp before 3.14 takes keys of any kind for a request
    from aiohttp.web import AppKey as RequestKey  # type: ignore[assignment]  # it is made and used alike


@dataclass(frozen=True, slots=True)
class Control:
    """The proxy, as seen by its admin handlers.

    status:   route name and upstream -> whether it is up, benched, on probation or draining
    throttle: who has guessed the admin token wrongly, how often
    """

    registry: Registry
    stats: ProxyStats
    discovery: DiscoveryStatus
    version: str
    status: Callable[[str, Upstream], UpstreamStatus]
    throttle: Throttle = field(default_factory=Throttle)

    @property
    def settings(self) -> Settings:
        """The settings in force; a reload replaces them."""
        return self.registry.settings


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """Why an error or not-found page is wanted.

    status: of the answer, for example 502
    code:   in one word, for example `attempts_exhausted`
    """

    status: int
    code: str


CONTROL = web.AppKey("CONTROL", Control)
ROUTE_NAME = RequestKey("ROUTE_NAME", str)
ERROR_INFO = RequestKey("ERROR_INFO", ErrorInfo)
