"""Registry: the single writer of the table.

It keeps what each source says (the settings, `/add`, every producer of snapshots), merges it, publishes the table
when something changed, and says in the log what that was. All of it on one thread, the loop's. It never
touches a request or a connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from dockerproxy.control.admission.constraints import Constraints
from dockerproxy.control.admission.dynamic import refuse_new, refuse_removal
from dockerproxy.control.admission.local_upstreams import local_problems, permitted_networks
from dockerproxy.control.admission.middlewares import MiddlewareSource, NamesOnly, refuse_unknown, why_unknown
from dockerproxy.control.base.base import Base, build_base
from dockerproxy.control.base.static import StaticRoutes, route_of, static_routes
from dockerproxy.control.changes import decided
from dockerproxy.control.docker_routes import DockerRoutes, Rules
from dockerproxy.control.merge.joining import MergeContext
from dockerproxy.control.overrides.overrides import Overrides
from dockerproxy.control.publication import Publication, Publish
from dockerproxy.control.store import Store
from dockerproxy.discovery.snapshot import ContainerView, Snapshot
from dockerproxy.errors import InvalidInput, Problem, StoreError
from dockerproxy.routing.route import Route, Source
from dockerproxy.routing.table import RouteTable
from dockerproxy.settings import RouteSettings, Settings

log = logging.getLogger("dockerproxy.control")


def _load_nothing(handlers: Mapping[str, Any]) -> None:
    """For callers that serve no handlers."""


class Registry:
    """The routes, and where they come from.

    publish:       gets each new table, with its routes
    call_later:    as the loop's; what it returns may have a `cancel` method
    now:           seconds of the clock that `call_later` goes by
    python_routes: routes that the program gives; they count as static
    load_handlers: is told the handlers that static routes name, before they are published: key -> the handler given
                   in Python, or None if it is to be loaded; may raise SettingsError, and nothing changes then
    wall:          seconds since the epoch
    middlewares:   makes those that routes name
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        publish: Publish,
        call_later: Callable[[float, Callable[[], None]], Any],
        now: Callable[[], float],
        python_routes: Sequence[Route] = (),
        load_handlers: Callable[[Mapping[str, Any]], None] = _load_nothing,
        wall: Callable[[], float] = time.time,
        middlewares: MiddlewareSource | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._publication = Publication(publish)
        self._call_later = call_later
        self._now = now
        self._python_routes = tuple(python_routes)
        self._load_handlers = load_handlers
        self._wall = wall
        self._middlewares = middlewares or NamesOnly()
        self._known: Collection[str] = ()  # names of middlewares
        self._overrides = Overrides()
        self._pause_ends: dict[str, float] = {}  # by `now`, so that a clock that is set prolongs no pause
        self._dynamic: dict[str, RouteSettings] = {}
        self._docker_routes = DockerRoutes()
        self._writing = asyncio.Lock()
        self._closed = False
        self._timer: Any = None
        self._timer_end = float("inf")
        self._started = False
        self._defaults = settings.route_defaults
        self._constraints = Constraints(settings)
        self._static = static_routes(settings, self._python_routes)
        self._base = build_base(settings, self._static, ())

    def __repr__(self) -> str:
        return f"<Registry: {len(self.routes)} routes, {len(self.containers)} containers>"

    @property
    def settings(self) -> Settings:
        """The settings that are in force."""
        return self._settings

    @property
    def table(self) -> RouteTable:
        """The table that was published last."""
        return self._publication.table

    @property
    def routes(self) -> tuple[Route, ...]:
        """All routes, in the table's order."""
        return self.table.routes

    @property
    def containers(self) -> tuple[ContainerView, ...]:
        """All containers, oldest first; their reasons include the conflicts found here."""
        return self._docker_routes.containers

    @property
    def overrides(self) -> Overrides:
        """What an operator has set."""
        return self._overrides

    @property
    def not_found_handlers(self) -> Mapping[str, str]:
        """A domain as written in its routes -> key of its not-found handler; "" is for every other domain."""
        return self._static.pages.not_found

    @property
    def handlers(self) -> Mapping[str, Any]:
        """Keys of the handlers that static routes and pages name -> the handler given in Python, or None."""
        return _handlers(self._static, self._base)

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._wall()

    def route(self, name: str) -> Route | None:
        """The route of this name, or None."""
        return self._publication.route(name)

    def groups(self, name: str, path: str) -> dict[str, str]:
        """The named groups of a route's path rule in `path`; empty for a route that is gone."""
        route = self.route(name)
        return route.path.groups(path) if route is not None else {}

    def start(self) -> None:
        """Load handlers, dynamic routes and overrides, and publish. Raises SettingsError, StoreError."""
        self._base.warnings = []  # nobody has been told of them yet
        self._load(self._settings, self._static, self.handlers)
        self._dynamic = {route.name: route for route in self._store.load()}
        overrides = Overrides(self._store.load_overrides())
        self._use_overrides(overrides.without(pause for pause in overrides.pauses if pause.until <= self._wall()))
        self._started = True
        none = Overrides()
        base = self._built(self._settings, self._static, self._dynamic)
        self._use_base(base, decided(none, self._overrides))
        self._publication.tell_decisions(none, self._overrides)

    def close(self) -> None:
        """Publish no more, and give the state folder back."""
        self._closed = True
        if self._timer is not None and hasattr(self._timer, "cancel"):
            self._timer.cancel()
        self._store.close()

    def snapshot(self, snapshot: Snapshot) -> None:
        """Take what a producer sees now; the last word of each producer counts."""
        if self._docker_routes.see(snapshot) and self._started:
            self._refresh()

    async def add(self, wanted: RouteSettings) -> Route:
        """Add a dynamic proxy route: on disk, then in the table, then this returns.

        Raises InvalidInput, RouteExists (the name or the place is taken), StoreError.
        """
        async with self._writing:
            existing = [route for route in self.routes if not self._docker_routes.keeps(route)]
            local = permitted_networks(self._settings, self._static.routes)
            route = route_of(wanted, self._defaults, Source.DYNAMIC, local)
            refuse_new(wanted, route, existing, self._dynamic, self._constraints, local)
            why = why_unknown(route.options.middlewares, self._known)
            if why:
                raise InvalidInput("route", [Problem("middlewares", why)])
            await self._use_dynamic({**self._dynamic, wanted.name: wanted}, self._overrides)
        return self.route(wanted.name) or route

    async def remove(self, name: str) -> None:
        """Remove a dynamic route with what is set of it: from disk, then from the table.

        Raises UnknownRoute, RouteNotRemovable, StoreError.
        """
        async with self._writing:
            if name not in self._dynamic:
                refuse_removal(name, self.route(name), self._base.builtin, self._dynamic)
            left = {other: route for other, route in self._dynamic.items() if other != name}
            await self._use_dynamic(left, self._overrides_without(name))

    async def override(self, decide: Callable[[Overrides], Overrides]) -> None:
        """Let an operator decide what is set: on disk, then in the table, then this returns.

        decide: what is set now -> what shall be set; what it raises ends this without a change
        Raises StoreError.
        """
        async with self._writing:
            before = self._overrides
            after = decide(before)
            if after == before:
                return
            await self._store.save_overrides(tuple(after))
            self._use_overrides(after)
            self._refresh(decided(before, after))
            self._publication.tell_decisions(before, after)

    def reload(self, settings: Settings) -> list[str]:
        """Use new settings. Returns what changed, in words. Raises SettingsError, and then nothing has changed."""
        static = static_routes(settings, self._python_routes)
        base = self._built(settings, static, self._dynamic)
        self._load(settings, static, _handlers(static, base))
        # Not-found pages belong to no route, so a table of equal routes does not tell of them.
        if static.pages != self._static.pages:
            self._publication.outdate()
        self._settings, self._static, self._defaults = settings, static, settings.route_defaults
        self._constraints = Constraints(settings)
        self._docker_routes.forget_former_members()
        return self._use_base(base)

    def _load(self, settings: Settings, static: StaticRoutes, handlers: Mapping[str, Any]) -> None:
        """Load all code that routes name. Raises SettingsError, and the old code is in use then."""
        known = self._middlewares.known(settings)
        refuse_unknown(settings, static.routes, known)
        self._load_handlers(handlers)
        self._middlewares.use(settings, (name for route in static.routes for name in route.options.middlewares))
        self._known = known
        self._publication.guarded_by_all_but(self._middlewares.harmless(settings))

    def _overrides_without(self, name: str) -> Overrides:
        """What is set but for a dynamic route; all of it where the name is a static route's, which stays."""
        route = self.route(name)
        if route is None or route.source is not Source.DYNAMIC:
            return self._overrides
        return self._overrides.without(override for override in self._overrides if override.route == name)

    async def _use_dynamic(self, dynamic: dict[str, RouteSettings], overrides: Overrides) -> None:
        await self._store.save(tuple(dynamic.values()))
        if overrides != self._overrides:
            await self._save_overrides_or_undo(overrides)
        self._dynamic = dynamic
        self._use_overrides(overrides)
        # Settings may have been reloaded while the disk was busy, so what they say is read only now.
        self._use_base(self._built(self._settings, self._static, dynamic))

    async def _save_overrides_or_undo(self, overrides: Overrides) -> None:
        """After the routes: an override without a route does no harm after a crash, a route without its maintenance
        might. Raises StoreError, and the routes are on disk as they were before."""
        try:
            await self._store.save_overrides(tuple(overrides))
        except StoreError:
            with contextlib.suppress(StoreError):
                await self._store.save(tuple(self._dynamic.values()))
            raise

    def _built(self, settings: Settings, static: StaticRoutes, dynamic: Mapping[str, RouteSettings]) -> Base:
        known, defaults = self._middlewares.known(settings), settings.route_defaults
        local = permitted_networks(settings, static.routes)
        routes = [route_of(route, defaults, Source.DYNAMIC, local) for route in dynamic.values()]
        wrong = {route.name: why_unknown(route.options.middlewares, known) for route in routes}
        for name, route in dynamic.items():
            wrong[name] = wrong[name] or "; ".join(map(str, local_problems(route, local)))
        base = build_base(settings, static, [route for route in routes if not wrong[route.name]])
        base.warnings += [f"{name}: the dynamic route is left out: {why}" for name, why in wrong.items() if why]
        return base

    def _use_base(self, base: Base, told: Collection[tuple[str, str]] = ()) -> list[str]:
        warnings = [warning for warning in base.warnings if warning not in self._base.warnings]
        for warning in warnings:
            log.warning("%s", warning)
        self._base = base
        return warnings + self._refresh(told)

    def _use_overrides(self, overrides: Overrides) -> None:
        now, wall = self._now(), self._wall()
        known = {pause.route: pause for pause in self._overrides.pauses}
        self._pause_ends = {
            pause.route: self._pause_ends[pause.route] if known.get(pause.route) == pause else now + pause.until - wall
            for pause in overrides.pauses
        }
        self._overrides = overrides

    def _refresh(self, told: Collection[tuple[str, str]] = ()) -> list[str]:
        """Merge what all sources say now, and publish it if it differs. Returns what changed, in words.

        told: upstreams of which the log tells otherwise that they go out of rotation or come back
        """
        now = self._now()
        self._end_pauses(now)
        context = MergeContext(self._base, self._defaults, self._settings.docker.label_prefix)
        merged = self._docker_routes.merged(Rules(context, self._constraints, self._known), now)
        # What stands firm from the beginning is no news.
        routes, firm = self._overrides.applied(merged), self._base.routes.values()
        lines = self._publication.update(routes, firm, told, now)
        self._publication.complain(self.containers)
        self._publication.tell_settled(now)
        self._arm_timer(now)
        return lines

    def _end_pauses(self, now: float) -> None:
        over = [pause for pause in self._overrides.pauses if self._pause_ends[pause.route] <= now]
        if over:
            before = self._overrides
            self._use_overrides(before.without(over))  # the disk says itself when they end
            self._publication.tell_decisions(before, self._overrides)

    def _arm_timer(self, now: float) -> None:
        """One timer for the next route or pause whose time is over; a later end is armed when this one is over."""
        ends = [*self._pause_ends.values(), self._docker_routes.next_end(), self._publication.next_end()]
        end = min((end for end in ends if end is not None), default=float("inf"))
        if end >= self._timer_end:
            return
        self._timer_end = end
        self._timer = self._call_later(end - now, self._on_timer)

    def _on_timer(self) -> None:
        if self._closed:  # a later end was armed before this one, and is still to come
            return
        self._timer_end = float("inf")
        self._refresh()


def _handlers(static: StaticRoutes, base: Base) -> dict[str, Any]:
    builtin = {base.routes[name].handler: None for name in base.builtin}
    return {**builtin, **static.handlers}
