"""Podman's events, in the words that Docker has for the same things. Pure.

Podman speaks Docker's API, but tells of less, and later (docs/engines.md has what was seen): of a stop when the
application has ended, if at all; `restart` comes before the signal; a removal is `remove`; what a health check has
found stands beside the attributes; `kill` does not say with which signal; and an event of a network bears the
container as its actor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockerproxy.discovery.engine.events import MATTERING, OWN_SIGNAL, Event

# Podman's word -> Docker's. Whoever is told to stop or to restart, gets the signal that it is stopped by.
_WORDS = {"stop": "kill", "restart": "kill", "remove": "destroy", "died": "die"}
PODMAN_FILTERS = {
    "type": sorted(MATTERING),
    "event": sorted(frozenset().union(*MATTERING.values(), _WORDS)),
}


def podman_event(data: Mapping[str, Any]) -> Event | None:
    """From one line of Podman's stream; None if it does not matter."""
    kind = data.get("Type") or "container"
    said = str(data.get("Action") or data.get("status") or "")
    action = _WORDS.get(said, said) if kind == "container" else said
    if action not in MATTERING.get(kind, ()):
        return None
    actor = data.get("Actor") or {}
    attributes = actor.get("Attributes") or {}
    moment = data.get("timeNano") or int(data.get("time") or 0) * 10**9
    signal = OWN_SIGNAL if said in ("stop", "restart") else 0
    exit_code = str(attributes.get("containerExitCode") or attributes.get("exitCode") or "") if action == "die" else ""
    health = str(data.get("HealthStatus") or "") if action == "health_status" else ""
    return Event(kind, action, actor.get("ID") or "", signal, moment, exit_code, health)
