"""BaseImage: a Debian with Python as a Docker image, made without any registry.

Made once per machine with debootstrap (about 40 s) and kept as an archive in a cache folder; importing it takes two
seconds. An engine that has the image already is left alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import ssl
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
from docker.errors import ImageNotFound

from tests.support.docker_engine import NoEngine

CACHE_VARIABLE = "DOCKERPROXY_ENGINE_CACHE"
IMAGE_VARIABLE = "DOCKERPROXY_ENGINE_PYTHON_IMAGE"  # an image with python3 to use instead, for example python:3.13-slim
REPOSITORY = "dockerproxy-tests/python"
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
# Half of the archive, and of no use in a container that only runs tests.
LEFT_OUT = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale")


def ensure_base_image(client: docker.DockerClient) -> str:
    """The name of an image with python3, venv and pip at this engine. Raises NoEngine when none can be made."""
    named = os.environ.get(IMAGE_VARIABLE)
    if named:
        return named
    name = f"{REPOSITORY}:{SUITE}"
    try:
        client.images.get(name)
    except ImageNotFound:
        client.api.import_image(str(_archive()), repository=REPOSITORY, tag=SUITE)
    return name


def make_ahead() -> subprocess.Popen[bytes] | None:
    """Begin to make it in a process of its own, for the tests that will need it; None where that is not needed."""
    ready = os.environ.get(IMAGE_VARIABLE) or _archive_path().exists()
    if ready or shutil.which("debootstrap") is None or os.geteuid() != 0:
        return None
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen([sys.executable, "-m", __name__], cwd=root, start_new_session=True)


def cache_folder() -> Path:
    """Where the archive is kept from one test run to the next."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dockerproxy-tests"


def _archive() -> Path:
    archive = _archive_path()
    archive.parent.mkdir(parents=True, exist_ok=True)
    with _locked(archive.parent / "lock"):
        if not archive.exists():
            _build(archive)
    return archive


def _archive_path() -> Path:
    return cache_folder() / f"python-{SUITE}.tar"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One test run builds, a second one that starts meanwhile waits for it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(archive: Path) -> None:
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise NoEngine(
            f"no image with Python: install debootstrap and run as root, or name an image in {IMAGE_VARIABLE}"
        )
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        root = Path(folder) / "root"
        _debootstrap(root)
        # A build on this machine must trust what this machine trusts.
        shutil.copyfile(_certificates(), root / CERTIFICATES)
        part = Path(folder) / archive.name
        with tarfile.open(part, "w") as tar:
            tar.add(root, arcname=".", filter=_slim)
        part.rename(archive)


def _debootstrap(root: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise NoEngine(f"debootstrap failed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")


def _certificates() -> str:
    return os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or f"/{CERTIFICATES}"


def _slim(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    path = member.name.removeprefix("./")
    return None if any(path.startswith(f"{folder}/") for folder in LEFT_OUT) else member


if __name__ == "__main__":
    with contextlib.suppress(NoEngine):  # whoever needs it is told
        _archive()
