"""Counters per route and upstream, under the names that `/statistics` shows.

latency.py  Latency: a histogram of seconds
route.py    RouteStats, UpstreamStats; GateStats and InnerStats for a route with middlewares
proxy.py    ProxyStats: the front and all routes

Numbers only: who is benched is `routing.bench`'s business. Everything here is written by the data plane, on one
thread, and read by statistics and metrics. Counters are kept by name and key, so they survive every change of the
table, and are forgotten some time after their route or upstream has left it.
"""

from dockerproxy.stats.latency import LATENCY_BOUNDS, Latency
from dockerproxy.stats.proxy import KEEP_GONE, MOST_GONE, ProxyStats
from dockerproxy.stats.route import GateStats, InnerStats, RouteStats, UpstreamStats

__all__ = [
    "KEEP_GONE",
    "LATENCY_BOUNDS",
    "MOST_GONE",
    "GateStats",
    "InnerStats",
    "Latency",
    "ProxyStats",
    "RouteStats",
    "UpstreamStats",
]
