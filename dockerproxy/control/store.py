"""Store: dynamic routes on disk, so that what `/add` has answered survives a restart, a crash and a power cut.

One JSON document per state folder, replaced as a whole: a temporary file beside it, fsync, rename, fsync of the
folder. A reader finds the old document or the new one, never a part of one. A lock keeps a second proxy out.
It never decides which routes there are: that is the registry.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dockerproxy.errors import StoreError
from dockerproxy.settings import RouteSettings, describe

VERSION = 1  # of the document; a change that an older reader would misread raises it
FILE_NAME = "routes.json"
LOCK_NAME = "lock"
_TEMPORARY_SUFFIX = ".tmp"
_FOLDER_MODE = 0o700  # upstream addresses are nobody else's business
_FILE_MODE = 0o600
_MEND = "set another folder with state_dir or DOCKERPROXY_STATE_DIR"

log = logging.getLogger("dockerproxy.control")


class Store:
    """The dynamic routes of one state folder. Nothing is touched before `load`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / FILE_NAME
        self._lock: int | None = None
        # fsync may take a tenth of a second, in which the loop must go on serving. One thread, so that documents
        # reach the disk in the order of the calls even if a caller is cancelled meanwhile.
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    def __repr__(self) -> str:
        return f"<Store {self._file}, {'open' if self._lock is not None else 'closed'}>"

    def load(self) -> tuple[RouteSettings, ...]:
        """Take the folder and read what it holds.

        What cannot be read is set aside as `routes.json.corrupt-<time>` and logged; the rest is loaded.
        Raises StoreError when the folder cannot be used, or is in use by another dockerproxy.
        """
        with self._explained("used"):
            self._take_folder()
            self._remove_leftovers()
            try:
                content = self._file.read_bytes()
            except FileNotFoundError:
                return ()
        return self._read(content)

    async def save(self, routes: Sequence[RouteSettings]) -> None:
        """Put the routes on disk, without blocking the loop. Raises StoreError; the old document stands then."""
        content = _document(routes)
        await asyncio.get_running_loop().run_in_executor(self._writer, self._write, content)

    def close(self) -> None:
        """Wait for what is being written, and give the folder back."""
        self._writer.shutdown(wait=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_folder(self) -> None:
        if self._lock is not None:
            return
        self.folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        lock = os.open(self.folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise StoreError(
                f"state folder {self.folder} is in use by another dockerproxy; stop that one, or {_MEND}"
            ) from None
        self._lock = lock

    def _remove_leftovers(self) -> None:
        for path in self.folder.glob(f"{FILE_NAME}.*{_TEMPORARY_SUFFIX}"):
            path.unlink(missing_ok=True)

    def _read(self, content: bytes) -> tuple[RouteSettings, ...]:
        try:
            entries = _entries(content)
        except ValueError as error:
            aside = self._set_aside(content)
            log.error("%s cannot be read (%s); it is kept as %s, starting without it", self._file, error, aside.name)
            with self._explained("written"):
                self._file.unlink()
            return ()
        routes, wrong = _checked(entries)
        if wrong:
            aside = self._set_aside(content)
            for reason in wrong:
                log.error("%s: %s; left out, the whole file is kept as %s", self._file, reason, aside.name)
            self._write(_document(routes))
        return tuple(routes)

    def _set_aside(self, content: bytes) -> Path:
        """A copy rather than a rename: until the new document stands, the old one is not given up."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        names = (f"{FILE_NAME}.corrupt-{stamp}{suffix}" for suffix in _suffixes())
        with self._explained("written"):
            aside = next(path for path in map(self.folder.joinpath, names) if not path.exists())
            _write_durably(aside, content)
        return aside

    def _write(self, content: bytes) -> None:
        if self._lock is None:
            raise StoreError(f"state folder {self.folder} is not open; call load() first")
        temporary = self._file.with_name(f"{FILE_NAME}.{os.getpid()}{_TEMPORARY_SUFFIX}")
        with self._explained("written"):
            try:
                _write_durably(temporary, content)
                temporary.replace(self._file)
            except OSError:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
                raise
            self._sync_folder()

    def _sync_folder(self) -> None:
        """A rename is durable only when the folder is on disk too."""
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"state folder {self.folder} cannot be {what}: {error.strerror or error}; "
                f"dynamic routes are kept there: mend it, or {_MEND}"
            ) from None


def as_json(route: RouteSettings) -> dict[str, Any]:
    """What was set of a route, under our own names; reading it gives an equal route."""
    return route.model_dump(mode="json", exclude_unset=True)


def _document(routes: Iterable[RouteSettings]) -> bytes:
    document = {"version": VERSION, "routes": [as_json(route) for route in routes]}
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def _entries(content: bytes) -> list[Any]:
    """The routes of a document, unchecked. Raises ValueError."""
    match json.loads(content):
        case {"version": int(version), "routes": list(entries)} if version == VERSION:
            return entries
    raise ValueError(f"expected a document of version {VERSION} with a list of routes")


def _checked(entries: Sequence[Any]) -> tuple[list[RouteSettings], list[str]]:
    """The valid routes, and what is wrong with the others."""
    routes: dict[str, RouteSettings] = {}
    wrong = []
    for index, entry in enumerate(entries):
        try:
            route = RouteSettings.model_validate(entry)
        except ValidationError as error:
            problems = (str(describe(details, RouteSettings)) for details in error.errors())
            wrong.append(f"routes[{index}]: {'; '.join(problems)}")
            continue
        if routes.setdefault(route.name, route) is not route:
            wrong.append(f"routes[{index}]: there is already a route named {route.name!r}")
    return list(routes.values()), wrong


def _suffixes() -> Iterator[str]:
    yield ""
    number = 1
    while True:
        number += 1
        yield f"-{number}"


def _write_durably(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
