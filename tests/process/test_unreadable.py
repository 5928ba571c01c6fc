"""A file that may not be read: who may not, by number, and the command that mends it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerproxy.process.unreadable import why_unreadable

NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def user(folder: Path) -> Iterator[int]:
    """Somebody who may not read everything: whoever runs the tests, or nobody where that is root."""
    assert folder.is_dir(), "it is made by whoever may"
    if os.geteuid() != 0:
        yield os.geteuid()
        return
    os.seteuid(NOBODY)
    yield NOBODY
    os.seteuid(0)


def why(path: Path) -> str:
    with pytest.raises(OSError) as raised:  # noqa: PT011  # which one, the words tell
        path.read_bytes()
    return why_unreadable(path, raised.value)


def as_root(*command: str) -> None:
    """What the message tells to run, by whoever may."""
    effective = os.geteuid()
    if os.getuid() == 0:
        os.seteuid(0)
    subprocess.run(command, check=True)
    os.seteuid(effective)


def test_the_command_makes_it_readable(folder: Path, user: int) -> None:
    key = folder / "site key.pem"
    if user == NOBODY:
        os.seteuid(0)
    key.write_text("key")
    key.chmod(0o600 if user == NOBODY else 0)
    if user == NOBODY:
        os.seteuid(user)
    told = why(key)
    assert f"as whom the proxy runs (uid {user}); run: ch" in told
    as_root("sh", "-c", told.partition("run: ")[2])
    assert key.read_text() == "key"


def test_a_folder_that_may_not_be_entered_is_named(folder: Path, user: int) -> None:
    secrets = folder / "secrets"
    if user == NOBODY:
        os.seteuid(0)
    secrets.mkdir()
    (secrets / "key.pem").write_text("key")
    secrets.chmod(0o600)
    if user == NOBODY:
        os.seteuid(user)
    told = why(secrets / "key.pem")
    assert f"(uid {user}), who may not enter the folder {secrets}; run: chmod o+x {secrets}" in told
    as_root("chmod", "755", str(secrets))


def test_any_other_reason_is_told_as_the_system_says_it(tmp_path: Path) -> None:
    assert why(tmp_path / "none") == "cannot be read: No such file or directory"
    assert why(tmp_path) == "cannot be read: Is a directory"
