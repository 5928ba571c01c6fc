"""What labels for Traefik say, as far as a person who comes from there is to be told what to write instead. Pure.

https://doc.traefik.io/traefik/reference/routing-configuration/other-providers/docker/
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_HOST = re.compile(r"\bHost\(([^)]*)\)")
_QUOTED = re.compile(r"[`'\"]([^`'\"]+)[`'\"]")
_OF_A_ROUTE = re.compile(r"http\.(?:routers|services)\.([^.]+)(?:\..+)?")
_RULE = re.compile(r"traefik\.http\.routers\.[^.]+\.rule", re.IGNORECASE)
_PORT = re.compile(r"traefik\.http\.services\.[^.]+\.loadbalancer\.server\.port", re.IGNORECASE)


def traefik_hosts(labels: Mapping[str, str]) -> list[str]:
    """The hosts that the rules of its routers name."""
    found = (host for label in sorted(labels) if _RULE.fullmatch(label) for host in rule_hosts(labels[label]))
    return list(dict.fromkeys(found))


def traefik_port(labels: Mapping[str, str]) -> str:
    """The port of its service, or "" if there is none or there are several."""
    ports = {value for label, value in labels.items() if _PORT.fullmatch(label) and value.isdecimal()}
    return ports.pop() if len(ports) == 1 else ""


def rule_hosts(rule: str) -> list[str]:
    """The hosts of a rule: of ``Host(`a`) || Host(`b`)`` these two."""
    return [host.lower() for arguments in _HOST.findall(rule) for host in _QUOTED.findall(arguments)]


def route_in(path: str) -> str:
    """`web` of `http.routers.web`, written where our labels have a route's name; or ""."""
    found = _OF_A_ROUTE.fullmatch(path)
    return found[1] if found else ""
