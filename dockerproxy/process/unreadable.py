"""Why a file cannot be read, in words: who may not, by name and number, and the command that mends it.

Docker and secrets give files to numbers: a key that is mounted into a container belongs to whoever made it outside.
"""

from __future__ import annotations

import os
import pwd
import shlex
import stat
from pathlib import Path


def why_unreadable(path: Path, error: OSError) -> str:
    """What to say behind the path: `may not be read by the user …; run: chown 10001 …`, or `cannot be read: …`."""
    if not isinstance(error, PermissionError):
        return f"cannot be read: {error.strerror or error}"
    uid = os.geteuid()
    who = f"may not be read by the user {_name(uid)}, as whom the proxy runs (uid {uid})"
    closed = _closed_folder(path)
    if closed is not None:
        return f"{who}, who may not enter the folder {closed}; run: chmod o+x {shlex.quote(str(closed))}"
    return f"{who}; run: {_command(path, uid)}"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # in a container a user may be only a number
        return str(uid)


def _closed_folder(path: Path) -> Path | None:
    """The first folder on the way to it that may not be entered, or None."""
    effective = os.access in os.supports_effective_ids
    for folder in reversed(path.absolute().parents):
        if not os.access(folder, os.X_OK, effective_ids=effective):
            return folder
    return None


def _command(path: Path, uid: int) -> str:
    """On the machine where the file lies, which need not be in this container."""
    file = shlex.quote(str(path))
    try:
        found = path.stat()
    except OSError:
        return f"chown {uid} {file}"
    commands = [] if found.st_uid == uid else [f"chown {uid} {file}"]
    if not found.st_mode & stat.S_IRUSR:
        commands.append(f"chmod u+r {file}")
    return " && ".join(commands or [f"chown {uid} {file}"])
