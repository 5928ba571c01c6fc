"""Blame: whose the errors of one exchange are: each upstream's own, or the request's.

An upstream that cannot be reached is to blame itself. Where the request has got there, it may be the request that no
application can stand: when several upstreams give an error for it and none an answer, it benches nobody. So such errors
wait here until the exchange has come to its end.
"""

from __future__ import annotations

from dockerproxy.proxy.exchange.live import LiveRoute
from dockerproxy.proxy.upstream.failure import AttemptError
from dockerproxy.routing.route import Upstream


class Blame:
    """The errors of one exchange; they count once for each upstream."""

    __slots__ = ("_counted", "_pending")

    def __init__(self) -> None:
        self._counted: set[str] = set()
        self._pending: list[tuple[LiveRoute, Upstream, AttemptError]] = []

    def __repr__(self) -> str:
        return f"<Blame: {len(self._counted)} counted, {len(self._pending)} pending>"

    def note(self, live: LiveRoute, upstream: Upstream, error: AttemptError) -> None:
        """An attempt failed with an error that speaks against its upstream."""
        if upstream.key in self._counted:
            live.balancer.abandoned(upstream)
            return
        self._counted.add(upstream.key)
        if error.nothing_sent:
            live.count_error(upstream, error)
        else:
            self._pending.append((live, upstream, error))

    def upstreams(self) -> None:
        """Another upstream has answered: the errors were the upstreams' own."""
        pending, self._pending = self._pending, []
        for live, upstream, error in pending:
            live.count_error(upstream, error)

    def nobody(self) -> None:
        """Nobody knows: the client did not wait for what the next upstream would say."""
        pending, self._pending = self._pending, []
        for live, upstream, error in pending:
            live.note_error(upstream, error)

    def unanswered(self) -> None:
        """No upstream has answered: where several gave an error, it is the request's."""
        if len(self._pending) > 1:
            self.nobody()
        else:
            self.upstreams()
