"""Networks: what containers are attached to, and the endpoint of a container in one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dockerproxy.demo.refusals import no_such_network

# The three that every engine has, with their drivers.
PREDEFINED = {"bridge": "bridge", "host": "host", "none": "null"}


def new_id() -> str:
    """An identifier as Docker gives them: 64 hexadecimal digits."""
    return secrets.token_hex(32)


@dataclass(frozen=True, slots=True)
class Network:
    """One network.

    created_ns: nanoseconds since the epoch
    options:    of its driver
    """

    name: str
    driver: str = "bridge"
    id: str = field(default_factory=new_id)
    created_ns: int = field(default_factory=time.time_ns)
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_addresses(self) -> bool:
        """Whether a container has an address of its own in it: not so for host and none."""
        return self.driver not in ("host", "null")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A container's place in a network."""

    network: Network
    aliases: tuple[str, ...] = ()
    id: str = field(default_factory=new_id)


class Networks:
    """All networks of the engine, by name."""

    def __init__(self) -> None:
        self._by_name = {name: Network(name, driver) for name, driver in PREDEFINED.items()}

    def __repr__(self) -> str:
        return f"<Networks {', '.join(self._by_name)}>"

    def __iter__(self) -> Iterator[Network]:
        return iter(self._by_name.values())

    def ensure(self, name: str, options: Mapping[str, str] | None = None) -> Network:
        """The network of this name, made if there is none."""
        return self._by_name.setdefault(name, Network(name, options=options or {}))

    def find(self, reference: str) -> Network:
        """By name, id or beginning of an id. Raises NotFound."""
        if reference in self._by_name:
            return self._by_name[reference]
        found = [network for network in self if reference and network.id.startswith(reference)]
        if len(found) != 1:
            raise no_such_network(reference)
        return found[0]
