"""wait: until a route answers; for scripts that start containers and go on when they are on the web."""

from __future__ import annotations

import argparse
import contextlib
import time
from typing import NamedTuple

from dockerproxy.commands.access import add_access, client_of
from dockerproxy.commands.client import AdminClient, NoAnswer, Refused
from dockerproxy.commands.command_line import CommandLine
from dockerproxy.commands.completion import ROUTES, completed_by
from dockerproxy.commands.output import Output
from dockerproxy.commands.phrases import count, did_you_mean, duration
from dockerproxy.commands.report import Report, Row
from dockerproxy.errors import DockerproxyError
from dockerproxy.settings.values import parse_duration

GROUP = "look"

_LOOK_EVERY = 0.3  # seconds; a request to each of a hundred routes would still be no load
_PATIENCE = 5.0  # seconds for one question: a route without upstreams holds a request for longer
# What the proxy itself answers when nobody behind the route can.
_FAILURES = frozenset({502, 503, 504})
_USABLE = frozenset({"up", "probation"})


class GaveUp(DockerproxyError):
    """The route did not answer in time, and why."""


class _Look(NamedTuple):
    """What came of one look at the route.

    trouble: why it does not answer, "" when it does
    status:  of the request through the proxy, None when none was sent
    """

    trouble: str
    status: int | None = None


def add_to(commands: CommandLine) -> None:
    """Add `wait`."""
    parser = commands.add(
        "wait",
        GROUP,
        _wait,
        "until a route answers; for scripts",
        """Wait until a route answers: the proxy runs, the route is known, one of its upstreams is up, and a real GET
        through the proxy is answered with anything but 502, 503 and 504. Routes with a path that is a regular
        expression, or for other methods than GET, get no request: for them an upstream that is up is enough.""",
        [
            "docker compose up -d && dockerproxy wait blog && curl http://blog.localhost:8888/",
            "dockerproxy wait shop --timeout 2m",
        ],
        {0: "it answers", 1: "it did not in time, and the last lines say why"},
    )
    completed_by(parser.add_argument("route", metavar="ROUTE"), ROUTES)
    parser.add_argument(
        "--timeout", type=_duration, default=60.0, metavar="TIME", help="such as 30s or 2m; default: 60s"
    )
    add_access(parser)


def _wait(options: argparse.Namespace) -> int:
    client = client_of(options, timeout=_PATIENCE)
    start = time.monotonic()
    while True:
        look = _look(client, options.route)
        passed = time.monotonic() - start
        if not look.trouble:
            break
        if passed >= options.timeout:
            raise GaveUp(f"route {options.route} does not answer after {duration(options.timeout)}: {look.trouble}")
        time.sleep(min(_LOOK_EVERY, max(0.0, options.timeout - passed)))
    answer = {"route": options.route, "status": look.status, "seconds": round(passed, 1)}
    Output(options).show(answer, lambda screen: screen.say(f"{options.route} answers after {duration(passed)}"))
    return 0


def _look(client: AdminClient, name: str) -> _Look:
    """Raises Refused when the proxy says no: waiting does not mend that."""
    try:
        report = Report.ask(client)
        route = next((route for route in report.routes() if route["name"] == name), None)
        if route is None:
            return _Look(_why_unknown(report, name))
        trouble = _why_nobody(route)
        where = None if trouble else _where(route)
        if where is None:
            return _Look(trouble)
        status = client.ask(*where)
    except NoAnswer as error:
        return _Look(str(error))
    if status in _FAILURES:
        return _Look(_why_failed(client, where, status))
    return _Look("", status)


def _why_unknown(report: Report, name: str) -> str:
    """The container that was to bring the route, if there is one that is not routed, says most."""
    known = [str(route["name"]) for route in report.routes(own=False)]
    lines = [f"there is no such route{did_you_mean(name, known)}"]
    for container in report.containers():
        if not container["routed"] and (name in container["routes"] or str(container["name"]).startswith(name)):
            lines += [f"container {container['name']} is not routed: {reason}" for reason in container["reasons"]]
    return "\n".join(lines)


def _why_nobody(route: Row) -> str:
    if route["kind"] == "handler" or any(upstream["state"] in _USABLE for upstream in route["upstreams"]):
        return ""
    if not route["upstreams"]:
        return "it has no upstream"
    states = [
        f"{upstream['name']} is {upstream['state']}"
        + (f" ({upstream['last_error']})" if upstream["last_error"] else "")
        for upstream in route["upstreams"]
    ]
    return f"none of its {count(len(states), 'upstream')} is up: {', '.join(states)}"


def _why_failed(client: AdminClient, where: tuple[str, str], status: int) -> str:
    """The proxy's own explanation, where it gives one."""
    url = f"http://{where[0]}{where[1]}"
    verdict = ""
    with contextlib.suppress(NoAnswer, Refused):
        verdict = str(client.get("/explain", {"url": url}).get("verdict", ""))
    return f"GET {url} is answered with {status}" + (f"; {verdict}" if verdict else "")


def _where(route: Row) -> tuple[str, str] | None:
    """The domain and the path of a request that this route answers, or None when there is no saying or no GET."""
    path = str(route["path"])
    if path.startswith("~") or (route["methods"] and "GET" not in route["methods"]):
        return None
    host = str(route["hosts"][0]) if route["hosts"] else "localhost"
    return host.replace("*", "any", 1), path.removesuffix("*")


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
