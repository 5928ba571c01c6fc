"""LABELS: every label that there is, with its parser, meaning, example and default.

The one list from which labels are read and documented. Owns no rule of its own about values: the parsers are those of
the settings, so that a label and a settings file accept the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from dockerproxy.settings.options import FILE_OPTIONS, OPTION_NAMES, RouteOptions
from dockerproxy.settings.problems import describe
from dockerproxy.settings.routes import (
    RouteSettings,
    UpstreamSettings,
    parse_hosts,
    parse_methods,
    parse_prefix,
    parse_regex,
)

SCHEMES = ("http", "https")
LARGEST_PORT = 65535
# No option needs more, and to look through a wrong one for what must not be told costs the square of its length.
LONGEST_VALUE = 1024  # characters
MOST_HOSTS = 256  # of one label; certificates have room for no more than a hundred
_BOOLEAN = TypeAdapter(bool)
# The settings tell the value as they converted it; a label's value is told as it was written.
_FOUND = " (found "


class Kind(Enum):
    """What a label is about, which decides how far it reaches and what happens when it is wrong.

    PLACE: where the route is. Belongs to one route; a wrong one leaves that route out.
    REACH: how the container is reached. Without a route's name it holds for all of the container's routes; a wrong
           one leaves out the routes it holds for.
    TUNE:  how the route behaves. Reaches as far as REACH; in place of a wrong one the default is used, unless the
           label is a guard.
    """

    PLACE = "place"
    REACH = "reach"
    TUNE = "tune"


@dataclass(frozen=True, slots=True)
class Label:
    """One label, without the prefix.

    parse: takes the label's value, returns what it means; raises ValueError saying what was expected
    guards: whether it is a guard before the route, so that no default takes the place of a wrong one
    """

    name: str
    meaning: str
    example: str
    default: str
    kind: Kind
    parse: Callable[[str], Any]
    guards: bool = False

    @property
    def has_default(self) -> bool:
        """Whether the default is used in place of a wrong value; else the routes that it holds for are left out."""
        return self.kind is Kind.TUNE and not self.guards


def parse_enable(value: str) -> bool:
    """`true` or `false`, and what else YAML knows for them. Raises ValueError."""
    try:
        return _BOOLEAN.validate_python(value)
    except ValidationError:
        raise ValueError(f"expected true or false, found {value!r}") from None


def parse_port(value: str) -> int:
    """A port from 1 to 65535. Raises ValueError."""
    if not (value.isascii() and value.isdecimal() and 0 < int(value) <= LARGEST_PORT):
        raise ValueError(f"{value!r} is not a port from 1 to {LARGEST_PORT}; write the one the application listens on")
    return int(value)


def parse_scheme(value: str) -> str:
    """`http` or `https`. Raises ValueError."""
    if value.lower() not in SCHEMES:
        raise ValueError(f"expected http or https, found {value!r}")
    return value.lower()


def parse_label_hosts(value: str) -> tuple[str, ...]:
    """As `parse_hosts`, but not without end: each change of any container goes over all domains. Raises ValueError."""
    hosts = parse_hosts(value)
    if len(hosts) > MOST_HOSTS:
        raise ValueError(
            f"expected at most {MOST_HOSTS} domains, not {len(hosts):,}; *.example.com takes all names below it, and a"
            " static route may have more"
        )
    return hosts


def parse_network(value: str) -> str:
    """The name of a network of the engine. Raises ValueError."""
    if not value or any(char.isspace() or char == "," for char in value):
        raise ValueError(f"{value!r} is not the name of one network; docker network ls lists them")
    return value


def _through(model: type[BaseModel], name: str, **needed: Any) -> Callable[[str], Any]:
    """A parser that checks a value as the field `name` of a settings model."""

    def parse(value: str) -> Any:
        if len(value) > LONGEST_VALUE:
            raise ValueError(f"expected at most {LONGEST_VALUE:,} characters")
        try:
            return getattr(model.model_validate({**needed, name: value}), name)
        except ValidationError as error:
            message = describe(error.errors()[0], model).message
            raise ValueError(message.partition(_FOUND)[0]) from None

    return parse


parse_route_name = _through(RouteSettings, "name")
parse_weight = _through(UpstreamSettings, "weight", url="http://upstream")

_OWN_LABELS = (
    Label(
        "enable",
        "join the proxy; any other label implies it, `false` forbids it",
        "true",
        "true as soon as there is another label",
        Kind.PLACE,
        parse_enable,
    ),
    Label(
        "oneoff",
        "containers of `docker compose run` join, too; they bear all labels of their service",
        "true",
        "false",
        Kind.PLACE,
        parse_enable,
    ),
    Label(
        "route",
        "name of the route to join or to make",
        "blog",
        "the compose service, else the container's name",
        Kind.PLACE,
        parse_route_name,
    ),
    Label(
        "host",
        "domain, comma-separated for several (256 at most); `*.example.com` one level; optional `:port`",
        "blog.localhost",
        "`<route>.<docker.default_domain>`",
        Kind.PLACE,
        parse_label_hosts,
    ),
    Label("path", "path prefix, by whole segments", "/api", "the whole domain", Kind.PLACE, parse_prefix),
    Label(
        "path_regex",
        "regular expression that is searched in the path, instead of a prefix",
        r"^/v\d+/",
        "none",
        Kind.PLACE,
        parse_regex,
    ),
    Label("method", "methods, comma-separated", "GET,POST", "all", Kind.PLACE, parse_methods),
    Label(
        "port",
        "port that the application listens on inside the container",
        "2368",
        "the only exposed TCP port, else 80 (443 with https) if it is exposed",
        Kind.REACH,
        parse_port,
    ),
    Label("scheme", "how to speak to the application: `http` or `https`", "https", "http", Kind.REACH, parse_scheme),
    Label(
        "network",
        "network over which the container is reached, as the engine or the compose file calls it",
        "front",
        "`docker.network`, else one that the proxy shares with the container",
        Kind.REACH,
        parse_network,
    ),
    Label("weight", "share in the round robin, 0 to 100; 0 drains", "3", "1", Kind.TUNE, parse_weight),
)

# What to show as a value where the default would not explain itself.
_OPTION_EXAMPLES = {
    "consecutive_errors": "3",
    "bench": "2m",
    "max_attempts": "5",
    "retry_deadline": "20s",
    "connect_timeout": "500ms",
    "response_timeout": "30s",
    "stall_timeout": "5m",
    "tunnel_timeout": "1h",
    "error_statuses": "502,503",
    "retry_non_idempotent": "true",
    "hold": "0s",
    "linger": "5m",
    "max_connections": "64",
    "max_body": "10MiB",
    "strip_prefix": "true",
    "normalise_paths": "true",
    "encoded_slashes": "keep",
    "via": "true",
    "middlewares": "compress,auth",
    "https": "redirect",
    "hsts_max_age": "365d",
    "tls_verify": "false",
    "tls_server_name": "api.internal",
}

# Without the middleware that was meant, there may be no password before the route.
_OPTION_KINDS = {"middlewares": Kind.REACH}
# Their defaults guard nothing.
_GUARDS = frozenset({"middlewares", "https", "hsts_max_age", "normalise_paths"})

_parse_middlewares = _through(RouteOptions, "middlewares")


def parse_label_middlewares(value: str) -> Any:
    """As in the settings, but nothing at all is no value: it may be a variable that nobody has filled in. Raises
    ValueError."""
    if not value:
        raise ValueError("expected names of middlewares, such as compress,office, or none")
    return _parse_middlewares(value)


def _written(value: Any) -> str:
    """A default as a person would write it in a label."""
    if value is None or value in (frozenset(), ()):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}s" if isinstance(value, float) else str(value)


def _option(name: str) -> Label:
    field = RouteOptions.model_fields[name]
    default = _written(field.default)
    example = _OPTION_EXAMPLES.get(name, default)
    kind = _OPTION_KINDS.get(name, Kind.TUNE)
    parse = parse_label_middlewares if name == "middlewares" else _through(RouteOptions, name)
    return Label(name, field.description or "", example, default, kind, parse, name in _GUARDS)


LABELS: tuple[Label, ...] = (*_OWN_LABELS, *(_option(name) for name in OPTION_NAMES if name not in FILE_OPTIONS))
BY_NAME = MappingProxyType({label.name: label for label in LABELS})
