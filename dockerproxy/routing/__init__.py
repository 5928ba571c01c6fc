"""Routing: where a request goes. No I/O, no clock of its own, no asyncio.

route.py     Route, Domain, PathRule, Upstream: frozen values
table.py     RouteTable: match(host, method, path) -> Route, or why not (miss.py); site.py: one domain of it
readings.py  how else an application may read a path
expression.py  Expression, Budget: what an expression may cost; catch_all.py: whether it takes all paths
balancer.py  Balancer: the next upstream for an attempt
bench.py     Bench: who sits out until when

table and balancer build on route; balancer asks bench.
"""

from dockerproxy.routing.balancer import Balancer
from dockerproxy.routing.bench import Bench, UpstreamStatus
from dockerproxy.routing.miss import Miss, MissReason
from dockerproxy.routing.route import Domain, PathKind, PathRule, Route, Source, Upstream
from dockerproxy.routing.table import RouteTable

__all__ = [
    "Balancer",
    "Bench",
    "Domain",
    "Miss",
    "MissReason",
    "PathKind",
    "PathRule",
    "Route",
    "RouteTable",
    "Source",
    "Upstream",
    "UpstreamStatus",
]
