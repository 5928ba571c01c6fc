"""completion: scripts for shells, made from the parser by shtab; and the names that they ask the running proxy for."""

from __future__ import annotations

import argparse
import re

from dockerproxy.commands.access import client_of
from dockerproxy.commands.asking.report import Report
from dockerproxy.commands.command_line import CommandLine
from dockerproxy.errors import DockerproxyError

GROUP = "try"
SHELLS = ("bash", "zsh", "fish")

_HIDDEN = "complete-names"
_TIMEOUT = 1.0  # seconds; a person waits for the key to have its effect
# Names come from labels, and shells evaluate what they complete: whatever means something to one is left out.
_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*")

ROUTES, CONTAINERS, UPSTREAMS, FILES = "routes", "containers", "upstreams", "file"


def completed_by(action: argparse.Action, kind: str) -> None:
    """Let shells complete this argument by ROUTES, by CONTAINERS, by UPSTREAMS (and containers), or by FILES."""
    action.complete = kind if kind == FILES else _calls(kind)  # type: ignore[attr-defined]  # where shtab looks for it


def _calls(kind: str) -> dict[str, object]:
    """How each shell asks for the names, in the form that shtab wants."""
    function, names = f"_dockerproxy_{kind}", f"dockerproxy {_HIDDEN} {kind} 2>/dev/null"
    return {
        "bash": function,
        "zsh": function,
        "fish": f"({names})",
        "preamble": {
            "bash": f'{function}() {{ compgen -W "$({names})" -- "$1"; }}',
            "zsh": f'{function}() {{ local -a found; found=(${{(f)"$({names})"}}); compadd -a found }}',
        },
    }


def add_to(commands: CommandLine) -> None:
    """Add `completion`, and the command that its scripts call."""
    parser = commands.add(
        "completion",
        GROUP,
        lambda options: _print_script(commands, options.shell),
        "a script that completes commands, options and names in a shell",
        """Print a completion script. It completes commands, options and files, and asks the running proxy for the
        names of routes, upstreams and containers.""",
        [
            'eval "$(dockerproxy completion bash)"      # in ~/.bashrc',
            'eval "$(dockerproxy completion zsh)"       # in ~/.zshrc, after compinit',
            "dockerproxy completion fish | source       # in ~/.config/fish/config.fish",
        ],
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell that it is for")
    hidden = commands.add_hidden(_HIDDEN, _print_names)
    hidden.add_argument("kind", choices=(ROUTES, CONTAINERS, UPSTREAMS))
    hidden.set_defaults(url=None, token=None, config=None)


def _print_script(commands: CommandLine, shell: str) -> int:
    import shtab  # nothing else has need of it

    print(shtab.complete(commands.parser, shell))
    return 0


def _print_names(options: argparse.Namespace) -> int:
    """A shell has no use for the reason why there are none."""
    try:
        found = _names(Report.ask(client_of(options, timeout=_TIMEOUT)), options.kind)
    except DockerproxyError:
        return 1
    for name in sorted(set(found)):
        if _HARMLESS.fullmatch(name):
            print(name)
    return 0


def _names(report: Report, kind: str) -> list[str]:
    if kind == ROUTES:
        return [str(route["name"]) for route in report.routes(own=False)]
    containers = [str(container["name"]) for container in report.containers()]
    return containers if kind == CONTAINERS else [*containers, *(str(found["name"]) for found in report.upstreams())]
