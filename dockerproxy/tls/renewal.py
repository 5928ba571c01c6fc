"""Renewal: looks once a minute whether the files of the certificates have changed, and takes the new ones.

So whoever renews certificates (certbot, a mounted secret) need not tell the proxy. A look is a `stat` of each file. And
where nobody renews them, it tells in time that they end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dockerproxy.errors import SettingsError
from dockerproxy.settings import TlsSettings
from dockerproxy.tls.keyring import Keyring, read_certificates

if TYPE_CHECKING:
    from dockerproxy.tls.certificate import Certificate

log = logging.getLogger(__name__)

EVERY = 60.0  # seconds; certificates are renewed weeks before they end

Marks = dict[Path, tuple[int, int, int]]


class Timer(Protocol):
    """What `call_later` gives back."""

    def cancel(self) -> None: ...


class Renewal:
    """Keeps a keyring at what the files of its certificates hold.

    keyring: the certificates in use
    marks:   of their files, taken before they were read
    now:     the time that certificates are judged by. What they are warned of when this begins, or at `follow`, is
             told by the caller
    """

    def __init__(
        self,
        settings: TlsSettings,
        certificates: Sequence[Certificate],
        marks: Marks,
        call_later: Callable[[float, Callable[[], None]], Timer],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.keyring = Keyring(settings, certificates)
        self._now = now
        self._told = self._warnings()
        self._settings = settings
        self._marks = marks
        self._call_later = call_later
        self._timer = call_later(EVERY, self._look_again)

    def __repr__(self) -> str:
        return f"<Renewal of {self.keyring!r}>"

    def follow(self, settings: TlsSettings, certificates: Sequence[Certificate], marks: Marks) -> list[str]:
        """The settings are others: use their certificates, and look after their files, from now on.

        Returns which certificates are new, in words.
        """
        self._settings, self._marks = settings, marks
        new = self.keyring.use(settings, certificates)
        self._told = self._warnings()
        return new

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def look(self) -> None:
        """Take the certificates anew if a file has changed, and tell what clients will not like about those in use.

        Ones that cannot be used change nothing and are logged.
        """
        marks = marks_of(self._settings)
        if marks != self._marks:
            self._marks = marks  # what is wrong with them is told once, until they change again
            self._renew()
        warnings = self._warnings()
        for line in warnings:
            if line not in self._told:
                log.warning("%s", line)
        self._told = warnings

    def _renew(self) -> None:
        try:
            certificates = read_certificates(self._settings)
        except SettingsError as error:
            log.error("renewed certificates are not used, because: %s", "; ".join(str(error).splitlines()))
            return
        self.keyring.use(self._settings, certificates)

    def _warnings(self) -> list[str]:
        now = self._now()
        return [line for certificate in self.keyring.certificates for line in certificate.warnings(now)]

    def _look_again(self) -> None:
        self._timer = self._call_later(EVERY, self._look_again)
        self.look()


def marks_of(settings: TlsSettings) -> Marks:
    """Of each file, what changes when it is written or replaced. To be taken before the files are read: what is
    renewed in between is read once too often then, and not missed."""
    files = {file for each in settings.certificates for file in (each.cert, each.key_file, each.password_file) if file}
    return {file: _mark(file) for file in files}


def _mark(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
