"""Proxy: the whole proxy as a Python object, for programs that bring their own routes and handlers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from dockerproxy.errors import Problem, SettingsError
from dockerproxy.process.exit_codes import EXIT_FAILED
from dockerproxy.process.logs import harmless
from dockerproxy.routing.route import Route
from dockerproxy.run import run_to_end, serve, set_up_log
from dockerproxy.server import Server
from dockerproxy.settings import Settings, load
from dockerproxy.settings.file import find_config
from dockerproxy.settings.values import ListenAddress
from dockerproxy.web.loading import load_object

if TYPE_CHECKING:
    from dockerproxy.settings.arguments import ProxyArguments, SettingArguments


class Proxy:
    """A proxy with routes given in Python.

    listen:   `":8888"`, or several addresses
    routes:   routes, answered by upstreams or by handlers (`Route(target=...)`)
    middlewares: `async (request, call_next)`, or functions that make one, by the names that routes have for them; or
                 only names, as the setting: those that all routes have
    settings: any other setting by its name, as in the settings file
    Raises SettingsError for a setting that is wrong, when it is run.
    """

    def __init__(
        self,
        listen: str | int | Iterable[str | int | ListenAddress] | None = None,
        routes: Iterable[Route] = (),
        middlewares: Mapping[str, Callable[..., Any]] | str | Iterable[str] = (),
        **settings: Unpack[ProxyArguments],
    ) -> None:
        self.routes = tuple(routes)
        self.middlewares = dict(middlewares) if isinstance(middlewares, Mapping) else {}
        self._given: dict[str, Any] = {**settings, "listen": listen}
        if middlewares and not self.middlewares:
            self._given["middlewares"] = middlewares

    def __repr__(self) -> str:
        return f"<Proxy with {len(self.routes)} routes>"

    def settings(self, config: str | None = None, **overrides: Unpack[SettingArguments]) -> Settings:
        """The settings: what was given here counts before environment and file. Raises SettingsError."""
        return load(config, overrides, self._given)

    def server(self, settings: Settings | None = None) -> Server:
        """A Server to be run in an event loop of one's own: `async with proxy.server(): ...`."""
        return Server(settings or self.settings(), self.routes, middlewares=self.middlewares)

    def run(self, config: str | None = None, **overrides: Unpack[SettingArguments]) -> int:
        """Serve until SIGTERM or SIGINT; returns the exit code."""
        read = partial(self.settings, config, **overrides)
        try:
            settings = read()
        except SettingsError as error:
            print(harmless(str(error)), file=sys.stderr)
            return EXIT_FAILED
        set_up_log(settings, config)
        return run_to_end(serve(Server(settings, self.routes, read, self.middlewares, find_config(config))))


def load_proxy(name: str) -> Proxy:
    """The Proxy called `module:name`. Raises SettingsError, with what is wrong in words."""
    proxy = load_object(name, "program")
    if not isinstance(proxy, Proxy):
        message = f"expected a dockerproxy.Proxy, found a {type(proxy).__name__}"
        raise SettingsError(f"program {name!r}", [Problem("", message)])
    return proxy
