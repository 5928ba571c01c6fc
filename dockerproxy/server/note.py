"""Note: what tells commands and health checks where this proxy is asked, for as long as it runs."""

from __future__ import annotations

import logging
from pathlib import Path

from dockerproxy.process import whereabouts
from dockerproxy.process.whereabouts import Whereabouts

log = logging.getLogger("dockerproxy")


class Note:
    """The note in a state folder. What is in the way of leaving it is logged; the proxy serves without it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left = False

    def __repr__(self) -> str:
        return f"<Note in {self._folder}, {'left' if self._left else 'not left'}>"

    def leave(self, place: Whereabouts) -> None:
        """Say that this proxy is asked at `place`, in the place of what was said before."""
        try:
            whereabouts.leave(self._folder, place)
        except OSError as error:
            log.warning(
                "no note of where this proxy is asked can be left in %s (%s); commands go by their own settings",
                self._folder, error.strerror or error,
            )  # fmt: skip
        else:
            self._left = True

    def take_away(self) -> None:
        """Nobody is there any more. Without a note of ours the folder may be another proxy's, and is not touched."""
        if self._left:
            whereabouts.forget(self._folder)
