"""Forwarding: what upstreams and handlers are told about where a request comes from.

What a client claims about that itself counts only when it is a trusted proxy; else it is dropped, so nobody can
forge the address that an application sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import quote

from dockerproxy.http1.head import RequestHead

_FOR, _HOST, _PORT, _PROTO = b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto"
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

    def fields(self, head: RequestHead, peer: str) -> bytes:
        """X-Forwarded-*, X-Real-IP and Via, each with CRLF. What `head` claims must be gone unless it is trusted."""
        claimed = head.claimed or {}
        chain = b", ".join([*claimed.get(_FOR, ()), peer.encode()])
        scheme = _scheme(head)
        host = (claimed.get(_HOST) or [head.host.encode()])[-1]
        port = (claimed.get(_PORT) or [_port(head.host, scheme)])[-1]
        return (
            b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\nX-Forwarded-Port: %b\r\n"
            b"X-Real-IP: %b\r\nVia: 1.1 %b\r\n"
            % (chain, scheme, host, port, self.client(head, peer).encode(), self._identity)
        )

    def handler_fields(self, head: RequestHead, peer: str, route: str) -> bytes:
        """What a handler of ours is told beside, each with CRLF."""
        return b"Dockerproxy-Remote: %b\r\nDockerproxy-Scheme: %b\r\nDockerproxy-Route: %b\r\n" % (
            self.client(head, peer).encode(),
            _scheme(head),
            quote(route).encode(),
        )

    def client(self, head: RequestHead, peer: str) -> str:
        """The nearest address on the way that is not a trusted proxy's."""
        client = peer
        for member in reversed(b",".join((head.claimed or {}).get(_FOR, ())).split(b",")):
            if not self.trusts(client):
                break
            text = member.strip().decode("latin-1")
            try:
                ip_address(text)
            except ValueError:
                break
            client = text
        return client


class Origin:
    """Where the requests of one client connection come from; what is added to them is the same for each host."""

    __slots__ = ("_fields", "_host", "forwarding", "peer")

    def __init__(self, forwarding: Forwarding, peer: str) -> None:
        self.forwarding = forwarding
        self.peer = peer
        self._host = ""
        self._fields = b""

    def address(self, head: RequestHead) -> str:
        """The client's address; behind trusted proxies, the one that they tell."""
        return self.peer if head.claimed is None else self.forwarding.client(head, self.peer)

    def fields(self, head: RequestHead) -> bytes:
        """The fields for an upstream."""
        if head.claimed is not None:
            if self.forwarding.trusts(self.peer):
                return self.forwarding.fields(head, self.peer)
            head.claimed = None
        if head.host != self._host or not self._fields:
            self._host = head.host
            self._fields = self.forwarding.fields(head, self.peer)
        return self._fields

    def handler_fields(self, head: RequestHead, route: str) -> bytes:
        """The fields for a handler of ours; `fields` has been asked before, and has dropped what is not believed."""
        return self.forwarding.handler_fields(head, self.peer, route)


def _scheme(head: RequestHead) -> bytes:
    claimed = (head.claimed or {}).get(_PROTO, ())
    return b"https" if claimed and claimed[-1].lower() == b"https" else b"http"


def _port(host: str, scheme: bytes) -> bytes:
    """The port in the client's address bar."""
    name, colon, port = host.rpartition(":")
    if colon and name and port.isdecimal():
        return port.encode()
    return _DEFAULT_PORTS[scheme]
