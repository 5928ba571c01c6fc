"""KnownCredentials: credentials that were right: they cost no hash a second time, and are let in while others guess.

Many people may share one address: the gateway of a container network, an office, a mobile network. Who guesses from
there must not shut out those who are logged in. But whatever is let in while an address is banned tells a guesser that
he has found it; so only a few different wrong credentials may be tried in one ban, then it holds for all. A program
that sends the same old password again and again is no guesser. Pure: it keeps no password, and has no clock.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict

from dockerproxy.web.credentials.throttle import MOST_ADDRESSES, site_of

REMEMBERED = 1024  # right credentials; each saves some 50 ms at every further request
GUESSES_IN_BAN = 32  # different wrong credentials that are looked at while an address is banned


class KnownCredentials:
    """Right credentials by a mark that only this process can make."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, object] = OrderedDict()
        self._guesses: OrderedDict[str, set[bytes]] = OrderedDict()  # by address, in the ban that it is in

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

    def may_pass_ban(self, address: str) -> bool:
        """Whether known credentials from a banned address are let in."""
        return len(self._guesses.get(site_of(address), ())) < GUESSES_IN_BAN

    def note_guess(self, address: str, mark: bytes) -> None:
        """Note wrong or unknown credentials from a banned address."""
        guesses = self._guesses.setdefault(site_of(address), set())
        if len(guesses) < GUESSES_IN_BAN:
            guesses.add(mark)
        if len(self._guesses) > MOST_ADDRESSES:
            self._guesses.popitem(last=False)

    def ban_begins(self, address: str) -> None:
        """A new ban of this address: what was guessed in the one before is forgotten."""
        self._guesses.pop(site_of(address), None)
