"""The commands that change where requests go while the proxy runs: drain, bench, weight, maintenance, pause."""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

from dockerproxy.commands.access import add_access, client_of
from dockerproxy.commands.asking.client import Refused
from dockerproxy.commands.command_line import CommandLine, WrongUsage, seconds
from dockerproxy.commands.completion import ROUTES, UPSTREAMS, completed_by
from dockerproxy.commands.terminal.output import Output

GROUP = "change"

_UNPROCESSABLE = 422

_SURVIVES = "This outlasts a restart of the proxy and a recreated container of the same name."


class _Change(NamedTuple):
    """A change to upstreams: what its help says, and what is said of an upstream that it changed or found so."""

    summary: str
    description: str
    done: str
    found: str

    def words(self, weight: int | None) -> tuple[str, str]:
        """What is said of an upstream that it changed, and of one that it found so."""
        return self.done.format(weight=weight), self.found.format(weight=weight)


_CHANGES = {
    "drain": _Change(
        "no new requests for an upstream or a container",
        f"""Take an upstream, or a container with all its upstreams, out of rotation. What it is answering goes on.
        {_SURVIVES} `undrain` ends it.""",
        "gets no new requests",
        "was drained already",
    ),
    "undrain": _Change(
        "back into rotation after drain",
        """End what `drain` began: the upstream gets requests again; also one whose container was told to stop, and goes
        on serving.""",
        "gets requests again",
        "was not drained",
    ),
    "bench": _Change(
        "out of rotation for a while",
        """Bench an upstream as if it had failed too often: it sits out for a time, then gets one request on probation.
        The default is the `bench` of its route. A restart of the proxy forgets it. When every upstream of a route is
        benched, all are tried.""",
        "is benched",
        "was benched already",
    ),
    "unbench": _Change(
        "end a bench at once, whoever began it",
        "End the bench of an upstream at once, also one that it got for its errors.",
        "is no longer benched",
        "was not benched",
    ),
    "weight": _Change(
        "the share of an upstream in the round robin",
        f"""Set the share of an upstream in the round robin: 0 to 100, where 0 means no new requests. `reset` goes back
        to what its label or file says. {_SURVIVES}""",
        "has weight {weight} now",
        "had weight {weight} already",
    ),
}
_RESET = ("has the weight of its source again", "had no other weight than that of its source")
# What the proxy's words for a key are called here.
_OPTIONS = {"for: ": "--for: ", "message: ": "--message: "}


def add_to(commands: CommandLine) -> None:
    """Add the commands, in the order in which the help lists them."""
    for name in ("drain", "undrain"):
        add_access(_add_upstream_command(commands, name))
    bench = _add_upstream_command(commands, "bench", "--for 10m")
    bench.add_argument("--for", dest="duration", type=_time, metavar="TIME", help="how long, such as 90s or 10m")
    add_access(bench)
    add_access(_add_upstream_command(commands, "unbench"))
    weight = _add_upstream_command(commands, "weight", "3")
    weight.add_argument("weight", type=_weight, metavar="N|reset", help="0 to 100, or reset")
    add_access(weight)
    _add_maintenance(commands)
    _add_pause(commands)
    _add_resume(commands)


def _add_upstream_command(commands: CommandLine, name: str, rest: str = "") -> argparse.ArgumentParser:
    change = _CHANGES[name]
    parser = commands.add(
        name,
        GROUP,
        _change_upstreams,
        change.summary,
        change.description,
        [
            f"dockerproxy {name} blog-1 {rest}".rstrip(),
            f"dockerproxy {name} blog-1 {rest} --route blog".replace("  ", " "),
        ],
    )
    parser.set_defaults(name_of_command=name, duration=None)
    name_argument = parser.add_argument(
        "name", metavar="UPSTREAM|CONTAINER", help="an upstream's name or URL, or a container's name or id"
    )
    completed_by(name_argument, UPSTREAMS)
    completed_by(parser.add_argument("--route", metavar="ROUTE", help="only in this route; default: in all"), ROUTES)
    return parser


def _add_maintenance(commands: CommandLine) -> None:
    parser = commands.add(
        "maintenance",
        GROUP,
        _maintain,
        "answer a route with a maintenance page",
        f"""Answer every new request of a route with 503, Retry-After and a page with your message. What is in flight
        goes on. {_SURVIVES}""",
        [
            "dockerproxy maintenance shop on --message 'Back at 14:00.'",
            "dockerproxy maintenance shop off",
        ],
    )
    completed_by(parser.add_argument("route", metavar="ROUTE"), ROUTES)
    parser.add_argument("switch", choices=("on", "off"), metavar="on|off")
    parser.add_argument("--message", metavar="TEXT", help="what the page says, at most 500 characters")
    add_access(parser)


def _add_pause(commands: CommandLine) -> None:
    parser = commands.add(
        "pause",
        GROUP,
        _pause,
        "hold the requests of a route for a moment",
        """Hold the new requests of a route: none fails, they wait until `resume` or until the time is over, then go
        through. For a change behind the proxy that takes seconds, such as the restart of a database.""",
        ["dockerproxy pause shop --for 20s", "dockerproxy resume shop"],
    )
    completed_by(parser.add_argument("route", metavar="ROUTE"), ROUTES)
    parser.add_argument(
        "--for", dest="duration", type=_time, default="30s", metavar="TIME", help="default: 30s; at most 1h"
    )
    add_access(parser)


def _add_resume(commands: CommandLine) -> None:
    parser = commands.add(
        "resume",
        GROUP,
        _resume,
        "let the held requests of a route go through",
        "End a pause: the requests that were held go through at once.",
        ["dockerproxy resume shop"],
    )
    completed_by(parser.add_argument("route", metavar="ROUTE"), ROUTES)
    add_access(parser)


def _change_upstreams(options: argparse.Namespace) -> int:
    name = options.name_of_command
    body: dict[str, Any] = {"name": options.name}
    if options.route is not None:
        body["route"] = options.route
    if options.duration is not None:
        body["for"] = options.duration
    if name == "weight":
        body["weight"] = options.weight
    answer = _post(options, f"/{name}", body)
    weight = getattr(options, "weight", None)
    words_of = _RESET if name == "weight" and weight is None else _CHANGES[name].words(weight)
    lines = [
        f"{found['upstream']} {words} (route {found['route']})"
        for key, words in zip(("changed", "unchanged"), words_of, strict=True)
        for found in answer[key]
    ]
    lines += [answer["warning"]] if answer.get("warning") else []
    Output(options).show(answer, lambda screen: screen.lines(lines))
    return 0


def _maintain(options: argparse.Namespace) -> int:
    body: dict[str, Any] = {"route": options.route, "on": options.switch == "on"}
    if options.message is not None:
        body["message"] = options.message
    answer = _post(options, "/maintenance", body)
    ended = "is no longer under maintenance" if answer.get("changed", True) else "was not under maintenance"
    state = "is under maintenance: new requests get 503" if answer["maintenance"] else ended
    Output(options).show(answer, lambda screen: screen.lines([f"{answer['route']} {state}"]))
    return 0


def _pause(options: argparse.Namespace) -> int:
    answer = _post(options, "/pause", {"route": options.route, "for": options.duration})
    route = answer["route"]
    line = f"{route} is paused for {options.duration}: requests wait until then, or `dockerproxy resume {route}`"
    Output(options).show(answer, lambda screen: screen.lines([line]))
    return 0


def _resume(options: argparse.Namespace) -> int:
    answer = client_of(options).post("/resume", {"route": options.route})
    state = "goes on: what was held goes through" if answer.get("changed", True) else "was not paused"
    Output(options).show(answer, lambda screen: screen.lines([f"{answer['route']} {state}"]))
    return 0


def _post(options: argparse.Namespace, path: str, body: dict[str, Any]) -> Any:
    """What the proxy answers. Raises WrongUsage where it is the command line that it does not take."""
    try:
        return client_of(options).post(path, body)
    except Refused as refused:
        if refused.status != _UNPROCESSABLE:
            raise
        lines = str(refused).splitlines()
        for key, option in _OPTIONS.items():
            lines = [line.replace(key, option, 1) if line.startswith(key) else line for line in lines]
        raise WrongUsage("\n".join(lines)) from None


def _time(text: str) -> str:
    """A duration as it was written, which the proxy understands itself. Raises ArgumentTypeError."""
    seconds(text)
    return text


def _weight(text: str) -> int | None:
    """The weight, or None for `reset`. Raises ArgumentTypeError."""
    if text == "reset":
        return None
    if not text.isdecimal() or int(text) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no weight; expected 0 to 100, or reset")
    return int(text)
