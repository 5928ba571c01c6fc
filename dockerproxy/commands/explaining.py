"""explain: why a container is routed or not, and where a request would go."""

from __future__ import annotations

import argparse

from dockerproxy.commands.access import add_access, client_of
from dockerproxy.commands.asking.client import AdminClient, Refused
from dockerproxy.commands.asking.report import Row
from dockerproxy.commands.command_line import CommandLine
from dockerproxy.commands.completion import CONTAINERS, FILES, completed_by
from dockerproxy.commands.terminal.output import Output

GROUP = "look"

_NOT_FOUND = 404


def add_to(commands: CommandLine) -> None:
    """Add `explain`."""
    parser = commands.add(
        "explain",
        GROUP,
        _explain,
        "why a container is not routed, or where a request would go",
        """Explain a container: which labels were read and which ignored, its routes, which network and port were chosen
        and why, and what would have to change. Or explain a URL: which route a request for it would take, why the
        others do not match, and which upstreams are up. The verdict comes first. Each code has its section in
        docs/why.md.""",
        [
            "dockerproxy explain office-1",
            "dockerproxy explain http://shop.localhost:8888/api/orders -X POST",
            "dockerproxy explain https://shop.example.com/ -H 'X-Forwarded-Proto: https'",
            "dockerproxy explain office-1 --file dockerproxy.yaml",
            "dockerproxy explain office-1 >/dev/null || echo not routed",
        ],
        {0: "the container is routed, the URL has a route", 1: "it is not, or it could not be found out"},
    )
    target = parser.add_argument("target", metavar="CONTAINER|URL", type=_target, help="a container's name, or a URL")
    completed_by(target, CONTAINERS)
    parser.add_argument("-X", "--method", metavar="METHOD", help="of the request; default: GET")
    parser.add_argument(
        "-H", "--header", action="append", default=[], metavar="NAME:VALUE", help="of the request; may be repeated"
    )
    file = parser.add_argument(
        "--file",
        metavar="FILE",
        help="ask no proxy, but say what one with these settings would do: the engine is asked for the containers",
    )
    kept = parser.add_argument(
        "--inspect", metavar="FILE", help="ask nobody at all: take the containers from what docker inspect has printed"
    )
    completed_by(file, FILES)
    completed_by(kept, FILES)
    add_access(parser)


def _target(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a container's name or a URL, found nothing")
    return text.strip()


def _explain(options: argparse.Namespace) -> int:
    if options.file is not None or options.inspect is not None:
        return _explain_offline(options)
    client = client_of(options)
    if _is_url(options):
        return _explain_url(client, options)
    try:
        answer = client.get("/explain", {"container": options.target})
    except Refused as refused:
        if refused.status != _NOT_FOUND or "." not in options.target:
            raise
        return _explain_url(client, options)  # blog.localhost: a domain, for want of such a container
    if not answer.get("found", True) and "." in options.target:
        return _explain_url(client, options)
    Output(options).show(answer, lambda screen: screen.container_story(answer))
    return 0 if answer["routed"] else 1


def _explain_offline(options: argparse.Namespace) -> int:
    from dockerproxy.explain import explain_offline  # half the package, which the other commands do not wait for

    headers = dict(_header(text) for text in options.header)
    file = options.file if options.file is not None else options.config
    answer = explain_offline(file, options.target, options.method or "", headers, options.inspect or "")
    if "route" in answer:
        Output(options).show(answer, lambda screen: screen.url_story(answer))
        return 0 if answer["route"] is not None else 1
    Output(options).show(answer, lambda screen: screen.container_story(answer))
    return 0 if answer["routed"] else 1


def _header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip(), value.strip()


def _without_secrets(text: str) -> str:
    """A header as it may stand in a log: only of Host does the value matter."""
    if ":" not in text:
        return text  # the proxy says what is wrong with it
    name, value = _header(text)
    return f"{name}:{value if name.lower() == 'host' else ''}"


def _explain_url(client: AdminClient, options: argparse.Namespace) -> int:
    query: dict[str, str | list[str]] = {"url": _whole(options.target)}
    if options.method:
        query["method"] = options.method.upper()
    if options.header:
        query["header"] = [_without_secrets(text) for text in options.header]
    answer: Row = client.get("/explain", query)
    Output(options).show(answer, lambda screen: screen.url_story(answer))
    return 0 if answer["route"] is not None else 1


def _is_url(options: argparse.Namespace) -> bool:
    return bool(options.method or options.header or "/" in options.target or ":" in options.target)


def _whole(url: str) -> str:
    return url if "://" in url else f"http://{url}"
