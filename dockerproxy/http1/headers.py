"""Field rules: which fields end here, which are ours to write, and what a field line may look like.

Tables and small predicates; the parsers use them, nothing here keeps state.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

# Of a name in lower case.
_USUAL = b"abcdefghijklmnopqrstuvwxyz0123456789-"
_TWIN = bytes(code if code in _USUAL else ord("-") for code in bytes(range(256)).lower())

# What may stand in a head beside CRLF: HTAB, SP, visible ASCII and obs-text (RFC 9110 section 5.5).
TEXT = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])

# RFC 9110 section 7.2 and RFC 3986 section 3.2.2, without what no host name bears: sub-delims and escapes.
HOST = re.compile(r"([A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::([0-9]{0,5}))?")

# RFC 9110 section 7.6.1: never forwarded, whether Connection nominates them or not.
HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade", b"transfer-encoding"})

# Fields that we write ourselves; what a client claims in them counts only from a trusted proxy.
FORWARDED = frozenset(
    {
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-real-ip",
        # What other proxies say in their place, and what applications and frameworks believe.
        b"front-end-https",
        b"proxy",  # CGI makes it HTTP_PROXY, which clients in the application then use (CVE-2016-5385)
        b"true-client-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-original-host",
        b"x-original-method",
        b"x-original-uri",
        b"x-original-url",
        b"x-rewrite-url",
        b"x-url-scheme",
    }
)
FORWARDED_PREFIX = b"x-forwarded-"

# Fields between us and our own handlers; nobody else may send them.
RESERVED_PREFIX = b"dockerproxy-"

# Which proxies of our kind a request has passed: what ends a loop. An application has no use for it, but `Via` makes
# some compress nothing (nginx, see `gzip_proxied`).
HOPS = b"dockerproxy-hops"
VIA = b"via"

# A Connection field cannot take these away from the message (RFC 9110 section 7.6.1: end-to-end fields).
NOT_NOMINABLE = frozenset({b"host", b"content-length", b"content-type", b"authorization", b"cookie", b"cache-control"})

# Secret values: their lines are not remembered. The names are good ones, so that these need no further check.
NOT_REMEMBERED = frozenset({b"authorization", b"cookie", b"proxy-authorization", b"set-cookie"})

# RFC 9110 section 6.5.1: fields that may change framing, routing or authentication have no place in trailers, and
# neither have those of `is_forwarded`.
NOT_IN_TRAILERS = HOP_BY_HOP | frozenset(
    {
        b"authorization",
        b"cache-control",
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"content-type",
        b"cookie",
        b"expect",
        b"host",
        b"max-forwards",
        b"set-cookie",
        b"trailer",
        b"via",
    }
)


def split_field(line: bytes) -> tuple[bytes, bytes] | None:
    """Name and value of a field line without control characters, or None when it is none (RFC 9112 section 5).

    Not one expression for the whole line: trailing white space would make it try every split.
    """
    name, colon, value = line.partition(b":")
    if not colon or not TOKEN.fullmatch(name):
        return None
    return name, value.strip(b" \t")


def twin(name: bytes) -> bytes:
    """What a name has in common with all that an application may take for the same.

    CGI writes `_` for `-`, PHP also for `.`, lighttpd for each character that is neither letter nor digit.
    """
    return name.translate(_TWIN)


def underscore_twin(name: bytes) -> bool:
    """Whether a lower-case name is another one than some name of ours, and is taken for that by an application."""
    if not name.translate(None, _USUAL):
        return False
    ours = twin(name)
    return is_forwarded(ours) or ours in HOP_BY_HOP or ours in (b"content-length", b"host") or is_reserved(ours)


def is_forwarded(name: bytes) -> bool:
    """Whether a lower-case name tells where a request comes from, which only trusted proxies may."""
    return name in FORWARDED or name.startswith(FORWARDED_PREFIX)


def is_reserved(name: bytes) -> bool:
    """Whether a lower-case name is one that only we and our handlers use."""
    return name.startswith(RESERVED_PREFIX)


class Nomination(NamedTuple):
    """What a Connection field says (RFC 9110 section 7.6.1).

    names: of the fields that end here, as far as they may be named
    """

    close: bool
    keep_alive: bool
    upgrade: bool
    names: frozenset[bytes]

    @classmethod
    def of(cls, value: bytes) -> Nomination:
        """From the field's value."""
        members = frozenset(list_members(value))
        options = (b"close" in members, b"keep-alive" in members, b"upgrade" in members)
        return cls(*options, members - {b"close", b"keep-alive", b"upgrade"} - NOT_NOMINABLE)

    def joined(self, other: Nomination) -> Nomination:
        """Both, for a head with several such fields."""
        return Nomination(
            self.close or other.close,
            self.keep_alive or other.keep_alive,
            self.upgrade or other.upgrade,
            self.names | other.names,
        )

    def strip(self, lines: list[bytes]) -> None:
        """Remove the fields that end here."""
        if self.names:
            lines[:] = [line for line in lines if line.partition(b":")[0].lower() not in self.names]


def list_members(value: bytes, *, lower: bool = True) -> list[bytes]:
    """The members of a comma-separated field value, in lower case unless told otherwise, empty ones left out."""
    members = [member.strip(b" \t") for member in value.split(b",") if member.strip(b" \t")]
    return [member.lower() for member in members] if lower else members
