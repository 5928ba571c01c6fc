"""The commands for routes of one's own: add, remove, reload."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockerproxy.commands.access import add_access, client_of
from dockerproxy.commands.asking.client import Refused
from dockerproxy.commands.command_line import CommandLine, WrongUsage
from dockerproxy.commands.completion import FILES, ROUTES, completed_by
from dockerproxy.commands.terminal.output import Output
from dockerproxy.errors import DockerproxyError
from dockerproxy.settings.file import parse_file, read_file

GROUP = "change"


class WrongArguments(DockerproxyError):
    """The arguments do not make a route."""


def add_to(commands: CommandLine) -> None:
    """Add the three commands."""
    _add_add(commands)
    _add_remove(commands)
    _add_reload(commands)


def _add_add(commands: CommandLine) -> None:
    parser = commands.add(
        "add",
        GROUP,
        _add,
        "a new route, at once and for good",
        """Add a route to the running proxy: from options, or from a file in YAML or JSON with the keys of a route in
        the settings file, or with several of them under `routes:`. It counts when the command ends, and survives a
        restart of the proxy. The names of the Go project are accepted in files.""",
        [
            "dockerproxy add news --host news.localhost --upstream http://localhost:2368",
            "dockerproxy add api --host shop.localhost --path /api --upstream 10.0.0.5:80",
            "dockerproxy add -f news.yaml",
            "ssh build cat news.json | dockerproxy add -f -",
        ],
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="the new route's name")
    parser.add_argument("--host", action="append", metavar="DOMAIN", help="its domain; may be repeated")
    parser.add_argument("--path", metavar="PREFIX", help="a path prefix, such as /api; default: the whole domain")
    parser.add_argument("--upstream", action="append", metavar="URL", help="who answers; may be repeated")
    file = parser.add_argument("-f", "--file", metavar="FILE", help="YAML or JSON; - is standard input")
    completed_by(file, FILES)
    add_access(parser)


def _add_remove(commands: CommandLine) -> None:
    parser = commands.add(
        "remove",
        GROUP,
        _remove,
        "a route that was added",
        "Remove a route that `add` or POST /add has made. Those of files, containers and Python code stay.",
        ["dockerproxy remove news"],
    )
    completed_by(parser.add_argument("name", metavar="ROUTE"), ROUTES)
    add_access(parser)


def _add_reload(commands: CommandLine) -> None:
    parser = commands.add(
        "reload",
        GROUP,
        _reload,
        "read the settings file again",
        """Let the proxy read its settings again, as SIGHUP does. A file with an error changes nothing, and the command
        says what is wrong.""",
        ["dockerproxy check dockerproxy.yaml && dockerproxy reload"],
    )
    add_access(parser)


def _add(options: argparse.Namespace) -> int:
    routes = _from_file(options) if options.file is not None else [_from_options(options)]
    client = client_of(options)
    added = []
    for route in routes:
        try:
            added.append(client.post("/add", route))
        except Refused as refused:
            name = route.get("name", "without a name") if isinstance(route, Mapping) else route
            lines = [f"route {name}: {line}" for line in str(refused).splitlines()]
            if added:
                lines.append(f"before it, these were added: {', '.join(str(route['name']) for route in added)}")
            raise WrongArguments("\n".join(lines)) from None
    lines = [f"{route['name']} is added" for route in added]
    Output(options).show(added if len(routes) > 1 else added[0], lambda screen: screen.lines(lines))
    return 0


def _from_options(options: argparse.Namespace) -> dict[str, Any]:
    if options.name is None:
        raise WrongUsage("which route? Give a name with --host and --upstream, or a file with -f FILE")
    if not options.host or not options.upstream:
        missing = "--host" if not options.host else "--upstream"
        raise WrongUsage(
            f"route {options.name}: {missing} is missing, as in --host news.localhost --upstream http://localhost:2368"
        )
    upstreams = [{"url": url if "://" in url else f"http://{url}"} for url in options.upstream]
    route = {"name": options.name, "host": ",".join(options.host), "upstreams": upstreams}
    return {**route, "path": options.path} if options.path else route


def _from_file(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The routes of a file: it is one, or it has them under `routes`."""
    if options.host or options.upstream or options.path:
        raise WrongUsage("-f says all of the route; leave out --host, --path and --upstream, or -f")
    name = "standard input" if options.file == "-" else options.file
    values = parse_file(sys.stdin.read(), name) if options.file == "-" else read_file(Path(options.file))
    routes = values.get("routes")
    if isinstance(routes, list) and routes:
        return routes
    if not values:
        raise WrongArguments(f"{name}: is empty; expected a route, such as `name: news` with `host` and `upstreams`")
    return [{**values, **({"name": options.name} if options.name else {})}]


def _remove(options: argparse.Namespace) -> int:
    answer = client_of(options).post("/remove", {"name": options.name})
    Output(options).show(answer, lambda screen: screen.lines([f"{answer['removed']} is removed"]))
    return 0


def _reload(options: argparse.Namespace) -> int:
    answer = client_of(options).post("/reload", {})
    changed = answer.get("changed") or ["nothing changed"]
    lines = [*changed, f"the settings were read again: {answer['routes']} routes"]
    Output(options).show(answer, lambda screen: screen.lines(lines))
    return 0
