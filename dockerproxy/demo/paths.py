"""Paths: where the demo's socket is, in a folder that only its user can enter."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dockerproxy.errors import ListenError

# Bytes. The path of a UNIX socket has 104 on macOS and 108 on Linux, with the final NUL.
LONGEST_PATH = 100

SOCKET_NAME = "demo.sock"


def default_socket_path(environment: Mapping[str, str] | None = None) -> Path:
    """The socket of this user's demo: below XDG_RUNTIME_DIR, else in the temp folder. Makes its folder, mode 0700.

    Raises ListenError if no folder can be used.
    """
    runtime = (os.environ if environment is None else environment).get("XDG_RUNTIME_DIR", "")
    own = f"dockerproxy-{os.getuid()}"
    candidates = [Path(tempfile.gettempdir(), own), Path("/tmp", own)]
    if runtime.startswith("/") and Path(runtime).is_dir():
        candidates.insert(0, Path(runtime, "dockerproxy"))
    fitting = [folder / SOCKET_NAME for folder in candidates if _fits(folder / SOCKET_NAME)]
    if not fitting:
        raise ListenError(
            f"no place for the demo's socket: {candidates[0]} is too long: set XDG_RUNTIME_DIR to a short path"
        )
    _make_private(fitting[0].parent)
    return fitting[0]


def check_length(path: Path) -> None:
    """Raises ListenError if the system cannot take the path for a socket."""
    if not _fits(path):
        length = len(os.fsencode(path))
        raise ListenError(
            f"socket path {path}: {length} bytes, at most {LONGEST_PATH} are possible: choose a shorter one"
        )


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= LONGEST_PATH


def _make_private(folder: Path) -> None:
    """Make the folder; one that exists must be ours alone, for others can write to the temp folder."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise ListenError(f"cannot make the folder {folder}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ListenError(f"{folder} belongs to somebody else: remove it, or set XDG_RUNTIME_DIR to a folder of yours")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)
