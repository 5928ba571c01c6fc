"""The tables of middlewares.md, from the models that read the options of shipped middlewares."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dockerproxy.web.loading import load_object
from dockerproxy.web.middlewares.registry import SHIPPED
from docs.markdown import code, table

# Of keys and values in the file.
EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "basic_auth": {
        "users": 'users: {ann: "{SHA256}n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="}',
        "file": "file: /run/secrets/users",
        "realm": "realm: the office",
        "pass_on": "pass_on: true",
        "user_header": "user_header: X-User",
    },
    "body_limit": {"max": "max: 10MiB"},
    "compress": {
        "codings": "codings: gzip",
        "level": "level: 9",
        "min_size": "min_size: 4k",
        "types": 'types: "text/,+json"',
    },
    "error_pages": {"pages": "pages: {404: /srv/missing.html, 5xx: /srv/broken.html}"},
    "forward_auth": {
        "url": "url: http://auth:9000/verify",
        "copy_headers": "copy_headers: X-User,X-Groups",
        "timeout": "timeout: 2s",
    },
    "headers": {
        "request": 'request: {X-Tenant: a, Cookie: ""}',
        "response": 'response: {Cache-Control: no-store, Server: ""}',
    },
    "ip_allow": {"networks": "networks: 10.0.0.0/8,192.168.1.7"},
    "rate_limit": {"rate": "rate: 600/m", "burst": "burst: 100"},
    "redirect": {
        "to": r"to: https://\1/\2",
        "match": r"match: 'https?://www\.([^/]+)/(.*)'",
        "status": "status: 308",
    },
    "security_headers": {
        "content_type_options": 'content_type_options: ""',
        "frame_options": "frame_options: DENY",
        "referrer_policy": "referrer_policy: no-referrer",
        "opener_policy": "opener_policy: same-origin",
        "content_security_policy": "content_security_policy: default-src 'self'",
        "permissions_policy": "permissions_policy: geolocation=()",
        "override": "override: true",
    },
}
_DEFAULTS_IN_WORDS = {
    "codings": "all that there are",
    "types": "texts, JSON, JavaScript, XML, SVG, WebAssembly",
}


def middleware_tables() -> Mapping[str, str]:
    """Name in the template -> table; one for each shipped middleware."""
    return {name: _table(options_of(name), EXAMPLES[name]) for name in EXAMPLES}


def options_of(name: str) -> type[BaseModel]:
    """The model that reads the options of a shipped middleware."""
    model: type[BaseModel] = load_object(SHIPPED[name]).Options
    return model


def _table(model: type[BaseModel], examples: Mapping[str, str]) -> str:
    rows = (
        (code(name), code(examples[name]), _default(name, field), field.description or "")
        for name, field in model.model_fields.items()
    )
    return table(("option", "example", "default", "meaning"), rows)


def _default(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.default
    if name in _DEFAULTS_IN_WORDS:
        return _DEFAULTS_IN_WORDS[name]
    if value in (None, "", (), {}):
        return "none"
    return code(
        str(value).lower() if isinstance(value, bool) else f"{value:g}s" if isinstance(value, float) else str(value)
    )
