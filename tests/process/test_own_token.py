"""The admin token that the proxy makes for itself: who finds it, and when it is not gone by."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dockerproxy.errors import StoreError
from dockerproxy.process.own_token import FILE_NAME, find, keep, make


def test_what_was_made_is_found_by_its_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert find(folder) is None
    token = make(folder)
    assert find(folder) == token
    assert len(token) >= 32
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_a_new_one_takes_its_place_and_the_old_one_can_be_kept(tmp_path: Path) -> None:
    old = make(tmp_path)
    assert make(tmp_path) != old
    keep(tmp_path, old)
    assert find(tmp_path) == old


@pytest.mark.parametrize(
    ("mode", "content", "words"),
    [
        (0o640, "a-good-token", "can be read or written by others (mode 0640)"),
        (0o602, "a-good-token", "can be read or written by others (mode 0602)"),
        (0o600, "", "holds no token"),
        (0o600, "short", "holds no token"),
        (0o600, "two words-of-it", "holds no token"),
    ],
)
def test_one_that_others_may_know_or_that_is_none_is_refused_with_its_mend(
    tmp_path: Path, mode: int, content: str, words: str
) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(content)
    path.chmod(mode)
    tmp_path.chmod(0o700)
    with pytest.raises(StoreError) as refused:
        find(tmp_path)
    assert f"{path} {words}; remove it" in str(refused.value)
    assert content == "" or content not in str(refused.value)


def test_where_the_platform_shows_all_files_as_everybodys_the_mode_says_nothing(tmp_path: Path) -> None:
    token = make(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o777)
    tmp_path.chmod(0o777)
    assert find(tmp_path) == token


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("somebody-elses-secret")
    elsewhere.chmod(0o600)
    (tmp_path / FILE_NAME).symlink_to(elsewhere)
    with pytest.raises(StoreError, match="cannot be read"):
        find(tmp_path)
    token = make(tmp_path)
    assert find(tmp_path) == token
    assert elsewhere.read_text() == "somebody-elses-secret"


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE_NAME, 0o600)
    # Without a program at its other end, whoever opens it in the usual way waits for ever, and no signal ends that.
    ended = subprocess.run(
        [sys.executable, "-c", "import sys, pathlib; from dockerproxy.process.own_token import find; "
         "find(pathlib.Path(sys.argv[1]))", str(tmp_path)],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert "cannot be read (Not a file): remove it" in ended.stderr
    token = make(tmp_path)
    assert find(tmp_path) == token


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_one_that_somebody_else_has_put_there_is_refused(tmp_path: Path) -> None:
    make(tmp_path)
    os.chown(tmp_path / FILE_NAME, 12345, 12345)
    with pytest.raises(StoreError, match="belongs to user 12345"):
        find(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_whoever_may_not_read_it_is_told_who_may(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / FILE_NAME).chmod(0)
    with pytest.raises(StoreError, match="only the proxy's user and root may read it"):
        find(tmp_path)


def test_a_folder_that_cannot_be_written_is_told_with_what_to_do_instead(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(StoreError) as refused:
        make(tmp_path / "state")
    assert "cannot be written" in str(refused.value)
    assert "set one of your own in admin_token or admin_token_file" in str(refused.value)
