"""Login codes: what a link bears that logs one browser in; pure, with `now` as an argument.

A code is good once and for an hour, so that a link which stays in a log, a terminal or a browser's history is worth
nothing afterwards. They are kept in memory only: a restart ends them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from typing import NamedTuple

LIFETIME = 3600.0  # seconds; the log with the first link is not always read at once
MOST_CODES = 16  # the oldest ends when there is one more
_SIZE = 32  # random bytes; nobody guesses 256 bits


class _Code(NamedTuple):
    expires: float
    token: bytes  # digest of the token that it stands for, so that a new token ends the codes of the old one


class LoginCodes:
    """All codes that are still good; times in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._by_digest: OrderedDict[bytes, _Code] = OrderedDict()

    def __repr__(self) -> str:
        return f"<LoginCodes: {len(self._by_digest)}>"

    def begin(self, token: str, now: float) -> str:
        """A new code in the place of `token`."""
        code = secrets.token_urlsafe(_SIZE)
        self._by_digest[_digest(code)] = _Code(now + LIFETIME, _digest(token))
        if len(self._by_digest) > MOST_CODES:
            self._by_digest.popitem(last=False)
        return code

    def redeem(self, code: str, token: str, now: float) -> bool:
        """Whether the code stands for `token`, and has not been used: from now on it has."""
        found = self._by_digest.pop(_digest(code), None)
        return found is not None and now < found.expires and hmac.compare_digest(found.token, _digest(token))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
