"""Client: what `dockerproxy demo stop blog-1` and its like say to a running demo, in plain words.

It speaks the Docker API over the socket with the docker SDK, and prints; it never touches an engine that is not
the embedded one.
"""

from __future__ import annotations

import contextlib
import difflib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import docker
import docker.errors
import requests

from dockerproxy.demo.engine.shapes import PLATFORM
from dockerproxy.demo.spec import SERVICE_LABEL
from dockerproxy.errors import DockerproxyError

DONE, FAILED, USAGE = 0, 1, 2

# Seconds. Longer than a container may take to stop (10 s), so that `stop` can tell the outcome.
PATIENCE = 30

Entry = dict[str, Any]


class ClientError(DockerproxyError):
    """The action could not be done: exit code 1."""


class UsageError(DockerproxyError):
    """The action or its arguments make no sense: exit code 2."""


def run(action: str, args: Sequence[str], socket_path: str | Path) -> int:
    """Do one action of the demo: 0 done, 1 failed, 2 wrong usage. Errors go to stderr, everything else to stdout."""
    try:
        work = _ACTIONS.get(action)
        if work is None:
            raise UsageError(f'no action "{action}"{_did_you_mean(action, _ACTIONS)} There are: {", ".join(_ACTIONS)}.')
        with contextlib.closing(_connect(socket_path)) as client:
            work(client, action, list(args))
    except UsageError as error:
        return _complain(error, USAGE)
    except ClientError as error:
        return _complain(error, FAILED)
    except docker.errors.APIError as error:
        return _complain(error.explanation or error, FAILED)
    except (docker.errors.DockerException, requests.RequestException) as error:
        return _complain(f"the demo at {socket_path} went away: {error}", FAILED)
    return DONE


def _complain(error: object, code: int) -> int:
    print(f"dockerproxy demo: {error}", file=sys.stderr)
    return code


def _connect(socket_path: str | Path) -> docker.APIClient:
    nobody = f"no demo is running at {socket_path}: start it with `dockerproxy demo`"
    if not Path(socket_path).is_socket():
        raise ClientError(nobody)
    try:
        client = docker.APIClient(base_url=f"unix://{Path(socket_path).absolute()}", timeout=PATIENCE)
        platform = client.version(api_version=False).get("Platform", {}).get("Name")
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise ClientError(nobody) from error
    if platform != PLATFORM:
        client.close()
        raise ClientError(f"the engine at {socket_path} is not the demo: use the docker command for it")
    return client


def _ps(client: docker.APIClient, _action: str, args: list[str]) -> None:
    if args:
        raise UsageError("ps takes no arguments")
    entries = sorted(client.containers(all=True), key=_name)
    rows = [("NAME", "STATUS", "SERVICE", "ADDRESS")]
    rows += [(_name(entry), entry["Status"], _service(entry), _address(entry)) for entry in entries]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _act(client: docker.APIClient, action: str, args: list[str]) -> None:
    """start, stop, kill, restart, pause and unpause of one container or several."""
    if not args:
        raise UsageError(f"{action} needs the name of a container, for example: dockerproxy demo {action} blog-1")
    by_name = {_name(entry): entry for entry in client.containers(all=True)}
    # All are checked before the first is touched.
    entries = [_choose(by_name, name) for name in args]
    for entry in entries:
        name = _name(entry)
        impossible = _impossible(action, entry["State"])
        if impossible:
            print(f"{name} {impossible}")
            continue
        getattr(client, action)(entry["Id"])
        print(f"{name} {_DONE_WORDS[action]}")


def _scale(client: docker.APIClient, _action: str, args: list[str]) -> None:
    if len(args) != 2:
        raise UsageError("scale needs a service and a number, for example: dockerproxy demo scale shop 3")
    service, replicas = args
    if not (replicas.isascii() and replicas.isdigit()):
        raise UsageError(f'number of replicas "{replicas}": expected a whole number, for example 3')
    services = sorted({_service(entry) for entry in client.containers(all=True)} - {"-"})
    answer = client.post(f"{client.base_url}/demo/scale", params={"service": service, "replicas": replicas})
    if answer.status_code == requests.codes.not_found:
        raise ClientError(f'no service "{service}"{_did_you_mean(service, services)} There are: {", ".join(services)}.')
    if not answer.ok:
        raise ClientError(answer.json()["message"])
    names = answer.json()["containers"]
    print(
        f"{service} has {len(names)} {'container' if len(names) == 1 else 'containers'}: {', '.join(names) or 'none'}"
    )


def _choose(by_name: dict[str, Entry], name: str) -> Entry:
    if name in by_name:
        return by_name[name]
    known = sorted(by_name)
    raise ClientError(f'no container "{name}"{_did_you_mean(name, known)} There are: {", ".join(known) or "none"}.')


def _did_you_mean(word: str, known: Sequence[str] | dict[str, Any]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f': did you mean "{close[0]}"?' if close else "."


def _impossible(action: str, state: str) -> str:
    """Why the action has nothing to do in this state; empty if it has."""
    return _NOTHING_TO_DO.get((action, "stopped" if state in ("exited", "created") else state), "")


def _name(entry: Entry) -> str:
    return str(entry["Names"][0]).removeprefix("/")


def _service(entry: Entry) -> str:
    return str(entry["Labels"].get(SERVICE_LABEL, "-"))


def _address(entry: Entry) -> str:
    addresses = [network["IPAddress"] for network in entry["NetworkSettings"]["Networks"].values()]
    ports = [str(port["PrivatePort"]) for port in entry["Ports"]]
    return f"{addresses[0]}:{','.join(ports)}" if addresses and addresses[0] and ports else "-"


_DONE_WORDS = {
    "start": "runs",
    "stop": "has finished what it was doing and is stopped",
    "kill": "is killed",
    "restart": "runs again",
    "pause": "is paused: it accepts requests and answers none",
    "unpause": "runs again",
}

_NOTHING_TO_DO = {
    ("start", "running"): "runs already",
    ("start", "paused"): "is paused: use unpause",
    ("stop", "stopped"): "is stopped already",
    ("kill", "stopped"): "is stopped already",
    ("pause", "stopped"): "is stopped: there is nothing to pause",
    ("pause", "paused"): "is paused already",
    ("unpause", "stopped"): "is stopped: use start",
    ("unpause", "running"): "runs already",
}

_ACTIONS: dict[str, Callable[[docker.APIClient, str, list[str]], None]] = {
    "ps": _ps,
    **dict.fromkeys(_DONE_WORDS, _act),
    "scale": _scale,
}

ACTIONS = tuple(_ACTIONS)
