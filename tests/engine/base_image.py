"""BaseImage: a Debian with Python as a Docker image, made without any registry.

Made once per machine with debootstrap (about 40 s) and kept as an archive in a cache folder; importing it takes two
seconds. An engine that has the image already is left alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import docker
from docker.errors import ImageNotFound

from tests.support.docker_engine import NoEngine
from tests.support.engines.debian import CERTIFICATES, cache_folder, certificates, debootstrap, locked

IMAGE_VARIABLE = "DOCKERPROXY_ENGINE_PYTHON_IMAGE"  # an image with python3 to use instead, for example python:3.13-slim
REPOSITORY = "dockerproxy-tests/python"
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
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
        client.api.import_image(str(ensure_archive()), repository=REPOSITORY, tag=SUITE)
    return name


def make_ahead() -> subprocess.Popen[bytes] | None:
    """Begin to make it in a process of its own, for the tests that will need it; None where that is not needed."""
    ready = os.environ.get(IMAGE_VARIABLE) or _archive_path().exists()
    if ready or shutil.which("debootstrap") is None or os.geteuid() != 0:
        return None
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen([sys.executable, "-m", __name__], cwd=root, start_new_session=True)


def ensure_archive() -> Path:
    """The image as a file, made where there is none. Raises NoEngine."""
    archive = _archive_path()
    archive.parent.mkdir(parents=True, exist_ok=True)
    with locked(archive.parent / "lock"):
        if not archive.exists():
            _build(archive)
    return archive


def _archive_path() -> Path:
    return cache_folder() / f"python-{SUITE}.tar"


def _build(archive: Path) -> None:
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise NoEngine(
            f"no image with Python: install debootstrap and run as root, or name an image in {IMAGE_VARIABLE}"
        )
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        root = Path(folder) / "root"
        debootstrap(SUITE, root, PACKAGES)
        # A build on this machine must trust what this machine trusts.
        shutil.copyfile(certificates(), root / CERTIFICATES)
        part = Path(folder) / archive.name
        with tarfile.open(part, "w") as tar:
            tar.add(root, arcname=".", filter=_slim)
        part.rename(archive)


def _slim(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    path = member.name.removeprefix("./")
    return None if any(path.startswith(f"{folder}/") for folder in LEFT_OUT) else member


if __name__ == "__main__":
    with contextlib.suppress(NoEngine):  # whoever needs it is told
        ensure_archive()
