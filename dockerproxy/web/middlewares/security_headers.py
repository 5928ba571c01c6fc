"""security_headers: fields that make browsers more careful, where the application does not say anything itself."""

from __future__ import annotations

from typing import ClassVar

from aiohttp import web
from pydantic import Field, ValidationInfo, field_validator

from dockerproxy.http1.editing import encoded
from dockerproxy.settings.options import Strict
from dockerproxy.web.middlewares.registry import CallNext

_NAMES = {
    "content_type_options": "X-Content-Type-Options",
    "frame_options": "X-Frame-Options",
    "referrer_policy": "Referrer-Policy",
    "opener_policy": "Cross-Origin-Opener-Policy",
    "content_security_policy": "Content-Security-Policy",
    "permissions_policy": "Permissions-Policy",
}


class SecurityHeadersOptions(Strict):
    """Options of security_headers. An empty text leaves a field out."""

    content_type_options: str = Field("nosniff", description="`X-Content-Type-Options`")
    frame_options: str = Field("SAMEORIGIN", description="`X-Frame-Options`")
    referrer_policy: str = Field("strict-origin-when-cross-origin", description="`Referrer-Policy`")
    opener_policy: str = Field("", description="`Cross-Origin-Opener-Policy`")
    content_security_policy: str = Field("", description="`Content-Security-Policy`")
    permissions_policy: str = Field("", description="`Permissions-Policy`")
    override: bool = Field(False, description="replace what the application says")

    @field_validator(*_NAMES)
    @classmethod
    def _is_value(cls, value: str, info: ValidationInfo) -> str:
        """A policy is long, so it may be written in several lines."""
        text = " ".join(line.strip() for line in value.splitlines()).strip()
        encoded(_NAMES[str(info.field_name)], text)
        return text


class SecurityHeaders:
    """Adds the fields to every answer."""

    Options = SecurityHeadersOptions
    reads_body: ClassVar[bool] = False

    def __init__(self, options: SecurityHeadersOptions) -> None:
        said = {field: getattr(options, name) for name, field in _NAMES.items()}
        self._fields = {field: value for field, value in said.items() if value}
        self._override = options.override

    async def __call__(self, request: web.Request, call_next: CallNext) -> web.StreamResponse:
        response = await call_next(request)
        for name, value in self._fields.items():
            if self._override or name not in response.headers:
                response.headers[name] = value
        return response
