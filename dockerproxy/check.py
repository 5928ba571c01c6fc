"""Check: what settings would route, without serving anything; for `dockerproxy check`.

Collects every problem at once: settings, routes that clash, handlers that cannot be loaded.
"""

from __future__ import annotations

from dockerproxy.control.admission.middlewares import refuse_unknown
from dockerproxy.control.base.base import build_base
from dockerproxy.control.base.builtin import count_routes
from dockerproxy.control.base.static import static_routes
from dockerproxy.errors import DockerproxyError, InvalidInput, SettingsError
from dockerproxy.routing.route import Route
from dockerproxy.settings import Settings, load
from dockerproxy.tls.checking import checked_certificates
from dockerproxy.tls.keyring import certificate_warnings
from dockerproxy.web.handlers.handlers import Handlers
from dockerproxy.web.middlewares.registry import Middlewares


class Report:
    """What was found: lines that say what would be routed, how many these are in words, and the problems."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.routes: list[str] = []
        self.count = ""
        self.warnings: list[str] = []
        self.problems: list[str] = []

    @property
    def good(self) -> bool:
        return not self.problems

    def add(self, error: DockerproxyError) -> None:
        """Note what an error says, one line per problem."""
        if isinstance(error, SettingsError) and error.source == "settings":
            self.problems += [f"{self.source}: {problem}" for problem in error.problems]
        else:
            self.problems += str(error).splitlines()

    def lines(self) -> list[str]:
        """The report for a person."""
        if self.problems:
            found = f"{len(self.problems)} problem{'s' if len(self.problems) > 1 else ''}"
            return [*self.problems, f"{self.source}: {found}, nothing would be served"]
        return [*self.routes, *self.warnings, f"{self.source}: good, {self.count}"]


def check(config: str) -> Report:
    """Read `config` and say what it would route."""
    report = Report(config)
    try:
        settings = load(config)
    except InvalidInput as error:
        report.problems += error.lines()
        return report
    _check_tls(report, settings)
    _check_routes(report, settings)
    return report


def _check_tls(report: Report, settings: Settings) -> None:
    try:
        report.warnings += certificate_warnings(settings, checked_certificates(settings))
    except DockerproxyError as error:
        report.add(error)


def _check_routes(report: Report, settings: Settings) -> None:
    try:
        static = static_routes(settings)
    except DockerproxyError as error:
        report.add(error)
        return
    handlers = Handlers(lambda _name, _path: {})
    for name in static.handlers:
        try:
            handlers.load(name)
        except DockerproxyError as error:
            report.add(error)
    middlewares = Middlewares()
    try:
        refuse_unknown(settings, static.routes, middlewares.known(settings))
        middlewares.use(settings, (name for route in static.routes for name in route.options.middlewares))
    except DockerproxyError as error:
        report.add(error)
    try:
        base = build_base(settings, static, ())
    except DockerproxyError as error:
        report.add(error)
        return
    report.warnings += base.warnings
    report.routes += [describe(route) for route in base.routes.values()]
    report.count = count_routes(base.routes.values())


def describe(route: Route) -> str:
    """One line for a route: where it is, and who answers."""
    where = ", ".join(map(str, route.domains)) or "every domain"
    methods = f" {','.join(route.methods)}" if route.methods else ""
    return f"{route.name}: {where} {route.path}{methods} -> {_who(route)}"


def _who(route: Route) -> str:
    if route.handler:
        return f"handler {route.handler}"
    return ", ".join(map(str, route.upstreams)) or "containers that join it"
