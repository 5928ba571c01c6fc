"""ExpressionBounds: how many path expressions containers may have, and how many of them a domain bears. Pure.

Requests try the expressions of their domain one after the other. What the settings say has no bound: who writes them
pays for it himself.
"""

from __future__ import annotations

from collections import Counter

from dockerproxy.control.merge.joining import Joined
from dockerproxy.control.merge.members import ContainerKey
from dockerproxy.routing.route import PathKind

MOST_OF_A_CONTAINER = 20
MOST_AT_A_DOMAIN = 100


class ExpressionBounds:
    """The count in one merge, the routes of older containers first."""

    def __init__(self) -> None:
        self._of_containers: Counter[ContainerKey] = Counter()
        self._at_domains: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<ExpressionBounds: {self._of_containers.total()} expressions>"

    def refuse(self, joined: Joined) -> str:
        """Why a route may not have its expression, in words; "" where it may, and then it is counted."""
        if joined.route.path.kind is not PathKind.REGEX:
            return ""
        owner = joined.members[0].key
        if self._of_containers[owner] >= MOST_OF_A_CONTAINER:
            return f"its container has {MOST_OF_A_CONTAINER} path expressions already, which is the most"
        for name in joined.names:
            if self._at_domains[name] >= MOST_AT_A_DOMAIN:
                return f"{name or 'every domain'} bears {MOST_AT_A_DOMAIN} path expressions already, which is the most"
        self._of_containers[owner] += 1
        self._at_domains.update(joined.names)
        return ""
