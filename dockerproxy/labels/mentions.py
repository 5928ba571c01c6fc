"""Mentions: which routes and hosts a container's labels are about, whether or not they can be followed. Pure.

Where labels are read, what is not understood keeps a route from being made. Here it is the other way round: a person
asks why nobody answers at a host, and every container that may have meant it is worth a look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from dockerproxy.labels.native import LabelReader

# Whatever may be a host in a value: of `http://blog.localhost/api` also `http` and `api`, which harm nobody.
_WORD = re.compile(r"[a-z0-9_*.-]+")


class Mentions(NamedTuple):
    """routes: names; hosts: in lower case, without ports, wildcards as they are written."""

    routes: frozenset[str]
    hosts: frozenset[str]

    def takes(self, host: str) -> bool:
        """Whether it is about this host, without port."""
        return host in self.hosts or f"*.{host.partition('.')[2]}" in self.hosts


def find_mentions(reader: LabelReader, labels: Mapping[str, str], container: str, service: str) -> Mentions:
    """What a container is about that bears these labels, well written or not."""
    values: dict[str, dict[str, str]] = {}
    for key in sorted(labels):
        found = reader.interpret(key)
        if found is not None:
            route, option = found
            values.setdefault(route, {})[option] = labels[key]
    plain = values.pop("", {})
    routes = {plain.get("route") or service or container: plain, **values}
    hosts: set[str] = set()
    for name, said in routes.items():
        written = said.get("host") or plain.get("host")
        hosts |= set(_WORD.findall(written.lower())) if written else reader.default_hosts(name)
    return Mentions(frozenset(routes), frozenset(hosts))
