"""The note that a running proxy leaves: who finds it, and when it is not believed."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dockerproxy.process.whereabouts import FILE_NAME, Whereabouts, find, forget, leave

THERE = Whereabouts("127.0.0.1", 9000, True, "root.localhost", (":8888", "https://:9000"))


def ended_process() -> int:
    done = subprocess.Popen([sys.executable, "-S", "-c", ""])
    done.wait()
    return done.pid


def test_what_was_left_is_found_and_then_forgotten(tmp_path: Path) -> None:
    leave(tmp_path, THERE._replace(port=1))
    leave(tmp_path, THERE)
    assert find(tmp_path) == THERE
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    forget(tmp_path)
    forget(tmp_path)
    assert find(tmp_path) is None


@pytest.mark.parametrize(("listen", "found"), [((), True), (THERE.listen, True), ((":8888",), False)])
def test_a_proxy_that_listens_elsewhere_is_another_one(tmp_path: Path, listen: tuple[str, ...], found: bool) -> None:
    leave(tmp_path, THERE)
    assert (find(tmp_path, listen) is not None) is found


def test_what_a_crash_has_left_half_written_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / f"{FILE_NAME}.tmp").write_text('{"host": "127')
    leave(tmp_path, THERE)
    assert find(tmp_path) == THERE


@pytest.mark.parametrize(
    "changed",
    [
        {"process": None},
        {"process": "1"},
        {"process": 1 << 70},
        {"machine": "another"},
        {"host": 1},
        {"port": "9000"},
        {"admin_host": None},
        {"tls": "yes"},
        {"listen": 1},
    ],
)
def test_a_note_that_is_none_or_of_another_machine_is_not_believed(tmp_path: Path, changed: dict[str, Any]) -> None:
    note = {**THERE._asdict(), "process": os.getpid(), "machine": socket.gethostname(), **changed}
    (tmp_path / FILE_NAME).write_text(json.dumps(note))
    assert find(tmp_path) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", "[" * 100_000, "\0"])
def test_a_file_that_is_no_note_is_not_believed(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    assert find(tmp_path) is None


def test_the_note_of_a_process_that_has_ended_is_not_believed(tmp_path: Path) -> None:
    note = {**THERE._asdict(), "process": ended_process(), "machine": socket.gethostname()}
    (tmp_path / FILE_NAME).write_text(json.dumps(note))
    assert find(tmp_path) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_note_by_somebody_who_neither_owns_the_folder_nor_asks_is_not_believed(tmp_path: Path) -> None:
    leave(tmp_path, THERE)
    os.chown(tmp_path / FILE_NAME, 12345, -1)
    assert find(tmp_path) is None
    os.chown(tmp_path, 12345, -1)
    assert find(tmp_path) == THERE


def test_a_link_in_the_place_of_the_note_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    leave(tmp_path / "elsewhere", THERE)
    (tmp_path / FILE_NAME).symlink_to(tmp_path / "elsewhere" / FILE_NAME)
    assert find(tmp_path) is None


def test_a_process_of_somebody_else_is_believed_to_be_there(tmp_path: Path) -> None:
    note = {**THERE._asdict(), "process": 1, "machine": socket.gethostname()}
    (tmp_path / FILE_NAME).write_text(json.dumps(note))
    assert find(tmp_path) == THERE
