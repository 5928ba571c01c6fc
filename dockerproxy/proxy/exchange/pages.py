"""Pages: what a client is shown where no answer comes: the page of a handler where there is one, else ours.

Whatever is shown bears the request's id, and its code for whoever may see it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from dockerproxy.http1.head import RequestHead, ResponseHead
from dockerproxy.proxy.answers import ANSWERS, answer, wants_html
from dockerproxy.proxy.exchange.client import Client
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.log_limit import LogLimit
from dockerproxy.proxy.request_id import RequestIds
from dockerproxy.routing.miss import Miss, MissReason
from dockerproxy.routing.route import Route, Upstream
from dockerproxy.settings import RouteOptions
from dockerproxy.stats import ProxyStats, RouteStats

log = logging.getLogger(__name__)

_NOT_FOUND = (MissReason.HOST, MissReason.PATH)

# The client's address and the value of its Authorization field -> whether it may see why a request failed.
MaySeeReason = Callable[[str, str], bool]


class Pages:
    """Error pages and not-found pages.

    live:           handlers whose pages have been shown, by key and `hsts_max_age` of the routes that show them
    not_found:      handler of the not-found page by domain; "" is for all others
    may_see_reason: who is told the code
    """

    def __init__(self, stats: ProxyStats, may_see_reason: MaySeeReason) -> None:
        self._stats = stats
        self.live: dict[tuple[str, float | None], LiveRoute] = {}
        self.not_found: Mapping[str, str] = {}
        self.may_see_reason = may_see_reason
        self.ids = RequestIds()
        self._log_limit = LogLimit()

    def __repr__(self) -> str:
        return f"<Pages: {len(self.live)} handlers in use>"

    def of_domain(self, domain: str) -> LiveRoute | None:
        """The handler of the not-found page for `domain`, or None for ours."""
        name = domain.rpartition(":")[0]
        key = self.not_found.get(domain) or self.not_found.get(name) or self.not_found.get("")
        return self._page(key) if key else None

    def of_route(self, route: Route) -> LiveRoute | None:
        """The handler of the error page of `route`, or None for ours."""
        return self._page(route.error_handler, route.options.hsts_max_age) if route.error_handler else None

    def show_not_found(self, client: Client, head: RequestHead, miss: Miss) -> None:
        """Answer a request that no route answers."""
        page = self.of_domain(miss.domain) if miss.reason in _NOT_FOUND else None
        self.show_unrouted(client, head, miss.reason.value, page, miss.allow)

    def show_unrouted(
        self, client: Client, head: RequestHead, code: str, page: LiveRoute | None = None, allow: tuple[str, ...] = ()
    ) -> None:
        """Answer a request that is for no route, and log it; a flood of one code is summed up."""
        self._stats.unrouted += 1
        unsaid = self._log_limit.unsaid(code, time.monotonic())
        if unsaid is not None:
            what = f"{head.method} {head.host}{head.path} from {client.origin.address(head)}"
            more = f" (and {unsaid} more like it before)" if unsaid else ""
            log.info("%d %s for %s (%s)%s", ANSWERS[code].status, code, what, self.ids.of(head), more)
        self.show(client, head, code, page, allow=allow)

    def show(
        self,
        client: Client,
        head: RequestHead,
        code: str,
        page: LiveRoute | None = None,
        *,
        allow: tuple[str, ...] = (),
        text: str = "",
        more: Sequence[tuple[str, str]] = (),
        hsts: bytes = b"",
    ) -> None:
        """Answer the client with a page about `code`.

        page:  the handler that makes the page, or None for ours
        allow: methods for a 405
        text:  in place of our words
        more:  fields that our answer has beside
        hsts:  field line that it has for a client over https, or b"" (RFC 6797 section 7.1)
        """
        if page is not None:
            self._ask(client, head, page, code)
            return
        fields = list(self._fields(client, head, code))
        shown, body = answer(code, html=wants_html(head), fields=fields, allow=allow, text=text, more=more)
        if hsts and client.origin.speaks_https(head):
            shown.lines.append(hsts)
        client.respond(shown, body, True)

    def log_shown(self, live: LiveRoute, head: RequestHead, code: str, why: str) -> None:
        """Log what a client of a route is shown; `why` goes behind it."""
        live.log_error(f"{ANSWERS[code].status} {code}", f"for {head.method} {head.path} ({self.ids.of(head)}){why}")

    def mark(self, client: Client, head: RequestHead, code: str, page: ResponseHead) -> None:
        """Add to a handler's page what ours would say of the request."""
        page.lines += [b"%b: %b" % (name.encode(), value.encode()) for name, value in self._fields(client, head, code)]

    def _fields(self, client: Client, head: RequestHead, code: str) -> Iterator[tuple[str, str]]:
        yield "X-Request-Id", self.ids.of(head)
        if self.may_see_reason(client.origin.address(head), _authorization(head)):
            yield "X-Dockerproxy-Reason", code

    def _ask(self, client: Client, head: RequestHead, page: LiveRoute, code: str) -> None:
        self.ids.send_along(head)
        asked = RequestHead("HEAD" if head.method == "HEAD" else "GET", head.target, head.minor)
        asked.host, asked.host_fields, asked.lines = head.host, head.host_fields, head.lines
        asked.claimed, asked.keep_alive, asked.id = head.claimed, head.keep_alive, head.id
        client.run(asked, page, code)

    def _page(self, key: str, hsts_max_age: float | None = None) -> LiveRoute:
        page = self.live.get((key, hsts_max_age))
        if page is None:
            upstream = Upstream(name=key, url="", handler=key)
            options = RouteOptions(hsts_max_age=hsts_max_age)
            route = Route(name=key, upstreams=(upstream,), options=options, handler=key)
            page = self.live[key, hsts_max_age] = LiveRoute(route, RouteStats())
        return page


def _authorization(head: RequestHead) -> str:
    for line in head.lines:
        if line[:14].lower() == b"authorization:":
            return line[14:].strip().decode("latin-1")
    return ""
