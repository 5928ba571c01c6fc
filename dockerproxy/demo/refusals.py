"""Refusals: why the embedded engine did not do what it was asked, each with the status that Docker gives it.

The messages are Docker's own words, because clients of the Docker API show and sometimes match them.
"""

from __future__ import annotations

from typing import ClassVar

from dockerproxy.errors import DockerproxyError


class Refusal(DockerproxyError):
    """An act that was not done. `status` is the HTTP status of the answer."""

    status: ClassVar[int] = 500


class AlreadySo(Refusal):
    """The container is already in the state that was asked for: start of a running one, stop of a stopped one."""

    status = 304


class BadParameter(Refusal):
    """A parameter, a filter or a body that cannot be understood."""

    status = 400


class Unparsable(Refusal):
    """What Docker answers with 500: a number, a time or a filter that its parser rejects."""

    status = 500


class NotAllowed(Refusal):
    """The container is attached to the network already."""

    status = 403


class NotFound(Refusal):
    """No such container, network or service."""

    status = 404


class Conflict(Refusal):
    """The act and the container's state, or its name and another's, do not go together."""

    status = 409


class WrongState(Refusal):
    """Unpause of what is not paused, disconnect of what is not connected: Docker answers 500."""

    status = 500


def no_such_container(reference: str) -> NotFound:
    return NotFound(f"No such container: {reference}")


def no_such_network(reference: str) -> NotFound:
    return NotFound(f"network {reference} not found")


def not_running(container_id: str) -> Conflict:
    return Conflict(f"Container {container_id} is not running")


def name_taken(name: str, owner_id: str) -> Conflict:
    return Conflict(
        f'Conflict. The container name "/{name}" is already in use by container "{owner_id}". '
        "You have to remove (or rename) that container to be able to reuse that name."
    )
