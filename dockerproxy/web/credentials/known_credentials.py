"""KnownCredentials: credentials that were right: they cost no hash a second time, and are let in while others guess.

Many people may share one address: the gateway of a container network, an office, a mobile network. Who guesses from
there must not shut out those who are logged in. But whatever is let in while an address is banned tells a guesser that
he has found it; so only a few different wrong passwords of a user may be tried in one ban, then it holds for that user
too. Names that nobody has tell a guesser nothing. A program that sends the same old password again and again is no
guesser. Pure: it keeps no password, and has no clock.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict

from dockerproxy.web.credentials.throttle import MOST_ADDRESSES, site_of

REMEMBERED = 1024  # right credentials; each saves some 50 ms at every further request
GUESSES_IN_BAN = 32  # different wrong passwords of one user that are looked at while an address is banned
USERS_IN_BAN = 8  # users of whom they are counted apart; beyond, the ban holds for all, so that memory is bounded


class KnownCredentials:
    """Right credentials by a mark that only this process can make."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, object] = OrderedDict()
        # By address, in the ban that it is in, and user.
        self._guesses: OrderedDict[str, dict[bytes, set[bytes]]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<KnownCredentials: {len(self._right)}>"

    def mark(self, user: bytes, password: bytes) -> bytes:
        """What credentials are known by here."""
        return hmac.digest(self._secret, user + b"\0" + password, hashlib.sha256)

    def is_known(self, mark: bytes, password: object) -> bool:
        """Whether these credentials were right, for the password that is still the user's; None knows nobody."""
        if password is None or self._right.get(mark) != password:
            return False
        self._right.move_to_end(mark)
        return True

    def remember(self, mark: bytes, password: object) -> None:
        """From now on they are known; the one that was not seen for longest is forgotten for it."""
        self._right[mark] = password
        if len(self._right) > REMEMBERED:
            self._right.popitem(last=False)

    def may_pass_ban(self, address: str, user: bytes) -> bool:
        """Whether known credentials of this user, from a banned address, are let in."""
        guesses = self._guesses.get(site_of(address), {})
        return len(guesses) <= USERS_IN_BAN and len(guesses.get(user, ())) < GUESSES_IN_BAN

    def note_guess(self, address: str, user: bytes, mark: bytes) -> None:
        """Note wrong or unknown credentials, of somebody who is a user, from a banned address."""
        guesses = self._guesses.setdefault(site_of(address), {})
        if len(guesses) <= USERS_IN_BAN:
            marks = guesses.setdefault(user, set())
            if len(marks) < GUESSES_IN_BAN:
                marks.add(mark)
        if len(self._guesses) > MOST_ADDRESSES:
            self._guesses.popitem(last=False)

    def ban_begins(self, address: str) -> None:
        """A new ban of this address: what was guessed in the one before is forgotten."""
        self._guesses.pop(site_of(address), None)
