"""Images: the test application and the project's own, built at the engine under test.

The base comes from `base_image`; nothing is ever pulled.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import docker

from tests.support.docker_engine import Engine, NoEngine

HERE = Path(__file__).parent
REPOSITORY_ROOT = HERE.parents[1]
APP_REPOSITORY = "dockerproxy-tests/app"
PROXY_TAG = "dockerproxy-tests/proxy"
# What the Dockerfile takes from the pip configuration of the machine that builds.
PIP_ARGUMENTS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CERT", "PIP_DEFAULT_TIMEOUT")


@dataclass(frozen=True)
class ProxyImage:
    """The project's own image, and what a container of it needs to hear the engine.

    socket: path of the engine's socket on this machine
    group:  number of the group that may use it
    """

    tag: str
    socket: str
    group: str


def build_app_image(client: docker.DockerClient, base: str, exposed: str = "8000") -> str:
    """Build the test application with these exposed ports (`"8000 8001"`), or find it built; its name."""
    tag = f"{APP_REPOSITORY}:{exposed.replace(' ', '-')}"
    client.images.build(
        fileobj=_context("app.py", "Dockerfile.app"),
        custom_context=True,
        dockerfile="Dockerfile.app",
        buildargs={"BASE": base, "EXPOSED": exposed},
        tag=tag,
        rm=True,
        nocache=True,  # Podman takes what it built for other ports
    )
    return tag


def build_proxy_image(client: docker.DockerClient, engine: Engine, base: str) -> ProxyImage:
    """Build what the Dockerfile makes of this source. Raises NoEngine where a container could not use the engine."""
    if not engine.host.startswith("unix://"):
        raise NoEngine(f"the engine at {engine.host} has no socket that a container could be given")
    client.images.build(
        path=str(REPOSITORY_ROOT),
        buildargs={"PYTHON_IMAGE": base, **_pip_arguments()},
        network_mode="host",
        tag=PROXY_TAG,
        rm=True,
    )
    socket = engine.host.removeprefix("unix://")
    return ProxyImage(PROXY_TAG, socket, str(os.stat(socket).st_gid))


def _pip_arguments() -> dict[str, str]:
    """This machine's pip configuration as build arguments."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True)
    found = {}
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        name = "PIP_" + key.rpartition(".")[2].upper().replace("-", "_")
        if name in PIP_ARGUMENTS:
            found[name] = value.strip("'\"").replace("\\n", " ").strip()
    return found


def _context(*names: str) -> io.BytesIO:
    """A build context of these files alone: the folder's other files would make the build slow."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in names:
            tar.add(HERE / name, arcname=name)
    packed.seek(0)
    return packed
