"""Whereabouts: where a running proxy is asked on its own machine. It leaves a note of it in its state folder.

A command reads environment and file as the proxy does, but it knows neither the arguments that the proxy was given, nor
what a program in Python sets, nor which port was free where any would do. And a health check that runs every few
seconds, for as long as the machine does, has no need to load settings when the state folder is known.

The note is only believed while the process that left it is there, on the machine that it names: a container that was
recreated finds the folder of the one before.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dockerproxy.process import private_file

FILE_NAME = "running.json"
# The note of a demo, which is asked where no proxy has left one: it has a state folder that nobody knows.
DEMO_FILE_NAME = "demo.json"
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


class Whereabouts(NamedTuple):
    """Where a proxy is asked.

    host, port: to connect to
    tls:        whether https is spoken there
    admin_host: domain of the admin handlers
    listen:     all addresses that it was told to listen on, as they are written
    """

    host: str
    port: int
    tls: bool
    admin_host: str
    listen: tuple[str, ...]


def reachable(host: str) -> str:
    """The address at which this machine reaches what listens on `host`."""
    return _LOOPBACK.get(host, host)


def leave(folder: Path, whereabouts: Whereabouts, name: str = FILE_NAME) -> None:
    """Leave the note for this process, in place of an older one. Raises OSError."""
    content = json.dumps({**whereabouts._asdict(), "process": os.getpid(), "machine": socket.gethostname()})
    private_file.replace(folder / name, f"{content}\n".encode(), folder / f"{name}.tmp", durably=False)


def forget(folder: Path, name: str = FILE_NAME) -> None:
    """Take the note away, since nobody is there any more."""
    with contextlib.suppress(OSError):
        (folder / name).unlink()


def find(folder: Path, listen: Sequence[str] = ()) -> Whereabouts | None:
    """Where the running proxy with this state folder is asked, else the demo of this user; None where none has left a
    note.

    listen: what whoever asks was told that it listens on; a proxy that was told otherwise is another one
    """
    return _find(folder, FILE_NAME, listen) or _find(folder, DEMO_FILE_NAME, listen)


def _find(folder: Path, name: str, listen: Sequence[str]) -> Whereabouts | None:
    try:
        note = json.loads(_content(folder, name))
        found = _read(note)
        there = note["machine"] == socket.gethostname() and _runs(note["process"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return found if there and (not listen or tuple(listen) == found.listen) else None


def _content(folder: Path, name: str) -> str:
    """The note's text. Raises OSError, also when somebody has put it there who must not say where tokens are sent."""
    content, found = private_file.read(folder / name)
    if found.st_uid not in (folder.stat().st_uid, os.geteuid()):
        raise PermissionError
    return content.decode()


def _read(note: Any) -> Whereabouts:
    """Raises KeyError or TypeError for what is no note of ours."""
    host, port, tls, admin_host = note["host"], note["port"], note["tls"], note["admin_host"]
    if not (isinstance(host, str) and isinstance(port, int) and isinstance(tls, bool) and isinstance(admin_host, str)):
        raise TypeError
    return Whereabouts(host, port, tls, admin_host, tuple(note["listen"]))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is somebody else's
    return True
