"""The operator's commands: what a person types while a proxy is running.

command_line  CommandLine: all commands with their help, in groups
look          routes, upstreams, containers
explaining    explain
log           logs; interrupt: Ctrl-C while it is followed
change        drain, undrain, bench, unbench, weight, maintenance, pause, resume
dynamic       add, remove, reload
waiting       wait
completion    completion, and the names that a shell completes
  access      the options that each of them takes, and the client that they make
  output      Output: JSON for a program, a Screen for a person
    screen    Screen: what a person sees, drawn by rich, which is loaded only then
    tables    the tables
    trimmed   Trimmed: a part of the screen without blanks at the ends of its lines
    story     what explain tells
    report    Report: the answer of /statistics, searched and counted
    phrases   times, numbers and names as a person reads them
  client      AdminClient: asks a running proxy, and says in words what went wrong
    place     Place: where it is asked

Nothing here decides anything: the proxy does, and these only ask and show.
"""

from dockerproxy.commands import change, completion, dynamic, explaining, log, look, waiting
from dockerproxy.commands.command_line import CommandLine

__all__ = ["CommandLine", "add_operator_commands"]


def add_operator_commands(commands: CommandLine) -> None:
    """Add them all, in the order in which the help lists them."""
    for part in (look, explaining, log, waiting, change, dynamic, completion):
        part.add_to(commands)
