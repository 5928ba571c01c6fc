"""wait: until a route answers; for scripts that start containers and go on when they are on the web."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from typing import NamedTuple

from dockerproxy.commands.access import add_access, client_of
from dockerproxy.commands.asking.client import AdminClient, NoAnswer, NotInTime, Refused
from dockerproxy.commands.asking.report import Report, Row, hint_at
from dockerproxy.commands.command_line import CommandLine, seconds
from dockerproxy.commands.completion import ROUTES, completed_by
from dockerproxy.commands.terminal.output import Output
from dockerproxy.commands.terminal.phrases import clean, count, duration
from dockerproxy.errors import DockerproxyError

GROUP = "look"

_LOOK_EVERY = 0.3  # seconds; a request to each of a hundred routes would still be no load
_PATIENCE = 5.0  # seconds for one question: a route without upstreams holds a request for longer
_LEAST_PATIENCE = 1.0  # seconds, also when the time is nearly over
# What the proxy itself answers when nobody behind the route can.
_FAILURES = frozenset({502, 503, 504})
_USABLE = frozenset({"up", "probation"})


class GaveUp(DockerproxyError):
    """The route did not answer in time, and why."""


class _Look(NamedTuple):
    """What came of one look at the route.

    trouble:  why it does not answer, "" when it does
    status:   of the request through the proxy, None when none was sent
    misnamed: whether it is not there, and something of a like name is
    """

    trouble: str
    status: int | None = None
    misnamed: bool = False


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
    parser.add_argument("--timeout", type=seconds, default=60.0, metavar="TIME", help="such as 30s or 2m; default: 60s")
    add_access(parser)


def _wait(options: argparse.Namespace) -> int:
    client = client_of(options, timeout=_PATIENCE)
    start = time.monotonic()
    told = False
    while True:
        left = start + options.timeout - time.monotonic()
        look = _look(client, options.route, min(_PATIENCE, max(_LEAST_PATIENCE, left)))
        passed = time.monotonic() - start
        if not look.trouble:
            break
        if passed >= options.timeout:
            raise GaveUp(f"route {options.route} does not answer after {duration(options.timeout)}: {look.trouble}")
        if look.misnamed and not told:
            print(clean(f"waiting for route {options.route}: {look.trouble}"), file=sys.stderr, flush=True)
            told = True
        time.sleep(min(_LOOK_EVERY, max(0.0, options.timeout - passed)))
    answer = {"route": options.route, "status": look.status, "seconds": round(passed, 1)}
    Output(options).show(answer, lambda screen: screen.say(f"{options.route} answers after {duration(passed)}"))
    return 0


def _look(client: AdminClient, name: str, patience: float) -> _Look:
    """Raises Refused when the proxy says no: waiting does not mend that. patience: seconds for a request"""
    try:
        report = Report.ask(client)
        route = _route(report, name)
        if route is None:
            return _unknown(report, name)
        trouble = _why_nobody(route)
        where = None if trouble else _where(route)
        if where is None:
            return _Look(trouble)
        status = _status(client, where, patience)
        if status is None:
            return _Look(_why_silent(client, name, where, patience))
    except NoAnswer as error:
        return _Look(str(error))
    if status in _FAILURES:
        return _Look(_why_failed(client, where, status))
    return _Look("", status)


def _route(report: Report, name: str) -> Row | None:
    return next((route for route in report.routes() if route["name"] == name), None)


def _status(client: AdminClient, where: tuple[str, str], patience: float) -> int | None:
    """None when the proxy has not answered in time, as it does that waits for an upstream."""
    try:
        return client.ask(*where, patience)
    except NotInTime:
        return None


def _unknown(report: Report, name: str) -> _Look:
    """The container that was to bring the route, if there is one, says most."""
    known = [str(route["name"]) for route in report.routes(own=False)]
    hint = hint_at(name, known)
    lines = [f"there is no such route{hint}"]
    for container in report.containers():
        if container["routed"] and container["name"] == name:
            lines = [f"there is no such route; {name} is a container, of route {', '.join(container['routes'])}"]
        elif not container["routed"] and (name in container["routes"] or str(container["name"]).startswith(name)):
            lines += [f"container {container['name']} is not routed: {reason}" for reason in container["reasons"]]
    return _Look("\n".join(lines), misnamed="did you mean" in hint or len(lines) > 1 or "container" in lines[0])


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


def _why_silent(client: AdminClient, name: str, where: tuple[str, str], patience: float) -> str:
    """What the attempts have come to meanwhile; the proxy itself answers, since it was asked for the route before."""
    found = f"GET http://{where[0]}{where[1]} has no answer after {duration(patience)}"
    route = _route(Report.ask(client), name) or {"upstreams": [], "overrides": {}}
    if route["overrides"].get("paused"):
        return f"{found}; the route is paused: dockerproxy resume {name}"
    failing = [
        f"upstream {upstream['name']} does not answer: {upstream['last_error']}"
        for upstream in route["upstreams"]
        if upstream["last_error"] and upstream["consecutive_errors"]
    ]
    return "; ".join([found, *failing])


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
