"""What may be given in Python for each setting: argument -> its type. For checkers of types only.

Made by `make docs` from the settings, their kinds and names; edit those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal, TypedDict

from pydantic import BaseModel

from dockerproxy.settings.values import ListenAddress


class CommonArguments(TypedDict, total=False):
    """Options of a route, but `middlewares`."""

    consecutive_errors: int
    bench: float | str
    max_attempts: int
    retry_deadline: float | str
    connect_timeout: float | str
    response_timeout: float | str | None
    stall_timeout: float | str | None
    tunnel_timeout: float | str | None
    error_statuses: int | str | Iterable[int | str]
    retry_non_idempotent: bool
    hold: float | str
    linger: float | str
    max_connections: int
    max_body: int | str | None
    strip_prefix: bool | Literal["rewrite"]
    normalise_paths: bool
    encoded_slashes: Literal["refuse", "keep", "decode"]
    via: bool
    https: Literal["allow", "redirect"]
    hsts_max_age: float | str | None
    tls_verify: bool
    tls_server_name: str | None
    tls_ca: Path | str | None
    tls_cert: Path | str | None
    tls_key: Path | str | None


class OptionArguments(CommonArguments, total=False):
    """Arguments of `RouteOptions`."""

    middlewares: str | Iterable[str]


class ProxyArguments(CommonArguments, total=False):
    """Arguments of `Proxy` beside those it names."""

    tls: Mapping[str, Any] | BaseModel
    docker: Mapping[str, Any] | BaseModel
    not_found_handler: str | Callable[..., Any] | None
    error_handler: str | Callable[..., Any] | None
    admin_host: str
    admin_token: str | None
    admin_token_file: Path | str | None
    admin_access: Literal["loopback", "token", "open"] | None
    state_dir: Path | str
    define_middlewares: Mapping[str, Mapping[str, Any] | BaseModel]
    constraints: Iterable[Mapping[str, Any] | BaseModel]
    constraints_default: Literal["allow", "deny"]
    local_upstreams: str | Iterable[str | IPv4Network | IPv6Network] | None
    trusted_proxies: str | Iterable[str | IPv4Network | IPv6Network]
    grace: float | str
    head_size: int | str
    head_fields: int
    target_size: int | str
    head_timeout: float | str
    idle_timeout: float | str
    half_close_timeout: float | str
    max_clients: int
    access_log: Literal["off", "combined", "json"]
    access_log_headers: str | Iterable[str]
    log_format: Literal["text", "json"]
    log_level: Literal["debug", "info", "warning", "error"]


class SettingArguments(ProxyArguments, total=False):
    """All settings."""

    listen: str | int | Iterable[str | int | ListenAddress] | None
    routes: Iterable[Mapping[str, Any] | BaseModel]
    middlewares: str | Iterable[str]
