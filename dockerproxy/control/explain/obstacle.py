"""Obstacle: what keeps requests from a route or an upstream though nothing is wrong with its labels. Pure."""

from __future__ import annotations

from typing import NamedTuple

from dockerproxy.control.explain.evidence import Condition, Json
from dockerproxy.labels.reason import Code
from dockerproxy.routing.route import Route


class Obstacle(NamedTuple):
    """A code of docs/why.md, a sentence, and what ends it."""

    code: str
    text: str
    mend: str

    def row(self, name: str = "") -> Json:
        """As one of the reasons of an explanation. name: of the upstream that it is about, where there are several"""
        return {**self._asdict(), "text": f"{name}: {self.text}" if name else self.text}


def of_route(route: Route) -> Obstacle | None:
    """What an operator has set for the route itself."""
    if route.maintenance is not None:
        message = f" ({route.maintenance})" if route.maintenance else ""
        text = f"route {route.name} is under maintenance{message}: it answers with 503"
        return Obstacle("maintenance", text, f"run: dockerproxy maintenance {route.name} off")
    if route.paused:
        text = f"route {route.name} is paused: requests wait until it is resumed"
        return Obstacle(str(Code.ROUTE_PAUSED), text, f"run: dockerproxy resume {route.name}")
    return None


def of_upstream(name: str, condition: Condition) -> Obstacle | None:
    """Why an upstream gets no new requests, if so."""
    if condition.state == "draining":
        cause = f": {condition.cause}" if condition.cause else ""
        return Obstacle(str(Code.DRAINING), f"it is draining and gets no new requests{cause}", condition.mend)
    if condition.state == "benched":
        text = f"it is benched until {condition.until}: {condition.last_error or 'by the operator'}"
        return Obstacle(str(Code.BENCHED), text, f"run: dockerproxy unbench {name}")
    return None
