"""What the expressions of a host cost: which of them stands where, and what a path has cost. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dockerproxy.control.explain.candidates import Candidate
from dockerproxy.routing.expression import BUDGET, Budget
from dockerproxy.routing.route import PathKind, Route


def turn(route: Route, routes: Iterable[Route]) -> Iterable[str]:
    """Which of the expressions at its hosts a route has, where it is not the only one."""
    for domain in route.domains or (None,):
        texts = dict.fromkeys(
            other.path.text
            for other in routes
            if other.path.kind is PathKind.REGEX and (domain in other.domains or (domain is None and not other.domains))
        )
        if route.path.kind is PathKind.REGEX and len(texts) > 1:
            where = domain or "every domain"
            yield (
                f"the expression of route {route.name} is the {_nth(texts, route)} of {len(texts)} at {where}: requests"
                f" try them in turn, and have {BUDGET * 1000:.0f} ms for all"
            )


def cost(budget: Budget, rows: Sequence[Candidate]) -> Iterable[str]:
    """What the expressions have cost that were tried for a path."""
    if not budget.tried:
        return
    texts = dict.fromkeys(row.route.path.text for row in rows if row.route.path.kind is PathKind.REGEX)
    found = next((row.route for row in rows if row.matched and row.route.path.kind is PathKind.REGEX), None)
    place = "" if found is None else f"; that of route {found.name} is the {_nth(texts, found)}"
    tried = "1 expression was" if budget.tried == 1 else f"{budget.tried} expressions were"
    yield (
        f"{tried} tried for this path, of {len(texts)} at this host{place}: {budget.spent * 1000:.2f} ms, of the"
        f" {BUDGET * 1000:.0f} ms that one request may cost"
    )


def _nth(texts: Iterable[str], route: Route) -> str:
    number = list(texts).index(route.path.text) + 1
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
