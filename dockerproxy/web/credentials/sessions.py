"""Sessions: browsers that have shown the admin token, by the cookie they got for it; pure, with `now` as an argument.

They are kept in memory only: a restart ends them. The token itself never goes into a cookie.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass

LIFETIME = 12 * 3600.0  # seconds; a working day, so that nobody types the token twice in one
MOST_SESSIONS = 256  # some 500 bytes each; the oldest ends when there is one more
_ID_SIZE = 32  # random bytes; nobody guesses 256 bits


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is logged in.

    id:      the value of its cookie, known to nobody else
    csrf:    what its pages send along with whatever changes something; another site's page cannot know it
    expires: seconds of the clock that `now` is taken from
    token:   digest of the token that was shown, so that a new token ends the sessions of the old one
    """

    id: str
    csrf: str
    expires: float
    token: bytes

    def __repr__(self) -> str:
        return f"<Session until {self.expires:.0f}>"  # its id is a secret


class Sessions:
    """All sessions; times in seconds of a monotonic clock."""

    def __init__(self, most: int = MOST_SESSIONS) -> None:
        self._most = most
        # The oldest stands first, and as all live equally long, it is the first to expire.
        self._by_digest: OrderedDict[bytes, Session] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Sessions: {len(self)}>"

    def __len__(self) -> int:
        return len(self._by_digest)

    def begin(self, token: str, now: float) -> Session:
        """A new session for somebody who has shown `token`."""
        session_id, csrf = secrets.token_urlsafe(_ID_SIZE), secrets.token_urlsafe(_ID_SIZE)
        session = Session(session_id, csrf, now + LIFETIME, _digest(token))
        self._by_digest[_digest(session.id)] = session
        self._forget_expired(now)
        if len(self._by_digest) > self._most:
            self._by_digest.popitem(last=False)
        return session

    def find(self, session_id: str, token: str, now: float) -> Session | None:
        """The session of this id, if it began with the token that is in force and has not expired."""
        # By digest, so that the time of the look-up tells nothing about ids that are near.
        session = self._by_digest.get(_digest(session_id))
        if session is None or session.expires <= now or not hmac.compare_digest(session.token, _digest(token)):
            return None
        return session

    def end(self, session: Session) -> None:
        """Its cookie is worth nothing from now on."""
        self._by_digest.pop(_digest(session.id), None)

    def _forget_expired(self, now: float) -> None:
        while next(iter(self._by_digest.values())).expires <= now:
            self._by_digest.popitem(last=False)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
