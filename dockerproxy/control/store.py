"""Store: dynamic routes and overrides on disk, so that what an operator was told survives a restart and a crash.

One document for each in the state folder. A lock keeps a second proxy out. It never decides which routes and
overrides there are: that is the registry.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dockerproxy.control.document import Document, Kind, Thing
from dockerproxy.control.overrides.overrides import Override, as_entry, read_override, words
from dockerproxy.errors import StoreError
from dockerproxy.process.private_file import MODE
from dockerproxy.settings import RouteSettings, problems_in

ROUTES_NAME = "routes.json"
OVERRIDES_NAME = "overrides.json"
LOCK_NAME = "lock"
_FOLDER_MODE = 0o700  # upstream addresses are nobody else's business
_MEND = "set another folder with state_dir or DOCKERPROXY_STATE_DIR"

log = logging.getLogger("dockerproxy.control")


class Store:
    """The documents of one state folder. Nothing is touched before `load`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._routes = Document(folder / ROUTES_NAME, _ROUTES)
        self._overrides = Document(folder / OVERRIDES_NAME, _OVERRIDES)
        self._lock: int | None = None
        # fsync may take a tenth of a second, in which the loop must go on serving. One thread, so that documents
        # reach the disk in the order of the calls even if a caller is cancelled meanwhile.
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    def __repr__(self) -> str:
        return f"<Store {self.folder}, {'open' if self._lock is not None else 'closed'}>"

    def load(self) -> tuple[RouteSettings, ...]:
        """Take the folder and read its dynamic routes.

        What cannot be read is set aside as `routes.json.corrupt-<time>` and logged; the rest is loaded.
        Raises StoreError when the folder cannot be used, or is in use by another dockerproxy.
        """
        with self._explained("used"):
            self._take_folder()
            for document in (self._routes, self._overrides):
                document.remove_leftovers()
            return self._routes.load()

    def load_overrides(self) -> tuple[Override, ...]:
        """The overrides, read as `load` reads routes, and after it. Raises StoreError."""
        self._check_open()
        with self._explained("used"):
            return self._overrides.load()

    async def save(self, routes: Sequence[RouteSettings]) -> None:
        """Put the routes on disk, without blocking the loop. Raises StoreError; the old document stands then."""
        await self._save(self._routes, routes)

    async def save_overrides(self, overrides: Sequence[Override]) -> None:
        """Put the overrides on disk, as `save` does with routes."""
        await self._save(self._overrides, overrides)

    def close(self) -> None:
        """Wait for what is being written, and give the folder back."""
        self._writer.shutdown(wait=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _save(self, document: Document[Thing], things: Sequence[Thing]) -> None:
        content = document.content(things)
        await _finished(asyncio.get_running_loop().run_in_executor(self._writer, self._write, document, content))

    def _write(self, document: Document[Any], content: bytes) -> None:
        self._check_open()
        with self._explained("written"):
            document.replace(content)

    def _take_folder(self) -> None:
        if self._lock is not None:
            return
        self.folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        self._tell_of_others()
        lock = os.open(self.folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise StoreError(
                f"state folder {self.folder} is in use by another dockerproxy; stop that one, or {_MEND}"
            ) from None
        self._lock = lock

    def _tell_of_others(self) -> None:
        """Only told: some platforms give every volume to everybody, and /tmp must stay what it is."""
        found = self.folder.stat()
        if found.st_uid not in (0, os.geteuid()):
            log.warning(
                "state folder %s belongs to user %d, who so decides about routes; run: chown %d %s",
                self.folder, found.st_uid, os.geteuid(), self.folder,
            )  # fmt: skip
        if found.st_mode & stat.S_IWOTH:
            log.warning(
                "state folder %s can be written by everybody, who so decides about routes; run: chmod o-w %s",
                self.folder, self.folder,
            )  # fmt: skip

    def _check_open(self) -> None:
        if self._lock is None:
            raise StoreError(f"state folder {self.folder} is not open; call load() first")

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"state folder {self.folder} cannot be {what}: {error.strerror or error}; "
                f"dynamic routes and overrides are kept there: mend it, or {_MEND}"
            ) from None


async def _finished(writing: asyncio.Future[None]) -> None:
    """Wait even when cancelled: what will be on disk must be in the table too, though the client that asked for it
    has left."""
    while not writing.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([writing])
    writing.result()


def as_json(route: RouteSettings) -> dict[str, Any]:
    """What was set of a route, under our own names; reading it gives an equal route."""
    return route.model_dump(mode="json", exclude_unset=True)


def _read_route(entry: Any) -> RouteSettings:
    try:
        return RouteSettings.model_validate(entry)
    except ValidationError as error:
        raise ValueError("; ".join(map(str, problems_in(error, RouteSettings)))) from None


_ROUTES = Kind("routes", _read_route, as_json, lambda route: f"a route named {route.name!r}")
_OVERRIDES: Kind[Override] = Kind("overrides", read_override, as_entry, lambda override: f"a {words(override)}")
