"""What engines say of containers, and what the proxy makes of it: `python -m tests.engine.record [NAME…]`.

Runs each engine in turn, lets a container be started, stopped, killed and so on, and writes down what the engine told:
docs/engines.json, from which `make docs` makes the tables of docs/engines.md. Nothing in there is written by hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container
from docker.models.networks import Network

from tests.engine.base_image import ensure_base_image
from tests.engine.containers import HEALTH_BY_FILE, HEALTHY_FILE, Containers
from tests.engine.images import REPOSITORY_ROOT, build_app_image
from tests.engine.inside import run_at
from tests.engine.proxy_process import ProxyProcess, container_in, up_in
from tests.support.docker_engine import Engine, NoEngine, find_engine
from tests.support.engines.named import MACHINE, NAME_VARIABLE, start_named_engine

ENGINES = (MACHINE, "docker-trixie", "docker-forky", "podman-trixie", "podman-forky")
RECORD = REPOSITORY_ROOT / "docs/engines.json"
QUIET = 1.5  # seconds without an event after which a step is over
MOST = 15.0  # seconds for one step
# What tests of health do in a container, again and again; and what nobody's address or life depends on.
LEFT_OUT = ("exec", "attach", "top", "prune", "create: ")
TOLD = ("signal", "exitCode", "containerExitCode")  # attributes that are written down beside the event's name

# The route's name, and where the container is reached.
_OF_THIS_RUN = re.compile(r"route-\w+: | \([\d.]+:\d+\)")

Record = dict[str, Any]


class Recorder:
    """Does one thing after another to containers of one engine, and writes down what is told of each.

    steps: what was done -> events, list and proxy
    """

    def __init__(self, client: docker.DockerClient, containers: Containers, proxy: ProxyProcess) -> None:
        self._client = client
        self._containers = containers
        self._proxy = proxy
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._stream = client.events(decode=True)
        threading.Thread(target=self._listen, daemon=True).start()
        self.steps: dict[str, Record] = {}

    def close(self) -> None:
        """Hear no more."""
        self._stream.close()

    def lifecycle(self) -> None:
        """Containers without a health check; a new one for each act, lest one comes and goes too often."""
        self._step("start", self._run)
        paused = self._settled(self._run)
        self._do("pause", paused, paused.pause)
        self._do("unpause", paused, paused.unpause)
        other = self._containers.network("zone")  # the last by name: the way to the container stays as it is
        app = self._settled(self._run)
        self._do("network connect", app, lambda: other.connect(app))
        self._do("network disconnect", app, lambda: other.disconnect(app))
        restarted = self._settled(self._run)
        self._do("restart", restarted, lambda: restarted.restart(timeout=5))
        stopped = self._settled(self._run)
        self._do("stop", stopped, lambda: stopped.stop(timeout=5))
        self._do("start again", stopped, stopped.start)
        killed = self._settled(self._run)
        self._do("kill", killed, killed.kill)
        self._do("rm", killed, killed.remove)
        removed = self._settled(self._run)
        self._do("rm -f", removed, lambda: removed.remove(force=True))

    def crash(self) -> None:
        """A container whose application ends by itself."""
        entrypoint = ["sh", "-c", "until test -e /crash; do sleep 0.1; done; exit 3"]
        app = self._settled(lambda: self._run(entrypoint=entrypoint))
        self._do("crash", app, lambda: app.exec_run(["touch", "/crash"]))

    def health(self) -> None:
        """A container with a health check."""
        app = self._step("start, with a health check", lambda: self._run(healthcheck=dict(HEALTH_BY_FILE)))
        self._do("its check succeeds", app, lambda: app.exec_run(["touch", HEALTHY_FILE]))
        self._do("pause, with a health check", app, app.pause)
        self._do("unpause, with a health check", app, app.unpause)
        self._do("its check fails", app, lambda: app.exec_run(["rm", HEALTHY_FILE]))

    def _run(self, **options: Any) -> Container:
        labels = {"dockerproxy.route": self._containers.unique("route"), "dockerproxy.hold": "0s"}
        return self._containers.run(labels=labels, **options)

    def _do(self, name: str, container: Container, act: Callable[[], object]) -> None:
        def done() -> Container:
            act()
            return container

        self._step(name, done)

    def _settled(self, act: Callable[[], Container]) -> Container:
        container = act()
        list(self._told())
        return container

    def _step(self, name: str, act: Callable[[], Container]) -> Container:
        began = len(self._proxy.log)
        container = act()
        events = list(_without_repetition(map(_written, self._told())))
        listed = [item for item in self._client.api.containers(all=True) if item["Id"] == container.id]
        found = container_in(self._proxy.statistics(), container)
        self.steps[name] = {
            "events": events,
            "state": listed[0]["State"] if listed else "",
            "status": listed[0]["Status"] if listed else "",
            "in rotation": bool(found and found["routed"] and self._up(container, found)),
            "log": _lines(self._proxy.log[began:], str(container.name)),
        }
        return container

    def _up(self, container: Container, found: Mapping[str, Any]) -> bool:
        statistics = self._proxy.statistics()
        return any(container.name in up_in(statistics, route) for route in found["routes"])

    def _told(self) -> Iterator[dict[str, Any]]:
        """The events until there are none any more."""
        until = time.monotonic() + MOST
        while time.monotonic() < until:
            try:
                yield self._events.get(timeout=QUIET)
            except queue.Empty:
                return

    def _listen(self) -> None:
        with contextlib.suppress(Exception):  # the stream is closed under us
            for event in self._stream:
                if (event.get("Type"), _action(event)) != ("network", "create") and (
                    event.get("Type") in ("container", "network") and not _action(event).startswith(LEFT_OUT)
                ):
                    self._events.put(event)


def _without_repetition(events: Iterable[str]) -> Iterator[str]:
    """Podman tells of each check what it has found, time and again."""
    before = ""
    for event in events:
        if event != before:
            yield event
        before = event


def _action(event: Mapping[str, Any]) -> str:
    return str(event.get("Action") or event.get("status") or "")


def _written(event: Mapping[str, Any]) -> str:
    attributes = (event.get("Actor") or {}).get("Attributes") or {}
    what = ("network " if event["Type"] == "network" else "") + _action(event)
    status = event.get("HealthStatus") or attributes.get("HealthStatus")
    told = [f"{key}={attributes[key]}" for key in TOLD if attributes.get(key)]
    return " ".join([what, *([f"HealthStatus={status}"] if status else []), *told])


def _lines(log: str, container: str) -> list[str]:
    """What the log says of the container, without times and without names and addresses that are others in each run."""
    found = [line.split(" ", 1)[1].strip() for line in log.splitlines() if container in line]
    return [_OF_THIS_RUN.sub("", line.replace(container, "app")) for line in found]


def fields(client: docker.DockerClient, containers: Containers) -> Record:
    """What the list tells of containers: field -> how it is told, or "" where it is not."""
    host = containers.run(labels={}, network_mode="host", environment={"PORTS": "0"})
    checked = containers.run(labels={}, healthcheck=dict(HEALTH_BY_FILE))
    inner: Network = containers.network(internal=True)
    inside = containers.run(labels={}, network=inner.name)
    paused = containers.run(labels={}, healthcheck=dict(HEALTH_BY_FILE))
    paused.exec_run(["touch", HEALTHY_FILE])
    time.sleep(MOST / 5)
    paused.pause()
    time.sleep(QUIET)
    listed = {item["Id"]: item for item in client.api.containers(all=True)}
    found = {
        "health": _place_of_health(listed[checked.id]),
        "health of a paused container that was healthy": listed[paused.id]["Status"],
        "network mode": str((listed[host.id].get("HostConfig") or {}).get("NetworkMode") or ""),
        "ports that are exposed, not published": _ports(listed[checked.id]),
        "the same, on an internal network": _ports(listed[inside.id]),
        "names of the networks": ", ".join(listed[checked.id]["NetworkSettings"]["Networks"]),
    }
    paused.unpause()
    return found


def _place_of_health(item: Mapping[str, Any]) -> str:
    if isinstance(item.get("Health"), Mapping):
        return f"Health: {item['Health'].get('Status')}"
    return f"Status: {item['Status']}" if "health" in str(item["Status"]) else ""


def _ports(item: Mapping[str, Any]) -> str:
    return ", ".join(f"{port['PrivatePort']}/{port['Type']}" for port in item.get("Ports") or ())


def record(engine: Engine, folder: Path) -> Record:
    """All that one engine tells."""
    with contextlib.closing(engine.client()) as client:
        version = client.version()
        containers = Containers(client, build_app_image(client, ensure_base_image(client)))
        proxy = ProxyProcess(folder, {"docker": {"host": engine.host}})
        proxy.start()
        try:
            proxy.wait_until_connected()
            recorder = Recorder(client, containers, proxy)
            for part in (recorder.lifecycle, recorder.crash, recorder.health):
                part()
            recorder.close()
            found = fields(client, containers)
        finally:
            proxy.stop()
            containers.remove_all()
        name = next((part["Name"] for part in version.get("Components") or ()), "Engine").removesuffix(" Engine")
        return {
            "name": f"{name.replace('Engine', 'Docker')} {version['Version'].partition('+')[0]}",
            "api": version["ApiVersion"],
            "oldest api": version.get("MinAPIVersion", ""),
            "steps": recorder.steps,
            "list": found,
        }


def main(arguments: Sequence[str]) -> int:
    """Record the engines that are named, or all; the others stay as they were recorded."""
    if NAME_VARIABLE in os.environ:
        return _record_here(Path(arguments[0]))
    known = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    failed = False
    for name in arguments or ENGINES:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "record.json"
            try:
                code = run_at(name, [sys.executable, "-m", "tests.engine.record", str(file)])
            except NoEngine as reason:
                print(f"{name}: not there: {reason}")
                failed = True
                continue
            failed |= bool(code)
            if not code:
                known[name] = json.loads(file.read_text(encoding="utf-8"))
    ordered = {name: known[name] for name in (*ENGINES, *known) if name in known}
    RECORD.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(failed)


def _record_here(file: Path) -> int:
    name = os.environ[NAME_VARIABLE]
    with (
        contextlib.closing(find_engine() if name == MACHINE else start_named_engine(name)) as engine,
        tempfile.TemporaryDirectory() as folder,
    ):
        file.write_text(json.dumps(record(engine, Path(folder))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
