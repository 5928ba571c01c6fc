"""The admin routes that are there without being asked for, at `settings.admin_host`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from dockerproxy.control.base.handler_keys import handler_upstreams
from dockerproxy.control.overrides.overrides import is_admin
from dockerproxy.routing.route import NO_NAME, Domain, PathKind, PathRule, Route, RouteAccess
from dockerproxy.settings import Settings

# name, method, path, handler, access ("" is the setting's default). Health tells nothing, so anybody may ask;
# load balancers and Docker's HEALTHCHECK do.
_ROUTES: tuple[tuple[str, str, str, str, RouteAccess], ...] = (
    ("dockerproxy-dashboard", "GET", "/", "dockerproxy.web.dashboard:dashboard", ""),
    ("dockerproxy-dashboard-files", "GET", "/dashboard/*", "dockerproxy.web.dashboard:file", ""),
    ("dockerproxy-live", "GET", "/live", "dockerproxy.web.live:live", ""),
    ("dockerproxy-session", "GET", "/session", "dockerproxy.web.login:session", ""),
    ("dockerproxy-login", "POST", "/login", "dockerproxy.web.login:login", ""),
    ("dockerproxy-login-link", "POST", "/login-link", "dockerproxy.web.login:login_link", ""),
    ("dockerproxy-logout", "POST", "/logout", "dockerproxy.web.login:logout", ""),
    ("dockerproxy-statistics", "GET", "/statistics", "dockerproxy.web.statistics:statistics", ""),
    ("dockerproxy-explain", "GET", "/explain", "dockerproxy.web.explain:explain", ""),
    ("dockerproxy-add", "POST", "/add", "dockerproxy.web.admin:add_route", ""),
    ("dockerproxy-remove", "POST", "/remove", "dockerproxy.web.admin:remove_route", ""),
    ("dockerproxy-drain", "POST", "/drain", "dockerproxy.web.operate:drain", ""),
    ("dockerproxy-undrain", "POST", "/undrain", "dockerproxy.web.operate:undrain", ""),
    ("dockerproxy-bench", "POST", "/bench", "dockerproxy.web.operate:bench", ""),
    ("dockerproxy-unbench", "POST", "/unbench", "dockerproxy.web.operate:unbench", ""),
    ("dockerproxy-weight", "POST", "/weight", "dockerproxy.web.operate:weight", ""),
    ("dockerproxy-maintenance", "POST", "/maintenance", "dockerproxy.web.operate:maintenance", ""),
    ("dockerproxy-pause", "POST", "/pause", "dockerproxy.web.operate:pause", ""),
    ("dockerproxy-resume", "POST", "/resume", "dockerproxy.web.operate:resume", ""),
    ("dockerproxy-reload", "POST", "/reload", "dockerproxy.web.operate:reload", ""),
    ("dockerproxy-metrics", "GET", "/metrics", "dockerproxy.web.metrics.endpoint:metrics", ""),
    ("dockerproxy-logs", "GET", "/logs", "dockerproxy.web.logs:log_lines", ""),
    ("dockerproxy-health", "GET", "/health", "dockerproxy.web.admin:health", "open"),
)

# Options of built-in routes that differ from the settings: of all of them, and by the route's path.
_EVERYWHERE = {"middlewares": ()}  # a password of its sites would stand in the way of the admin token
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "/logs": {"stall_timeout": None},  # a log may be quiet for as long as it likes
    "/health": {"https": "allow"},  # load balancers ask over plain http
}

# A load balancer may be unable to say more than where it connects to.
_MORE_DOMAINS = {"/health": (NO_NAME,)}


def builtin_routes(settings: Settings, taken: Collection[str] = ()) -> tuple[Route, ...]:
    """The built-in admin routes, under names that none of `taken` equals."""
    return tuple(
        Route(
            name=_free_name(name, taken),
            domains=(Domain.parse(settings.admin_host), *_MORE_DOMAINS.get(path, ())),
            path=_rule(path),
            methods=(method,),
            upstreams=handler_upstreams(handler),
            options=settings.route_defaults.model_copy(update={**_EVERYWHERE, **_OPTIONS.get(path, {})}),
            handler=handler,
            access=access,
        )
        for name, method, path, handler, access in _ROUTES
    )


def count_routes(routes: Iterable[Route]) -> str:
    """`3 routes and 22 of its own`: those of the proxy itself are no news to anybody."""
    own = [is_admin(route) for route in routes]
    theirs = own.count(False)
    return f"{theirs} {'route' if theirs == 1 else 'routes'} and {own.count(True)} of its own"


def _rule(path: str) -> PathRule:
    """A path that ends in `/*` stands for all below it."""
    prefix = path.removesuffix("/*")
    return PathRule(PathKind.EXACT, path) if prefix == path else PathRule(PathKind.PREFIX, prefix)


def _free_name(name: str, taken: Collection[str]) -> str:
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
