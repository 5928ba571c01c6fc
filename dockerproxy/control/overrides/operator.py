"""Operator: what a person decides while the proxy runs, by the names that they know, and what it leads to.

It resolves names and refuses; keeping and publishing is the registry's. Whatever changes something returns when that
is on disk and in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from dockerproxy.control.overrides.overrides import Drain, Maintenance, Override, Overrides, Pause, Weight, is_admin
from dockerproxy.control.overrides.target import Target, Targets
from dockerproxy.discovery.snapshot import ContainerView
from dockerproxy.errors import NotPossible
from dockerproxy.routing.route import Route

_MOST_NAMED = 5  # routes or upstreams in one warning

_Kind = TypeVar("_Kind", Drain, Weight)


class Outcome(NamedTuple):
    """What came of a decision on upstreams.

    changed, unchanged: the upstreams that the name stands for; the latter were so already
    warning:            what the operator may not have had in mind, in sentences, or ""
    """

    changed: tuple[Target, ...]
    unchanged: tuple[Target, ...]
    warning: str = ""


class OverrideKeeper(Protocol):
    """Whoever keeps the routes and what is set of them: the registry."""

    @property
    def routes(self) -> tuple[Route, ...]: ...

    @property
    def containers(self) -> tuple[ContainerView, ...]: ...

    @property
    def overrides(self) -> Overrides: ...

    def route(self, name: str) -> Route | None: ...

    def wall(self) -> float:
        """Seconds since the epoch."""

    async def override(self, decide: Callable[[Overrides], Overrides]) -> None:
        """Let an operator decide: what is set now -> what shall be set. Raises StoreError."""


class Operator:
    """Decisions on the routes of one registry.

    revive: lets a container serve on that was told to stop, by its id; returns whether that can be done now
    name:  of an upstream or a container, a URL, or the beginning of a container's id
    route: where the name counts; everywhere when None
    All methods raise UnknownRoute, UnknownUpstream or NotPossible; those that change something StoreError too.
    """

    def __init__(self, registry: OverrideKeeper, revive: Callable[[str], bool] = lambda _container: False) -> None:
        self._registry = registry
        self._revive = revive

    def targets(self, name: str, route: str | None) -> list[Target]:
        """The upstreams that a name stands for."""
        return self._known(self._registry.overrides).named(name, route)

    async def drain(self, name: str, route: str | None) -> Outcome:
        """No new requests go to these upstreams, until `undrain`."""
        since = self._registry.wall()

        def wanted(target: Target, known: Drain | None) -> Drain:
            return known or Drain(route=target.route, upstream=target.upstream, since=since)

        changed, unchanged = await self._decide(name, route, Overrides.drain, wanted)
        return Outcome(changed, unchanged, self._emptied(changed))

    async def undrain(self, name: str, route: str | None) -> Outcome:
        """Undo `drain`; a container that was told to stop, and is not about to, serves on."""
        changed, unchanged = await self._decide(name, route, Overrides.drain, _nothing)
        revived = tuple(target for target in changed + unchanged if self._revives(target))
        others = tuple(target for target in unchanged if target not in revived)
        still_out = self._still_out(target for target in changed + others if target not in revived)
        return Outcome(tuple(dict.fromkeys(changed + revived)), others, still_out)

    async def weigh(self, name: str, route: str | None, weight: int) -> Outcome:
        """Give these upstreams a weight from 0 to 100, whatever their source says, until `unweigh`."""
        since = self._registry.wall()

        def wanted(target: Target, known: Weight | None) -> Weight:
            if known is not None and known.weight == weight:
                return known
            return Weight(route=target.route, upstream=target.upstream, weight=weight, since=since)

        changed, unchanged = await self._decide(name, route, Overrides.weight, wanted)
        return Outcome(changed, unchanged, self._still_out(changed + unchanged) if weight else self._emptied(changed))

    async def unweigh(self, name: str, route: str | None) -> Outcome:
        """Undo `weigh`."""
        changed, unchanged = await self._decide(name, route, Overrides.weight, _nothing)
        return Outcome(changed, unchanged, self._still_out(changed + unchanged))

    async def maintain(self, route: str, message: str) -> Maintenance:
        """Put a route under maintenance: it answers 503 with the message, until `end_maintenance`."""
        wanted = Maintenance(route=route, message=message, since=self._registry.wall())

        def decide(now: Overrides) -> Overrides:
            self._refuse_admin(route, now)
            known = now.maintenance(route)
            return now.put(wanted if known is None else known.model_copy(update={"message": message}))

        await self._registry.override(decide)
        return self._registry.overrides.maintenance(route) or wanted

    async def end_maintenance(self, route: str) -> bool:
        """Undo `maintain`; returns whether there was anything to undo."""
        return await self._end(route, Overrides.maintenance)

    async def pause(self, route: str, seconds: float) -> Pause:
        """Hold the requests of a route, until `resume` or the time is over; what is in flight goes on."""
        wanted = Pause(route=route, until=self._registry.wall() + seconds)

        def decide(now: Overrides) -> Overrides:
            self._refuse_admin(route, now)
            return now.put(wanted)

        await self._registry.override(decide)
        return wanted

    async def resume(self, route: str) -> bool:
        """Undo `pause`: what is held goes through; returns whether there was anything to undo."""
        return await self._end(route, Overrides.pause)

    async def _end(self, route: str, kind: Callable[[Overrides, str], Override | None]) -> bool:
        found: list[Override] = []

        def decide(now: Overrides) -> Overrides:
            self._known(now).route(route)
            found.extend(filter(None, [kind(now, route)]))
            return now.without(found)

        await self._registry.override(decide)
        return bool(found)

    async def _decide(
        self,
        name: str,
        route: str | None,
        kind: Callable[[Overrides, str, str], _Kind | None],
        wanted: Callable[[Target, _Kind | None], _Kind | None],
    ) -> tuple[tuple[Target, ...], tuple[Target, ...]]:
        """Change what is set of the upstreams of this name; returns those it changed for, and the others.

        kind:   what of an upstream is set now
        wanted: what shall be set of it
        """
        changed: list[Target] = []
        unchanged: list[Target] = []

        def decide(now: Overrides) -> Overrides:
            put, gone = [], []
            for target in self._known(now).named(name, route):
                known = kind(now, target.route, target.upstream)
                wish = wanted(target, known)
                (unchanged if wish == known else changed).append(target)
                if wish is not None:
                    put.append(wish)
                elif known is not None:
                    gone.append(known)
            return now.without(gone).put(*put)

        await self._registry.override(decide)
        return tuple(changed), tuple(unchanged)

    def _known(self, overrides: Overrides) -> Targets:
        return Targets(self._registry.routes, self._registry.containers, overrides)

    def _refuse_admin(self, name: str, overrides: Overrides) -> None:
        route = self._known(overrides).route(name)
        if route is not None and is_admin(route):
            raise NotPossible(
                f"route {name!r} is one that the proxy is operated by ({route.handler}); it stays reachable, "
                "or nobody could undo this"
            )

    def _emptied(self, targets: Iterable[Target]) -> str:
        """A sentence about the routes of these that have no upstream in rotation now, or ""."""
        names = dict.fromkeys(target.route for target in targets if target.upstreams)
        routes = [route for name in names if (route := self._registry.route(name)) is not None]
        empty = [route.name for route in routes if not any(upstream.in_rotation for upstream in route.upstreams)]
        if not empty:
            return ""
        return f"No upstream is in rotation now for {_listed(empty)}: requests are held for a while, then answered 503."

    def _still_out(self, targets: Iterable[Target]) -> str:
        """A sentence about those of these that get no requests all the same, or ""."""
        out = list(self._reasons(targets))
        return f"Still out of rotation: {_listed(out)}." if out else ""

    def _revives(self, target: Target) -> bool:
        """Whether it was told to stop, and serves on from now on."""
        route = self._registry.route(target.route)
        own = [each for each in (route.upstreams if route else ()) if each.name == target.upstream and each.container]
        stopping = [each.container for each in own if each.draining]
        # Each is asked, whatever comes of the others.
        return bool(stopping) and all(list(map(self._revive, stopping)))

    def _reasons(self, targets: Iterable[Target]) -> Iterator[str]:
        overrides = self._registry.overrides
        for target in targets:
            route = self._registry.route(target.route)
            upstreams = route.upstreams if route is not None else ()
            for upstream in upstreams:
                if upstream.name != target.upstream or upstream.in_rotation:
                    continue
                drained = overrides.drain(target.route, target.upstream) is not None
                told = "it is drained by the operator" if drained else "its container was told to stop"
                yield f"{upstream.name} of {target.route} ({told if upstream.draining else 'its weight is 0'})"


def _nothing(_target: Target, _known: object) -> None:
    """Whatever is set shall be set no longer."""


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
