"""The tables of settings.md, from the models that read the settings: names, defaults and descriptions are theirs.

Only the examples, and defaults that depend on the machine, stand here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from dockerproxy.labels.table import BY_NAME
from dockerproxy.settings import (
    FILE_OPTIONS,
    OPTION_NAMES,
    CertificateSettings,
    ConstraintSettings,
    DockerSettings,
    DomainSettings,
    PathSettings,
    RouteOptions,
    RouteSettings,
    Settings,
    TlsSettings,
    UpstreamSettings,
)
from dockerproxy.settings.model import ENVIRONMENT_PREFIX
from dockerproxy.settings.options import Strict
from dockerproxy.settings.values import parse_size
from docs.markdown import code, table

_KIB = 1 << 10

# Settings that others stand in; each has a table of its own.
_GROUPS = ("docker", "tls", "routes", "constraints", "define_middlewares")

# Of values as they are written in the file and in the environment alike.
_SETTING_EXAMPLES = {
    "listen": "127.0.0.1:8888,[::1]:8888",
    "not_found_handler": "examples.pages:hello",
    "error_handler": "examples.pages:hello",
    "admin_host": "proxy.example.com",
    "admin_token": "a-long-random-word",
    "admin_token_file": "/run/secrets/token",
    "admin_access": "token",
    "state_dir": "/var/lib/dockerproxy",
    "constraints_default": "deny",
    "local_upstreams": "127.0.0.0/8,::1",
    "trusted_proxies": "10.0.0.0/8,192.168.1.7",
    "grace": "1m",
    "head_size": "32k",
    "head_fields": "200",
    "target_size": "16k",
    "head_timeout": "5s",
    "idle_timeout": "2m",
    "half_close_timeout": "5s",
    "max_clients": "5000",
    "access_log": "combined",
    "access_log_headers": "X-Tenant,Accept-Language",
    "log_format": "json",
    "log_level": "debug",
}
_DOCKER_EXAMPLES = {
    "enabled": "false",
    "host": "tcp://socket-filter:2375",
    "tls_ca": "/certs/ca.pem",
    "tls_cert": "/certs/cert.pem",
    "tls_key": "/certs/key.pem",
    "tls_verify": "false",
    "network": "front",
    "default_domain": "example.com",
    "label_prefix": "com.example.proxy",
    "address": "published",
    "published_host": "host.docker.internal",
    "resync": "5m",
}
_TLS_EXAMPLES = {
    "certificates": "/certs/site.pem:/certs/site.key",
    "min_version": "1.3",
    "public_port": "443",
}
_CERTIFICATE_EXAMPLES = {
    "cert": "cert: /certs/site.pem",
    "key": "key: /certs/site.key",
    "password_file": "password_file: /run/secrets/site-key",
}
_OPTION_EXAMPLES = {
    **{name: BY_NAME[name].example for name in OPTION_NAMES if name not in FILE_OPTIONS},
    "tls_ca": "/certs/ca.pem",
    "tls_cert": "/certs/client.pem",
    "tls_key": "/certs/client.key",
}
# Of keys and values in the file.
_ROUTE_EXAMPLES = {
    "name": "name: blog",
    "domain": "domain: {sub_domain: blog, domain: localhost, port: 8888}",
    "host": "host: blog.localhost, *.example.com:8888",
    "path": "path: /api",
    "proxy_enable": "proxy_enable: true",
    "upstreams": 'upstreams: [{url: "http://localhost:2368"}]',
    "handler": "handler: examples.pages:hello",
    "access": "access: token",
}
_DOMAIN_EXAMPLES = {
    "sub_domain": "sub_domain: blog",
    "domain": "domain: localhost",
    "port": "port: 8888",
    "not_found_handler": "not_found_handler: examples.pages:hello",
    "error_handler": "error_handler: examples.pages:hello",
}
_PATH_EXAMPLES = {
    "path": "path: /add",
    "prefix": "prefix: /api",
    "regex": r"regex: '^/v(?P<version>\d+)/'",
    "method": "method: GET,POST",
}
_UPSTREAM_EXAMPLES = {
    "name": "name: docker 1 - ok",
    "url": 'url: "http://localhost:2368"',
    "weight": "weight: 3",
}
_DEFAULTS_IN_WORDS = {
    "admin_access": "`token` or `loopback`",
    "local_upstreams": "none, or loopback",
    "state_dir": "the user's folder for state, such as `~/.local/state/dockerproxy`",
}
_CONSTRAINT_EXAMPLES = {
    "hosts": 'hosts: [team-a.example, "*.team-a.example"]',
    "projects": 'projects: ["team-a-*"]',
    "networks": "networks: [team-a_front]",
    "labels": 'labels: {com.example.team: "a"}',
}
# Where a name of the Go project may stand, in the reader's words.
_GO_MODELS: tuple[tuple[str, type[Strict]], ...] = (
    ("top level", Settings),
    ("route", RouteSettings),
    ("domain", DomainSettings),
    ("path", PathSettings),
)


def setting_tables() -> Mapping[str, str]:
    """Name in the template -> table."""
    plain = [name for name in Settings.model_fields if name not in (*OPTION_NAMES, *_GROUPS)]
    return {
        "proxy": _settings(Settings, plain, _SETTING_EXAMPLES),
        "docker": _settings(DockerSettings, DockerSettings.model_fields, _DOCKER_EXAMPLES, "docker"),
        "tls": _settings(TlsSettings, TlsSettings.model_fields, _TLS_EXAMPLES, "tls"),
        "certificate": _keys(CertificateSettings, _CERTIFICATE_EXAMPLES),
        "options": _settings(RouteOptions, OPTION_NAMES, _OPTION_EXAMPLES),
        "route": _keys(RouteSettings, _ROUTE_EXAMPLES),
        "domain": _keys(DomainSettings, _DOMAIN_EXAMPLES),
        "path": _keys(PathSettings, _PATH_EXAMPLES),
        "upstream": _keys(UpstreamSettings, _UPSTREAM_EXAMPLES),
        "constraint": _keys(ConstraintSettings, _CONSTRAINT_EXAMPLES),
        "go": _go_names(),
    }


def _settings(model: type[BaseModel], names: Iterable[str], examples: Mapping[str, str], group: str = "") -> str:
    """A table of settings, which can be given in the environment, too."""
    header = ("setting", "environment", "example", "default", "meaning")
    return table(header, (_setting(model.model_fields[name], name, group, examples[name]) for name in names))


def _setting(field: FieldInfo, name: str, group: str, example: str) -> tuple[str, ...]:
    path = (group, name) if group else (name,)
    variable = ENVIRONMENT_PREFIX + "__".join(path).upper()
    default = _DEFAULTS_IN_WORDS.get(name) or _default(field)
    return code(".".join(path)), code(variable), code(example), default, field.description or ""


def _keys(model: type[BaseModel], examples: Mapping[str, str]) -> str:
    """A table of keys that stand in the file only; the options of a route have their own."""
    fields = {name: field for name, field in model.model_fields.items() if name not in OPTION_NAMES}
    header = ("key", "example", "default", "meaning")
    rows = (
        (code(name), code(examples[name]), _default(field), field.description or "") for name, field in fields.items()
    )
    return table(header, rows)


def _go_names() -> str:
    known: set[str] = set()
    rows = []
    for where, model in _GO_MODELS:
        for theirs, ours in model.go_names.items():
            shown = "top level, route" if theirs in RouteOptions.go_names else where
            if f"{shown} {theirs}" not in known:
                known.add(f"{shown} {theirs}")
                rows.append((code(theirs), code(ours), shown))
    return table(("in the Go project", "here", "where"), rows)


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "must be given"
    return _written(field.default, is_size=any(parse_size in _validators(part) for part in _parts(field)))


def _parts(field: FieldInfo) -> list[Any]:
    """The field and, for `… | None`, its alternatives: whatever may bear validators."""
    return [field, *get_args(field.annotation)]


def _validators(part: Any) -> list[Any]:
    found: Any = getattr(part, "metadata", None) or getattr(part, "__metadata__", ())
    return [getattr(validator, "func", None) for validator in found]


def _written(value: Any, *, is_size: bool) -> str:
    """A default as a person would write it."""
    if value is None or value in ((), frozenset(), ""):
        return "none"
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, float):
        return code(f"{value:g}s")
    if isinstance(value, tuple):
        return code(",".join(map(str, value)))
    return code(f"{value // _KIB}k" if is_size else str(value))
