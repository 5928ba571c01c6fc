"""A reload that reads the old file says so."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import pytest

from dockerproxy.server import Server, stale_files
from dockerproxy.settings import Settings, load

USERS = "define_middlewares: {team: {use: basic_auth, file: FOLDER/users}}\n"


@pytest.fixture
def stale(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of the files of which the system says that they are mounted and replaced."""
    names: set[str] = set()

    def stale_mounts(paths: Iterable[Path]) -> list[str]:
        return [f"{path} still is the old file" for path in paths if path.name in names]

    monkeypatch.setattr(stale_files, "stale_mounts", stale_mounts)
    return names


async def test_a_reload_tells_which_of_its_files_are_the_old_ones(
    tmp_path: Path, stale: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "users").write_text("ann:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc=\n")
    config = tmp_path / "site.yaml"
    config.write_text(
        f"listen: 127.0.0.1:0\ndocker: {{enabled: false}}\nstate_dir: {tmp_path / 'state'}\n"
        + USERS.replace("FOLDER", str(tmp_path))
    )

    def read() -> Settings:
        return load(str(config))

    async with Server(read(), (), read, settings_file=config) as server:
        assert server.reread() == []
        stale |= {"site.yaml", "users", "somebody-elses"}
        told = [f"{tmp_path}/{name} still is the old file" for name in ("site.yaml", "users")]
        assert server.reread() == told
        assert [f"reload: {line}" for line in told] == [
            record.message for record in caplog.records if record.levelno == logging.WARNING and "old" in record.message
        ]
