"""Endpoint: where a running proxy is asked. From the URL that a person gives, its own note, or the settings."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from dockerproxy.errors import DockerproxyError
from dockerproxy.process.whereabouts import Whereabouts, find
from dockerproxy.settings import Settings

_DEFAULT_PORTS = {"http": 80, "https": 443}
_THIS_MACHINE = "127.0.0.1"
_HOST = re.compile(r"[A-Za-z0-9_:%-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")  # also an IPv6 address


class WrongEndpoint(DockerproxyError):
    """There is no saying where the proxy is to be asked."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect, and as what.

    address, port: to connect to
    host:   the Host field, and the name in the certificate
    tls:    whether https is spoken
    origin: who said so, in words
    """

    address: str
    port: int
    host: str
    tls: bool
    origin: str

    def __str__(self) -> str:
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{'https' if self.tls else 'http'}://{address}:{self.port}"

    @property
    def name(self) -> str:
        """The Host field without its port."""
        return self.host.rpartition(":")[0] if self.host.rpartition(":")[2].isdecimal() else self.host

    @property
    def local(self) -> bool:
        """Whether the connection stays on this machine, where a certificate has nothing to prove."""
        try:
            return ipaddress.ip_address(self.address).is_loopback
        except ValueError:
            return False


def endpoint_of(settings: Settings, url: str | None) -> Endpoint:
    """Where the proxy of these settings is, or the one that `url` names. Raises WrongEndpoint."""
    if url:
        return _from_url(url, settings)
    found = find(settings.state_dir, settings.given_listen)
    if found is not None:
        return _at(found, f"as it has noted in {settings.state_dir}")
    said = settings.whereabouts
    if said.port == 0:
        raise WrongEndpoint(
            "`listen` is port 0, so the proxy takes any free one, and none has left a note of it in "
            f"{settings.state_dir}: start it, or name it with --url http://127.0.0.1:PORT"
        )
    return _at(said, f"as the settings say: `listen` is {settings.own_address}")


def _at(found: Whereabouts, origin: str) -> Endpoint:
    return Endpoint(found.host, found.port, found.admin_host, found.tls, origin)


def _from_url(url: str, settings: Settings) -> Endpoint:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (KeyError, ValueError):
        raise _wrong(url) from None
    name = parts.hostname or ""
    if not _HOST.fullmatch(name) or parts.path.strip("/") or parts.query or parts.username:
        raise _wrong(url)
    # RFC 6761 section 6.3: names below localhost are this machine, also where the resolver does not know them.
    below_localhost = name == "localhost" or name.endswith(".localhost")
    host = parts.netloc if _is_domain(name) else settings.admin_host
    return Endpoint(_THIS_MACHINE if below_localhost else name, port, host, parts.scheme == "https", "--url")


def _wrong(url: str) -> WrongEndpoint:
    return WrongEndpoint(f"--url {url}: expected the address of a proxy, such as http://root.localhost:8888")


def _is_domain(name: str) -> bool:
    """Whether it can be the admin domain: neither an IP address nor a machine's or service's bare name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "." in name
    return False
