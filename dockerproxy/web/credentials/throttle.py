"""Throttle: slows down whoever guesses the admin token, by address; pure, with `now` as an argument.

After some wrong tokens in a row an address is banned: for a while nothing that it sends is looked at, the right token
neither, because an answer to it would make the ban useless. Each further wrong token bans twice as long. What is
remembered is bounded, so that an attacker with many addresses costs no memory; such an attacker has some free guesses
from each of them, against which only a long token helps.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

FREE_GUESSES = 5  # wrong tokens in a row; a person who mistypes needs two or three
FIRST_BAN = 10.0  # seconds; a person waits that long, a list of words does not get far
LONGEST_BAN = 900.0  # seconds; a script with an old token is let in at most so long after it was mended
# Programs of this machine, and everybody behind a local web server that is not among `trusted_proxies`, share one
# address: a long ban would lock the operator out for the deeds of strangers.
LONGEST_LOOPBACK_BAN = 10.0
FORGET_AFTER = 3600.0  # seconds after the end of the last ban, or the last wrong token
MOST_ADDRESSES = 4096  # some 200 bytes each
_IPV6_SITE = 64  # bits; whoever has one IPv6 address has its whole /64 (RFC 6177)


class _Record:
    """The wrong tokens of one address."""

    __slots__ = ("banned_until", "last", "wrong")

    def __init__(self) -> None:
        self.wrong = 0
        self.banned_until = 0.0
        self.last = 0.0


class Throttle:
    """Wrong tokens in a row by address, and until when each is banned; times in seconds of a monotonic clock."""

    def __init__(self, most: int = MOST_ADDRESSES) -> None:
        self._most = most
        self._records: OrderedDict[str, _Record] = OrderedDict()  # the one that was wrong last stands last

    def __repr__(self) -> str:
        return f"<Throttle: {len(self)} addresses>"

    def __len__(self) -> int:
        return len(self._records)

    def banned_for(self, address: str, now: float) -> float:
        """How long `address` has to wait before anything that it sends is looked at; 0 for not at all."""
        record = self._records.get(site_of(address))
        return max(0.0, record.banned_until - now) if record is not None else 0.0

    def wrong(self, address: str, now: float) -> float:
        """Note a wrong token; returns the seconds of the ban that begins now, or 0."""
        site = site_of(address)
        record = self._records.pop(site, None)
        if record is None or now - max(record.last, record.banned_until) > FORGET_AFTER:
            record = _Record()
        self._records[site] = record
        record.wrong += 1
        record.last = now
        if len(self._records) > self._most:
            self._records.popitem(last=False)
        if record.wrong < FREE_GUESSES:
            return 0.0
        ban = _ban(record.wrong - FREE_GUESSES, _parsed(address))
        record.banned_until = now + ban
        return ban

    def right(self, address: str) -> None:
        """Note the right token: what was wrong before is forgotten."""
        self._records.pop(site_of(address), None)


def site_of(address: str) -> str:
    """What one attacker is taken for: an IPv4 address, the /64 of an IPv6 address; anything else as it is."""
    found = _parsed(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, _IPV6_SITE), strict=False))
    return str(found or address)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """The address, an IPv4 one where it is only written as IPv6."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _ban(further: int, address: IPv4Address | IPv6Address | None) -> float:
    """Seconds, after so many wrong tokens beyond the first that was one too many."""
    most = LONGEST_LOOPBACK_BAN if address is not None and address.is_loopback else LONGEST_BAN
    return float(min(most, FIRST_BAN * 2 ** min(further, 16)))
