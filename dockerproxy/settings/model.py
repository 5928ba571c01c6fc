"""Settings: everything that can be set, with its default, its check and its description.

Precedence: arguments over the environment (`DOCKERPROXY_*`, `__` nests) over the file over the defaults.
`settings.load` does the reading; this module only says what there is.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Unpack
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dockerproxy.process.whereabouts import Whereabouts, reachable
from dockerproxy.settings.constraints import ConstraintsDefault, ConstraintSettings
from dockerproxy.settings.middlewares import MiddlewareSettings, parse_name
from dockerproxy.settings.options import OPTION_NAMES, RouteOptions, Strict
from dockerproxy.settings.routes import Access, RouteSettings, parse_host
from dockerproxy.settings.secret import TOKEN_WORDS, can_be_token
from dockerproxy.settings.tls import TlsSettings
from dockerproxy.settings.values import (
    Duration,
    Listen,
    ListenAddress,
    Networks,
    PageHandler,
    Size,
    parse_listen,
    split_list,
)

if TYPE_CHECKING:
    from dockerproxy.settings.arguments import SettingArguments

ENVIRONMENT_PREFIX = "DOCKERPROXY_"
DEFAULT_LISTEN = ":8888"
DEFAULT_DOCKER_HOST = "unix:///var/run/docker.sock"
DEFAULT_DOMAIN = "localhost"  # browsers resolve *.localhost to this machine without any DNS entry
DEFAULT_GRACE = 30.0  # seconds; Kubernetes and Traefik users know this figure
# RFC 9110 section 5.4 leaves limits to us; these are generous against browsers (8 KiB is usual elsewhere).
DEFAULT_HEAD_SIZE = 64 << 10  # bytes
DEFAULT_HEAD_FIELDS = 100  # fields
DEFAULT_TARGET_SIZE = 8 << 10  # bytes; RFC 9112 section 3 asks for at least 8000
DEFAULT_HEAD_TIMEOUT = 10.0  # seconds; a head is one packet, so this is for attackers
DEFAULT_IDLE_TIMEOUT = 75.0  # seconds; browsers keep a connection for about that long
DEFAULT_MAX_CLIENTS = 20_000  # connections, below the file limit of a usual service
DEFAULT_HALF_CLOSE_TIMEOUT = 1.0  # seconds
_PREFIX = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def default_state_dir() -> Path:
    """The platform's folder for a user's state."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "dockerproxy"
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "dockerproxy"


def engine_address(value: str) -> str:
    """An engine's address, as it is. Raises ValueError."""
    if not value.startswith(("unix://", "tcp://", "http://", "https://", "npipe://")):
        raise ValueError(f"{value!r} is not an engine's address; write unix:///var/run/docker.sock or tcp://host:2375")
    if "@" in value:
        raise ValueError(f"{value!r} has a user; only scheme, host and port are used, see docker.tls_cert")
    address = value.partition("?")[0].partition("#")[0]
    if address != value:  # it may bear a token, so it is not repeated
        raise ValueError(f"{address!r} is followed by a query or fragment; only scheme, host and port are used")
    if not value.startswith(("unix://", "npipe://")) and not _port(value):
        raise ValueError(f"{value!r} names no port, or none from 1 to 65535; write for example tcp://host:2375")
    return value


def _label_prefix(value: Any) -> str:
    if not isinstance(value, str) or not _PREFIX.fullmatch(value):
        raise ValueError("expected letters, digits, dots and hyphens, such as dockerproxy or com.example.proxy")
    return value


def _port(address: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError:
        return None


class DockerSettings(Strict):
    """How containers are discovered."""

    enabled: bool = Field(True, description="discover containers")
    host: str = Field(
        DEFAULT_DOCKER_HOST,
        description="the engine's address: unix:///… or tcp://host:port; unset, Podman's socket if Docker has none",
    )
    tls_ca: Path | None = Field(
        None, description="authority that signed the engine's certificate, a PEM file; else the public ones count"
    )
    tls_cert: Path | None = Field(None, description="our certificate for the engine, a PEM file")
    tls_key: Path | None = Field(None, description="its key, a PEM file; default: it stands in that of tls_cert")
    tls_verify: bool = Field(True, description="verify the engine's certificate; without, anybody may play the engine")
    network: str | None = Field(
        None, description="reach containers over this network; default: one that the proxy shares with them"
    )
    default_domain: str = Field(DEFAULT_DOMAIN, description="a route without a host label is at <route>.<this>")
    label_prefix: Annotated[str, BeforeValidator(_label_prefix)] = Field(
        "dockerproxy", description="prefix of the labels"
    )
    address: Literal["container", "published"] = Field(
        "container", description="reach containers at their own IP, or at their published port on `published_host`"
    )
    published_host: str = Field(
        "127.0.0.1",
        description="where ports are reached that are bound to all addresses; others where they are bound to",
    )
    resync: Duration = Field(60.0, gt=0, description="list all containers this often even without events")

    @field_validator("host")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        return engine_address(value)

    @field_validator("default_domain")
    @classmethod
    def _is_domain(cls, value: str) -> str:
        return parse_host(value)


def _listen_list(value: Any) -> Any:
    items = value if isinstance(value, (list, tuple)) else split_list(value)
    addresses = tuple(parse_listen(item) for item in items)
    for address in addresses:
        if address.port and addresses.count(address) > 1:
            raise ValueError(f"{address} is there twice; write each address once")
    return addresses


class Settings(RouteOptions, BaseSettings):
    """All settings. The options of RouteOptions stand here as the defaults for every route."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        enable_decoding=False,
    )
    go_names: ClassVar[Mapping[str, str]] = {**RouteOptions.go_names, "listenAndServe": "listen"}

    if TYPE_CHECKING:
        # As in RouteOptions: what is accepted.
        def __init__(self, **settings: Unpack[SettingArguments]) -> None: ...

    listen: Annotated[tuple[Listen, ...], BeforeValidator(_listen_list)] = Field(
        (parse_listen(DEFAULT_LISTEN),),
        min_length=1,
        description="addresses to listen on, such as `127.0.0.1:8888`; `:8888` is all of IPv4 and IPv6, "
        "`0.0.0.0:8888` of IPv4; `https://:8443` for TLS",
    )
    tls: TlsSettings = Field(TlsSettings(), description="certificates for the https addresses")
    docker: DockerSettings = Field(DockerSettings(), description="how containers are discovered")
    routes: tuple[RouteSettings, ...] = Field((), description="static routes")
    not_found_handler: PageHandler | None = Field(
        None, description="handler for requests that no route answers: `module:name`"
    )
    error_handler: PageHandler | None = Field(None, description="handler for the error page: `module:name`")
    admin_host: str = Field(
        "root.localhost", description="domain of the built-in admin handlers, `/statistics` among them"
    )
    admin_token: str | None = Field(
        None, min_length=8, repr=False, description="token for admin handlers (`Authorization: Bearer …`)"
    )
    admin_token_file: Path | None = Field(
        None, description="file with the token, in the place of admin_token, such as a secret of Docker's"
    )
    admin_access: Access | None = Field(
        None,
        description="who may call the admin handlers: `loopback`, `token` or `open`; "
        "default: `token` when admin_token is set, else `loopback`. Where it is `token` and none is set, the proxy "
        "makes one and keeps it in `state_dir`",
    )
    state_dir: Path = Field(
        default_factory=default_state_dir, description="folder for dynamic routes, overrides and the token"
    )
    define_middlewares: dict[Annotated[str, BeforeValidator(parse_name)], MiddlewareSettings] = Field(
        {}, description="what the names of middlewares stand for"
    )
    constraints: tuple[ConstraintSettings, ...] = Field((), description="which containers may claim which domains")
    constraints_default: ConstraintsDefault = Field(
        "allow", description="whether containers may claim domains that no constraint is about: `allow` or `deny`"
    )
    local_upstreams: Networks | None = Field(
        None,
        description="loopback, link-local and metadata addresses at which `/add` may put upstreams; default: those of "
        "loopback where only this machine may call `/add`, else none",
    )
    trusted_proxies: Networks = Field((), description="networks whose X-Forwarded-* and Forwarded fields are believed")
    grace: Duration = Field(DEFAULT_GRACE, description="how long what is in flight may take after SIGTERM")
    head_size: Size = Field(DEFAULT_HEAD_SIZE, ge=1024, description="largest head of a request or response")
    head_fields: int = Field(DEFAULT_HEAD_FIELDS, ge=10, description="most fields in a head")
    target_size: Size = Field(
        DEFAULT_TARGET_SIZE, ge=256, description="largest request target; a larger one is answered with 414"
    )
    head_timeout: Duration = Field(DEFAULT_HEAD_TIMEOUT, gt=0, description="time for a client to send a head")
    idle_timeout: Duration = Field(DEFAULT_IDLE_TIMEOUT, gt=0, description="time a kept-alive connection may be idle")
    half_close_timeout: Duration = Field(
        DEFAULT_HALF_CLOSE_TIMEOUT,
        description="how long a client that closed its sending side is served without a byte of progress",
    )
    max_clients: int = Field(
        DEFAULT_MAX_CLIENTS,
        ge=1,
        description="client connections at a time; when there are so many, the one that is idle longest gives way."
        " Needs twice as many open files",
    )
    access_log: Literal["off", "combined", "json"] = Field(
        "off", description="one line per request on standard output, in the combined format or as JSON"
    )
    access_log_headers: Annotated[tuple[str, ...], BeforeValidator(split_list)] = Field(
        (), description="names of request fields that the access log tells as well; credentials are redacted"
    )
    log_format: Literal["text", "json"] = Field("text", description="form of the log lines")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")

    @field_validator("admin_token")
    @classmethod
    def _fits_a_field(cls, value: str | None) -> str | None:
        if value is not None and not can_be_token(value):
            raise ValueError(f"{TOKEN_WORDS}; an environment file with Windows line ends leaves one more at its end")
        return value

    @field_validator("admin_host")
    @classmethod
    def _is_host(cls, value: str) -> str:
        host = parse_host(value)
        name, colon, _ = host.rpartition(":")
        if colon and not host.endswith("]"):  # at another port, a container's wildcard would answer in its place
            raise ValueError(f"{value!r} has a port; the admin handlers are at every port: write {name}")
        return host

    @property
    def own_address(self) -> ListenAddress:
        """Where commands on this machine ask the proxy: the first https address, for http may only redirect to it."""
        return next((address for address in self.listen if address.tls), self.listen[0])

    @property
    def whereabouts(self) -> Whereabouts:
        """Where a proxy with these settings is asked on this machine."""
        own = self.own_address
        return Whereabouts(
            reachable(own.host), own.port, own.tls, self.admin_host, tuple(str(address) for address in self.listen)
        )

    @property
    def given_listen(self) -> tuple[str, ...]:
        """`listen`, if anybody has said anything of it; else nothing."""
        return self.whereabouts.listen if "listen" in self.model_fields_set else ()

    @property
    def https_reachable(self) -> bool:
        """Whether a client can come over https: to us, or to a trusted proxy in front of us."""
        return bool(self.trusted_proxies) or any(address.tls for address in self.listen)

    @property
    def effective_admin_access(self) -> Access:
        """Who may call an admin handler that does not say so itself."""
        if self.admin_access is not None:
            return self.admin_access
        return "token" if self.admin_token else "loopback"

    @property
    def route_defaults(self) -> RouteOptions:
        """The options that every route starts from."""
        return RouteOptions.model_validate({name: getattr(self, name) for name in OPTION_NAMES})
