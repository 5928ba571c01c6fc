"""Engine: one connection to a Docker engine: version, list, inspect, ping, events.

The only user of the SDK beside `errors`; all of its errors leave as EngineLost, in words. Blocking: for
discovery's own threads.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import docker
import docker.errors

from dockerproxy.discovery.engine.errors import OLDEST_API, in_words
from dockerproxy.discovery.engine.events import EVENT_FILTERS, EngineLost, Event, EventStream, signal_number
from dockerproxy.discovery.engine.inspection import as_listed
from dockerproxy.discovery.engine.podman import PODMAN_FILTERS, podman_event
from dockerproxy.discovery.engine.tls import EngineTls
from dockerproxy.discovery.timing import Timing

if TYPE_CHECKING:  # the SDK's HTTP library, for its types alone
    from requests import Session

_OK = 200
_GONE = "no such container"  # Podman's answer, with 404, or 500 if it goes at this moment
_PODMAN_API = "/v4.0.0/libpod"  # any Podman since then knows it
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


class StopProfile(NamedTuple):
    """How a container is stopped: the signal's number, 0 if the image names none, and the grace in seconds."""

    signal: int
    grace: float | None


class Engine:
    """A connected engine.

    name: what it is, for people: `Docker 20.10.24`
    program: what a person asks it by: docker or podman
    """

    def __init__(self, host: str, version: dict[str, Any], timing: Timing, tls: EngineTls | None = None) -> None:
        self.host = host
        self._podman = _is_podman(version)
        self.name = f"{'Podman' if self._podman else 'Docker'} {version.get('Version') or 'of unknown version'}"
        self.program = "podman" if self._podman else "docker"
        api = version["ApiVersion"]
        self._client = _client(host, api, timing.request_timeout, tls)
        self._pinger = _client(host, api, timing.ping_timeout, tls)
        # Its own, because a session is not made for two threads.
        self._listener = _client(host, api, timing.request_timeout, tls)

    def __repr__(self) -> str:
        return f"<Engine {self.name} at {self.host}>"

    @classmethod
    def connect(cls, host: str, timing: Timing, tls: EngineTls | None = None) -> Self:
        """Ask the engine at `host` who it is; `tls` is None for plain text. Raises EngineLost."""
        with _telling(host), contextlib.closing(_client(host, OLDEST_API, timing.ping_timeout, tls)) as client:
            return cls(host, client.version(api_version=False), timing, tls)

    def containers(self, ids: Collection[str] = ()) -> list[dict[str, Any]]:
        """The engine's list: of the containers with these ids, or of all, whatever their state. Raises EngineLost."""
        filters = {"id": sorted(ids)} if ids else None
        with _telling(self.host):
            found = self._client.containers(all=True, filters=filters) or []
            if not isinstance(found, list):
                raise TypeError("the list of containers is none")
        # What has no id cannot be anybody's container.
        return [item for item in found if isinstance(item, dict) and isinstance(item.get("Id"), str)]

    def networks(self) -> list[dict[str, Any]]:
        """The engine's networks; none if it does not tell, as a socket filter may forbid it. Raises EngineLost."""
        with _telling(self.host):
            try:
                found = self._client.networks()
            except docker.errors.APIError:
                return []
        return [item for item in found or () if isinstance(item, dict)]

    def stop_profile(self, container: str) -> StopProfile | None:
        """How the container is stopped, or None if there is no such container. Raises EngineLost."""
        with _telling(self.host):
            try:
                config = self._client.inspect_container(container).get("Config") or {}
            except docker.errors.NotFound:
                return None
        grace = config.get("StopTimeout")
        return StopProfile(signal_number(config.get("StopSignal") or ""), None if grace is None else float(grace))

    def stopped_by_hand(self, container: str) -> bool | None:
        """Whether a container that has ended was told to, where only asking tells it: on Podman; None if it does not.
        Raises EngineLost.

        By Podman's own API, which a filter of the socket may forbid: Docker's has no word for it. One that is gone
        already was removed.
        """
        if not self._podman:
            return False
        with _telling(self.host):
            found = self._client.get(
                f"{self._client.base_url}{_PODMAN_API}/containers/{container}/json", timeout=self._client.timeout
            )
            if found.status_code == _OK:
                return bool((found.json().get("State") or {}).get("StoppedByUser"))
        return True if _GONE in found.text else None

    def started_at(self, container: str) -> int:
        """When it was started last, by the engine's clock, in nanoseconds since the epoch; 0 if that cannot be told.
        Raises EngineLost."""
        with _telling(self.host):
            try:
                state = self._client.inspect_container(container).get("State") or {}
            except docker.errors.APIError:
                return 0
        return _nanoseconds(str(state.get("StartedAt") or ""))

    def inspected(self, container: str) -> dict[str, Any] | None:
        """The container as the list would tell it; None if that cannot be told. Raises EngineLost."""
        with _telling(self.host):
            try:
                return as_listed(self._client.inspect_container(container))
            except docker.errors.APIError:  # it has been removed, or is broken, which is nobody else's concern
                return None

    def exposed_ports(self, container: str) -> tuple[int, ...] | None:
        """The TCP ports that the container exposes; None if the engine does not tell. Raises EngineLost."""
        with _telling(self.host):
            try:
                config = self._client.inspect_container(container).get("Config") or {}
            except docker.errors.APIError:  # it has been removed, or is broken, which is nobody else's concern
                return None
        exposed = (name.partition("/") for name in config.get("ExposedPorts") or ())
        return tuple(sorted(int(port) for port, _, kind in exposed if port.isdecimal() and kind in ("tcp", "")))

    def ping(self) -> None:
        """Ask for a sign of life. Raises EngineLost."""
        with _telling(self.host):
            self._pinger.ping()

    def events(self, since: int) -> EventStream:
        """The stream of events from `since` (seconds since the epoch) on. Raises EngineLost.

        Not the SDK's own method: that waits for the head of the answer without any limit.
        """
        client = self._listener
        with _telling(self.host):
            response = client.get(
                f"{client.base_url}/v{client.api_version}/events",
                params={"since": str(since), "filters": json.dumps(PODMAN_FILTERS if self._podman else EVENT_FILTERS)},
                stream=True,
                timeout=client.timeout,
            )
            if response.status_code != _OK:
                raise docker.errors.APIError(response.text, response=response)
            return EventStream(response, podman_event if self._podman else Event.from_json)

    def close(self) -> None:
        """Close idle connections; the stream of events is closed by its reader."""
        for client in (self._client, self._pinger, self._listener):
            client.close()


def _client(host: str, api: str, timeout: float, tls: EngineTls | None) -> docker.APIClient:
    client = docker.APIClient(
        base_url=host,
        version=api,
        timeout=timeout,  # type: ignore[arg-type]  # floats are fine
        tls=False if tls is None else tls.config(),
    )
    session: Session = client
    # The engine is spoken to directly: a proxy in the environment or a .netrc is meant for the web.
    session.trust_env = False
    return client


def _nanoseconds(moment: str) -> int:
    """`2026-11-30T10:17:33.123456789Z` (RFC 3339, with up to nine digits) -> since the epoch; 0 for what is none."""
    found = _MOMENT.fullmatch(moment)
    if found is None:
        return 0
    seconds = int(datetime.fromisoformat(found[1] + (found[3] or "").replace("Z", "+00:00")).timestamp())
    return seconds * 10**9 + int((found[2] or "").ljust(9, "0")[:9])


def _is_podman(version: dict[str, Any]) -> bool:
    return any("podman" in str(part.get("Name") or "").lower() for part in version.get("Components") or ())


@contextlib.contextmanager
def _telling(host: str) -> Iterator[None]:
    """Turn whatever goes wrong on the way to the engine into EngineLost, in words."""
    try:
        yield
    except (docker.errors.DockerException, OSError, ValueError, KeyError, TypeError) as error:
        raise EngineLost(in_words(error, host)) from error
