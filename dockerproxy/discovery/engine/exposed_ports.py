"""ExposedPorts: what containers expose of which the engine's list shows no port. Asks for it once per container.

The list shows no port of a container that is on internal networks only (`docker network create --internal`), though
its image exposes one; to inspect the container tells it. What a container exposes is fixed when it is created.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any


class ExposedPorts:
    """What was asked, by container."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, ...]] = {}

    def __repr__(self) -> str:
        return f"<ExposedPorts of {len(self._known)} containers>"

    def complete(
        self,
        listed: Iterable[dict[str, Any]],
        lacks_port: Callable[[Mapping[str, Any]], bool],
        ask: Callable[[str], tuple[int, ...] | None],
    ) -> None:
        """Add to items of the engine's list the ports that it leaves out of those that lack one.

        ask: the TCP ports that a container exposes, by its id; None if they cannot be told now
        """
        for data in listed:
            container = data["Id"]
            if container not in self._known and lacks_port(data) and (ports := ask(container)) is not None:
                self._known[container] = ports
            if not data.get("Ports"):
                data["Ports"] = [{"PrivatePort": port, "Type": "tcp"} for port in self._known.get(container, ())]

    def keep(self, containers: Collection[str]) -> None:
        """Forget all but these."""
        self._known = {container: ports for container, ports in self._known.items() if container in containers}
