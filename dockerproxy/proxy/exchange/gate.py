"""Gate: the entry of a route with middlewares.

Such a route is entered through another one of its name, whose only upstream is a handler of ours that runs the
middlewares. What they let through becomes an exchange on the route itself, which that handler begins (`inner`): so
attempts, holds, benches and error pages are what they are without middlewares.

The handler and the exchange that asks it are in one process. What would suffer on the way between them, the bytes of
the fields, they leave for each other in a Passage; over the connection go the body and its length.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from itertools import count
from typing import Protocol
from weakref import WeakValueDictionary

from dockerproxy.http1.head import RequestHead, ResponseHead
from dockerproxy.proxy.exchange.attempt import Attempt
from dockerproxy.proxy.exchange.client import Client
from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.exchange.request_body import RequestBody
from dockerproxy.proxy.upstream.failure import AttemptError, Failure
from dockerproxy.routing.route import Route, Upstream
from dockerproxy.stats import GateStats, InnerStats, RouteStats

HANDLER = "middlewares"  # the key of the handler; no name of a handler of theirs is without a colon
# What it says of its own answer, where other handlers name an exception; no class has such a name.
AS_TOLD = b"as-told"
PASS_ON = b"pass-on"

# The exchange behind keeps to the route's timeouts and limits; middlewares take the time that they take.
_OPTIONS = {
    "consecutive_errors": sys.maxsize,
    "error_statuses": frozenset(),
    "max_connections": sys.maxsize,
    "normalise_paths": False,
    "response_timeout": None,
    "stall_timeout": None,
    "strip_prefix": False,
}
# What aiohttp may find in a request line; in the place of anything else it is told POST.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UPSTREAMS = (Upstream(name=HANDLER, url="", handler=HANDLER),)


class Behind(Protocol):
    """Whoever takes the answer of the route itself."""

    def leave(self) -> None:
        """Nobody takes the rest."""

    def addresses_lost(self, lost: Collection[tuple[str, str]]) -> None:
        """As an exchange is told."""


class Passage:
    """What the handler and the exchange that asks it leave for each other.

    client:  of the exchange
    request: head of the client's request
    behind:  the route itself
    answer:  the answer's status line and fields
    length:  what Content-Length says in an answer without a body, or -1
    head:    of the request that is to be passed on, for a tunnel
    withheld: names of fields that may not stand behind its body
    limit:   most bytes that its body may have, or None
    inner:   those who have asked the route itself
    """

    __slots__ = ("answer", "behind", "client", "head", "inner", "length", "limit", "request", "withheld")

    def __init__(self, client: Client, request: RequestHead, behind: LiveRoute) -> None:
        self.client = client
        self.request = request
        self.behind = behind
        self.answer: tuple[bytes, list[bytes]] = (b"", [])
        self.length = -1
        self.head: RequestHead | None = None
        self.withheld: Collection[str] = ()
        self.limit: int | None = None
        self.inner: list[Behind] = []

    def leave(self) -> None:
        """The client has left: for what is under way behind, too."""
        for inner in self.inner:
            inner.leave()

    def addresses_lost(self, lost: Collection[tuple[str, str]]) -> None:
        """What is under way behind is told, too."""
        for inner in list(self.inner):
            inner.addresses_lost(lost)


class AtGate(Protocol):
    """The exchange that asks the handler, as the gate and the handler see it."""

    head: RequestHead
    live: LiveRoute
    stats: RouteStats
    request_body: RequestBody | None

    @property
    def passage(self) -> Passage:
        """There once the handler has been asked."""

    def start(self) -> None:
        """Make an attempt, if the route allows."""

    def interim(self, head: ResponseHead) -> None:
        """Send the client an interim answer."""

    def show_error(self, code: str, text: str = "", fields: Sequence[tuple[str, str]] = ()) -> None:
        """Answer with an error page."""


class GateRoute(LiveRoute):
    """The entry of a route with middlewares.

    behind: the route itself
    """

    __slots__ = ("_counters", "_followed", "_gates", "behind")

    gated = True

    def __init__(self, behind: LiveRoute, route: Route, gates: Gates) -> None:
        self.behind = behind
        self._gates = gates
        self._counters: tuple[RouteStats, InnerStats] = behind.stats, InnerStats(behind.stats)
        super().__init__(route, GateStats(behind.stats))

    def update(self, route: Route) -> None:
        self._followed = route
        options = route.options.model_copy(update=_OPTIONS)
        super().update(replace(route, upstreams=_UPSTREAMS, handler=HANDLER, options=options))

    def follow(self) -> None:
        """Take the new value of the route itself."""
        if self._followed is not self.behind.route:
            self.update(self.behind.route)

    def guard(self, *, guards: bool) -> None:
        """Whether requests come this way: then they are counted here, and behind only what happens there."""
        self.behind.stats = self._counters[guards]

    def let_in(self, client: Client, head: RequestHead) -> tuple[Passage, RequestHead]:
        """What a request and the handler leave for each other, and its head as aiohttp can read it."""
        passage = Passage(client, head, self.behind)
        if head.method not in _METHODS:
            head = copy(head)
            head.method = "POST"
        return passage, head

    def introduction(self, exchange: AtGate) -> bytes:
        """The field line, with CRLF, by which the handler finds the exchange that asks it."""
        return b"Dockerproxy-Passage: %d\r\n" % self._gates.note(exchange)

    def log_error(self, code: str, what: str) -> None:
        if code != "cut":  # whoever broke it off has told
            super().log_error(code, what)


class Gates:
    """The gates of all routes that have one, by name, and the exchanges that wait for the handler."""

    def __init__(self) -> None:
        self._gates: dict[str, GateRoute] = {}
        self._waiting: WeakValueDictionary[int, AtGate] = WeakValueDictionary()  # one that ends unclaimed is gone
        self._numbers = count(1)

    def __repr__(self) -> str:
        return f"<Gates: {len(self._gates)}, {len(self._waiting)} exchanges to be claimed>"

    def entries(self, routes: Iterable[Route], live: dict[str, LiveRoute]) -> Mapping[str, LiveRoute]:
        """What requests are to be looked up in: `live` itself, unless some of the `routes` have middlewares."""
        found: dict[str, LiveRoute] = {}
        for route in routes:
            if route.options.middlewares:
                gate = self._gates.get(route.name)
                if gate is None or gate.behind is not live[route.name]:
                    gate = self._gates[route.name] = GateRoute(live[route.name], route, self)
                found[route.name] = gate
        for name, gate in self._gates.items():
            gate.guard(guards=name in found)
        return {**live, **found} if found else live

    def settle(self, live: Mapping[str, LiveRoute]) -> None:
        """Let the gates take the new values of their routes; one without middlewares keeps those who wait there."""
        for name in self._gates.keys() - live.keys():
            self._gates.pop(name).remove()
        for gate in self._gates.values():
            gate.follow()

    def held(self, route: str) -> int:
        """Exchanges that wait at the gate of a route now."""
        gate = self._gates.get(route)
        return 0 if gate is None else gate.held

    def note(self, exchange: AtGate) -> int:
        """A number by which the handler finds the exchange that asks it."""
        number = next(self._numbers)
        self._waiting[number] = exchange
        return number

    def claim(self, number: int) -> AtGate | None:
        """The exchange with this number, once; None when it has ended."""
        return self._waiting.pop(number, None)


def take_word(exchange: AtGate, attempt: Attempt, head: ResponseHead, done: bool) -> bool:
    """Do what a handler of ours says of its own answer. False when the answer is to be relayed.

    An upstream that says such words is no handler: its answer is taken for what it is.
    """
    if not attempt.upstream.handler:
        attempt.succeeded()
        return False
    passage = exchange.passage if exchange.live.gated else None
    if passage is not None and head.failed == AS_TOLD:
        attempt.succeeded()
        head.line, head.lines = passage.answer
        head.dated = any(line[:5].lower() == b"date:" for line in head.lines)
        head.length_field = max(head.length_field, passage.length)
        return False
    attempt.leave_unless(done)
    attempt.connection = None
    if passage is not None and head.failed == PASS_ON and passage.head is not None:
        attempt.succeeded()
        exchange.head, exchange.live = passage.head, passage.behind
        if exchange.request_body is not None:
            exchange.request_body.withheld = passage.withheld
            exchange.request_body.allow(passage.limit)
        exchange.start()
        return True
    attempt.failed(AttemptError(Failure.EXCEPTION, head.failed.decode("latin-1")))
    exchange.show_error("handler_failed" if passage is None else "middleware_failed")
    return True
