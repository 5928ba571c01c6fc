"""RouteSettings: one route as a person writes it, in the file, in Python or in the body of `/add`.

The names of the Go project are accepted beside our own, everywhere. What comes out is plain data; turning
it into a `routing.Route` is the registry's work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

import regex
from pydantic import BeforeValidator, Field, field_validator, model_validator

from dockerproxy.settings.options import OPTION_NAMES, RouteOptions, Strict
from dockerproxy.settings.paths import comparable
from dockerproxy.settings.values import split_list

Access = Literal["loopback", "token", "open"]

_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.IGNORECASE)
_IPV6 = re.compile(r"\[[0-9a-f:.]+\]", re.IGNORECASE)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LONGEST_REGEX = 1000  # characters
_MOST_GROUPS = 100  # each nested one costs the compiler some frames of the stack
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


def parse_host(value: Any) -> str:
    """A domain with an optional port: `blog.localhost`, `*.example.com:8888`, in lower case. Raises ValueError."""
    text = str(value).strip().lower()
    if "/" in text:
        raise ValueError(f"{value!r} is not a domain; leave out the scheme and the path, as in blog.localhost:8888")
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, ""
    host = host.rstrip(".")
    if colon and port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"{port!r} is not a port from 1 to 65535")
    if not (_HOST.fullmatch(host) or _IPV6.fullmatch(host)):
        raise ValueError(
            f"{value!r} is not a domain; write for example blog.localhost, *.example.com or blog.localhost:8888"
            " (no scheme, no path)"
        )
    return f"{host}:{port}" if port else host


def parse_hosts(value: Any) -> tuple[str, ...]:
    """Domains from a comma-separated string or a list. Raises ValueError."""
    hosts = tuple(dict.fromkeys(parse_host(item) for item in split_list(value)))
    if not hosts:
        raise ValueError("expected at least one domain, for example blog.localhost")
    return hosts


def parse_methods(value: Any) -> tuple[str, ...]:
    """HTTP methods in upper case; none means all of them. Raises ValueError."""
    methods = tuple(dict.fromkeys(str(item).upper() for item in split_list(value)))
    for method in methods:
        if not _TOKEN.fullmatch(method):
            raise ValueError(f"{method!r} is not an HTTP method; write for example GET,POST")
    return methods


def parse_prefix(value: Any) -> str:
    """A path that starts with a slash; a slash at its end is dropped, and so is `/*`. Raises ValueError."""
    text = str(value).strip()
    if text.endswith("/*"):  # as others write a prefix, and as we show it
        text = text[:-1]
    if text.startswith("/") and "*" in text:
        raise ValueError(
            f"{text!r} has a *, which stands for nothing here; write the path before it, for a prefix takes all below"
            " it, or a regular expression"
        )
    if not text.startswith("/") or any(char in text for char in "?# "):
        raise ValueError(f"{text!r} is not a path; write for example /api (it starts with /, without ? # or spaces)")
    return comparable(text).rstrip("/") or "/"


def parse_exact_path(value: Any) -> str:
    """A path that starts with a slash, taken as it is. Raises ValueError."""
    text = str(value).strip()
    if text.endswith("/*"):
        prefix = text.removesuffix("/*") or "/"
        raise ValueError(f"{text!r} is for a prefix, not for one exact path; write prefix: {prefix}")
    parse_prefix(text)
    return comparable(text)


def parse_regex(value: Any) -> str:
    """A regular expression in Python's notation, short enough to be compiled anywhere. Raises ValueError."""
    text = str(value)
    if len(text) > _LONGEST_REGEX:
        raise ValueError(f"expected a regular expression of at most {_LONGEST_REGEX:,} characters, not {len(text):,}")
    if text.count("(") > _MOST_GROUPS:
        raise ValueError(f"expected a regular expression with at most {_MOST_GROUPS} opening parentheses")
    try:
        re.compile(text)  # the notation that is documented, of which `regex` has more
        regex.compile(text, regex.V0)  # what is used, because it can be told to give up
    except (re.error, regex.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


def parse_upstream_url(value: Any) -> str:
    """`http://host:port[/base]` or https. Raises ValueError."""
    text = str(value).strip()
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"{text!r} is not an upstream: its port is none from 1 to 65535") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(f"{text!r} is not an upstream; write for example http://localhost:2368")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"{text!r} has a user, query or fragment; only scheme, host, port and path are used")
    return text


class UpstreamSettings(Strict):
    """One URL that can answer for a route."""

    name: str | None = Field(None, description="how the upstream is called in statistics and logs; default: its URL")
    url: Annotated[str, BeforeValidator(parse_upstream_url)] = Field(description="`http://host:port`, or https")
    weight: int = Field(1, ge=0, le=100, description="share in the round robin; 0 drains")


class DomainSettings(Strict):
    """A domain in the Go project's three parts, and the pages of the domain."""

    go_names: ClassVar[Mapping[str, str]] = {
        "subDomain": "sub_domain",
        "notFoundHandle": "not_found_handler",
        "notFoundHandler": "not_found_handler",
        "errorHandle": "error_handler",
        "errorHandler": "error_handler",
    }

    sub_domain: str = Field("", description="what stands before the domain")
    domain: str = Field(description="the domain, for example `localhost`")
    port: int | None = Field(None, ge=1, le=65535, description="the port in the address bar; any, when left out")
    not_found_handler: str | None = Field(
        None,
        description="handler for paths of this domain that no route answers, as `module:name`",
    )
    error_handler: str | None = Field(
        None,
        description="handler for the error page of this domain's routes, as `module:name`",
    )

    @field_validator("port", mode="before")
    @classmethod
    def _empty_port(cls, value: Any) -> Any:
        return None if value in ("", 0, "0") else value

    @model_validator(mode="after")
    def _is_host(self) -> DomainSettings:
        parse_host(self.host)
        return self

    @property
    def host(self) -> str:
        """The domain as one string, for example `blog.localhost:8888`."""
        name = f"{self.sub_domain}.{self.domain}" if self.sub_domain else self.domain
        return f"{name}:{self.port}" if self.port else name


class PathSettings(Strict):
    """Which paths and methods of the domain: at most one of `path`, `prefix` and `regex`."""

    go_names: ClassVar[Mapping[str, str]] = {"expReg": "regex", "methods": "method"}

    path: Annotated[str, BeforeValidator(parse_exact_path)] | None = Field(None, description="exactly this path")
    prefix: Annotated[str, BeforeValidator(parse_prefix)] | None = Field(
        None, description="this path and all below it, by whole segments"
    )
    regex: Annotated[str, BeforeValidator(parse_regex)] | None = Field(
        None,
        description="paths in which this regular expression is found; named groups reach a handler's match_info",
    )
    method: Annotated[tuple[str, ...], BeforeValidator(parse_methods)] = Field(
        (), description="methods; all, when left out"
    )

    @field_validator("path", "prefix", "regex", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    @model_validator(mode="after")
    def _one_rule(self) -> PathSettings:
        given = [name for name in ("path", "prefix", "regex") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are given; expected one of path, prefix and regex")
        return self


def _upstream_from_text(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


def _alone_in_a_list(value: Any) -> Any:
    return (value,) if isinstance(value, (str, Mapping)) else value


def _path_from_text(value: Any) -> Any:
    return {"prefix": value} if isinstance(value, str) else value


class RouteSettings(RouteOptions):
    """A route: a name, a domain, optionally a path and methods; answered by upstreams or by a handler."""

    go_names: ClassVar[Mapping[str, str]] = {
        **RouteOptions.go_names,
        "proxyEnable": "proxy_enable",
        "proxyServers": "upstreams",
        "handle": "handler",
    }

    name: str = Field(description="the route's name, unique")
    domain: DomainSettings | None = Field(None, description="the domain in parts: sub_domain, domain, port")
    host: Annotated[tuple[str, ...], BeforeValidator(parse_hosts)] | None = Field(
        None, description="the domain as one string, comma-separated for several; `*.example.com` one level"
    )
    path: Annotated[PathSettings, BeforeValidator(_path_from_text)] | None = Field(
        None, description="a path prefix, or `{path|prefix|regex: …, method: …}`; the whole domain, when left out"
    )
    proxy_enable: bool | None = Field(
        None,
        description="accepted from the Go project; a route with upstreams is a proxy route",
    )
    upstreams: Annotated[
        tuple[Annotated[UpstreamSettings, BeforeValidator(_upstream_from_text)], ...],
        BeforeValidator(_alone_in_a_list),
    ] = Field((), description="its upstreams, or the only one: `{name, url, weight}`, or only the URL")
    handler: str | None = Field(None, description="Python code that answers instead: `module:name`")
    access: Access | None = Field(None, description="who may call an admin handler: `loopback`, `token` or `open`")

    @field_validator("name")
    @classmethod
    def _name_is_printable(cls, value: str) -> str:
        if not _NAME.fullmatch(value) or value != value.strip():
            raise ValueError("expected 1 to 200 printable characters, without spaces at the ends")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> RouteSettings:
        if self.domain is not None and self.host is not None:
            raise ValueError("both domain and host are given; expected one of them")
        if self.handler is not None and self.upstreams:
            raise ValueError("both handler and upstreams are given; expected one of them")
        if self.handler is not None and ":" not in self.handler:
            raise ValueError(f"handler {self.handler!r} is not of the form module:name, as in examples.pages:hello")
        if self.access is not None and self.handler is None:
            raise ValueError("access is for handlers; a route with upstreams is open to everybody")
        if self.strip_prefix and (self.path is None or self.path.prefix is None):
            raise ValueError("strip_prefix needs a path prefix, for example path: /api")
        return self

    @property
    def hosts(self) -> tuple[str, ...]:
        """The domains as strings; empty means every domain."""
        if self.domain is not None:
            return (parse_host(self.domain.host),)
        return self.host or ()

    def options(self, defaults: RouteOptions) -> RouteOptions:
        """The route's own options over `defaults`."""
        own = {name: getattr(self, name) for name in OPTION_NAMES if name in self.model_fields_set}
        return defaults.model_copy(update=own)
