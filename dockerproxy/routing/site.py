"""Site: all path rules of one domain, and the expressions of a table. It is built once, and then only looked up."""

from __future__ import annotations

from collections.abc import Sequence

from dockerproxy.routing.expression import Budget, Expression, Slow
from dockerproxy.routing.miss import Miss, MissReason
from dockerproxy.routing.route import PathKind, Route
from dockerproxy.settings.paths import comparable


class Methods:
    """The routes of one domain and path rule, by method.

    complete: whether the routes that stand first answer every method, so that none is added behind them
    guarded:  whether any of them has middlewares that guard it
    """

    __slots__ = ("any", "by_method", "complete", "guarded")

    def __init__(self) -> None:
        self.any: Route | None = None
        self.by_method: dict[str, Route] = {}
        self.complete = False
        self.guarded = False

    def add(self, route: Route, *, behind: bool = False) -> None:
        if behind and self.complete:
            return
        self.complete = self.complete or not (behind or route.methods)
        if not route.methods and self.any is None:
            self.any = route
        for method in route.methods:
            self.by_method.setdefault(method, route)

    def get(self, method: str) -> Route | None:
        found = self.by_method.get(method)
        if found is None and method == "HEAD":  # RFC 9110 section 9.3.2: HEAD is GET without the content
            found = self.by_method.get("GET")
        return found or self.any

    def allowed(self) -> tuple[str, ...]:
        """The methods that are answered, for Allow."""
        implied = {"HEAD"} if "GET" in self.by_method else set()
        return tuple(sorted(self.by_method.keys() | implied))


_UNDECIDED = Methods()


class Expressions:
    """The expressions of one table, by their texts; those of the table before are taken over.

    slow: those that were too slow, in this table or in any before
    """

    __slots__ = ("_before", "_by_text", "slow")

    def __init__(self, before: Expressions | None) -> None:
        self._before: dict[str, Expression] = before._by_text if before is not None else {}
        self._by_text: dict[str, Expression] = {}
        self.slow: Slow = before.slow if before is not None else Slow()

    def of(self, text: str, route: Route) -> Expression:
        """The one of this text."""
        found = self._by_text.get(text) or self._before.get(text)
        if found is None:
            found = Expression(text, f"route {route.name!r}: its path rule", self.slow)
        self._by_text[text] = found
        return found

    def keep(self, text: str, expression: Expression) -> None:
        """Take one over that its domain keeps."""
        self._by_text.setdefault(text, expression)

    def close(self) -> None:
        """All are there."""
        self._before = {}


class Site:
    """All path rules of one domain.

    routes:      in the order in which they are preferred
    behind:      those of the same name for any port, where this one has a port
    expressions: makes those of the whole table: one that takes too long does so once, not once per domain
    harmless:    names of middlewares that guard nothing
    last:        routes at exact paths for whoever names nobody, where no other takes the request
    simple:      whether every path leads to the same routes, however it is read
    """

    __slots__ = (
        "_expressions", "_harmless", "behind", "depth", "exact", "last", "name", "prefixes", "regexes", "routes",
        "simple", "whole",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        routes: list[Route],
        behind: Sequence[Route],
        expressions: Expressions,
        harmless: frozenset[str],
        last: Sequence[Route] = (),
    ) -> None:
        self.name = name
        self.last = last
        self.routes = routes
        self.behind = behind
        self._expressions = expressions
        self._harmless = harmless
        self.exact: dict[str, Methods] = {}
        self.prefixes: dict[str, Methods] = {}
        self.regexes: dict[str, tuple[Expression, Methods]] = {}
        self.whole = Methods()
        self.depth = 0
        for route in routes:
            self._add(route)
        for route in behind:
            self._add(route, behind=True)
        ruled = self.exact or self.prefixes or self.regexes
        based = any(upstream.base_path for route in (*routes, *behind) for upstream in route.upstreams)
        self.simple = not (ruled or based)

    def _add(self, route: Route, *, behind: bool = False) -> None:
        kind, text = route.path.kind, route.path.text
        if kind is not PathKind.REGEX:
            text = comparable(text)
        if kind is PathKind.EXACT:
            methods = self.exact.setdefault(text, Methods())
        elif kind is PathKind.PREFIX and text != "/":
            methods = self.prefixes.setdefault(text.rstrip("/"), Methods())
            self.depth = max(self.depth, text.rstrip("/").count("/"))
        elif kind is PathKind.REGEX:
            if text not in self.regexes:
                self.regexes[text] = (self._expressions.of(text, route), Methods())
            methods = self.regexes[text][1]
        else:
            methods = self.whole
        methods.add(route, behind=behind)
        methods.guarded = methods.guarded or not self._harmless.issuperset(route.options.middlewares)

    def route(self, method: str, path: str, budget: Budget | None) -> Route | Miss:
        """The route for a path in the form that rules are compared in."""
        found = self.whole if self.simple else self._find(path, budget)
        route = found.get(method)
        if route is not None:
            return route
        if found is _UNDECIDED:
            return Miss(MissReason.UNDECIDED, self.name)
        if not found.by_method:
            return self._last(method, path) or Miss(MissReason.PATH if self.routes else MissReason.HOST, self.name)
        return Miss(MissReason.METHOD, self.name, found.allowed())

    def _last(self, method: str, path: str) -> Route | None:
        methods = Methods()
        for route in self.last:
            if route.path.text == path:
                methods.add(route)
        return methods.get(method)

    def _find(self, path: str, budget: Budget | None) -> Methods:
        """The methods of the most specific rule for `path`, perhaps none; _UNDECIDED when an expression is too slow."""
        if self.exact and (found := self.exact.get(path)) is not None:
            return found
        if self.prefixes and (found := self._longest_prefix(path)) is not None:
            return found
        if self.regexes and budget is not None:
            for expression, methods in self.regexes.values():
                fits = expression.fits(path, budget)
                if fits:
                    return methods
                if fits is None and (methods.guarded or budget.over):
                    return _UNDECIDED  # else whoever makes it slow would get past its middlewares
        return self.whole

    def _longest_prefix(self, path: str) -> Methods | None:
        # No more segments than the deepest prefix has: a path of a thousand slashes costs no more than another.
        segments = path.split("/", self.depth + 1)[: self.depth + 1]
        while len(segments) > 1:
            found = self.prefixes.get("/".join(segments))
            if found is not None:
                return found
            segments.pop()
        return None
