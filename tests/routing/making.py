"""Routes and upstreams in one line each."""

from __future__ import annotations

from dockerproxy.routing import Balancer, Bench, Domain, PathKind, PathRule, Route, RouteTable, Upstream

_KINDS = {"=": PathKind.EXACT, "^": PathKind.PREFIX, "~": PathKind.REGEX}


def route(name: str, host: str = "", path: str = "", methods: str = "") -> Route:
    """`path` is `=/exact`, `^/prefix`, `~regex` or empty; hosts and methods are separated by commas."""
    return Route(
        name=name,
        domains=tuple(Domain.parse(part) for part in host.split(",") if part),
        path=PathRule(_KINDS[path[0]], path[1:]) if path else PathRule(),
        methods=tuple(part for part in methods.split(",") if part),
    )


def found(table: RouteTable, host: str, path: str = "/", method: str = "GET") -> str:
    """The name of the route that answers, or why there is none."""
    outcome = table.match(host, method, path)
    return outcome.name if isinstance(outcome, Route) else outcome.reason.value


def upstreams(*weights: int) -> tuple[Upstream, ...]:
    """Upstreams `a`, `b`, `c` … with these weights."""
    return tuple(
        Upstream(name, f"http://127.0.0.1:{8000 + index}", weight)
        for index, (name, weight) in enumerate(zip("abcdefghijklmnopqrstuvwxyz", weights, strict=False))
    )


def balancer(*weights: int, errors: int = 10, duration: float = 90.0) -> Balancer:
    return Balancer(upstreams(*weights), Bench(errors, duration))


def names(subject: Balancer, count: int, now: float = 0.0) -> str:
    """The names of the next `count` choices, as one string; `-` where there is none."""
    chosen = (subject.choose((), now) for _ in range(count))
    return "".join("-" if upstream is None else upstream.name for upstream in chosen)
