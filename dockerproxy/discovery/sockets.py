"""Where an engine is when nobody says it: at Docker's socket, else at Podman's. Looks at the disk, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from dockerproxy.settings.model import DEFAULT_DOCKER_HOST, DockerSettings

_UNIX = "unix://"
_PODMAN_BELOW_RUN = "podman/podman.sock"  # as Podman's systemd units have it, of root and of each user


def engine_host(settings: DockerSettings, root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> str:
    """`docker.host`; where nobody has set it and there is no Docker socket, that of a Podman socket that is there.

    Looked up at each try to connect, for an engine may come later.
    """
    if "host" in settings.model_fields_set or _below(root, DEFAULT_DOCKER_HOST.removeprefix(_UNIX)).exists():
        return settings.host
    found = (f"{_UNIX}{path}" for path in _podman_sockets(environment) if _below(root, path).exists())
    return next(found, settings.host)


def _podman_sockets(environment: Mapping[str, str]) -> Iterator[str]:
    """Of root first: who may use that one, sees the containers of everybody's services."""
    yield f"/run/{_PODMAN_BELOW_RUN}"
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    if runtime:
        yield f"{runtime}/{_PODMAN_BELOW_RUN}"


def _below(root: Path, path: str) -> Path:
    return root / path.lstrip("/")
