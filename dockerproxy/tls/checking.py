"""Everything that settings say about TLS, tried once: for the start, for a reload and for `dockerproxy check`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dockerproxy.errors import Problem, SettingsError
from dockerproxy.settings import RouteOptions, Settings
from dockerproxy.tls.client import UpstreamTls
from dockerproxy.tls.keyring import read_needed_certificates

if TYPE_CHECKING:
    from dockerproxy.tls.certificate import Certificate


def checked_certificates(settings: Settings) -> Sequence[Certificate]:
    """The certificates for the https addresses. Raises SettingsError with all that is wrong about TLS."""
    certificates: Sequence[Certificate] = ()
    problems: list[Problem] = []
    try:
        certificates = read_needed_certificates(settings)
    except SettingsError as error:
        problems += error.problems
    problems += _upstream_problems(settings)
    if problems:
        raise SettingsError("settings", problems)
    return certificates


def _upstream_problems(settings: Settings) -> Iterator[Problem]:
    """What is wrong with the files that upstreams are spoken to with, each told once."""
    defaults = settings.route_defaults
    places: list[tuple[str, RouteOptions]] = [("", defaults)]
    places += [(f"routes[{index}].", route.options(defaults)) for index, route in enumerate(settings.routes)]
    tried: set[UpstreamTls] = set()
    for place, options in places:
        tls = UpstreamTls.of(options)
        if tls in tried or not tls.names_files:
            continue
        tried.add(tls)
        try:
            tls.context()
        except SettingsError as error:
            yield from (replace(problem, where=place + problem.where) for problem in error.problems)
