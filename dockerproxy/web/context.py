"""What a handler is told beside its request: the proxy it serves, its route, and the error that wants a page.

`request.app[CONTROL]`, `request[ROUTE_NAME]`, and in the handler of an error or not-found page `request[ERROR_INFO]`.
It only holds things together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from dockerproxy.control.registry import Registry
from dockerproxy.discovery.status import DiscoveryStatus
from dockerproxy.routing.bench import UpstreamStatus
from dockerproxy.routing.expression import Budget
from dockerproxy.routing.route import Upstream
from dockerproxy.settings import Settings
from dockerproxy.settings.paths import is_plain, normalised
from dockerproxy.settings.values import ListenAddress
from dockerproxy.stats import ProxyStats
from dockerproxy.web.credentials.login_codes import LoginCodes
from dockerproxy.web.credentials.refusal import BanLog
from dockerproxy.web.credentials.sessions import Sessions
from dockerproxy.web.credentials.throttle import Throttle
from dockerproxy.web.reports.feed import Feed

if TYPE_CHECKING:
    from dockerproxy.tls.certificate import Certificate

try:
    from aiohttp.web import RequestKey
except ImportError:  # aiohttp before 3.14 takes keys of any kind for a request
    from aiohttp.web import AppKey as RequestKey  # type: ignore[assignment]  # it is made and used alike


@dataclass(frozen=True, slots=True)
class Control:
    """The proxy, as seen by its admin handlers.

    status:   route name and upstream -> whether it is up, benched, on probation or draining
    bench:    route name, upstream and seconds: takes it out of rotation for so long
    unbench:  route name and upstream: ends its bench; whether it had any
    held:     route name -> how many requests are held there now
    reload:   reads the settings again and says what changed; raises NotPossible, SettingsError
    reload_beside: the same, without keeping others waiting while they are read
    addresses: where clients are listened to, with the ports that were free where any would do
    throttle: who has guessed the admin token wrongly, how often
    bans:     what is logged of those who guess
    sessions: the browsers that are logged in
    codes:    of links that will log one in
    feed:     what open dashboards are told each second
    certificates: those that clients over https are shown
    revive:   id of a container that was told to stop: it serves on; whether that can be done now
    """

    registry: Registry
    stats: ProxyStats
    discovery: DiscoveryStatus
    version: str
    status: Callable[[str, Upstream], UpstreamStatus]
    bench: Callable[[str, Upstream, float], None]
    unbench: Callable[[str, Upstream], bool]
    held: Callable[[str], int]
    reload: Callable[[], list[str]]
    addresses: Callable[[], Sequence[ListenAddress]]
    throttle: Throttle = field(default_factory=Throttle)
    bans: BanLog = field(default_factory=lambda: BanLog("admin: too many wrong tokens", "no token is taken from there"))
    sessions: Sessions = field(default_factory=Sessions)
    reload_beside: Callable[[], Awaitable[list[str]]] | None = None
    codes: LoginCodes = field(default_factory=LoginCodes)
    feed: Feed = field(default_factory=Feed)
    certificates: Callable[[], Sequence[Certificate]] = tuple
    revive: Callable[[str], bool] = lambda _container: False

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
# Set by a middleware: most bytes that the request's body may have behind it.
BODY_LIMIT = RequestKey("BODY_LIMIT", int)
# Set by a middleware: names of fields that it alone writes, so that none of them may stand behind the client's body.
ASSERTED = RequestKey("ASSERTED", frozenset)
PASSAGE = RequestKey("PASSAGE", int)
# The option of the route, for middlewares that judge by the path.
ENCODED_SLASHES = RequestKey("ENCODED_SLASHES", str)
# What the expressions of middlewares may cost, all together.
EXPRESSION_BUDGET = RequestKey("EXPRESSION_BUDGET", Budget)


def path_of(request: web.Request) -> str:
    """The path as the proxy reads it, in the form of RFC 3986 section 6.2.2: for whoever judges by the path.

    `request.path` is decoded, but `/x/../admin` and `//admin` are not `/admin` there.
    """
    path = request.raw_path.partition("?")[0]
    return path if is_plain(path) else normalised(path)
