"""Authority: a certificate authority of our own, made anew by openssl, and the pairs of files that it signs."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


class Pair(NamedTuple):
    """A certificate and its key, as PEM files."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates; its own is at `ca`. Skips the test where openssl is not installed."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        program = shutil.which("openssl")
        if program is None:
            pytest.skip("openssl is not installed, so there are no certificates")
        self._program = program
        self._folder = folder
        self._name = name
        self.ca = folder / f"{name}.pem"
        self._key = folder / f"{name}-key.pem"
        self._run("req", "-x509", *_KEY, "-subj", f"/CN={name}", "-keyout", str(self._key), "-out", str(self.ca))

    def __repr__(self) -> str:
        return f"<Authority {self.ca}>"

    def sign(self, name: str, subject: str = "IP:127.0.0.1") -> Pair:
        """A new pair for this subject: `IP:…` or `DNS:…`."""
        pair = Pair(self._folder / f"{self._name}-{name}.pem", self._folder / f"{self._name}-{name}-key.pem")
        signed_by = ("-CA", str(self.ca), "-CAkey", str(self._key), "-addext", f"subjectAltName={subject}")
        leaf = ("-addext", "basicConstraints=critical,CA:FALSE")
        self._run("req", "-x509", *_KEY, "-subj", f"/CN={name}", *leaf, *signed_by,
                  "-keyout", str(pair.key), "-out", str(pair.cert))  # fmt: skip
        return pair

    def server(self, pair: Pair, *, ask: bool = False) -> ssl.SSLContext:
        """A server's context; with `ask`, clients need a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        if ask:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca)
        return context

    def _run(self, *arguments: str) -> None:
        subprocess.run([self._program, *arguments], check=True, capture_output=True)
