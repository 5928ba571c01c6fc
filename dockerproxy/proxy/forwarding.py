"""Forwarding: what upstreams and handlers are told about where a request comes from.

What a client claims about that itself counts only when it is a trusted proxy; else it is dropped, so nobody can
forge the address that an application sees.
"""

from __future__ import annotations

import re
from asyncio import Transport
from collections.abc import Collection, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote

from dockerproxy.http1 import forwarded
from dockerproxy.http1.head import RequestHead
from dockerproxy.http1.headers import HOPS, HOST, VIA, list_members

Claims = Mapping[bytes, Sequence[bytes]]

_FOR, _HOST, _PORT, _PROTO = b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto"
_PREFIX, _SSL, _FORWARDED = b"x-forwarded-prefix", b"x-forwarded-ssl", b"forwarded"
# What says by which scheme the client came, the surest first, and the values that stand for https. Traefik says `wss`
# of a WebSocket.
_SECURE = (b"https", b"wss", b"on")
_SAY_SCHEME = (_PROTO, b"x-forwarded-scheme", b"x-url-scheme", _SSL, b"front-end-https")
# Whoever says any of these does not speak by Forwarded: what stands there may be what his client has claimed.
_INSTEAD_OF_FORWARDED = frozenset({_FOR, _HOST, _PORT, *_SAY_SCHEME})
# Believed from anybody, for nobody gains by them: they only end loops.
_OF_ANYBODY = (HOPS, VIA)
# What we write ourselves, or tell in what we write. Whatever else a trusted proxy claims is passed on as it is.
_OURS = frozenset({_FOR, _HOST, _PORT, _PROTO, _PREFIX, _SSL, _FORWARDED, b"x-real-ip", *_OF_ANYBODY})
_UNKNOWN = "unknown"  # RFC 7239 section 6.2
_DEFAULT_PORTS = {b"http": b"80", b"https": b"443"}
_PATH = re.compile(rb"(?:/[!-.0-\[\]-~]+)+/?")


class Forwarding:
    """The fields that are added to requests.

    trusted:  networks whose claims are believed
    identity: how this proxy is known to itself, so that a loop ends
    """

    def __init__(self, trusted: Sequence[IPv4Network | IPv6Network], identity: bytes) -> None:
        self._trusted = tuple(trusted)
        self.identity = identity

    def trusts(self, peer: str) -> bool:
        """Whether what `peer` claims is believed."""
        if not self._trusted or not peer:
            return False
        address = ip_address(peer.partition("%")[0])
        return any(address in network for network in self._trusted)

    def fields(self, head: RequestHead, peer: str, secure: bool) -> bytes:
        """X-Forwarded-*, X-Real-IP and ours, each with CRLF. What `head` claims must be gone unless it is trusted.

        secure: whether `peer` speaks TLS
        """
        claimed = head.claimed or {}
        claims = self._claims(claimed)
        chain = b", ".join([*claims.get(_FOR, ()), peer.encode()])
        scheme = _scheme(claims, secure)
        host = (claims.get(_HOST) or [head.host.encode()])[-1]
        port = _last(claims.get(_PORT, ())) or _port(_last([host]), scheme)
        client = self.client(head, peer)
        real = b"X-Real-IP: %b\r\n" % client.encode() if client != _UNKNOWN else b""  # it tells an address, or nothing
        others = _others(claimed, scheme, self._hop(head, peer, scheme)) if claimed else b""
        hops = b", ".join([*claimed.get(HOPS, ()), self.identity])
        return others + (
            b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\nX-Forwarded-Port: %b\r\n"
            b"%bDockerproxy-Hops: %b\r\n" % (chain, scheme, host, port, real, hops)
        )

    def handler_fields(self, head: RequestHead, peer: str, secure: bool, route: str) -> bytes:
        """What a handler of ours is told beside, each with CRLF."""
        return b"Dockerproxy-Remote: %b\r\nDockerproxy-Scheme: %b\r\nDockerproxy-Route: %b\r\n" % (
            self.client(head, peer).encode(),
            self.scheme(head, secure),
            quote(route).encode(),
        )

    def scheme(self, head: RequestHead, secure: bool) -> bytes:
        """How the client came: http or https; what `head` claims must be gone unless it is trusted."""
        return _scheme(self._claims(head.claimed or {}), secure)

    def host(self, head: RequestHead) -> str:
        """The host that a trusted proxy was asked for; "" where it does not say, or says what is none."""
        told = _last(self._claims(head.claimed or {}).get(_HOST, ())).decode("latin-1")
        return told if HOST.fullmatch(told) else ""

    def client(self, head: RequestHead, peer: str) -> str:
        """The nearest address on the way that is not a trusted proxy's; `unknown` for one that is not told."""
        client = peer
        claims = self._claims(head.claimed) if head.claimed is not None else {}
        for member in reversed(b",".join(claims.get(_FOR, ())).split(b",")):
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

    def _claims(self, claimed: Claims) -> Claims:
        """What is claimed, by the names of X-Forwarded-*, in whichever words it was said."""
        if _FORWARDED not in claimed or not _INSTEAD_OF_FORWARDED.isdisjoint(claimed):
            return claimed
        hops = forwarded.hops(claimed[_FORWARDED])
        if not hops:
            return claimed
        said = hops[-1]
        for hop in reversed(hops):  # who says it of the client, and not of one of the proxies on the way
            said = {**said, **hop}
            address = _address(hop.get(b"for", b"").decode("latin-1"))
            if address is None or not self.trusts(str(address)):
                break
        nodes = [str(_address(hop.get(b"for", b"").decode("latin-1")) or _UNKNOWN).encode() for hop in hops]
        found = {**claimed, _FOR: [b", ".join(nodes)], _PROTO: [said.get(b"proto", b"")]}
        if HOST.fullmatch(said.get(b"host", b"").decode("latin-1")):
            found[_HOST] = [said[b"host"]] if said.get(b"host") else []
        return found

    def _hop(self, head: RequestHead, peer: str, scheme: bytes) -> bytes:
        """What we add to Forwarded."""
        return forwarded.hop({b"for": forwarded.node(peer), b"host": head.host.encode(), b"proto": scheme})


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
        """The fields for an upstream; of what `head` claims only that is left which is believed."""
        if head.claimed is not None:
            if not self.forwarding.trusts(self.peer):
                head.claimed = {name: head.claimed[name] for name in _OF_ANYBODY if name in head.claimed} or None
            if head.claimed is not None:
                return self.forwarding.fields(head, self.peer, self.secure)
        if head.host != self._host or not self._fields:
            self._host = head.host
            self._fields = self.forwarding.fields(head, self.peer, self.secure)
        return self._fields

    def handler_fields(self, head: RequestHead, route: str) -> bytes:
        """The fields for a handler of ours; `fields` has been asked before, and has dropped what is not believed."""
        return self.forwarding.handler_fields(head, self.peer, self.secure, route)

    def prefix_field(self, head: RequestHead, cut: str) -> bytes:
        """X-Forwarded-Prefix with CRLF, or b"": what trusted proxies have cut off, and then we; after `fields`."""
        outer = b"".join(_prefixes((head.claimed or {}).get(_PREFIX, ())))
        return b"X-Forwarded-Prefix: %b%b\r\n" % (outer, cut.encode()) if outer or cut else b""

    def via_field(self, head: RequestHead) -> bytes:
        """Via with CRLF (RFC 9110 section 7.6.3); after `fields`."""
        return b"Via: %b\r\n" % b", ".join([*(head.claimed or {}).get(VIA, ()), b"1.1 " + self.forwarding.identity])

    def asked_for(self, head: RequestHead, https_port: int) -> tuple[str, int]:
        """The host in the client's address bar, and the port that https has there: the usual one, where a trusted proxy
        tells the host, for it is that one's."""
        if head.claimed is not None and self.forwarding.trusts(self.peer):
            told = self.forwarding.host(head)
            if told:
                return told, int(_DEFAULT_PORTS[b"https"])
        return head.host, https_port

    def speaks_https(self, head: RequestHead) -> bool:
        """Whether the client does, with us or with the trusted proxy that it came through."""
        if head.claimed is not None and self.forwarding.trusts(self.peer):
            return self.forwarding.scheme(head, self.secure) == b"https"
        return self.secure


class EditedOrigin(Origin):
    """An origin some of whose fields are written by somebody else.

    without: lower-case names of these
    """

    __slots__ = ("_without",)

    def __init__(self, origin: Origin, without: Collection[str]) -> None:
        super().__init__(origin.forwarding, origin.peer, origin.secure)
        self._without = without

    def fields(self, head: RequestHead) -> bytes:
        lines = super().fields(head).splitlines(keepends=True)
        return b"".join(line for line in lines if line.partition(b":")[0].decode().lower() not in self._without)

    def prefix_field(self, head: RequestHead, cut: str) -> bytes:
        return b"" if _PREFIX.decode() in self._without else super().prefix_field(head, cut)

    def via_field(self, head: RequestHead) -> bytes:
        return b"" if VIA.decode() in self._without else super().via_field(head)


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


def _others(claimed: Claims, scheme: bytes, hop: bytes) -> bytes:
    """What a trusted proxy claims beside, with CRLF; where it says the same as ours in other words, so do we."""
    lines = [b"%b: %b" % (name, value) for name, values in claimed.items() if name not in _OURS for value in values]
    if _SSL in claimed:
        lines.append(b"X-Forwarded-Ssl: " + (b"on" if scheme == b"https" else b"off"))
    if _FORWARDED in claimed:
        lines.append(b"Forwarded: " + b", ".join([*claimed[_FORWARDED], hop]))
    return b"".join(line + b"\r\n" for line in lines)


def _last(values: Sequence[bytes]) -> bytes:
    """The last member of a list: what the nearest proxy says; b"" for none."""
    return values[-1].rpartition(b",")[2].strip(b" \t") if values else b""


def _scheme(claims: Claims, secure: bool) -> bytes:
    for name in _SAY_SCHEME if claims else ():
        said = _last(claims.get(name, ())).lower()
        if said:
            return b"https" if said in _SECURE else b"http"
    return b"https" if secure else b"http"


def _port(host: bytes, scheme: bytes) -> bytes:
    """The port in the client's address bar."""
    name, colon, port = host.rpartition(b":")
    return port if colon and name and port.isdigit() else _DEFAULT_PORTS[scheme]


def _prefixes(values: Sequence[bytes]) -> list[bytes]:
    """The paths that proxies have cut off, the outermost first; what is none is left out."""
    members = (member for value in values for member in list_members(value, lower=False))
    return [member.rstrip(b"/") for member in members if _PATH.fullmatch(member)]
