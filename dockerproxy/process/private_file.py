"""Private files: written as a whole, for this user alone, and never through a link that somebody else has put there.

They lie in the state folder: routes and overrides, the admin token, and the note of where the proxy is asked.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

MODE = 0o600


def replace(path: Path, content: bytes, temporary: Path, *, durably: bool) -> None:
    """Put a new file in the place of an older one, which stands when this raises OSError.

    temporary: beside it, and nobody else's
    durably:   it is on disk when this returns, and not only for the next reader
    """
    try:
        write(temporary, content, durably=durably)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    if durably:
        _sync(path.parent)


def write(path: Path, content: bytes, *, durably: bool) -> None:
    """Write a file anew; what somebody else has put there is neither followed nor written to. Raises OSError."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
    with open(descriptor, "wb") as file:
        file.write(content)
        if durably:
            file.flush()
            os.fsync(descriptor)


def read(path: Path) -> tuple[bytes, os.stat_result]:
    """The content of a file that is neither a link nor a pipe, and what the system says of it. Raises OSError."""
    # A pipe that somebody has put there would else be waited for until somebody writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, descriptor)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "Not a file", str(path))
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(), found


def _sync(folder: Path) -> None:
    """A rename is durable only when the folder is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
