"""The commands that show what there is: routes, upstreams, containers."""

from __future__ import annotations

import argparse

from dockerproxy.commands.access import add_access, client_of
from dockerproxy.commands.asking.report import Report
from dockerproxy.commands.command_line import CommandLine
from dockerproxy.commands.completion import CONTAINERS, ROUTES, completed_by
from dockerproxy.commands.terminal.output import Output

GROUP = "look"


def add_to(commands: CommandLine) -> None:
    """Add the three commands."""
    _add_routes(commands)
    _add_upstreams(commands)
    _add_containers(commands)


def _add_routes(commands: CommandLine) -> None:
    parser = commands.add(
        "routes",
        GROUP,
        _routes,
        "all routes: where they are, how they fare, what an operator has set",
        """Show the routes of the running proxy: their domains and paths, how many upstreams are up, benched or
        draining, how many requests they have had, how many of them were answered with an error page of the proxy's,
        and within what time 95 of 100 were answered. Maintenance and pauses stand with the route.""",
        [
            "dockerproxy routes",
            "dockerproxy routes blog --json",
            "docker compose exec proxy dockerproxy routes",
        ],
    )
    completed_by(parser.add_argument("names", nargs="*", metavar="ROUTE", help="only these"), ROUTES)
    parser.add_argument("--all", action="store_true", help="also the routes of the proxy itself, such as /statistics")
    add_access(parser)


def _add_upstreams(commands: CommandLine) -> None:
    parser = commands.add(
        "upstreams",
        GROUP,
        _upstreams,
        "who answers for each route: state, bench countdown, last error",
        """Show the upstreams of the running proxy, route by route: whether they are up, benched (and for how long
        still), on probation or draining; their weight; how many requests they are answering now; how many they have
        answered, how many attempts have failed, and why the last one did.""",
        ["dockerproxy upstreams", "dockerproxy upstreams blog shop", "dockerproxy upstreams --json | jq '.[].state'"],
    )
    completed_by(parser.add_argument("names", nargs="*", metavar="ROUTE", help="only those of these routes"), ROUTES)
    add_access(parser)


def _add_containers(commands: CommandLine) -> None:
    parser = commands.add(
        "containers",
        GROUP,
        _containers,
        "which containers are routed, and why the others are not",
        """Show the containers that have labels of dockerproxy's: first those that are not routed, each with the
        reasons and what mends them, then the others with their routes and addresses.""",
        [
            "dockerproxy containers",
            "dockerproxy containers office-1",
            "dockerproxy explain office-1   # the whole story",
        ],
    )
    completed_by(parser.add_argument("names", nargs="*", metavar="CONTAINER", help="only these"), CONTAINERS)
    add_access(parser)


def _routes(options: argparse.Namespace) -> int:
    report = Report.ask(client_of(options))
    rows = report.routes(options.names, own=options.all)
    Output(options).show(rows, lambda screen: screen.routes(report, rows))
    return 0


def _upstreams(options: argparse.Namespace) -> int:
    report = Report.ask(client_of(options))
    rows = report.upstreams(options.names)
    Output(options).show(rows, lambda screen: screen.upstreams(report, rows))
    return 0


def _containers(options: argparse.Namespace) -> int:
    report = Report.ask(client_of(options))
    rows = report.containers(options.names)
    Output(options).show(rows, lambda screen: screen.containers(report, rows))
    return 0
