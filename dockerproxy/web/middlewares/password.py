"""Password: what is kept of a password instead of itself, and whether one is the right one.

`$scrypt$ln=14,r=8,p=1$salt$key`, salt and key in base64 without padding (RFC 7914), is what to use: guessing takes
long. `{SHA256}` and `{SHA}`, with the digest in base64, are what older tools write; they suit long random words only.
"""

from __future__ import annotations

import base64
import binascii
import getpass
import hashlib
import hmac
import re
import secrets

_COST = 14  # 16 MiB and some 50 ms for each guess
_BLOCK = 8
_MOST_MEMORY = 256 << 20  # bytes; a hash that asks for more is refused
_SALT = 16  # bytes
_KEY = 32  # bytes
_SCRYPT = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")
_DIGESTS = {"{SHA256}": hashlib.sha256, "{SHA}": hashlib.sha1}


class Password:
    """One password that is known by its hash. Raises ValueError for a hash that is none of the known kinds."""

    def __init__(self, written: str) -> None:
        self._written = written
        scrypt = _SCRYPT.fullmatch(written)
        kind, brace, digest = written.partition("}")
        if scrypt is not None:
            cost, block, lanes = (int(scrypt[group]) for group in (1, 2, 3))
            if not (min(cost, block, lanes) >= 1 and (128 * block << cost) <= _MOST_MEMORY):
                raise ValueError("the costs of this scrypt hash are out of bounds")
            self._scrypt: tuple[int, int, int] | None = (cost, block, lanes)
            self._salt, self._key = _bytes(scrypt[4]), _bytes(scrypt[5])
        elif kind + brace in _DIGESTS:
            self._scrypt = None
            self._digest, self._key = _DIGESTS[kind + brace], _bytes(digest)
        else:
            known = "$scrypt$ln=…,r=…,p=…$salt$key, {SHA256}… or {SHA}…"
            raise ValueError(f"not a hash of a password that is known here; expected {known} (docs/middlewares.md)")

    def __repr__(self) -> str:
        return f"<Password, {'scrypt' if self._scrypt else 'digest'}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Password) and other._written == self._written

    def __hash__(self) -> int:
        return hash(self._written)

    def fits(self, given: bytes) -> bool:
        """Whether `given` is the password; takes as long for a wrong one. scrypt takes long, and is for a thread."""
        return hmac.compare_digest(self._of(given), self._key)

    def _of(self, given: bytes) -> bytes:
        if self._scrypt is None:
            return self._digest(given).digest()
        cost, block, lanes = self._scrypt
        return hashlib.scrypt(
            given, salt=self._salt, n=1 << cost, r=block, p=lanes, dklen=len(self._key), maxmem=_MOST_MEMORY + (1 << 20)
        )


def hashed(password: str) -> str:
    """The hash to write for a password."""
    salt = secrets.token_bytes(_SALT)
    key = hashlib.scrypt(password.encode(), salt=salt, n=1 << _COST, r=_BLOCK, p=1, dklen=_KEY, maxmem=_MOST_MEMORY)
    return f"$scrypt$ln={_COST},r={_BLOCK},p=1${_text(salt)}${_text(key)}"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(f"its base64 is malformed: {error}") from None


if __name__ == "__main__":
    print(hashed(getpass.getpass()))
