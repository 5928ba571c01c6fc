"""SettingsReader: the settings, read anew while requests are served; a file of thousands of routes takes seconds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator

from dockerproxy.errors import DockerproxyError, NotPossible
from dockerproxy.settings import Settings

log = logging.getLogger("dockerproxy")

_Read = Callable[[], Settings]


class SettingsReader:
    """Reads at once, or what was read in a thread before.

    read: reads the settings, or None where there is nothing to read
    """

    def __init__(self, read: _Read | None) -> None:
        self._read = read
        self._ahead: _Read | None = None
        self._one_at_a_time = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<SettingsReader{' with nothing to read' if self._read is None else ''}>"

    def read(self) -> Settings:
        """The settings. Raises NotPossible when there is nothing to read, SettingsError when it cannot be used."""
        if self._read is None:
            raise NotPossible("there is no settings file to read again")
        read, self._ahead = self._ahead or self._read, None
        return read()

    @contextlib.asynccontextmanager
    async def ahead(self) -> AsyncIterator[None]:
        """Within it `read` has nothing left to do: it has been done beside the loop."""
        async with self._one_at_a_time:
            if self._read is not None:
                self._ahead = await asyncio.to_thread(_outcome_of, self._read)
            yield


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What hinders a reload is told in the log."""
    try:
        yield
    except NotPossible as error:
        log.warning("reload: %s", error)
    except DockerproxyError as error:
        log.error("reload: nothing was changed, because: %s", "; ".join(str(error).splitlines()))


def _outcome_of(read: _Read) -> _Read:
    """What returns or raises what `read` has returned or raised."""
    try:
        settings = read()
    except DockerproxyError as error:
        failure = error

        def fail() -> Settings:
            raise failure

        return fail
    return lambda: settings
