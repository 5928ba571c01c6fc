"""The errors of the package: one small tree, so that a caller can catch as much as it means to.

Every message is written for the person who runs the proxy: it names the thing, its value, what was
expected and how to mend it. Nothing here knows about HTTP status codes; that is `proxy.answers` for the
data plane and `web.admin` for the admin handlers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class DockerproxyError(Exception):
    """The root: whatever the package raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input.

    where:   full path of the key, for example `routes[1].path.regex`
    message: what is wrong, what was expected and how to mend it, in one sentence
    source:  the variable or argument that it comes from, when that is not where the rest comes from
    """

    where: str
    message: str
    source: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where and not self.source else self.message


class InvalidInput(DockerproxyError):
    """An input with one or more problems, all of them collected before it is raised."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """One line per problem, each with its source."""
        return [f"{problem.source or self.source}: {problem}" for problem in self.problems]


class SettingsError(InvalidInput):
    """The settings (file, environment or arguments) cannot be used."""

    @classmethod
    def at(cls, where: str, message: str) -> SettingsError:
        """One problem, with the setting at the path `where`; whoever read the settings says where they come from."""
        return cls("settings", [Problem(where, message)])


class RouteExists(DockerproxyError):
    """A dynamic route was to be added under a name that is taken."""


class UnknownRoute(DockerproxyError):
    """No route has this name."""


class RouteNotRemovable(DockerproxyError):
    """The route exists, but its source is not `dynamic`: its owner is a file, a container or code."""


class UnknownUpstream(DockerproxyError):
    """No upstream and no container has this name."""


class NotPossible(DockerproxyError):
    """What is asked for is understood, but cannot be done as things are."""


class StoreError(DockerproxyError):
    """The state folder cannot be read or written."""


class HandlerError(DockerproxyError):
    """A handler in Python does not start."""


class ListenError(DockerproxyError):
    """An address to listen on is taken or not allowed."""
