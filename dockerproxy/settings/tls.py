"""TlsSettings: what the https addresses answer with, as a person writes it. Reading the files is `dockerproxy.tls`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dockerproxy.settings.options import Strict
from dockerproxy.settings.values import split_list

DEFAULT_MIN_VERSION: Literal["1.2"] = "1.2"  # RFC 8996 forbids what is older


def _certificate(value: Any) -> Any:
    """`CERT:KEY`, or one file with both, beside keys and values."""
    if not isinstance(value, str):
        return value
    cert, _, key = value.partition(":")
    return {"cert": cert, "key": key} if key else {"cert": cert}


def _certificates(value: Any) -> Any:
    return (value,) if isinstance(value, Mapping) else tuple(split_list(value))


class CertificateSettings(Strict):
    """One certificate with its key."""

    cert: Path = Field(description="PEM file with the certificate and, behind it, those that it was signed with")
    key: Path | None = Field(None, description="PEM file with its private key; default: it is in `cert`, too")
    password_file: Path | None = Field(None, description="file with the password of an encrypted key")

    @property
    def key_file(self) -> Path:
        """Where the private key is."""
        return self.key or self.cert


class TlsSettings(Strict):
    """What clients of `https://` addresses are shown."""

    certificates: Annotated[
        tuple[Annotated[CertificateSettings, BeforeValidator(_certificate)], ...], BeforeValidator(_certificates)
    ] = Field(
        (),
        description="certificates with their keys, `{cert, key}` or `CERT:KEY`; the name that the client asks for"
        " chooses, the first is for all other names",
    )
    min_version: Annotated[Literal["1.2", "1.3"], BeforeValidator(str)] = Field(
        DEFAULT_MIN_VERSION, description="oldest version of TLS that clients may speak: `1.2` or `1.3`"
    )
    public_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="port of https in the address bar, for redirects; default: that of the first https address",
    )
