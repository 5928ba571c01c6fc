"""Literal containers, wishes and settings for the tests of control, and a clock that moves when told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dockerproxy.control.registry import Registry
from dockerproxy.control.store import Store
from dockerproxy.discovery.snapshot import ContainerView, RouteWish, Snapshot
from dockerproxy.labels.reason import Code, Reason
from dockerproxy.routing.route import Domain, PathKind, PathRule, Route, Source, Upstream
from dockerproxy.routing.table import RouteTable
from dockerproxy.settings import RouteSettings, Settings, validate


def settings(**values: Any) -> Settings:
    return validate(values, "test")


def route_settings(name: str, **values: Any) -> RouteSettings:
    return RouteSettings.model_validate({"name": name, "upstreams": [{"url": "http://127.0.0.1:9"}], **values})


def wish(route: str, address: str, *, host: str | None = None, path: str | None = None,
         methods: tuple[str, ...] | None = None, draining: bool = False, container: str = "", project: str = "",
         **options: Any,
         ) -> RouteWish:  # fmt: skip
    return RouteWish(
        route=route,
        upstream=Upstream(
            name=container, url=f"http://{address}", source=Source.DOCKER, container=container, draining=draining
        ),
        default_domain=Domain(f"{route}.localhost"),
        domains=None if host is None else tuple(Domain.parse(name) for name in host.split(",")),
        path=None if path is None else PathRule(PathKind.PREFIX, path),
        methods=methods,
        options=options,
        project=project,
    )


def container(name: str, created: float, *wishes: RouteWish, reasons: Sequence[str] = ()) -> ContainerView:
    told = tuple(Reason(Code.NO_PORT, reason) for reason in reasons)
    return ContainerView(f"id-{name}", name, created, "running", wishes, told)


def one(name: str, created: float, route: str, **said: Any) -> ContainerView:
    """A container with one upstream of one route; its address ends in its time of creation."""
    return container(name, created, wish(route, f"172.18.0.{int(created)}:80", container=name, **said))


class Clock:
    """Time that moves when told, and the calls that are due meanwhile."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._wall_offset = 1_700_000_000.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def __call__(self) -> float:
        return self.now

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self.now + self._wall_offset

    def set_by(self, seconds: float) -> None:
        """Somebody sets the clock on the wall."""
        self._wall_offset += seconds

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        self._due.append((self.now + delay, callback))

    def move(self, seconds: float) -> None:
        self.now += seconds
        due, self._due = (
            [call for call in self._due if call[0] <= self.now],
            [call for call in self._due if call[0] > self.now],
        )
        for _, callback in due:
            callback()


class Scene:
    """A registry with a clock of its own, and what it has published."""

    def __init__(self, folder: Path, python_routes: Sequence[Route] = (), **values: Any) -> None:
        self.clock = Clock()
        self.published: list[tuple[Route, ...]] = []
        self.loaded: dict[str, Any] = {}
        self.store = Store(folder)
        self.registry = Registry(
            settings(**values),
            self.store,
            self._publish,
            self.clock.call_later,
            self.clock,
            python_routes,
            self.loaded.update,
            self.clock.wall,
        )

    def _publish(self, table: RouteTable, routes: tuple[Route, ...]) -> None:
        assert table.routes == routes
        self.published.append(routes)

    def see(self, *containers: ContainerView, engine: str = "docker") -> None:
        self.registry.snapshot(Snapshot(engine, containers))

    def route(self, name: str) -> Route:
        found = self.registry.route(name)
        assert found is not None, f"no route {name} among {[route.name for route in self.registry.routes]}"
        return found

    def names(self) -> list[str]:
        """The routes that somebody asked for, in the table's order."""
        return [route.name for route in self.registry.routes if not route.name.startswith("dockerproxy-")]

    def upstreams(self, route: str) -> list[str]:
        return [upstream.name for upstream in self.route(route).upstreams]

    def reasons(self, name: str) -> str:
        return "; ".join(next(view for view in self.registry.containers if view.name == name).reasons)

    def answers(self, host: str, path: str = "/", method: str = "GET") -> str:
        """The name of the route that the published table finds, or why there is none."""
        found = self.registry.table.match(host, method, path)
        return found.name if isinstance(found, Route) else str(found.reason)
