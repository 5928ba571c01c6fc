"""Password: what is kept of a password instead of itself, and whether one is the right one.

`$scrypt$ln=14,r=8,p=1$salt$key`, salt and key in base64 without padding (RFC 7914), is what to use: guessing takes
long. bcrypt's `$2y$10$…` (`htpasswd -B`) is as good. `{SHA256}` and `{SHA}`, with the digest in base64, are what older
tools write; they suit long random words only.
"""

from __future__ import annotations

import base64
import binascii
import getpass
import hashlib
import hmac
import importlib
import re
import secrets
from collections.abc import Callable, Iterable
from typing import NamedTuple

_COST = 14  # 16 MiB and some 50 ms for each guess
_BLOCK = 8
_MOST_MEMORY = 256 << 20  # bytes; a hash that asks for more is refused
_SALT = 16  # bytes
_KEY = 32  # bytes
_SCRYPT = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")
# 16 bytes of salt in 22 characters: the last one has 2 bits left to say.
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
_BCRYPT_COSTS = range(4, 17)  # the dearest takes some 5 s
_BCRYPT_LENGTH = 72  # bytes of a password that bcrypt looks at; other programs leave the rest out silently, so we do
_DIGESTS = {"{SHA256}": hashlib.sha256, "{SHA}": hashlib.sha1}
# What a hash costs, in units of a bcrypt hash of cost 0: on this machine's kind scrypt with 2^14, 8, 1 takes about as
# long as bcrypt with 10. Digests cost nothing beside those.
_SCRYPT_UNIT = (8 << 14) >> 10
_DIGEST_COST = 0
# So many times a cheaper hash is made again, to take as long as the dearest; beyond it, that one is made itself.
_MOST_REPEATED = 64

Judge = Callable[[bytes], bool]


class _Kind(NamedTuple):
    """How one hash is checked: its name, its cost, and what checks."""

    name: str
    cost: int
    fits: Judge


class Password:
    """One password that is known by its hash. Raises ValueError for a hash that is none of the known kinds."""

    def __init__(self, written: str) -> None:
        self._written = written
        self._kind = _scrypt(written) or _bcrypt(written) or _digest(written)
        if self._kind is None:
            known = "$scrypt$ln=…,r=…,p=…$salt$key, $2y$… (bcrypt), {SHA256}… or {SHA}…"
            raise ValueError(f"not a hash of a password that is known here; expected {known} (docs/middlewares.md)")

    def __repr__(self) -> str:
        return f"<Password, {self._kind.name if self._kind else 'unknown'}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Password) and other._written == self._written

    def __hash__(self) -> int:
        return hash(self._written)

    @property
    def cost(self) -> int:
        """How long it takes to check, beside others."""
        assert self._kind is not None
        return self._kind.cost

    def fits(self, given: bytes) -> bool:
        """Whether `given` is the password; takes as long for a wrong one. It may take long, and is for a thread."""
        assert self._kind is not None
        return self._kind.fits(given)

    def fits_as_slowly_as(self, dearest: Password, given: bytes) -> bool:
        """The same, in about the time that `dearest` takes: how long it takes tells nobody whose password it is."""
        right = self.fits(given)
        times = dearest.cost // self.cost if self.cost else _MOST_REPEATED + 1
        if times > _MOST_REPEATED:
            dearest.fits(given)
        else:
            for _ in range(times - 1):
                self.fits(given)
        return right


def dearest_of(passwords: Iterable[Password]) -> Password | None:
    """The one that takes longest to check, or None of none."""
    return max(passwords, key=lambda password: password.cost, default=None)


def hashed(password: str) -> str:
    """The hash to write for a password."""
    salt = secrets.token_bytes(_SALT)
    key = hashlib.scrypt(password.encode(), salt=salt, n=1 << _COST, r=_BLOCK, p=1, dklen=_KEY, maxmem=_MOST_MEMORY)
    return f"$scrypt$ln={_COST},r={_BLOCK},p=1${_text(salt)}${_text(key)}"


def _scrypt(written: str) -> _Kind | None:
    """Raises ValueError for costs that nobody can want."""
    found = _SCRYPT.fullmatch(written)
    if found is None:
        return None
    cost, block, lanes = (int(found[group]) for group in (1, 2, 3))
    if not (min(cost, block, lanes) >= 1 and (128 * block << cost) <= _MOST_MEMORY):
        raise ValueError("the costs of this scrypt hash are out of bounds")
    salt, key = _bytes(found[4]), _bytes(found[5])

    def fits(given: bytes) -> bool:
        made = hashlib.scrypt(
            given, salt=salt, n=1 << cost, r=block, p=lanes, dklen=len(key), maxmem=_MOST_MEMORY + (1 << 20)
        )
        return hmac.compare_digest(made, key)

    return _Kind("scrypt", max(1, (block * lanes << cost) // _SCRYPT_UNIT), fits)


def _bcrypt(written: str) -> _Kind | None:
    """Raises ValueError for costs that nobody can want."""
    found = _BCRYPT.fullmatch(written)
    if found is None:
        return None
    cost = int(found[1])
    if cost not in _BCRYPT_COSTS:
        least, most = _BCRYPT_COSTS[0], _BCRYPT_COSTS[-1]
        raise ValueError(f"the cost of this bcrypt hash is out of bounds: {cost}, expected {least} to {most}")
    checkpw: Callable[[bytes, bytes], bool] = importlib.import_module("bcrypt").checkpw  # few have such hashes
    hash_ = written.encode()

    def fits(given: bytes) -> bool:
        return checkpw(given[:_BCRYPT_LENGTH], hash_)

    return _Kind("bcrypt", 1 << cost, fits)


def _digest(written: str) -> _Kind | None:
    kind, brace, digest = written.partition("}")
    made = _DIGESTS.get(kind + brace)
    if made is None:
        return None
    key = _bytes(digest)

    def fits(given: bytes) -> bool:
        return hmac.compare_digest(made(given).digest(), key)

    return _Kind("digest", _DIGEST_COST, fits)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(f"its base64 is malformed: {error}") from None


if __name__ == "__main__":
    print(hashed(getpass.getpass()))
