"""Keyring: the certificates in use, one of which each handshake is given by the name that the client asks for.

The listening sockets keep one context for ever; which certificate it shows is looked up anew in each handshake, so new
certificates count at once and no connection is dropped for them.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dockerproxy.errors import Problem, SettingsError
from dockerproxy.settings import Settings, TlsSettings
from dockerproxy.tls.context import VERSIONS, server_context

if TYPE_CHECKING:
    from dockerproxy.tls.certificate import Certificate

log = logging.getLogger(__name__)


class Keyring:
    """Certificates by name.

    certificates: those in use; the first is shown to clients that ask for no name, or for one that no other has
    context:      for the listening sockets
    """

    def __init__(self, settings: TlsSettings, certificates: Sequence[Certificate]) -> None:
        self.context = server_context(settings.min_version)
        self.context.sni_callback = self._choose
        self.certificates: tuple[Certificate, ...] = ()
        self._by_name: dict[str, Certificate] = {}
        self.use(settings, certificates)

    def __repr__(self) -> str:
        return f"<Keyring of {', '.join(map(str, self.certificates))}>"

    def use(self, settings: TlsSettings, certificates: Sequence[Certificate]) -> list[str]:
        """Show these from now on; connections that are open go on. Returns which are new, in words."""
        by_name: dict[str, Certificate] = {}
        for certificate in certificates:
            for name in certificate.names:
                by_name.setdefault(name, certificate)
        # RFC 8446 section 4.2.1: the version is settled before a name is looked at, so this context decides.
        self.context.minimum_version = VERSIONS[settings.min_version]
        known = set(map(_words, self.certificates))
        self.certificates, self._by_name = tuple(certificates), by_name
        new = [words for words in map(_words, certificates) if words not in known]
        for words in new:
            log.info("%s", words)
        return new

    def certificate(self, name: str | None) -> Certificate:
        """The certificate for a name that a client asks for, None when it asks for none."""
        name = (name or "").lower().rstrip(".")
        found = self._by_name.get(name) or self._by_name.get("*." + name.partition(".")[2])
        return found or self.certificates[0]

    def _choose(self, connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self.certificate(name).context


def _words(certificate: Certificate) -> str:
    begins, ends = (f"{time:%Y-%m-%d %H:%M}" for time in (certificate.begins, certificate.ends))
    return f"certificate in use: {certificate}, from {begins} to {ends} UTC"


def read_certificates(settings: TlsSettings) -> tuple[Certificate, ...]:
    """Read all of them. Raises SettingsError with everything that is wrong."""
    if not settings.certificates:
        return ()
    # Not before it is needed: reading certificates takes 8 MiB that a proxy without https can do without.
    from dockerproxy.tls.certificate import Certificate

    found: list[Certificate] = []
    problems: list[Problem] = []
    for index, each in enumerate(settings.certificates):
        try:
            found.append(Certificate.read(each, f"tls.certificates[{index}]", settings.min_version, found))
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError("settings", problems)
    return tuple(found)


def read_needed_certificates(settings: Settings) -> tuple[Certificate, ...]:
    """The certificates of the settings; none where no address needs one. Raises SettingsError."""
    https = next((address for address in settings.listen if address.tls), None)
    if https is not None and not settings.tls.certificates:
        message = f"is empty, but listen has {https}; give at least one certificate, for example [CERT.pem:KEY.pem]"
        raise SettingsError.at("tls.certificates", message)
    return read_certificates(settings.tls)


def certificate_warnings(settings: Settings, certificates: Sequence[Certificate]) -> list[str]:
    """What is not wrong, but hardly meant: certificates that clients will refuse, or that nobody is shown."""
    warnings = [line for certificate in certificates for line in certificate.warnings(datetime.now(UTC))]
    taken: set[str] = set()
    shown: set[ssl.SSLContext] = set()
    for certificate in certificates:
        if taken.issuperset(certificate.names) and certificate.names and certificate.context not in shown:
            warnings.append(f"the certificate {certificate} is never shown: those before it have all of its names")
        taken.update(certificate.names)
        shown.add(certificate.context)
    if certificates and not any(address.tls for address in settings.listen):
        warnings.append(
            "tls.certificates are given, but no address in listen begins with https://, so nobody uses them"
        )
    return warnings
