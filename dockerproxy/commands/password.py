"""password: the hash of a password, for the middleware basic_auth."""

from __future__ import annotations

import argparse
import getpass
import sys

from dockerproxy.commands.command_line import CommandLine, WrongUsage
from dockerproxy.errors import DockerproxyError

GROUP = "try"


class NoPassword(DockerproxyError):
    """None was given, or two that differ."""


def add_to(commands: CommandLine) -> None:
    """Add `password`."""
    parser = commands.add(
        "password",
        GROUP,
        _password,
        "the hash of a password, for basic_auth",
        """Ask for a password, twice and without showing it, and print its hash: what `users` or `file` of the
        middleware basic_auth takes. In a pipe it is the first line of standard input. With a NAME it prints
        `NAME:HASH`, a line of such a file.""",
        [
            "dockerproxy password",
            "dockerproxy password ann >> users",
            "docker compose run --rm proxy password ann",
            "openssl rand -base64 18 | tee secret | dockerproxy password",
        ],
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="of the user")


def _password(options: argparse.Namespace) -> int:
    name = options.name or ""
    if ":" in name or not name.isprintable() or name.startswith("#") or name != name.strip():
        raise WrongUsage(f"{name!r} cannot be a user's name: it has a colon, a space at an end or a # at its beginning")
    given = _asked() if sys.stdin.isatty() else _read()
    from dockerproxy.web.middlewares.password import hashed

    print(f"{name}:{hashed(given)}" if name else hashed(given))
    return 0


def _asked() -> str:
    """What a person types. Raises NoPassword."""
    try:
        given = getpass.getpass("Password: ")
        again = getpass.getpass("The same again: ")
    except EOFError:
        raise NoPassword("no password was given") from None
    if given != again:
        raise NoPassword("the two differ; nothing was made")
    return _checked(given)


def _read() -> str:
    """The first line of standard input. Raises NoPassword."""
    try:
        return _checked(sys.stdin.readline().rstrip("\r\n"))
    except UnicodeDecodeError:
        raise NoPassword("the password is no text in UTF-8") from None


def _checked(given: str) -> str:
    """Raises NoPassword for one that is empty, or that nobody could send."""
    if not given:
        raise NoPassword("the password is empty")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise NoPassword("the password is no text in UTF-8") from None
    return given
