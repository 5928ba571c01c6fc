"""The command `dockerproxy`: arguments -> Settings -> run; nothing else. The operator's commands are in `commands`.

What a command needs is imported by the command, so that none waits for what another one needs.
Exit codes: 0 done; 1 it could not do it, and said why; 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from dockerproxy.commands import add_operator_commands
from dockerproxy.commands.command_line import CommandLine, WrongUsage
from dockerproxy.commands.completion import FILES, completed_by
from dockerproxy.commands.terminal.phrases import clean
from dockerproxy.errors import DockerproxyError
from dockerproxy.process.exit_codes import EXIT_FAILED, EXIT_OK, EXIT_USAGE
from dockerproxy.settings import Settings, load
from dockerproxy.version import VERSION

_ABOUT = """Label a container and it is on the web: a reverse proxy that discovers Docker
containers, and loses no request while they come and go."""

_GROUPS = {
    "serve": "the proxy itself",
    "look": "what a running proxy does, and why",
    "change": "what a running proxy does",
    "try": "without Docker, and in your shell",
}

_ENDING = """`dockerproxy COMMAND --help` tells more, with examples.

Settings come from arguments, then the environment (DOCKERPROXY_LISTEN,
DOCKERPROXY_DOCKER__HOST, ...), then the file (--config, DOCKERPROXY_CONFIG,
./dockerproxy.yaml), then defaults; docs/settings.md lists them all. SIGHUP makes
a running proxy read its file again.

exit codes:
  0  done; for `run`: stopped by SIGTERM or SIGINT
  1  it could not be done, and the last lines say why and how to mend it
  2  the command line is wrong"""

_DEMO = """Without a word after `demo`, this starts the proxy and an embedded engine: a small server that speaks the
Docker API, whose containers are web servers in the same process. With one, it acts on the demo that is running,
from another terminal."""
_DEMO_ACTIONS = ("kill", "pause", "ps", "restart", "scale", "start", "stop", "unpause")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        sys.path.insert(0, os.getcwd())  # handlers are the user's own modules, beside the settings file
    except FileNotFoundError:
        print("the folder that this runs in is there no longer; change to another one", file=sys.stderr)
        return EXIT_FAILED
    options = commands().parse(sys.argv[1:] if arguments is None else arguments)
    try:
        code: int = options.command(options)
        sys.stdout.flush()
    except DockerproxyError as error:
        print(clean(error), file=sys.stderr)
        return EXIT_USAGE if isinstance(error, WrongUsage) else EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_FAILED
    except BrokenPipeError:
        # Whoever reads has had enough (`| head`): no fault, and what is left must not be flushed at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    return code


def commands() -> CommandLine:
    """All commands, in the order in which the help lists them."""
    line = CommandLine("dockerproxy", VERSION, _ABOUT, _GROUPS, _ENDING)
    _add_run(line)
    _add_check(line)
    _add_health(line)
    add_operator_commands(line)
    _add_demo(line)
    return line


def _add_run(commands: CommandLine) -> None:
    command = commands.add(
        "run",
        "serve",
        _run,
        "serve until stopped",
        """Serve until SIGTERM or SIGINT. Settings come from arguments, then the environment (DOCKERPROXY_LISTEN, ...),
        then the file, then defaults. SIGHUP makes it read its file again.""",
        [
            "dockerproxy run                                    # containers with labels, and ./dockerproxy.yaml",
            "dockerproxy run --config site.yaml --listen :8080",
            "dockerproxy run mypackage.site:proxy               # a Proxy made in Python",
        ],
        {0: "stopped by SIGTERM or SIGINT, after the requests in flight had ended"},
    )
    command.add_argument(
        "program", nargs="?", metavar="MODULE:NAME", help="a Proxy made in Python, for example mypackage.site:proxy"
    )
    _add_settings(command)


def _add_check(commands: CommandLine) -> None:
    command = commands.add(
        "check",
        "serve",
        _check,
        "what a settings file would route, or all that is wrong with it",
        "Say what FILE would route. Exits with 1 and all problems at once when it cannot be used.",
        ["dockerproxy check dockerproxy.yaml"],
        {0: "the file can be used"},
    )
    completed_by(command.add_argument("file", metavar="FILE", help="a settings file in YAML"), FILES)


def _add_health(commands: CommandLine) -> None:
    command = commands.add(
        "health",
        "serve",
        _health,
        "whether the proxy on this machine answers; for health checks",
        "Ask the proxy that these settings describe, on this machine, whether it answers.",
        ["dockerproxy health", "dockerproxy health --listen 127.0.0.1:9000"],
        {0: "it answers"},
    )
    _add_settings(command)


def _add_demo(commands: CommandLine) -> None:
    command = commands.add(
        "demo",
        "try",
        _demo,
        "try it without Docker: the proxy with an embedded engine",
        _DEMO,
        ["dockerproxy demo", "dockerproxy demo ps", "dockerproxy demo stop blog-1", "dockerproxy demo scale shop 4"],
    )
    command.add_argument("action", nargs="?", choices=_DEMO_ACTIONS, metavar="ACTION", help=", ".join(_DEMO_ACTIONS))
    command.add_argument(
        "arguments", nargs="*", metavar="NAME", help="a container, as in `stop blog-1`; `scale shop 4`"
    )
    command.add_argument("--socket", metavar="PATH", help="socket of the embedded engine; default: one per user")
    _add_settings(command)


def _add_settings(command: argparse.ArgumentParser) -> None:
    config = command.add_argument(
        "--config", metavar="FILE", help="settings file; default: DOCKERPROXY_CONFIG, ./dockerproxy.yaml"
    )
    completed_by(config, FILES)
    command.add_argument(
        "--listen", metavar="ADDRESS", action="append", help="such as :8888 or 127.0.0.1:8888; may be repeated"
    )
    command.add_argument("--log-format", choices=("text", "json"), help="form of the log lines; default: text")
    command.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="default: info")


def _read_settings(options: argparse.Namespace) -> Settings:
    return load(options.config, _given(options))


def _given(options: argparse.Namespace) -> dict[str, Any]:
    return {"listen": options.listen, "log_format": options.log_format, "log_level": options.log_level}


def _run(options: argparse.Namespace) -> int:
    from dockerproxy.program import Proxy, load_proxy

    proxy = load_proxy(options.program) if options.program is not None else Proxy()
    return proxy.run(options.config, **_given(options))


def _check(options: argparse.Namespace) -> int:
    from dockerproxy.check import check

    report = check(options.file)
    for line in report.lines():
        print(line, file=sys.stdout if report.good else sys.stderr)
    return EXIT_OK if report.good else EXIT_FAILED


def _demo(options: argparse.Namespace) -> int:
    from dockerproxy.demo.client import run as act_on_demo
    from dockerproxy.demo.paths import default_socket_path
    from dockerproxy.demo_proxy import run_demo
    from dockerproxy.run import set_up_log

    socket_path = options.socket or default_socket_path()
    if options.action is not None:
        return act_on_demo(options.action, options.arguments, socket_path)
    settings = _read_settings(options)
    set_up_log(settings, options.config)
    return run_demo(settings, socket_path, shlex.join(["--socket", options.socket]) if options.socket else "")


def _health(options: argparse.Namespace) -> int:
    from dockerproxy.health import check_health
    from dockerproxy.process.whereabouts import find

    settings = _read_settings(options)
    return check_health(find(settings.state_dir, settings.given_listen) or settings.whereabouts)
