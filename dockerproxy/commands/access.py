"""The options that every command to a running proxy takes, and the client that they make."""

from __future__ import annotations

import argparse
import contextlib

from dockerproxy.commands.asking.client import AdminClient
from dockerproxy.commands.asking.endpoint import endpoint_of
from dockerproxy.commands.command_line import WrongUsage
from dockerproxy.errors import StoreError
from dockerproxy.process import own_token
from dockerproxy.settings import load
from dockerproxy.settings.secret import TOKEN_WORDS, can_be_token


def add_access(parser: argparse.ArgumentParser, json: bool = True) -> None:
    """--url, --token and --config; and --json, unless the answer has one form only."""
    group = parser.add_argument_group("which proxy" + (", and in what form" if json else ""))
    group.add_argument(
        "--url",
        metavar="URL",
        help="the proxy's address, such as http://root.localhost:8888; default: where the proxy that "
        "runs here has noted that it is, else what the settings listen on",
    )
    group.add_argument(
        "--token",
        metavar="TOKEN",
        help="its admin token; better in DOCKERPROXY_ADMIN_TOKEN, which `ps` does not show; default: the one that the "
        "proxy of this machine has made",
    )
    group.add_argument(
        "--config", metavar="FILE", help="its settings file; default: DOCKERPROXY_CONFIG, ./dockerproxy.yaml"
    )
    if json:
        group.add_argument(
            "--json",
            action=argparse.BooleanOptionalAction,
            help="the proxy's own answer in JSON; default: JSON unless standard output is a terminal",
        )


def client_of(options: argparse.Namespace, timeout: float | None = None) -> AdminClient:
    """The client that these options ask for. Raises SettingsError and WrongEndpoint."""
    settings = load(options.config)
    endpoint = endpoint_of(settings, options.url)
    if options.token and not can_be_token(options.token):
        raise WrongUsage(f"--token: {TOKEN_WORDS}")
    token = options.token or settings.admin_token
    if not token and endpoint.local:  # nobody else's proxy is shown it
        with contextlib.suppress(StoreError):  # it may be another user's; the proxy says what it wants
            token = own_token.find(settings.state_dir)
    return AdminClient(endpoint, token) if timeout is None else AdminClient(endpoint, token, timeout)
