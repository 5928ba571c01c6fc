"""Constraints: which container may have which domain, and if not, what it lacks. Pure: one container, one domain.

For a domain the pattern that names it most closely counts: the exact name before `*.`, a longer `*.` before a shorter
one, `*` last. Of the constraints with that pattern the container has to fit one. A wildcard, or every domain, takes in
names that closer patterns may be about: it has to fit those, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate
from typing import NamedTuple

from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.labels.reading import COMPOSE_PROJECT
from dockerproxy.routing.route import Domain
from dockerproxy.settings import ConstraintSettings, Settings
from dockerproxy.settings.constraints import EVERY_HOST

_WILDCARD = "*."
_REMEMBERED = 4096  # domains


class _Globs:
    """Some globs, of which one is enough."""

    def __init__(self, globs: Sequence[str]) -> None:
        self._globs = globs
        self._found = re.compile("|".join(map(translate, globs))).match

    def __str__(self) -> str:
        return " or ".join(self._globs)

    def __bool__(self) -> bool:
        return bool(self._globs)

    def fit(self, text: str) -> bool:
        return self._found(text) is not None


class _Rule:
    """One constraint, ready to be asked; it is called by its place in the settings."""

    def __init__(self, number: int, settings: ConstraintSettings) -> None:
        self.name = f"constraints[{number}]"
        self._projects = _Globs(settings.projects)
        self._networks = _Globs(settings.networks)
        self._labels = {label: _Globs((glob,)) for label, glob in settings.labels.items()}

    def lacks(self, container: ContainerView) -> Iterator[str]:
        """What the container would have to have, and what it has instead; nothing when it fits."""
        project = container.labels.get(COMPOSE_PROJECT, "")
        if self._projects and not self._projects.fit(project):
            yield f"compose project {self._projects} (it has {project or 'none'})"
        if self._networks and not any(map(self._networks.fit, container.networks)):
            yield f"network {self._networks} (it is on {', '.join(container.networks) or 'none'})"
        for label, glob in self._labels.items():
            value = container.labels.get(label)
            if value is None or not glob.fit(value):
                yield f"label {label}={glob} (it has {'none' if value is None else repr(value)})"


class _Demand(NamedTuple):
    """A pattern, and the rules of which one has to be met."""

    pattern: str
    rules: tuple[_Rule, ...]


class Constraints:
    """The settings `constraints` and `constraints_default`, and that `admin_host` is for no container."""

    def __init__(self, settings: Settings) -> None:
        self._admin = Domain.parse(settings.admin_host).name
        self._below_admin = f".{self._admin}"
        self._deny = settings.constraints_default == "deny"
        self._rules: dict[str, list[_Rule]] = {}
        # Domain -> why nobody may have it, and what has to be met; containers come and go, their domains stay.
        self._known: dict[str, tuple[str, tuple[_Demand, ...]]] = {}
        for number, constraint in enumerate(settings.constraints):
            rule = _Rule(number, constraint)
            for pattern in constraint.hosts:
                self._rules.setdefault(pattern, []).append(rule)

    def __repr__(self) -> str:
        return f"<Constraints about {', '.join(self._rules) or 'nothing'}, else {'deny' if self._deny else 'allow'}>"

    @property
    def idle(self) -> bool:
        """Whether nothing but `admin_host` is forbidden."""
        return not self._rules and not self._deny

    def forbid(self, container: ContainerView, domain: Domain | None) -> str:
        """Why the container may not have the domain (None: every domain), in words; "" when it may."""
        name = domain.name if domain is not None else EVERY_HOST
        known = self._known.get(name)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[name] = self._forbidden_to_all(name), tuple(self._demands(name))
        to_all, demands = known
        return to_all or next(filter(None, (_unmet(demand, container) for demand in demands)), "")

    def closest(self, name: str) -> str | None:
        """The pattern that names a domain, or a whole wildcard, most closely; None when there is none."""
        return next((pattern for pattern in _from_close_to_far(name) if pattern in self._rules), None)

    def is_admin(self, name: str) -> bool:
        """Whether a domain is the admin handlers' own, or below it, and no constraint gives exactly this one away.

        A wildcard that takes it in is harmless: the handlers' own, exact domain comes first.
        """
        return (name == self._admin or name.endswith(self._below_admin)) and name not in self._rules

    @property
    def why_admin(self) -> str:
        """Why nobody has a domain of the admin handlers."""
        return (
            f"it belongs to the admin handlers (admin_host is {self._admin}): a page there could act in the name of"
            " whoever is signed in"
        )

    def _forbidden_to_all(self, name: str) -> str:
        if self.is_admin(name):
            return self.why_admin
        if self._deny and self.closest(name) is None:
            domain = "every domain" if name == EVERY_HOST else name
            return f"no constraint is about {domain}, and constraints_default is deny"
        return ""

    def _demands(self, name: str) -> Iterator[_Demand]:
        closest = self.closest(name)
        patterns = [*([closest] if closest is not None else []), *self._within(name)]
        return (_Demand(pattern, tuple(self._rules[pattern])) for pattern in dict.fromkeys(patterns))

    def _within(self, name: str) -> Iterable[str]:
        """The patterns about a part of what `name` takes in: below a wildcard, one level; below `*`, all there are."""
        if name == EVERY_HOST:
            return self._rules
        if not name.startswith(_WILDCARD):
            return ()
        return (pattern for pattern in self._rules if pattern.partition(".")[2] == name.removeprefix(_WILDCARD))


def _unmet(demand: _Demand, container: ContainerView) -> str:
    """What the container lacks for each of the rules, or "" when it fits one."""
    told = []
    for rule in demand.rules:
        lacks = " and ".join(rule.lacks(container))
        if not lacks:
            return ""
        told.append(f"{rule.name} asks for {lacks}")
    return f"{demand.pattern} is constrained: {', and '.join(told)}"


def _from_close_to_far(name: str) -> Iterator[str]:
    """`a.b.c`, `*.b.c`, `*.c`, `*`; of a wildcard, itself first."""
    yield name
    rest = name.partition(".")[2]
    while rest:
        yield _WILDCARD + rest
        rest = rest.partition(".")[2]
    yield EVERY_HOST
