"""Inspection: what `docker inspect` prints of containers, as the engine would list them. Pure.

`GET /containers/NAME/json` says the same as `GET /containers/json`, in another shape.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from dockerproxy.errors import DockerproxyError

_EXPECTED = "expected what `docker inspect NAME` prints"


class NotInspected(DockerproxyError):
    """The text is not what `docker inspect` prints of containers."""


def parse_inspection(text: str) -> list[dict[str, Any]]:
    """Items of the engine's list. Raises NotInspected."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotInspected(f"not JSON ({error}); {_EXPECTED}") from None
    items = found if isinstance(found, list) else [found]
    if not items:
        raise NotInspected(f"no container in it; {_EXPECTED}")
    try:
        return [as_listed(item) for item in items]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotInspected(f"not about containers; {_EXPECTED}, with the name of a container") from None


def as_listed(item: Mapping[str, Any]) -> dict[str, Any]:
    """One container as the engine's list has it. Raises whatever comes of one that is not as the engine writes them."""
    state = item["State"]
    status = state["Status"]
    return {
        "Id": item["Id"],
        "Names": [item["Name"]],
        "Created": _seconds(item["Created"]),
        "State": status,
        "Status": f"{status} ({state.get('ExitCode', 0)})" if status in ("exited", "restarting") else "",
        "Health": {"Status": _health(item)},
        "Labels": (item["Config"] or {}).get("Labels") or {},
        "Ports": list(_ports(item)),
        "HostConfig": {"NetworkMode": (item.get("HostConfig") or {}).get("NetworkMode") or ""},
        "NetworkSettings": {"Networks": (item.get("NetworkSettings") or {}).get("Networks") or {}},
    }


def _health(item: Mapping[str, Any]) -> str:
    """Podman tells a status of every container: "" where nothing was checked yet, or ever; `reset` after a pause."""
    status = str((item["State"].get("Health") or {}).get("Status") or "")
    if status not in ("", "reset"):
        return status
    test = ((item["Config"] or {}).get("Healthcheck") or {}).get("Test") or ["NONE"]
    return "none" if test[0] == "NONE" else "starting"


def _seconds(created: str) -> float:
    """From the engine's time, whose fraction may have nine digits."""
    return datetime.fromisoformat(created[:19] + "+00:00").timestamp()


def _ports(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    bound = (item.get("NetworkSettings") or {}).get("Ports") or {}
    for name in {**(item["Config"].get("ExposedPorts") or {}), **bound}:
        number, _, kind = name.partition("/")
        for binding in bound.get(name) or [{}]:
            public: dict[str, Any] = {"PublicPort": int(binding["HostPort"])} if binding.get("HostPort") else {}
            if binding.get("HostIp"):
                public["IP"] = binding["HostIp"]
            yield {"PrivatePort": int(number), "Type": kind or "tcp", **public}
