"""The proxy's own admin token: made where one is wanted and nobody has set any, and kept in the state folder.

Only the proxy's user can read the file, so that commands on the same machine find it, and nobody else does.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from dockerproxy.errors import StoreError
from dockerproxy.process import private_file

FILE_NAME = "admin_token"
_FOLDER_MODE = 0o700
_SIZE = 32  # random bytes; nobody guesses 256 bits
_TOKEN = re.compile(r"[!-~]{8,}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ELSE = "set one of your own in admin_token or admin_token_file"


def find(folder: Path) -> str | None:
    """The token in this state folder, or None where none has been made.

    Raises StoreError for one that cannot be read, or that must not be gone by since others may know it.
    """
    path = folder / FILE_NAME
    with _explained(path, "read", f"remove it, and the proxy makes a new one when it starts; {_ELSE}"):
        try:
            content, found = private_file.read(path)
        except FileNotFoundError:
            return None
        fault = _fault(found, folder.stat())
    token = content.decode("ascii", "replace").strip()
    if not fault and not _TOKEN.fullmatch(token):
        fault = "holds no token"
    if fault:
        raise StoreError(f"{path} {fault}; remove it, and the proxy makes a new one when it starts")
    return token


def make(folder: Path) -> str:
    """A new token, in place of an older one. Raises StoreError; what was there before stands then."""
    token = secrets.token_urlsafe(_SIZE)
    keep(folder, token)
    return token


def keep(folder: Path, token: str) -> None:
    """Have this token in the folder. Raises StoreError; what was there before stands then."""
    path = folder / FILE_NAME
    with _explained(path, "written", f"mend the state folder, or {_ELSE}"):
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        private_file.replace(path, f"{token}\n".encode(), folder / f"{FILE_NAME}.tmp", durably=True)


def _fault(found: os.stat_result, folder: os.stat_result) -> str:
    """What is wrong with a file of the token's name: somebody else has put it there, or could read it; else ""."""
    if found.st_uid not in (0, folder.st_uid, os.geteuid()):
        return f"belongs to user {found.st_uid}"
    # Some platforms show all files of a volume as everybody's; there the mode says nothing.
    if found.st_mode & _OTHERS and folder.st_mode & stat.S_IRWXO != stat.S_IRWXO:
        return f"can be read or written by others (mode {stat.S_IMODE(found.st_mode):04o})"
    return ""


@contextlib.contextmanager
def _explained(path: Path, what: str, mend: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        if what == "read" and isinstance(error, PermissionError):
            mend = "only the proxy's user and root may read it"
        raise StoreError(f"the admin token in {path} cannot be {what} ({reason}): {mend}") from None
