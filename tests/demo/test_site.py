"""The demo's containers, and where its socket is."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from dockerproxy.demo import Behaviour, EmbeddedEngine, default_socket_path, demo_site
from dockerproxy.errors import ListenError


def test_one_of_three_blogs_answers_and_two_shops_do() -> None:
    by_name = {spec.name: spec for spec in demo_site()}
    blogs = [by_name[f"blog-{number}"] for number in (1, 2, 3)]
    assert [spec.replies for spec in blogs] == [Behaviour.PAGE, Behaviour.REFUSES, Behaviour.SILENT]
    assert {spec.labels["dockerproxy.host"] for spec in blogs} == {"blog.localhost"}
    assert {spec.service for spec in blogs} == {"blog"}
    shops = [spec for spec in by_name.values() if spec.service == "shop"]
    assert len(shops) == 2
    own = {label for spec in shops for label in spec.labels if label.startswith("dockerproxy.")}
    assert own == {"dockerproxy.enable"}


async def test_the_site_runs_and_one_container_is_labelled_wrongly(demo: EmbeddedEngine) -> None:
    assert all(container.running for container in demo.containers)
    assert "dockerproxy.hots" in demo.containers.find("office-1").spec.labels


def test_the_socket_is_in_a_private_folder_below_the_runtime_folder(socket_path: Path) -> None:
    found = default_socket_path({"XDG_RUNTIME_DIR": str(socket_path.parent)})
    assert found == socket_path.parent / "dockerproxy" / "demo.sock"
    assert stat.S_IMODE(found.parent.stat().st_mode) == 0o700
    found.parent.chmod(0o755)
    assert default_socket_path({"XDG_RUNTIME_DIR": str(socket_path.parent)}) == found
    assert stat.S_IMODE(found.parent.stat().st_mode) == 0o700


def test_without_a_runtime_folder_it_is_in_the_temp_folder_under_the_user(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(socket_path.parent))
    for environment in ({}, {"XDG_RUNTIME_DIR": "relative"}, {"XDG_RUNTIME_DIR": str(socket_path / "missing")}):
        found = default_socket_path(environment)
        assert found == socket_path.parent / f"dockerproxy-{os.getuid()}" / "demo.sock"


def test_a_folder_whose_path_is_too_long_is_passed_over(socket_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(socket_path.parent))
    deep = socket_path.parent / ("x" * 100)
    deep.mkdir()
    found = default_socket_path({"XDG_RUNTIME_DIR": str(deep)})
    assert found.parent == socket_path.parent / f"dockerproxy-{os.getuid()}"


def test_a_folder_of_somebody_else_is_refused(socket_path: Path) -> None:
    environment = {"XDG_RUNTIME_DIR": str(socket_path.parent)}
    target = socket_path.parent / "target"
    target.mkdir()
    (socket_path.parent / "dockerproxy").symlink_to(target)
    with pytest.raises(ListenError, match="belongs to somebody else"):
        default_socket_path(environment)
    (socket_path.parent / "dockerproxy").unlink()
    (socket_path.parent / "dockerproxy").write_text("a file")
    with pytest.raises(ListenError, match="cannot make the folder"):
        default_socket_path(environment)


def test_when_every_path_is_too_long_it_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockerproxy.demo.paths.LONGEST_PATH", 5)
    with pytest.raises(ListenError, match="set XDG_RUNTIME_DIR to a short path"):
        default_socket_path({})


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_passes_the_port_and_the_socket_of_a_second_demo_on() -> None:
    told = subprocess.run(
        ["make", "--dry-run", "demo", "PORT=9000", "SOCKET=/tmp/second.sock"],
        cwd=Path(__file__).parents[2], check=True, capture_output=True, text=True,
    )  # fmt: skip
    # Where make runs these tests, it tells of the folder as well.
    commands = [line for line in told.stdout.splitlines() if not line.startswith("make")]
    assert commands[-1].endswith("dockerproxy demo --listen :9000 --socket /tmp/second.sock")
