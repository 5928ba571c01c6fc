"""Where the engine is when nobody says it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from dockerproxy.discovery.sockets import engine_host
from dockerproxy.settings import DockerSettings

DOCKER, PODMAN, MINE = "/var/run/docker.sock", "/run/podman/podman.sock", "/run/user/1000/podman/podman.sock"
ENVIRONMENT = {"XDG_RUNTIME_DIR": "/run/user/1000"}


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ((DOCKER, PODMAN, MINE), DOCKER),
        ((PODMAN, MINE), PODMAN),
        ((MINE,), MINE),
        ((), DOCKER),  # which is then told to be missing
    ],
)
def test_a_podman_socket_is_found_where_there_is_none_of_docker(
    tmp_path: Path, there: Sequence[str], found: str
) -> None:
    for path in there:
        socket = tmp_path / path.lstrip("/")
        socket.parent.mkdir(parents=True)
        socket.touch()
    assert engine_host(DockerSettings(), tmp_path, ENVIRONMENT) == f"unix://{found}"


def test_what_is_set_counts(tmp_path: Path) -> None:
    (tmp_path / "run/podman").mkdir(parents=True)
    (tmp_path / "run/podman/podman.sock").touch()
    for host in (f"unix://{DOCKER}", "tcp://engine:2375"):
        assert engine_host(DockerSettings(host=host), tmp_path, {}) == host


def test_a_user_without_a_runtime_folder_has_no_socket_there(tmp_path: Path) -> None:
    assert engine_host(DockerSettings(), tmp_path, {}) == f"unix://{DOCKER}"
