"""Lookup: which container a person means by a word: its name, its id's beginning, its compose service, its route.

Pure.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from dockerproxy.control.explain.evidence import Evidence
from dockerproxy.discovery.engine.entry import Entry
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.labels.mentions import find_mentions
from dockerproxy.labels.reading import COMPOSE_SERVICE

SHORTEST_ID = 4  # characters
# A word may be longer or shorter by one of so many letters: `wrongport` is not meant by `root`.
_LETTERS_PER_SLIP = 4
_LIKENESS = 0.6  # of difflib, 0 to 1; the figure that the settings use

Container = ContainerView | Entry


class Found(NamedTuple):
    """A container, and the names of those that the same word means as well."""

    container: Container
    others: tuple[str, ...] = ()


def find(name: str, evidence: Evidence) -> Found | None:
    """The container that `name` means; of several the one that is not routed, for that is why somebody asks."""
    containers = list(_all(evidence))
    for fits in _ways(name, evidence):
        found = [container for container in containers if fits(container)]
        if found:
            found.sort(key=_routed)
            return Found(found[0], tuple(container.name for container in found[1:]))
    return None


def closest(name: str, evidence: Evidence) -> str:
    """The name of a container that is most like `name`, or ""."""
    known = [word for container in _all(evidence) for word in (container.name, service_of(container)) if word]
    return most_like(name, known)


def most_like(word: str, known: Iterable[str]) -> str:
    """The one of `known` that is most like `word`, or ""."""
    return next(iter(alike(word, known, 1)), "")


def alike(word: str, known: Iterable[str], most: int) -> list[str]:
    """Up to so many of `known` that may be meant by `word`, the most like first.

    What both have in common at the end by whole labels counts for nothing: all hosts end in `.localhost`.
    """
    found = []
    for name in dict.fromkeys(known):
        one, other = _differing(word, name)
        matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
        if abs(len(one) - len(other)) <= max(1, len(one) // _LETTERS_PER_SLIP) and matcher.ratio() >= _LIKENESS:
            found.append((-matcher.ratio(), name))
    return [name for _, name in sorted(found)[:most]]


def _differing(one: str, other: str) -> tuple[str, str]:
    """Both without the labels at their ends that are the same."""
    ours, theirs = one.split("."), other.split(".")
    while len(ours) > 1 and len(theirs) > 1 and ours[-1] == theirs[-1]:
        del ours[-1], theirs[-1]
    return ".".join(ours), ".".join(theirs)


def service_of(container: Container) -> str:
    """Its compose service, or ""."""
    return container.labels.get(COMPOSE_SERVICE, "")


def networks_of(container: Container) -> tuple[str, ...]:
    """The names of its networks."""
    if isinstance(container, Entry):
        return tuple(network.name for network in container.networks)
    return container.networks


def known_networks(evidence: Evidence) -> frozenset[str]:
    """The names of all networks that any container is on."""
    return frozenset(name for container in _all(evidence) for name in networks_of(container))


def _all(evidence: Evidence) -> Iterator[Container]:
    yield from evidence.containers
    yield from evidence.unlabelled


def _ways(name: str, evidence: Evidence) -> Iterator[Callable[[Container], bool]]:
    """How a word may mean a container, the plainest first."""
    yield lambda container: container.name == name
    if len(name) >= SHORTEST_ID:
        yield lambda container: container.id.startswith(name)
    yield lambda container: service_of(container) == name
    yield lambda container: isinstance(container, ContainerView) and name in _routes(container, evidence)


def _routes(view: ContainerView, evidence: Evidence) -> frozenset[str]:
    asked = find_mentions(evidence.reader, view.labels, view.name, service_of(view)).routes
    return asked | {wish.route for wish in view.wishes}


def _routed(container: Container) -> bool:
    return isinstance(container, ContainerView) and container.routed
