"""Report: the answer of /statistics, searched and counted for the commands that show a part of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from dockerproxy.commands.asking.client import AdminClient
from dockerproxy.did_you_mean import did_you_mean
from dockerproxy.errors import DockerproxyError

# The proxy's own routes: their handlers are ours.
_OWN_HANDLERS = "dockerproxy.web."

# Codes of the reasons for which a container is left out on purpose; see docs/why.md.
_ASKED_FOR = frozenset({"forbidden", "one_off"})

_FEW = 10  # names that may all be told

Row = dict[str, Any]


class UnknownName(DockerproxyError):
    """No route or container is called so."""


class Report:
    """What /statistics says, in the shape that it has there."""

    def __init__(self, data: Row) -> None:
        self.data = data

    @classmethod
    def ask(cls, client: AdminClient) -> Report:
        """The report as it is now. Raises NoAnswer and Refused."""
        return cls(client.get("/statistics"))

    @property
    def now(self) -> datetime:
        """The proxy's own time when it made the report, by which its benches and pauses end."""
        proxy = self.data["proxy"]
        return datetime.fromisoformat(proxy["started_at"]) + timedelta(seconds=proxy["uptime_seconds"])

    @property
    def discovery(self) -> Row:
        found: Row = self.data["discovery"]
        return found

    def routes(self, names: Sequence[str] = (), own: bool = True) -> list[Row]:
        """The routes, or those of these names. Raises UnknownName. `own`: with the proxy's own, at the end."""
        routes = self.data["routes"]
        if names:
            return _chosen(routes, names, "route")
        return sorted((route for route in routes if own or not is_own(route)), key=is_own)

    def containers(self, names: Sequence[str] = ()) -> list[Row]:
        """The containers that have labels of ours, those that are not routed first. Raises UnknownName."""
        containers = self.discovery["containers"]
        chosen = _chosen(containers, names, "container") if names else containers
        return sorted(chosen, key=lambda container: (container["routed"], container["name"]))

    def idle_overrides(self) -> list[Row]:
        """What an operator has set of routes and upstreams that are not there now."""
        return [override for override in self.data.get("overrides", ()) if not override["applies"]]

    def upstreams(self, route_names: Sequence[str] = ()) -> list[Row]:
        """The upstreams of all routes, or of these, each with its route's name as `route`. Raises UnknownName."""
        return [
            {"route": route["name"], **upstream}
            for route in self.routes(route_names)
            for upstream in route["upstreams"]
        ]


def is_missing(container: Row) -> bool:
    """Whether a container is not routed although nobody has asked for that."""
    return not container["routed"] and not any(why["code"] in _ASKED_FOR for why in container.get("why", ()))


def is_own(route: Row) -> bool:
    """Whether the proxy itself made the route: statistics, health and the like."""
    return str((route.get("handler") or {}).get("name", "")).startswith(_OWN_HANDLERS)


def hint_at(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'blog'?`, or all there are, when nothing is like it and there are few."""
    names = sorted(set(known))
    return did_you_mean(name, names, f"there are: {', '.join(names)}" if 0 < len(names) <= _FEW else "")


def _chosen(rows: Iterable[Row], names: Sequence[str], kind: str) -> list[Row]:
    by_name = {row["name"]: row for row in rows}
    for name in names:
        if name not in by_name:
            more = hint_at(name, by_name)
            if kind == "container" and "did you mean" not in more:
                more = f" with a label of dockerproxy's{more}; if there is one without: dockerproxy explain {name}"
            raise UnknownName(f"there is no {kind} named {name!r}{more}")
    return [by_name[name] for name in names]
