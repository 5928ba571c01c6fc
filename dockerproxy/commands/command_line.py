"""CommandLine: all commands with their help, in groups. It parses; each command does its own work.

A command is a name, what it says of itself, its arguments, and a function from the parsed arguments to an exit code.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Mapping, Sequence

from dockerproxy.did_you_mean import did_you_mean
from dockerproxy.errors import DockerproxyError
from dockerproxy.settings.values import parse_duration

Command = Callable[[argparse.Namespace], int]
ExitCodes = Mapping[int, str]

_WIDTH = 80  # columns, of the overview and the epilogs
_EXIT_CODES: ExitCodes = {
    0: "done",
    1: "it could not be done; the last lines say why and how to mend it",
    2: "the command line is wrong",
}


class WrongUsage(DockerproxyError):
    """The command line is wrong in a way that only its command, or the proxy, could see."""


class CommandLine:
    """The program's commands.

    prog:   its name
    about:  what it is, in a sentence
    groups: names of the groups of commands, in their order, with what each is for
    ending: what the overview says at its end
    """

    def __init__(self, prog: str, version: str, about: str, groups: Mapping[str, str], ending: str) -> None:
        self.parser = _Overview(prog=prog, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.parser.add_argument("--version", action="version", version=f"{prog} {version}")
        self.parser.about, self.parser.ending = about, ending
        self.parser.groups = {f"{name}: {purpose}": {} for name, purpose in groups.items()}
        self._titles = dict(zip(groups, self.parser.groups, strict=True))
        self._commands = self.parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_CommandParser)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the commands, those that no help mentions left out."""
        return tuple(name for commands in self.parser.groups.values() for name in commands)

    def add(
        self,
        name: str,
        group: str,
        run: Command,
        summary: str,
        description: str,
        examples: Sequence[str] = (),
        exit_codes: ExitCodes = _EXIT_CODES,
    ) -> argparse.ArgumentParser:
        """A new command; the caller adds its arguments.

        summary:    one line for the overview
        examples:   lines to be typed, each with a comment behind `#` where that helps
        exit_codes: what each code means; those that are not given mean what they usually do
        """
        self.parser.groups[self._titles[group]][name] = summary
        parser = self._commands.add_parser(
            name,
            help=summary,
            description=textwrap.fill(" ".join(description.split()), _WIDTH),
            epilog=_epilog(examples, {**_EXIT_CODES, **exit_codes}),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.set_defaults(command=run)
        return parser

    def add_hidden(self, name: str, run: Command) -> argparse.ArgumentParser:
        """A command for programs, which no help mentions and no shell completes."""
        parser: argparse.ArgumentParser = self._commands.add_parser(name)  # shells complete what has a `help`
        parser.set_defaults(command=run)
        return parser

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The parsed arguments; `command` is the function to call. A wrong line ends the program with 2."""
        word = next((word for word in arguments if not word.startswith("-")), None)
        if arguments and arguments[0].startswith("--") and arguments[0] not in ("--help", "--version"):
            self.parser.error(
                f"{arguments[0]} stands before the command; options stand behind it: COMMAND {arguments[0]} …"
            )
        if word is not None and word not in self._commands.choices:
            hint = did_you_mean(word, self.names, f"there are: {', '.join(self.names)}")
            self.parser.error(f"there is no command {word!r}{hint}")
        return self.parser.parse_args(arguments)


def seconds(text: str) -> float:
    """An argument's type: seconds, from `90s` or `2m`."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error} (found {text!r})") from None


class _Overview(argparse.ArgumentParser):
    """The parser of the whole program: its help lists the commands by group, which argparse cannot do.

    groups: title -> command -> summary
    """

    about: str
    ending: str
    groups: dict[str, dict[str, str]]

    def format_help(self) -> str:
        width = 2 + max(len(name) for commands in self.groups.values() for name in commands)
        lines = [f"usage: {self.prog} COMMAND [ARGUMENT]...", "", self.about]
        for title, commands in self.groups.items():
            lines += ["", title, *(f"  {name:{width}}{summary}" for name, summary in commands.items())]
        return "\n".join([*lines, "", self.ending, ""])

    def format_usage(self) -> str:
        return f"usage: {self.prog} COMMAND [ARGUMENT]...     ({self.prog} --help lists the commands)\n"


class _CommandParser(argparse.ArgumentParser):
    """The parser of one command: a mistake is answered with its usage and the way to more."""

    def error(self, message: str) -> None:  # type: ignore[override]  # it does not return, as argparse's own
        self.exit(2, f"{self.format_usage()}{self.prog}: {message}\n{self.prog} --help tells more\n")


def _epilog(examples: Sequence[str], exit_codes: ExitCodes) -> str:
    lines = ["examples:", *(f"  {example}" for example in examples), ""] if examples else []
    lines.append("exit codes:")
    for code, meaning in sorted(exit_codes.items()):
        lines += textwrap.wrap(meaning, _WIDTH, initial_indent=f"  {code}  ", subsequent_indent="     ")
    return "\n".join(lines)
