"""Forwarding: what upstreams and handlers are told about where a request comes from.

What a client claims about that itself counts only when it is a trusted proxy; else it is dropped, so nobody can
forge the address that an application sees.
"""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote

from dockerproxy.http1.head import RequestHead

_FOR, _HOST, _PORT, _PROTO = b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto"
# What we write ourselves, or tell in what we write. Whatever else a trusted proxy claims is passed on as it is.
_OURS = frozenset({_FOR, _HOST, _PORT, _PROTO, b"x-real-ip", b"forwarded", b"x-forwarded-prefix"})
_UNKNOWN = "unknown"  # RFC 7239 section 6.2
_DEFAULT_PORTS = {b"http": b"80", b"https": b"443"}


class Forwarding:
    """The fields that are added to requests.

    trusted:  networks whose claims are believed
    identity: how this proxy names itself in Via
    """

    def __init__(self, trusted: Sequence[IPv4Network | IPv6Network], identity: bytes) -> None:
        self._trusted = tuple(trusted)
        self._identity = identity

    def trusts(self, peer: str) -> bool:
        """Whether what `peer` claims is believed."""
        if not self._trusted or not peer:
            return False
        address = ip_address(peer.partition("%")[0])
        return any(address in network for network in self._trusted)

    def fields(self, head: RequestHead, peer: str, secure: bool) -> bytes:
        """X-Forwarded-*, X-Real-IP and Via, each with CRLF. What `head` claims must be gone unless it is trusted.

        secure: whether `peer` speaks TLS
        """
        claimed = head.claimed or {}
        chain = b", ".join([*claimed.get(_FOR, ()), peer.encode()])
        scheme = _scheme(head, secure)
        host = (claimed.get(_HOST) or [head.host.encode()])[-1]
        port = (claimed.get(_PORT) or [_port(head.host, scheme)])[-1]
        client = self.client(head, peer)
        real = b"X-Real-IP: %b\r\n" % client.encode() if client != _UNKNOWN else b""  # it tells an address, or nothing
        others = b"".join(
            b"%b: %b\r\n" % (name, value) for name, values in claimed.items() if name not in _OURS for value in values
        )
        return others + (
            b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\nX-Forwarded-Port: %b\r\n"
            b"%bVia: 1.1 %b\r\n" % (chain, scheme, host, port, real, self._identity)
        )

    def handler_fields(self, head: RequestHead, peer: str, secure: bool, route: str) -> bytes:
        """What a handler of ours is told beside, each with CRLF."""
        return b"Dockerproxy-Remote: %b\r\nDockerproxy-Scheme: %b\r\nDockerproxy-Route: %b\r\n" % (
            self.client(head, peer).encode(),
            _scheme(head, secure),
            quote(route).encode(),
        )

    def client(self, head: RequestHead, peer: str) -> str:
        """The nearest address on the way that is not a trusted proxy's; `unknown` for one that is not told."""
        client = peer
        for member in reversed(b",".join((head.claimed or {}).get(_FOR, ())).split(b",")):
            if not self.trusts(client):
                break
            told = _address(member.strip().decode("latin-1"))
            # Another machine's loopback is not ours, and ours may call the admin handlers: only a hop on this machine
            # can tell of it. And where such a hop tells of somebody without an address (nginx of a client at a UNIX
            # socket: `unix:`), that is not the hop itself.
            local = ip_address(client.partition("%")[0]).is_loopback
            if told is None:
                return _UNKNOWN if local and member.strip() else client
            if told.is_loopback and not local:
                break
            client = str(told)
        return client


class Origin:
    """Where the requests of one client connection come from; what is added to them is the same for each host.

    secure: whether TLS is spoken on the connection
    """

    __slots__ = ("_fields", "_host", "forwarding", "peer", "secure")

    def __init__(self, forwarding: Forwarding, peer: str, secure: bool = False) -> None:
        self.forwarding = forwarding
        self.peer = peer
        self.secure = secure
        self._host = ""
        self._fields = b""

    @classmethod
    def of(cls, transport: Transport, forwarding: Forwarding) -> Origin:
        """Of one connection."""
        peer = transport.get_extra_info("peername")
        secure = transport.get_extra_info("ssl_object") is not None
        return cls(forwarding, peer[0] if isinstance(peer, tuple) else "", secure)

    def address(self, head: RequestHead) -> str:
        """The client's address; behind trusted proxies, the one that they tell."""
        return self.peer if head.claimed is None else self.forwarding.client(head, self.peer)

    def fields(self, head: RequestHead) -> bytes:
        """The fields for an upstream."""
        if head.claimed is not None:
            if self.forwarding.trusts(self.peer):
                return self.forwarding.fields(head, self.peer, self.secure)
            head.claimed = None
        if head.host != self._host or not self._fields:
            self._host = head.host
            self._fields = self.forwarding.fields(head, self.peer, self.secure)
        return self._fields

    def handler_fields(self, head: RequestHead, route: str) -> bytes:
        """The fields for a handler of ours; `fields` has been asked before, and has dropped what is not believed."""
        return self.forwarding.handler_fields(head, self.peer, self.secure, route)

    def speaks_https(self, head: RequestHead) -> bool:
        """Whether the client does, with us or with the trusted proxy that it came through."""
        if head.claimed is not None and self.forwarding.trusts(self.peer):
            return _scheme(head, self.secure) == b"https"
        return self.secure


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: alone, with a port, an IPv6 one in brackets; None for anything else."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        return None if found.scope_id else found.ipv4_mapped or found
    return found


class EditedOrigin(Origin):
    """An origin some of whose fields are written by somebody else."""

    __slots__ = ("_without",)

    def __init__(self, origin: Origin, without: Collection[str]) -> None:
        super().__init__(origin.forwarding, origin.peer, origin.secure)
        self._without = without

    def fields(self, head: RequestHead) -> bytes:
        lines = super().fields(head).splitlines(keepends=True)
        return b"".join(line for line in lines if line.partition(b":")[0].decode().lower() not in self._without)


def _scheme(head: RequestHead, secure: bool) -> bytes:
    claimed = (head.claimed or {}).get(_PROTO, ())
    https = claimed[-1].lower() == b"https" if claimed else secure
    return b"https" if https else b"http"


def _port(host: str, scheme: bytes) -> bytes:
    """The port in the client's address bar."""
    name, colon, port = host.rpartition(":")
    if colon and name and port.isdecimal():
        return port.encode()
    return _DEFAULT_PORTS[scheme]
