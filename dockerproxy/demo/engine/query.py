"""Query: what the parameters and the filters of a request to the Docker API mean.

Pure: from text to values and predicates. Errors have the status and, where clients see them, the words of Docker.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from dockerproxy.demo.containers.container import Container, State
from dockerproxy.demo.containers.events import Event
from dockerproxy.demo.refusals import BadParameter, Unparsable

SECOND = 1_000_000_000

Filters = Mapping[str, list[str]]

_TRUE = frozenset({"1", "true", "t", "yes"})
_STATES = frozenset({"created", "restarting", "running", "removing", "paused", "exited", "dead"})


def flag(text: str | None) -> bool:
    """`1`, `true` -> True; everything else, and nothing at all, False."""
    return (text or "").lower() in _TRUE


def number(text: str | None, default: int) -> int:
    """A whole number. Raises Unparsable."""
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise Unparsable(f'strconv.Atoi: parsing "{text}": invalid syntax') from None


def stop_timeout(text: str | None, default: float) -> float | None:
    """`t` of stop and restart, in seconds; negative: for ever, None. Raises Unparsable."""
    if not text:
        return default
    seconds = number(text, 0)
    return None if seconds < 0 else float(seconds)


def moment(text: str | None) -> int | None:
    """`since` and `until`: seconds since the epoch with up to nine decimals -> nanoseconds. Raises Unparsable."""
    if not text:
        return None
    seconds, _, decimals = text.partition(".")
    try:
        return int(seconds) * SECOND + int(decimals[:9].ljust(9, "0"))
    except ValueError:
        raise Unparsable(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def filters(text: str | None) -> Filters:
    """`{"label": ["a=b"]}`, or the older `{"label": {"a=b": true}}`. Raises Unparsable, BadParameter."""
    if not text:
        return {}
    try:
        raw = json.loads(text)
    except ValueError:
        raise Unparsable(f"invalid character '{text[0]}' looking for beginning of value") from None
    if not isinstance(raw, dict):
        raise BadParameter("invalid filter: expected a JSON object")
    return {str(name): _values(values) for name, values in raw.items()}


def container_filter(wishes: Filters) -> Callable[[Container], bool]:
    """Which containers are listed. Raises BadParameter for filters that are unknown or impossible."""
    for name in wishes:
        if name not in _CONTAINER_TESTS:
            raise BadParameter(f"Invalid filter '{name}'")
    for state in wishes.get("status", ()):
        if state not in _STATES:
            raise BadParameter(f"Invalid filter 'status={state}'")
    return lambda container: all(_CONTAINER_TESTS[name](container, values) for name, values in wishes.items())


def event_filter(wishes: Filters) -> Callable[[Event], bool]:
    """Which events are sent. As Docker, it knows no error: an unknown filter keeps nothing out."""
    tests = [(_EVENT_TESTS[name], values) for name, values in wishes.items() if name in _EVENT_TESTS]
    return lambda event: all(test(event, values) for test, values in tests)


def body_object(text: str) -> dict[str, Any]:
    """The JSON object in a body. Raises BadParameter."""
    if not text.strip():
        raise BadParameter("got EOF while reading request body")
    try:
        body = json.loads(text)
    except ValueError:
        raise BadParameter(f"invalid character '{text.strip()[0]}' looking for beginning of value") from None
    if not isinstance(body, dict):
        raise BadParameter("the body must be a JSON object")
    return body


def _values(values: Any) -> list[str]:
    if isinstance(values, dict):
        return [str(value) for value, wanted in values.items() if wanted]
    if isinstance(values, list):
        return [str(value) for value in values]
    raise BadParameter("invalid filter: expected a list of values")


def _has_labels(labels: Mapping[str, str], wishes: list[str]) -> bool:
    """Every wish must hold: `key` or `key=value`."""
    for wish in wishes:
        key, equals, value = wish.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


def _name_matches(name: str, wishes: list[str]) -> bool:
    """Docker takes names as regular expressions, with and without the slash."""
    try:
        return any(re.search(wish, name) or re.search(wish, f"/{name}") for wish in wishes)
    except re.error as error:
        raise BadParameter(f"Invalid filter 'name': {error}") from None


def _in_network(container: Container, wishes: list[str]) -> bool:
    attached = [endpoint.network for endpoint in container.endpoints.values()]
    return any(network.name in wishes or network.id in wishes for network in attached)


_CONTAINER_TESTS: dict[str, Callable[[Container, list[str]], bool]] = {
    "label": lambda container, wishes: _has_labels(container.spec.labels, wishes),
    "status": lambda container, wishes: container.state in wishes,
    "name": lambda container, wishes: _name_matches(container.name, wishes),
    "id": lambda container, wishes: container.id.startswith(tuple(wishes)),
    "network": _in_network,
    "health": lambda container, wishes: container.health in wishes,
}


def _actor_matches(type_: str) -> Callable[[Event, list[str]], bool]:
    def matches(event: Event, wishes: list[str]) -> bool:
        if event.type != type_:
            return False
        return event.attributes.get("name") in wishes or event.actor_id.startswith(tuple(wishes))

    return matches


def _action_matches(event: Event, wishes: list[str]) -> bool:
    """`health_status` without a colon stands for all its values."""
    return event.action in wishes or event.action.partition(":")[0] in wishes


_EVENT_TESTS: dict[str, Callable[[Event, list[str]], bool]] = {
    "type": lambda event, wishes: event.type in wishes,
    "event": _action_matches,
    "container": _actor_matches("container"),
    "network": _actor_matches("network"),
    "label": lambda event, wishes: _has_labels(event.attributes, wishes),
    "image": lambda event, wishes: event.attributes.get("image") in wishes,
}


def shown_by_default(container: Container) -> bool:
    """What the list has without `all=1` and without a wish for states."""
    return container.state in (State.RUNNING, State.PAUSED)
