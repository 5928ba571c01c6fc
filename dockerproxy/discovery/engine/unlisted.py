"""Unlisted: health and network mode of containers of which the engine's list tells neither, as Podman's does not.

Docker's list has both, and costs nothing here. Asked for once per container, and once more for the health after each
start and each connection, for then it may have changed without an event; between those an event tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dockerproxy.discovery.engine.events import Event

# `container:…` is not among them: Podman lists the networks of the other container as its own.
_MODES = frozenset({"host", "none"})


@dataclass(slots=True)
class _Known:
    """What was asked. `health` is "" without a check; `stale`: it may be another by now."""

    mode: str
    health: str
    stale: bool = False


class Unlisted:
    """What was asked, by container, and what events have told since."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def __repr__(self) -> str:
        return f"<Unlisted of {len(self._known)} containers>"

    def complete(
        self,
        listed: Iterable[dict[str, Any]],
        concerns: Callable[[Mapping[str, Any]], bool],
        ask: Callable[[str], Mapping[str, Any] | None],
    ) -> None:
        """Add to items of the engine's list what it leaves out of those that concern us.

        ask: a container as `docker inspect` tells it and the list would, by its id; None if it cannot be told now
        """
        for data in listed:
            if (data.get("HostConfig") or {}).get("NetworkMode") or not concerns(data):
                continue
            known = self._known.get(data["Id"])
            if known is None or known.stale:
                known = self._asked(data["Id"], ask)
            if known is not None:
                data["HostConfig"] = {"NetworkMode": known.mode}
                data["Health"] = {"Status": known.health}

    def heard(self, event: Event) -> bool:
        """Note what an event tells; whether it tells anything new."""
        known = self._known.get(event.container)
        if known is None:
            return True
        if event.action == "start":
            known.stale = bool(known.health)
        if event.action != "health_status" or not event.health:
            return True
        before, known.health = known.health, event.health
        return before != event.health

    def doubt(self) -> None:
        """Events may have been missed."""
        for known in self._known.values():
            known.stale = bool(known.health)

    def keep(self, containers: Collection[str]) -> None:
        """Forget all but these."""
        self._known = {container: known for container, known in self._known.items() if container in containers}

    def _asked(self, container: str, ask: Callable[[str], Mapping[str, Any] | None]) -> _Known | None:
        told = ask(container)
        if told is None:
            return self._known.get(container)
        mode = told["HostConfig"]["NetworkMode"]
        status = told["Health"]["Status"]
        known = _Known(mode if mode in _MODES else "", "" if status == "none" else status)
        self._known[container] = known
        return known
