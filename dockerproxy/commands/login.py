"""The commands for getting in: a link that logs a browser in, and the admin token."""

from __future__ import annotations

import argparse

from dockerproxy.commands.access import add_access, client_of
from dockerproxy.commands.asking.client import Refused
from dockerproxy.commands.command_line import CommandLine
from dockerproxy.commands.terminal.phrases import clean_line
from dockerproxy.errors import DockerproxyError, NotPossible
from dockerproxy.process import own_token
from dockerproxy.settings import Settings, load

GROUP = "look"

_NOT_IN_FORCE = "; the token that was is still the one"


def add_to(commands: CommandLine) -> None:
    """Add both commands."""
    _add_login(commands)
    _add_token(commands)


def _add_login(commands: CommandLine) -> None:
    parser = commands.add(
        "login",
        GROUP,
        _login,
        "a link that logs a browser in to the dashboard",
        """Print a link to the dashboard of the running proxy that logs one browser in, without the admin token: it is
        good once, and for an hour.""",
        ["dockerproxy login", "docker compose exec proxy dockerproxy login"],
    )
    add_access(parser, json=False)


def _add_token(commands: CommandLine) -> None:
    parser = commands.add(
        "token",
        GROUP,
        _token,
        "the admin token, for programs such as Prometheus",
        """Print the admin token of the proxy on this machine: the one that is set, else the one that it has made
        (`admin_access: token`) and keeps in its state folder. With --new it is replaced: sessions, links and programs
        with the old one are out at once.""",
        [
            "dockerproxy token",
            "docker compose exec -T proxy dockerproxy token > token     # for Prometheus: credentials_file",
            "docker compose exec proxy dockerproxy token --new",
        ],
    )
    parser.add_argument("--new", action="store_true", help="make a new one; the running proxy takes it at once")
    add_access(parser, json=False)


def _login(options: argparse.Namespace) -> int:
    link = clean_line(client_of(options).post("/login-link", {})["url"])
    if options.url:  # it is reached there, whatever it believes of itself
        base = options.url if "://" in options.url else f"http://{options.url}"
        link = f"{base.rstrip('/')}/#{link.partition('#')[2]}"
    print(link)
    return 0


def _token(options: argparse.Namespace) -> int:
    settings = load(options.config)
    if not options.new:
        print(_current(settings))
        return 0
    if settings.admin_token:
        raise NotPossible("the admin token is set in admin_token or admin_token_file; change it there, and reload")
    print(_replaced(options, settings))
    return 0


def _current(settings: Settings) -> str:
    """The token that is set or was made. Raises DockerproxyError where there is none."""
    found = settings.admin_token or own_token.find(settings.state_dir)
    if found is None:
        raise NotPossible(
            f"there is no admin token: none is set, and none was made in {settings.state_dir}; with "
            "DOCKERPROXY_ADMIN_ACCESS=token the proxy makes one when it starts"
        )
    return found


def _replaced(options: argparse.Namespace, settings: Settings) -> str:
    """A new token, which the running proxy goes by. Raises DockerproxyError; then the old one is still in force."""
    old = _current(settings)
    client = client_of(options)
    new = own_token.make(settings.state_dir)
    try:
        client.post("/reload", {})
    except Refused as error:
        own_token.keep(settings.state_dir, old)
        raise NotPossible(f"{error}{_NOT_IN_FORCE}") from None
    except DockerproxyError:
        pass  # nobody is there to be told; whoever starts next reads it
    return new
