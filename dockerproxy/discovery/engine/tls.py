"""EngineTls: the certificates with which an engine is spoken to over the network, from the settings `docker.tls_*`.

Whoever can speak to an engine is root on its machine: over a network it is TLS with a certificate on both sides.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import docker
import docker.tls
from urllib3.exceptions import InsecureRequestWarning

from dockerproxy.discovery.engine.events import EngineLost
from dockerproxy.process.unreadable import why_unreadable
from dockerproxy.settings.model import DockerSettings

_OVER_NETWORK = ("tcp://", "http://", "https://")


class EngineTls(NamedTuple):
    """Whom to trust, and who we are.

    ca:     the authority that has signed the engine's certificate, or None for the public ones
    cert:   our own certificate, or None
    key:    its key; None where it stands in the same file
    verify: False to take any certificate
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    verify: bool = True

    @classmethod
    def of(cls, settings: DockerSettings) -> EngineTls | None:
        """What the settings say; None where the engine is spoken to in the clear."""
        given = settings.tls_ca or settings.tls_cert or settings.tls_key
        if not settings.host.startswith(_OVER_NETWORK) or not (given or settings.host.startswith("https://")):
            return None
        return cls(settings.tls_ca, settings.tls_cert, settings.tls_key, settings.tls_verify)

    def config(self) -> docker.tls.TLSConfig:
        """For the SDK. Raises EngineLost for a file that cannot be read, in words: it may come later, as secrets do."""
        if self.key is not None and self.cert is None:
            raise EngineLost("docker.tls_key is given without docker.tls_cert; give the certificate, too")
        for name, path in (("tls_ca", self.ca), ("tls_cert", self.cert), ("tls_key", self.key)):
            if path is not None:
                _check(f"docker.{name}", path)
        if not self.verify:
            # One line of ours says so instead of one of the HTTP library's per request.
            warnings.simplefilter("ignore", InsecureRequestWarning)
        pair = None if self.cert is None else (str(self.cert), str(self.key or self.cert))
        return docker.tls.TLSConfig(client_cert=pair, ca_cert=str(self.ca) if self.ca else None, verify=self.verify)


def _check(setting: str, path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        mend = "" if isinstance(error, PermissionError) else "; mount it, or name another file"
        raise EngineLost(f"{setting}: {path} {why_unreadable(path, error)}{mend}") from None
