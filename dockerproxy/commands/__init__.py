"""The operator's commands: what a person types while a proxy is running.

command_line  CommandLine: all commands with their help, in groups
access        the options that each command takes, and the client that they make
look          routes, upstreams, containers
explaining    explain
log           logs; interrupt: Ctrl-C while it is followed
login         login, token
change        drain, undrain, bench, unbench, weight, maintenance, pause, resume
dynamic       add, remove, reload
waiting       wait
password      password
completion    completion, and the names that a shell completes
  terminal/   what they print: JSON for a program, tables for a person
  asking/     AdminClient: how they ask a running proxy

Nothing here decides anything: the proxy does, and these only ask and show.
"""

from dockerproxy.commands import change, completion, dynamic, explaining, log, login, look, password, waiting
from dockerproxy.commands.command_line import CommandLine

__all__ = ["CommandLine", "add_operator_commands"]


def add_operator_commands(commands: CommandLine) -> None:
    """Add them all, in the order in which the help lists them."""
    for part in (look, explaining, log, waiting, login, change, dynamic, password, completion):
        part.add_to(commands)
