"""LiveRoute: what the data plane keeps of a route from one table to the next.

The route itself is replaced; its balancer, counters and held exchanges stay.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import ClassVar, Protocol

from dockerproxy.proxy.https import hsts_line
from dockerproxy.proxy.log_limit import LogLimit
from dockerproxy.proxy.target import rewritten
from dockerproxy.routing.balancer import Balancer
from dockerproxy.routing.bench import Bench
from dockerproxy.routing.route import PathKind, Route, Upstream
from dockerproxy.settings.values import REWRITE
from dockerproxy.stats import RouteStats
from dockerproxy.tls.client import UpstreamTls

log = logging.getLogger(__name__)

# A held request costs a connection and some memory; a route that is gone must not use up the proxy's.
MOST_HELD = 1000  # exchanges per route


class Held(Protocol):
    """An exchange that waits for an upstream."""

    def wake(self) -> None:
        """An upstream is there, or the route is gone."""


class LiveRoute:
    """A route in use.

    gone:       whether the table no longer has it
    restricted: whether requests are to be looked at before they are tried: a redirect to https, maintenance, a pause,
                a handler that knows certain methods only
    hsts:       field line that answers to clients over https get, or b""
    rewrites:   whether the addresses in answers get the prefix
    edits:      whether there is anything to be done to the heads of answers
    tls:        how https upstreams are spoken to
    doubted:    addresses at which its containers may be no more; they may change before `update`
    gated:      whether its handler runs middlewares before another route of this name
    """

    gated: ClassVar[bool] = False

    __slots__ = (
        "_doubted", "_held", "_log_limit", "balancer", "edits", "gone", "hsts", "options", "prefix", "restricted",
        "rewrites", "route", "stats", "tls", "via",
    )  # fmt: skip

    def __init__(self, route: Route, stats: RouteStats, doubted: Collection[str] = ()) -> None:
        self.stats = stats
        self.balancer = Balancer((), Bench(route.options.consecutive_errors, route.options.bench))
        self.gone = False
        self._held: dict[Held, None] = {}
        self._log_limit = LogLimit()
        self.route = route
        self._doubted = doubted
        self.update(route)

    def __repr__(self) -> str:
        return f"<LiveRoute {self.route.name}: {self.balancer!r}, {len(self._held)} held>"

    def update(self, route: Route) -> None:
        """Take the route's new value; whoever is held is woken when there is an upstream again, and whoever was held
        in a pause when that is over: only then does the time count for which it may be held."""
        resumed = self.route.paused and not route.paused
        self.route = route
        self.options = route.options
        strips = route.options.strip_prefix and route.path.kind is PathKind.PREFIX
        self.prefix = route.path.text.rstrip("/") if strips else ""
        self.balancer.limits(route.options.consecutive_errors, route.options.bench)
        upstreams = _without(route.upstreams, self._doubted) if self._doubted else route.upstreams
        if upstreams != self.balancer.upstreams:
            self.balancer.update(upstreams)
        self.tls = UpstreamTls.of(route.options)
        self.via = route.options.via
        self.hsts = hsts_line(route.options.hsts_max_age)
        self.rewrites = bool(self.prefix) and route.options.strip_prefix == REWRITE
        self.edits = self.rewrites or bool(self.hsts)
        maintained = route.maintenance is not None
        handled = bool(route.handler) and not self.gated
        redirects = self.rewrites or route.options.https == "redirect"
        self.restricted = handled or route.paused or maintained or redirects
        if not route.paused and (self.balancer.has_upstream or maintained or resumed):
            self._wake_held()

    def remove(self) -> None:
        """The table no longer has the route, and none of its upstreams is to be asked any more."""
        self.gone = True
        self.balancer.update(())
        self._wake_held()

    @property
    def crowded(self) -> bool:
        """Whether half of the connections that the upstreams may have are in use."""
        return self.stats.in_flight * 2 > self.options.max_connections * max(1, len(self.route.upstreams))

    @property
    def held(self) -> int:
        """Exchanges that wait now."""
        return len(self._held)

    def hold(self, exchange: Held, waited: float) -> tuple[str, float]:
        """Let `exchange` wait, which has waited for so many seconds already.

        The code of its answer when it must not wait, else "", and the seconds that it may; infinity in a pause.
        """
        seconds = float("inf") if self.route.paused else self.options.hold - waited
        if seconds <= 0 or self.gone:
            return "no_upstream", 0.0
        if len(self._held) >= MOST_HELD:
            return "too_many_held", 0.0
        self._held[exchange] = None
        return "", seconds

    def unhold(self, exchange: Held) -> None:
        """`exchange` waits no longer."""
        self._held.pop(exchange, None)

    def note_error(self, upstream: Upstream, error: Exception) -> None:
        """Count an error that `upstream` gave and that may not be its own: it benches nobody."""
        stats = self.stats.upstream(upstream.key)
        stats.error_counter += 1
        stats.last_error = str(error)
        self.balancer.abandoned(upstream)

    def count_error(self, upstream: Upstream, error: Exception) -> None:
        """Count an error of `upstream`, which may bench it."""
        stats = self.stats.upstream(upstream.key)
        stats.error_counter += 1
        stats.last_error = str(error)
        now = time.monotonic()
        benched = self.balancer.failed(upstream, now)
        stats.benches += benched
        # Where all upstreams fail, all are benched and come back, again and again.
        if benched and self._log_limit.unsaid(upstream.key, now, burst=1) is not None:
            status = self.balancer.status(upstream, now)
            seconds = (status.benched_until or now) - now
            log.warning(
                "%s: %s is benched for %.0f s after %d errors in a row (%s)",
                self.route.name, upstream.name, seconds, status.consecutive_errors, error,
            )  # fmt: skip

    def bench(self, upstream: Upstream, seconds: float) -> None:
        """Bench `upstream` because an operator says so; what is in flight there goes on."""
        now = time.monotonic()
        self.balancer.impose(upstream, now + seconds, now)
        log.info("%s: %s is benched for %g s by the operator", self.route.name, upstream.name, seconds)

    def unbench(self, upstream: Upstream) -> bool:
        """End the bench of `upstream`. False when it had none."""
        if not self.balancer.release(upstream):
            return False
        log.info("%s: the bench of %s is ended by the operator", self.route.name, upstream.name)
        return True

    def log_error(self, code: str, what: str) -> None:
        """Log that a client was shown an error; a flood of one code is summed up."""
        unsaid = self._log_limit.unsaid(code, time.monotonic())
        if unsaid is None:
            return
        more = f" (and {unsaid} more like it before)" if unsaid else ""
        log.warning("%s: %s %s%s", self.route.name, code, what, more)

    def target(self, target: str, upstream: Upstream) -> str:
        """The target as `upstream` is to see it."""
        base, normalise = upstream.base_path, self.options.normalise_paths
        if self.prefix or base or normalise:
            return rewritten(target, self.prefix, base, normalise=normalise)
        return target

    def _wake_held(self) -> None:
        held, self._held = self._held, {}  # one that is woken may have to be held again
        for exchange in held:
            exchange.wake()


def _without(upstreams: Sequence[Upstream], doubted: Collection[str]) -> tuple[Upstream, ...]:
    """The upstreams, with containers at doubted addresses out of rotation."""
    return tuple(
        replace(each, draining=True) if each.container and each.address in doubted else each for each in upstreams
    )
