"""Certificates for tests, made anew by the program that the examples make theirs with."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import Any

from examples.https.make_certificates import make


class Authority:
    """An authority and what it signs, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def entry(self, *names: str, **how: Any) -> dict[str, str]:
        """A new certificate, as it stands in `tls.certificates`."""
        cert, key = make(self.folder, list(names), **how)
        return {"cert": str(cert), "key": str(key)}

    def trusting(self) -> ssl.SSLContext:
        """A client that trusts what the authority signed."""
        return ssl.create_default_context(cafile=self.ca)

    def server(self, *names: str) -> ssl.SSLContext:
        """A server that shows a new certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*make(self.folder, list(names)))
        return context


def self_signed() -> ssl.SSLContext:
    """A server's context with a certificate for 127.0.0.1 that nobody is told to trust."""
    with tempfile.TemporaryDirectory() as name:
        return Authority(Path(name)).server("127.0.0.1")
