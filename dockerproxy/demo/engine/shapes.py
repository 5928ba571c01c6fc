"""Shapes: containers, networks and events as the JSON that Docker 20.10 (API 1.41) gives.

Pure: it reads containers and never changes them. Keys that nobody can use here (mounts, limits) are left out,
except where a client stumbles without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from dockerproxy.demo.containers.container import Container, State
from dockerproxy.demo.containers.events import Event
from dockerproxy.demo.containers.networks import Endpoint, Network
from dockerproxy.demo.spec import ContainerSpec, Health

API_VERSION = "1.41"
MIN_API_VERSION = "1.12"
ENGINE_VERSION = "20.10.0-embedded"
SERVER = f"Docker/{ENGINE_VERSION} (linux)"

# How a client tells this engine from Docker, in `version()["Platform"]["Name"]`.
PLATFORM = "dockerproxy embedded engine"

NEVER = "0001-01-01T00:00:00Z"
IMAGE_ID = "sha256:" + "0" * 64
SECOND = 1_000_000_000

# (below this many seconds, one of them in seconds, how it is said): units.HumanDuration of Docker.
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_DURATIONS: tuple[tuple[int, int, str], ...] = (
    (_MINUTE, 1, "{} seconds"),
    (2 * _MINUTE, _MINUTE, "About a minute"),
    (_HOUR, _MINUTE, "{} minutes"),
    (2 * _HOUR, _HOUR, "About an hour"),
    (2 * _DAY, _HOUR, "{} hours"),
    (14 * _DAY, _DAY, "{} days"),
)

_HEALTH_NOTES = {
    Health.NONE: "",
    Health.STARTING: " (health: starting)",
    Health.HEALTHY: " (healthy)",
    Health.UNHEALTHY: " (unhealthy)",
}


def version() -> dict[str, Any]:
    details = {
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MIN_API_VERSION,
        "Os": "linux",
        "Arch": "amd64",
        "GitCommit": "",
        "GoVersion": "",
        "KernelVersion": "",
        "BuildTime": NEVER,
    }
    engine = {"Name": "Engine", "Version": ENGINE_VERSION, "Details": {**details, "Experimental": "false"}}
    return {"Platform": {"Name": PLATFORM}, "Components": [engine], "Version": ENGINE_VERSION, **details}


def info(containers: Iterable[Container], listeners: int) -> dict[str, Any]:
    states = [container.state for container in containers]
    return {
        "ID": PLATFORM,
        "Containers": len(states),
        "ContainersRunning": states.count(State.RUNNING),
        "ContainersPaused": states.count(State.PAUSED),
        "ContainersStopped": states.count(State.EXITED) + states.count(State.CREATED),
        "Images": 1,
        "Driver": "none",
        "Name": "dockerproxy-demo",
        "OSType": "linux",
        "OperatingSystem": PLATFORM,
        "Architecture": "x86_64",
        "ServerVersion": ENGINE_VERSION,
        "NEventsListener": listeners,
        "Swarm": {"NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": False},
        "Labels": [],
        "Warnings": None,
    }


def list_entry(container: Container, now_ns: int) -> dict[str, Any]:
    """One container in `GET /containers/json`."""
    spec = container.spec
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": spec.image,
        "ImageID": IMAGE_ID,
        "Command": "serve",
        "Created": container.created_ns // SECOND,
        "Ports": _ports(container),
        "Labels": dict(spec.labels),
        "State": container.state,
        "Status": status(container, now_ns),
        "HostConfig": {"NetworkMode": _network_mode(spec)},
        # The list has no aliases; only inspect tells them.
        "NetworkSettings": {"Networks": _networks(container, with_aliases=False)},
        "Mounts": [],
    }


def inspect(container: Container) -> dict[str, Any]:
    """`GET /containers/{id}/json`."""
    spec = container.spec
    return {
        "Id": container.id,
        "Created": rfc3339(container.created_ns),
        "Path": "serve",
        "Args": [],
        "State": _state(container),
        "Image": IMAGE_ID,
        "Name": f"/{container.name}",
        "RestartCount": 0,
        "Driver": "none",
        "Platform": "linux",
        "HostConfig": {
            "NetworkMode": _network_mode(spec),
            "PortBindings": _bindings(container),
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "AutoRemove": False,
        },
        "Mounts": [],
        "Config": _config(container),
        "NetworkSettings": {
            "Ports": _port_map(container),
            "Gateway": "",
            "IPAddress": _ip(container, "bridge"),
            "Networks": _networks(container, with_aliases=True),
        },
    }


def network_entry(network: Network, containers: Iterable[Container] | None) -> dict[str, Any]:
    """A network; `containers` only where one network is asked for, as in Docker."""
    return {
        "Name": network.name,
        "Id": network.id,
        "Created": rfc3339(network.created_ns),
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv6": False,
        "IPAM": {"Driver": "default", "Options": None, "Config": []},
        "Internal": False,
        "Attachable": False,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {
            container.id: _member(container, container.endpoints[network.name])
            for container in containers or ()
            if container.running and network.name in container.endpoints
        },
        "Options": dict(network.options),
        "Labels": {},
    }


def event(entry: Event) -> dict[str, Any]:
    """A line of `GET /events`; container events have the three old keys too."""
    attributes = dict(entry.attributes)
    old = {"status": entry.action, "id": entry.actor_id, "from": attributes.get("image", "")}
    return {
        **(old if entry.type == "container" else {}),
        "Type": entry.type,
        "Action": entry.action,
        "Actor": {"ID": entry.actor_id, "Attributes": attributes},
        "scope": "local",
        "time": entry.time_ns // SECOND,
        "timeNano": entry.time_ns,
    }


def status(container: Container, now_ns: int) -> str:
    """`Up 3 seconds (healthy)`, `Exited (137) 2 minutes ago`, `Created`."""
    if container.state is State.CREATED:
        return "Created"
    if container.state is State.EXITED:
        return f"Exited ({container.exit_code}) {duration(now_ns - container.finished_ns)} ago"
    note = " (Paused)" if container.state is State.PAUSED else _HEALTH_NOTES[container.health]
    return f"Up {duration(now_ns - container.started_ns)}{note}"


def duration(nanoseconds: int) -> str:
    """As Docker says it: `Less than a second`, `About a minute`, `3 hours`."""
    seconds = nanoseconds // SECOND
    if seconds < 1:
        return "Less than a second"
    if seconds == 1:
        return "1 second"
    for below, unit, words in _DURATIONS:
        if seconds < below:
            return words.format(seconds // unit)
    return f"{seconds // (7 * _DAY)} weeks"


def rfc3339(nanoseconds: int) -> str:
    """Nanoseconds since the epoch -> RFC 3339 with nanoseconds; 0 -> Docker's "never"."""
    if not nanoseconds:
        return NEVER
    seconds, rest = divmod(nanoseconds, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _state(container: Container) -> dict[str, Any]:
    state: dict[str, Any] = {
        "Status": container.state,
        "Running": container.running,
        "Paused": container.state is State.PAUSED,
        "Restarting": False,
        "OOMKilled": False,
        "Dead": False,
        "Pid": 1 if container.running else 0,
        "ExitCode": container.exit_code,
        "Error": "",
        "StartedAt": rfc3339(container.started_ns),
        "FinishedAt": rfc3339(container.finished_ns),
    }
    if container.health is not Health.NONE:
        state["Health"] = {"Status": container.health, "FailingStreak": 0, "Log": []}
    return state


def _config(container: Container) -> dict[str, Any]:
    spec = container.spec
    config: dict[str, Any] = {
        "Hostname": container.id[:12],
        "ExposedPorts": {port: {} for port in _exposed(container)},
        "Tty": False,
        "Env": [],
        "Cmd": ["serve"],
        "Image": spec.image,
        "Entrypoint": None,
        "Labels": dict(spec.labels),
        "StopSignal": spec.stop_signal,
    }
    if spec.health is not Health.NONE:
        config["Healthcheck"] = {"Test": ["CMD-SHELL", "true"], "Interval": SECOND}
    return config


def _exposed(container: Container) -> list[str]:
    own = [f"{container.address[1]}/tcp"] if container.address and container.spec.exposed else []
    return [*own, *container.spec.extra_ports]


def _network_mode(spec: ContainerSpec) -> str:
    first = spec.networks[0] if spec.networks else "none"
    return "default" if first == "bridge" else first


def _has_ports(container: Container) -> bool:
    """Docker tells ports only of what runs and has a network of its own."""
    own = any(endpoint.network.has_addresses for endpoint in container.endpoints.values())
    return container.running and own


def _ports(container: Container) -> list[dict[str, Any]]:
    if not _has_ports(container):
        return []
    ports: list[dict[str, Any]] = []
    for exposed, bindings in _port_map(container).items():
        number, _, protocol = exposed.partition("/")
        port = {"PrivatePort": int(number), "Type": protocol}
        for binding in bindings or []:
            port |= {"IP": binding["HostIp"], "PublicPort": int(binding["HostPort"])}
        ports.append(port)
    return ports


def _port_map(container: Container) -> dict[str, list[dict[str, str]] | None]:
    if not _has_ports(container):
        return {}
    bindings = _bindings(container)
    return {port: bindings.get(port) for port in [*_exposed(container), *(bindings.keys() - _exposed(container))]}


def _bindings(container: Container) -> dict[str, list[dict[str, str]]]:
    if not container.spec.published or container.address is None:
        return {}
    host, port = container.address
    return {f"{port}/tcp": [{"HostIp": host, "HostPort": str(port)}]}


def _ip(container: Container, network: str) -> str:
    endpoint = container.endpoints.get(network)
    if endpoint is None or not endpoint.network.has_addresses:
        return ""
    return container.address[0] if container.running and container.address else ""


def _networks(container: Container, *, with_aliases: bool) -> Mapping[str, Any]:
    return {name: _endpoint(container, endpoint, with_aliases) for name, endpoint in container.endpoints.items()}


def _endpoint(container: Container, endpoint: Endpoint, with_aliases: bool) -> dict[str, Any]:
    ip = _ip(container, endpoint.network.name)
    return {
        "IPAMConfig": None,
        "Links": None,
        "Aliases": list(endpoint.aliases) if with_aliases else None,
        # Unknown before the first start, as at a real engine.
        "NetworkID": endpoint.network.id if container.started_ns else "",
        "EndpointID": endpoint.id if container.running else "",
        "Gateway": "",
        "IPAddress": ip,
        "IPPrefixLen": 8 if ip else 0,
        "MacAddress": "",
    }


def _member(container: Container, endpoint: Endpoint) -> dict[str, Any]:
    ip = _ip(container, endpoint.network.name)
    return {
        "Name": container.name,
        "EndpointID": endpoint.id,
        "MacAddress": "",
        "IPv4Address": f"{ip}/8" if ip else "",
        "IPv6Address": "",
    }
