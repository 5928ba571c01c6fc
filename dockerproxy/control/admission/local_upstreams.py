"""Which upstreams at addresses of this machine and its link a dynamic route may have. Pure.

Whoever may add a route has the proxy fetch for him what it reaches and he does not: services that trust this machine,
and a cloud's metadata. Whoever is on this machine reaches its loopback anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from dockerproxy.control.base.handler_keys import name_and_prefix
from dockerproxy.errors import Problem
from dockerproxy.routing.local_addresses import LOOPBACK, Network, address_of, why_local
from dockerproxy.routing.route import Route
from dockerproxy.settings import RouteSettings, Settings

_ADD = "dockerproxy.web.admin:add_route"


def permitted_networks(settings: Settings, static: Iterable[Route]) -> tuple[Network, ...]:
    """Where dynamic routes may have local upstreams.

    static: the routes of the settings and the program, among which may be one that adds routes
    """
    if settings.local_upstreams is not None:
        return settings.local_upstreams
    default = settings.effective_admin_access
    accesses = {default, *(route.access or default for route in static if name_and_prefix(route.handler)[0] == _ADD)}
    return LOOPBACK if accesses == {"loopback"} else ()


def local_problems(wanted: RouteSettings, permitted: tuple[Network, ...]) -> Iterator[Problem]:
    """What is wrong with the addresses of its upstreams. What their names stand for is looked at when connecting."""
    for number, upstream in enumerate(wanted.upstreams):
        host = urlsplit(upstream.url).hostname or ""
        kind = why_local(host, permitted)
        if kind:
            yield Problem(
                f"upstreams[{number}].url",
                f"{host} is {kind}: routes that are added at run time may not lead there; if that is meant, add it to "
                f'the setting local_upstreams (local_upstreams: ["{address_of(host) or LOOPBACK[0]}"]), or write a '
                "static route",
            )
