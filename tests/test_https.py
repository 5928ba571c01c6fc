"""https as people use it: the example with a self-made authority, asked by curl and by a browser."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .test_examples import ROOT, found_in, program, taken

UPSTREAM_PORT = 2443
SAYS = "Asked by the-proxy, for somebody over https."
DEADLINE = 60.0  # seconds; a browser takes about three, and thirty on a busy machine


class Site(NamedTuple):
    """The example, as it runs on free ports."""

    folder: Path
    http: int
    https: int

    @property
    def ca(self) -> Path:
        return self.folder / "certificates" / "ca.pem"

    def curl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """curl, to which every name is the proxy's https address, unless the arguments say otherwise."""
        everywhere = ["--connect-to", f"::127.0.0.1:{self.https}", "--max-time", str(DEADLINE)]
        command = ["curl", "--silent", "--show-error", "--noproxy", "*", *arguments, *everywhere]
        return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The commands that stand at the top of examples/https/site.yaml, in a folder of their own."""
    if taken(UPSTREAM_PORT):
        pytest.skip(f"port {UPSTREAM_PORT}, which the example uses, is taken by another program")
    folder = tmp_path_factory.mktemp("https")
    text = (ROOT / "examples/https/site.yaml").read_text()
    for command in re.findall(r"^#   python (examples/https/make_certificates.py .*)$", text, re.MULTILINE):
        script, *arguments = command.split()
        subprocess.run([sys.executable, ROOT / script, *arguments], cwd=folder, check=True, capture_output=True)
    certificates = str(folder / "certificates")
    settings = folder / "site.yaml"
    settings.write_text(text.replace(" certificates/", f" {certificates}/"))
    upstream = [sys.executable, "examples/https/upstream.py", certificates]
    proxy = [sys.executable, "-m", "dockerproxy", "run", "--config", str(settings)]
    listen = ["--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0"]
    (folder / "proxy").mkdir()
    with (
        program(upstream, folder) as (process, log),
        program([*proxy, *listen], folder / "proxy") as (other, other_log),
    ):
        found_in(log, "listens on", process)
        ports = found_in(other_log, r"listens on 127\.0\.0\.1:(\d+), https://127\.0\.0\.1:(\d+)", other)
        yield Site(folder, int(ports[1]), int(ports[2]))


def test_curl_gets_the_page_from_whoever_the_authority_vouches_for(site: Site) -> None:
    done = site.curl("--cacert", str(site.ca), "--include", f"https://blog.localhost:{site.https}/")
    assert (done.returncode, done.stderr) == (0, "")
    assert SAYS in done.stdout
    assert "Strict-Transport-Security: max-age=300" in done.stdout


def test_curl_refuses_whoever_it_does_not_know(site: Site) -> None:
    done = site.curl(f"https://blog.localhost:{site.https}/")
    assert done.returncode == 60
    assert "certificate" in done.stderr


def test_curl_is_sent_from_http_to_https(site: Site) -> None:
    there = ["--connect-to", f"blog.localhost:80:127.0.0.1:{site.http}"]
    done = site.curl(*there, "--cacert", str(site.ca), "--location", "--max-redirs", "1", "http://blog.localhost/")
    assert (done.stdout, done.stderr) == (SAYS + "\n", "")


def test_the_upstream_takes_nobody_but_the_proxy(site: Site) -> None:
    arguments = ["--connect-to", f"::127.0.0.1:{UPSTREAM_PORT}", "--cacert", str(site.ca)]
    done = subprocess.run(
        ["curl", "--silent", "--noproxy", "*", *arguments, "https://upstream.internal/"],
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == b""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_browser_is_sent_to_https_and_shows_the_page(site: Site) -> None:
    certificate = x509.load_pem_x509_certificate((site.folder / "certificates/blog.localhost.pem").read_bytes())
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    trusted = base64.b64encode(hashlib.sha256(public).digest()).decode()
    with tempfile.TemporaryDirectory(prefix="dp", ignore_cleanup_errors=True) as folder:  # short enough for a socket
        done = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--no-proxy-server", f"--user-data-dir={folder}", f"--ignore-certificate-errors-spki-list={trusted}",
             "--dump-dom", f"http://blog.localhost:{site.http}/"],
            capture_output=True, text=True, timeout=DEADLINE, check=False,
            env={**os.environ, "HOME": folder, "TMPDIR": folder},
        )  # fmt: skip
    assert SAYS in done.stdout


def test_a_client_that_asks_for_no_name_gets_the_first_certificate(site: Site) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{site.https}", "-noservername", "-CAfile", str(site.ca)]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert "CN = blog.localhost" in done.stdout or "CN=blog.localhost" in done.stdout
    assert "Verify return code: 0 (ok)" in done.stdout


def test_old_versions_of_tls_are_not_spoken(site: Site) -> None:
    done = site.curl("--cacert", str(site.ca), "--tls-max", "1.1", f"https://blog.localhost:{site.https}/")
    assert done.returncode == 35
