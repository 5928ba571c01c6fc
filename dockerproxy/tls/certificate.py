"""Certificate: one certificate with its key, read from files and checked, ready for handshakes.

Names and dates are read by `cryptography`, since the standard library shows those of a connection's other end only.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from dockerproxy.errors import SettingsError
from dockerproxy.process.unreadable import why_unreadable
from dockerproxy.settings.tls import CertificateSettings
from dockerproxy.tls.context import server_context

# Whoever renews by a timer does so weeks before the end; two weeks before it something has gone wrong. One that is made
# for days only is renewed later, but before the last sixth of its time. docs/alerts.yaml has the same rule.
_SOON = timedelta(days=14)
_LAST_PART = 6


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate with its key.

    cert:    the file that it was read from
    names:   domains that it is for, in lower case; `*.example.com` is one level
    begins, ends: when it counts
    context: for handshakes, with the chain and the key; and with those of certificates for the same names that have
             another kind of key, for clients that can use only one of them
    kind:    of the key: RSA, EC and others
    """

    cert: Path
    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    context: ssl.SSLContext
    kind: str = ""

    @classmethod
    def read(
        cls, settings: CertificateSettings, where: str, min_version: str, others: Sequence[Certificate] = ()
    ) -> Certificate:
        """Read the files and see that they belong together.

        where:  path of the settings, for messages
        others: those that have been read before
        Raises SettingsError, which says what is wrong with which file.
        """
        chain = _chain(settings.cert, f"{where}.cert")
        password = None if settings.password_file is None else _password(settings.password_file, where)
        key = _key(settings, f"{where}.key", password)
        _see_that_they_fit(settings, chain, key, where)
        leaf, kind = chain[0], type(key).__name__
        context = _shared(_names(leaf), kind, others) or server_context(min_version)
        try:
            context.load_cert_chain(settings.cert, settings.key_file, password or "")
        except (ssl.SSLError, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise SettingsError.at(f"{where}.cert", f"{settings.cert} cannot be used: {reason}") from None
        return cls(settings.cert, _names(leaf), leaf.not_valid_before_utc, leaf.not_valid_after_utc, context, kind)

    def __str__(self) -> str:
        return f"{self.cert} ({', '.join(self.names) or 'for no domain'})"

    def warnings(self, now: datetime) -> list[str]:
        """What clients will not like about it, or soon."""
        if now >= self.ends:
            return [f"the certificate {self} has expired on {self.ends:%Y-%m-%d %H:%M} UTC: clients will refuse it"]
        if now < self.begins:
            return [f"the certificate {self} counts from {self.begins:%Y-%m-%d %H:%M} UTC on: clients will refuse it"]
        found = []
        if self.ends - now < min(_SOON, (self.ends - self.begins) / _LAST_PART):
            found.append(f"the certificate {self} expires on {self.ends:%Y-%m-%d %H:%M} UTC: renew it")
        if not self.names:
            found.append(f"the certificate {self.cert} names no domain (subjectAltName): browsers will refuse it")
        return found


def _shared(names: Sequence[str], kind: str, others: Sequence[Certificate]) -> ssl.SSLContext | None:
    """The context of those that are for the same names, where it has room for this kind of key, or None."""
    same = [other for other in others if set(other.names) == set(names)]
    return same[0].context if same and kind not in {other.kind for other in same} else None


def read_file(path: Path, where: str) -> bytes:
    """What is in a file that the settings name. Raises SettingsError, in words."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise SettingsError.at(where, f"there is no file {path} (in {Path.cwd()})") from None
    except OSError as error:
        raise SettingsError.at(where, f"{path} {why_unreadable(path, error)}") from None


def _chain(path: Path, where: str) -> Sequence[x509.Certificate]:
    """The certificates in the file, the server's own first."""
    try:
        return x509.load_pem_x509_certificates(read_file(path, where))
    except ValueError:
        message = f"{path} holds no certificate; expected PEM, with a line -----BEGIN CERTIFICATE-----"
        raise SettingsError.at(where, message) from None


def _has_key(certificate: x509.Certificate, public: object) -> bool:
    """Whether it is for this public key; one of a kind that nobody here knows is for another."""
    try:
        return certificate.public_key() == public
    except (UnsupportedAlgorithm, ValueError):
        return False


def _password(path: Path, where: str) -> bytes:
    """The first line of the file."""
    return read_file(path, f"{where}.password_file").partition(b"\n")[0].rstrip(b"\r")


def _key(settings: CertificateSettings, where: str, password: bytes | None) -> PrivateKeyTypes:
    path = settings.key_file
    data = read_file(path, where)
    try:
        return serialization.load_pem_private_key(data, password)
    except TypeError:
        message = "needs a password; give the file that holds it as password_file"
        if password is not None:
            message = "is not encrypted, so leave password_file out"
        raise SettingsError.at(where, f"the key {path} {message}") from None
    except UnsupportedAlgorithm as error:
        raise SettingsError.at(
            where, f"the key {path} is of a kind that is not supported ({error}); take RSA, Ed25519 or P-256"
        ) from None
    except ValueError:
        if password is not None:
            raise SettingsError.at(
                where, f"{path} cannot be decrypted with the password in {settings.password_file}"
            ) from None
        message = f"{path} holds no private key; expected PEM, with a line -----BEGIN PRIVATE KEY-----"
        if settings.key is None:
            message += "; name the key's file as key"
        raise SettingsError.at(where, message) from None


def _see_that_they_fit(
    settings: CertificateSettings, chain: Sequence[x509.Certificate], key: PrivateKeyTypes, where: str
) -> None:
    """Raises SettingsError unless the key is that of the chain's first certificate."""
    public = key.public_key()
    if _has_key(chain[0], public):
        return
    if any(_has_key(certificate, public) for certificate in chain[1:]):
        message = f"{settings.cert} begins with another certificate; the one that the key is for must come first"
        raise SettingsError.at(f"{where}.cert", message)
    raise SettingsError.at(f"{where}.key", f"the key {settings.key_file} does not fit the certificate {settings.cert}")


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return ()
    names = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return tuple(dict.fromkeys([name.lower() for name in names] + [str(address) for address in addresses]))
