"""logs: the last lines of the running proxy's log, and further ones as they are written."""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext

from dockerproxy.commands.access import add_access, client_of
from dockerproxy.commands.command_line import CommandLine
from dockerproxy.commands.interrupt import ends_at_ctrl_c
from dockerproxy.commands.terminal.phrases import clean

GROUP = "look"

_DEFAULT_LINES = 100


def add_to(commands: CommandLine) -> None:
    """Add `logs`."""
    parser = commands.add(
        "logs",
        GROUP,
        _logs,
        "the proxy's last log lines; -f follows",
        """Show the last lines of the running proxy's own log, in the form that it has there (`log_format`); the proxy
        keeps 1,000. With -f, further lines as they are written, until Ctrl-C. A reader that is too slow is told how
        many lines it has missed.""",
        ["dockerproxy logs", "dockerproxy logs -f", "dockerproxy logs -n 1000 | grep blog-1"],
        {0: "done; also after Ctrl-C", 1: "it could not be done, or the proxy ended while its log was followed"},
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on with each new line until Ctrl-C")
    parser.add_argument(
        "-n", "--lines", type=_lines, default=_DEFAULT_LINES, metavar="N", help=f"default: {_DEFAULT_LINES}"
    )
    add_access(parser, json=False)


def _logs(options: argparse.Namespace) -> int:
    query = {"lines": str(options.lines), **({"follow": "1"} if options.follow else {})}
    with ends_at_ctrl_c() if options.follow else nullcontext():
        for line in client_of(options).lines("/logs", query):
            print(clean(line), flush=True)
    if options.follow:
        print("the proxy has ended its log: it is stopping", file=sys.stderr)
        return 1
    return 0


def _lines(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines")
    return int(text)
