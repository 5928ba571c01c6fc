"""Route, Domain, PathRule, Upstream: what a request can be sent to, as frozen values.

They hold what was decided (by a file, by labels, by `/add`, in Python), never what happened: counters, benches
and connections are kept elsewhere, keyed by `Route.name` and `Upstream.key`, and survive every new value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from dockerproxy.errors import SettingsError
from dockerproxy.routing.expression import named_groups
from dockerproxy.routing.local_addresses import Network
from dockerproxy.settings.load import options_of
from dockerproxy.settings.options import RouteOptions
from dockerproxy.settings.paths import comparable, is_plain
from dockerproxy.settings.routes import (
    parse_exact_path,
    parse_host,
    parse_hosts,
    parse_methods,
    parse_prefix,
    parse_regex,
    parse_upstream_url,
)

if TYPE_CHECKING:
    from dockerproxy.settings.arguments import OptionArguments

DEFAULT_PORTS = {"http": 80, "https": 443}


# What is expected where something else is given, with the name of the route.
_DOMAIN = "route {0!r}: domains: expected names such as 'blog.localhost', or Domain(…)"
_PATH = "route {0!r}: path: expected a prefix such as '/api', or a PathRule"
_UPSTREAM = "route {0!r}: upstreams: expected URLs, or Upstream('a name', 'http://localhost:2368', weight=3)"

T = TypeVar("T")
RouteAccess = Literal["", "loopback", "token", "open"]


class Source(StrEnum):
    """Where a route or an upstream came from."""

    STATIC = "static"
    DOCKER = "docker"
    DYNAMIC = "dynamic"


@dataclass(frozen=True, slots=True)
class Domain:
    """A host name in lower case, exact or `*.` and one level, with the port of the address bar if it matters."""

    name: str
    port: int | None = None

    @classmethod
    def parse(cls, host: str) -> Domain:
        """From `blog.localhost`, `*.example.com`, `blog.localhost:8888`, `[::1]:80`. Raises ValueError."""
        host = parse_host(host)
        name, colon, port = host.rpartition(":")
        if not colon or host.endswith("]"):
            return cls(host)
        return cls(name, int(port))

    @property
    def wildcard(self) -> bool:
        return self.name.startswith("*.")

    def __str__(self) -> str:
        return self.name if self.port is None else f"{self.name}:{self.port}"


# The domain of whoever asks by an IP address or names nobody (HTTP/1.0 without Host), as load balancers do that know no
# better. It counts only where no route takes the request.
NO_NAME = Domain("<address>")


def names_nobody(name: str) -> bool:
    """Whether a host without its port is an IP address, or nothing."""
    if not name or name.startswith("["):
        return True
    if not name[-1].isdigit():
        return False
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class PathKind(StrEnum):
    """In the order in which they are preferred."""

    EXACT = "exact"
    PREFIX = "prefix"
    REGEX = "regex"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class PathRule:
    """Which paths of a domain; `text` is the path, the prefix or the expression, and empty for ANY."""

    kind: PathKind = PathKind.ANY
    text: str = ""

    @classmethod
    def exact(cls, path: str) -> PathRule:
        """Exactly this path. Raises ValueError."""
        return cls(PathKind.EXACT, parse_exact_path(path))

    @classmethod
    def prefix(cls, path: str) -> PathRule:
        """This path and all below it, by whole segments. Raises ValueError."""
        return cls(PathKind.PREFIX, parse_prefix(path))

    @classmethod
    def regex(cls, pattern: str) -> PathRule:
        """Paths in which this expression is found; its named groups reach a handler. Raises ValueError."""
        return cls(PathKind.REGEX, parse_regex(pattern))

    def __str__(self) -> str:
        return {
            PathKind.EXACT: self.text,
            PathKind.PREFIX: self.text.rstrip("/") + "/*",
            PathKind.REGEX: f"~{self.text}",
            PathKind.ANY: "/*",
        }[self.kind]

    def groups(self, path: str) -> dict[str, str]:
        """The named groups of a regex rule in `path` as it was sent; empty for the other kinds."""
        if self.kind is not PathKind.REGEX:
            return {}
        return named_groups(self.text, path if is_plain(path) else comparable(path))


ANY_PATH = PathRule()
DEFAULT_OPTIONS = RouteOptions()


@dataclass(frozen=True, slots=True)
class Upstream:
    """One URL that can answer for a route. Raises ValueError for a URL that cannot be one.

    name:      how it is called in statistics and logs: the container's name, or what the file says
    weight:    share in the round robin; 0 drains
    container: id of the container behind it, or "" for a static upstream
    draining:  out of rotation while what is in flight goes on (its container was told to stop)
    handler:   for the in-process upstream of a handler route, the key of the handler
    published: whether the engine relays to the container from a port of the host
    hardware:  the link-layer address of the container, where it tells one from another; else ""
    local:     the networks of this machine and its link that its host name may stand for; None: all of them
    key:       what state is kept by
    address:   what connections are pooled by: `http://127.0.0.1:2368`, or the handler's key
    """

    name: str
    url: str
    weight: int = 1
    source: Source = Source.STATIC
    container: str = ""
    draining: bool = False
    handler: str = ""
    published: bool = False
    hardware: str = ""
    local: tuple[Network, ...] | None = None
    scheme: str = field(init=False)
    host: str = field(init=False)
    port: int = field(init=False)
    base_path: str = field(init=False)
    key: str = field(init=False)
    address: str = field(init=False)

    def __post_init__(self) -> None:
        if not self.handler:
            parse_upstream_url(self.url)
        parts = urlsplit(self.url)
        scheme = parts.scheme or "http"
        set_field = object.__setattr__
        set_field(self, "scheme", scheme)
        set_field(self, "host", parts.hostname or "")
        set_field(self, "port", parts.port or DEFAULT_PORTS.get(scheme, 80))
        set_field(self, "base_path", parts.path.rstrip("/"))
        # A container keeps its counters through a rename; two static upstreams may share a URL.
        set_field(self, "key", f"{self.container or self.name} {self.url}")
        host = f"[{self.host}]" if ":" in self.host else self.host
        set_field(self, "address", self.handler or f"{scheme}://{host}:{self.port}")

    @property
    def in_rotation(self) -> bool:
        """Whether new requests may go there, benches aside."""
        return self.weight > 0 and not self.draining

    def __str__(self) -> str:
        return f"{self.name} ({self.handler or self.url})"


@dataclass(frozen=True, slots=True, init=False)
class Route:
    """A name, domains, a path rule and methods, answered either by upstreams or by a handler.

        Route("blog", "blog.localhost", upstreams=["http://localhost:2368"])
        Route("hello", "localhost", path=PathRule.regex("^/(?P<page>[a-z]+)$"), handler=hello)

    domains:   domains, or their names; none means every domain
    path:      a rule, or a path prefix; ANY_PATH for the whole domain
    methods:   in upper case, or comma-separated; none means every method
    upstreams: upstreams, or their URLs
    options:   per-route settings, `RouteOptions(hold=0)` or `{"hold": 0}`; those that were given count before the
               proxy's
    handler:   Python code that answers: an aiohttp handler or Application, or its name `module:name`
    target:    the handler itself when it was given as an object
    access:    for admin handlers: `loopback`, `token`, `open`, or "" for the setting's default
    not_found_handler, error_handler: what makes the pages of its domains: a handler, or its name `module:name`
    not_found_target, error_target: that handler itself when it was given as an object
    maintenance: what clients are told in place of an answer, "" for our own words; None: the route answers
    paused:    whether requests are held until the pause is over

    Raises ValueError for a domain, path, method, URL or option that cannot be one.
    """

    name: str
    domains: tuple[Domain, ...]
    path: PathRule
    methods: tuple[str, ...]
    upstreams: tuple[Upstream, ...]
    options: RouteOptions
    source: Source
    handler: str
    target: Any = field(compare=False)
    access: RouteAccess
    not_found_handler: str
    not_found_target: Any = field(compare=False)
    error_handler: str
    error_target: Any = field(compare=False)
    maintenance: str | None
    paused: bool

    def __init__(
        self,
        name: str,
        domains: str | Domain | Iterable[str | Domain] = (),
        path: PathRule | str = ANY_PATH,
        methods: str | Iterable[str] = (),
        upstreams: Upstream | str | Iterable[Upstream | str] = (),
        *,
        options: RouteOptions | OptionArguments = DEFAULT_OPTIONS,
        source: Source = Source.STATIC,
        handler: str | Callable[..., Any] = "",
        target: Callable[..., Any] | None = None,
        access: RouteAccess = "",
        not_found_handler: str | Callable[..., Any] = "",
        not_found_target: Callable[..., Any] | None = None,
        error_handler: str | Callable[..., Any] = "",
        error_target: Callable[..., Any] | None = None,
        maintenance: str | None = None,
        paused: bool = False,
    ) -> None:
        given = {
            "name": name,
            "domains": _domains(name, domains),
            "path": PathRule.prefix(path) if isinstance(path, str) else _is(PathRule, path, _PATH.format(name)),
            "methods": parse_methods(methods),
            "upstreams": _upstreams(name, upstreams),
            "options": options if isinstance(options, RouteOptions) else _options(name, options),
            "source": source,
            **_named("handler", handler, "target", target),
            "access": access,
            **_named("not_found_handler", not_found_handler, "not_found_target", not_found_target),
            **_named("error_handler", error_handler, "error_target", error_target),
            "maintenance": maintenance,
            "paused": paused,
        }
        for key, value in given.items():
            object.__setattr__(self, key, value)

    @property
    def kind(self) -> str:
        return "handler" if self.handler else "proxy"

    def __str__(self) -> str:
        where = ", ".join(map(str, self.domains)) or "every domain"
        return f"{self.name}: {where} {self.path}"


def _options(route: str, given: object) -> RouteOptions:
    """The options that were given as keys and values."""
    if not isinstance(given, Mapping):
        message = f"route {route!r}: options: expected RouteOptions(…) or keys and values, found {given!r}"
        raise ValueError(message)  # noqa: TRY004  # as for all that is wrong with a route
    try:
        return options_of(given, f"route {route!r}: options")
    except SettingsError as error:
        raise ValueError("; ".join(error.lines())) from None


def _named(name: str, handler: Any, target_name: str, target: Any) -> dict[str, Any]:
    """A handler as its two fields: its name, or itself where it was given as an object."""
    return {name: handler, target_name: target} if isinstance(handler, str) else {name: "", target_name: handler}


def _domains(route: str, given: str | Domain | Iterable[str | Domain]) -> tuple[Domain, ...]:
    given = parse_hosts(given) if isinstance(given, str) else given
    return tuple(
        Domain.parse(item) if isinstance(item, str) else _is(Domain, item, _DOMAIN.format(route))
        for item in _each(given)
    )


def _upstreams(route: str, given: Upstream | str | Iterable[Upstream | str]) -> tuple[Upstream, ...]:
    """Upstreams, or their URLs."""
    return tuple(
        Upstream(item, item) if isinstance(item, str) else _is(Upstream, item, _UPSTREAM.format(route))
        for item in _each(given)
    )


def _each(given: Any) -> Iterable[Any]:
    """What was given, or the one thing that was; a text is one thing, not its characters."""
    return given if isinstance(given, Iterable) and not isinstance(given, (str, Mapping)) else (given,)


def _is(expected: type[T], given: object, words: str) -> T:
    """What was given, if it is of that class; only its own class is told, for a URL may have a password."""
    if isinstance(given, expected):
        return given
    raise ValueError(f"{words}, found {type(given).__name__}")
