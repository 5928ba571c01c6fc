"""UpstreamTls: how TLS is spoken to the https upstreams of a route."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from dockerproxy.errors import SettingsError
from dockerproxy.process.unreadable import why_unreadable
from dockerproxy.settings import RouteOptions


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """What a route says about TLS towards its upstreams.

    server_name: the name that their certificate must be for; None for the host in their URL
    key:         what connections are told apart by, beside their address; "" where nothing special is asked for
    """

    verify: bool = True
    server_name: str | None = None
    ca: Path | None = None
    cert: Path | None = None
    key_file: Path | None = None
    key: str = field(init=False)

    def __post_init__(self) -> None:
        given = (None if self.verify else False, self.server_name, self.ca, self.cert, self.key_file)
        object.__setattr__(self, "key", "" if given == (None,) * len(given) else repr(given))

    @classmethod
    def of(cls, options: RouteOptions) -> UpstreamTls:
        """What these options say."""
        return cls(
            options.tls_verify, options.tls_server_name, options.tls_ca, options.tls_cert, options.tls_key
        )  # fmt: skip

    @property
    def names_files(self) -> bool:
        """Whether there is a file to be read."""
        return bool(self.ca or self.cert or self.key_file)

    def context(self) -> ssl.SSLContext:
        """A context for handshakes with upstreams. Raises SettingsError, which says which file cannot be used."""
        context = _trusting(self.ca if self.verify else None)
        context.set_alpn_protocols(["http/1.1"])
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert is not None:
            self._load(context, self.cert)
        elif self.key_file is not None:
            raise SettingsError.at(
                "tls_key", f"{self.key_file} is given without a tls_cert, the certificate that it is for"
            )
        return context

    def _load(self, context: ssl.SSLContext, cert: Path) -> None:
        try:
            # Without a password given, OpenSSL would ask for it on the terminal.
            context.load_cert_chain(cert, self.key_file, password="")
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise SettingsError.at("tls_key", f"{self.key_file} does not fit the certificate {cert}") from None
            files = f"{cert} and {self.key_file}" if self.key_file else str(cert)
            message = f"no certificate with its key, which must not be encrypted, can be read from {files} (PEM)"
            raise SettingsError.at("tls_cert", message) from None
        except OSError as error:
            missing = self.key_file if self.key_file is not None and _readable(cert) else cert
            name = "tls_key" if missing is self.key_file else "tls_cert"
            raise SettingsError.at(name, _words(missing, error)) from None


def _trusting(ca: Path | None) -> ssl.SSLContext:
    """A context that trusts the authorities in a file, or those of the system."""
    if ca is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=ca)
    except ssl.SSLError:
        raise SettingsError.at("tls_ca", f"{ca} holds no certificate; expected PEM") from None
    except OSError as error:
        raise SettingsError.at("tls_ca", _words(ca, error)) from None


def _readable(path: Path) -> bool:
    try:
        path.open("rb").close()
    except OSError:
        return False
    return True


def _words(path: Path, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"{path} {why_unreadable(path, error)}"
    return f"{path} cannot be read: {(error.strerror or str(error)).lower()}"
