"""RouteOptions: what can be set for one route, by file, environment, label or `/add`.

One model, so that a name, a default, a check and a line of documentation exist once. The same names stand
at the top of the settings, where they are the defaults for all routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Unpack

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dockerproxy.did_you_mean import did_you_mean
from dockerproxy.settings.middlewares import parse_middlewares
from dockerproxy.settings.values import (
    Duration,
    PositiveTimeout,
    SizeLimit,
    Statuses,
    Timeout,
    parse_nanoseconds,
    parse_server_name,
    parse_strip_prefix,
)

if TYPE_CHECKING:
    from dockerproxy.settings.arguments import OptionArguments

# Kept from the Go project: long enough that a restart passes unnoticed, short enough to notice a fault.
DEFAULT_CONSECUTIVE_ERRORS = 10  # attempts
DEFAULT_BENCH = 90.0  # seconds
DEFAULT_MAX_ATTEMPTS = 20  # attempts in one exchange
# A person gives up on a page after about half a minute; so does the exchange.
DEFAULT_RETRY_DEADLINE = 30.0  # seconds
# One SYN retransmission (1 s) and a margin: a host that has not answered by then is not there.
DEFAULT_CONNECT_TIMEOUT = 2.0  # seconds
DEFAULT_RESPONSE_TIMEOUT = 60.0  # seconds until the response head
DEFAULT_STALL_TIMEOUT = 60.0  # seconds without a byte in either direction
# A container that is recreated is back within a few seconds; a browser waits that long.
DEFAULT_HOLD = 10.0  # seconds
DEFAULT_LINGER = 60.0  # seconds
# Enough for every thread of a usual application server, and a bound on sockets.
DEFAULT_MAX_CONNECTIONS = 512  # connections to one upstream


class Strict(BaseModel):
    """The base of all settings: frozen, no unknown key, and the names of the Go project are accepted.

    go_names: a name in the Go project -> the name here
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    go_names: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _accept_go_names(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        renamed = {}
        for key, value in data.items():
            name = cls.go_names.get(key)
            if name is not None and (name in data or name in renamed):
                raise ValueError(f"{key} is another name of {name}, and both are given; leave one of them out")
            if name is not None:
                renamed[name] = value
        return {**renamed, **{key: value for key, value in data.items() if key not in cls.go_names}}


class RouteOptions(Strict):
    """Per-route settings; times in seconds, sizes in bytes."""

    go_names: ClassVar[Mapping[str, str]] = {
        "consecutiveErrorsToDisable": "consecutive_errors",
        "timeToKeepDisabled": "bench",
        "maxLoopTry": "max_attempts",
    }

    if TYPE_CHECKING:
        # A checker of types takes the fields for arguments, but more is accepted than is held: `bench="30s"`.
        def __init__(self, **options: Unpack[OptionArguments]) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _know_names(cls, data: Any) -> Any:
        """Options alone are also made in Python, `RouteOptions(benh=3)`, where nobody changes pydantic's words."""
        if cls is RouteOptions and isinstance(data, Mapping):
            known = [*cls.model_fields, *cls.go_names]
            others = f"known keys: {', '.join(sorted(known))}"
            unknown = [
                f"{key}: unknown key{did_you_mean(key, known, others)}" for key in map(str, data) if key not in known
            ]
            if unknown:
                raise ValueError("; ".join(unknown))
        return data

    consecutive_errors: int = Field(
        DEFAULT_CONSECUTIVE_ERRORS,
        ge=1,
        description="errors in a row after which an upstream is benched",
    )
    bench: Annotated[Duration, BeforeValidator(parse_nanoseconds)] = Field(
        DEFAULT_BENCH,
        description="how long a benched upstream sits out; doubled at each repetition, up to 15 minutes",
    )
    max_attempts: int = Field(
        DEFAULT_MAX_ATTEMPTS,
        ge=1,
        description="attempts in one exchange before the error page",
    )
    retry_deadline: Duration = Field(
        DEFAULT_RETRY_DEADLINE,
        description="after this time in one exchange, no upstream is tried a second time",
    )
    connect_timeout: Duration = Field(DEFAULT_CONNECT_TIMEOUT, gt=0, description="time to connect to an upstream")
    response_timeout: PositiveTimeout = Field(
        DEFAULT_RESPONSE_TIMEOUT, description="time until an upstream's response head has arrived; or `none`"
    )
    stall_timeout: PositiveTimeout = Field(
        DEFAULT_STALL_TIMEOUT,
        description="time without a byte while a body is on its way; or `none`, for streams of events that are silent"
        " for long (a client that does not read, or does not send its own, still has 60 s)",
    )
    tunnel_timeout: PositiveTimeout = Field(
        None, description="time a tunnel (WebSocket) may be silent in both directions; or `none`"
    )
    error_statuses: Statuses = Field(
        frozenset(), description="statuses that count as an error, so that the next upstream is tried"
    )
    retry_non_idempotent: bool = Field(
        False, description="try POST and PATCH again even if the first upstream may have seen the request"
    )
    hold: Duration = Field(
        DEFAULT_HOLD, description="how long a request waits when the route has no upstream right now"
    )
    linger: Duration = Field(
        DEFAULT_LINGER, description="how long a route stays known after its last container has gone"
    )
    max_connections: int = Field(DEFAULT_MAX_CONNECTIONS, ge=1, description="connections to one upstream at a time")
    max_body: SizeLimit = Field(None, description="largest request body; a larger one is answered with 413; or `none`")
    strip_prefix: Annotated[bool | Literal["rewrite"], BeforeValidator(parse_strip_prefix)] = Field(
        False,
        description="the upstream sees the rest of the path, and X-Forwarded-Prefix; with `rewrite`, what it says in"
        " Location and in the paths of cookies gets the prefix, and the prefix itself redirects to `/prefix/`",
    )
    normalise_paths: bool = Field(
        False,
        description="the upstream sees the path as the proxy reads it (`/x/../%61` as `/a`), and not as it was sent",
    )
    encoded_slashes: Literal["refuse", "keep", "decode"] = Field(
        "refuse",
        description="a `\\` or an encoded slash (`%2F`) in a path: `refuse` it where reading it as a slash would lead"
        " to another route, `keep` it as a part of a segment, or `decode` it to choose the route",
    )
    via: bool = Field(
        False,
        description="tell the upstream in `Via` which proxies a request has passed; some compress nothing then (nginx)",
    )
    middlewares: Annotated[tuple[str, ...], BeforeValidator(parse_middlewares)] = Field(
        (), description="names of middlewares that requests pass, comma-separated, the first one outermost; or `none`"
    )
    https: Literal["allow", "redirect"] = Field(
        "allow", description="what a client that speaks plain http gets: the answer, or a `redirect` to https"
    )
    hsts_max_age: Timeout = Field(
        None, description="for how long browsers shall use https only (`Strict-Transport-Security` in https answers)"
    )
    tls_verify: bool = Field(True, description="verify the certificate of an https upstream")
    tls_server_name: Annotated[str, BeforeValidator(parse_server_name)] | None = Field(
        None, description="the name that the certificate of an https upstream is for; default: the host in its URL"
    )
    tls_ca: Path | None = Field(
        None, description="PEM file with the authorities that sign the https upstreams; default: the system's"
    )
    tls_cert: Path | None = Field(
        None, description="PEM file with the certificate that https upstreams are shown when they ask for one"
    )
    tls_key: Path | None = Field(None, description="PEM file with the key of `tls_cert`; default: it is in that file")


OPTION_NAMES: tuple[str, ...] = tuple(RouteOptions.model_fields)
# They name files of the proxy's machine, so whoever may only label a container or post to /add may not set them.
FILE_OPTIONS = frozenset({"tls_ca", "tls_cert", "tls_key"})
