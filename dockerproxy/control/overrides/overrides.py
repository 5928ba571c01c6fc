"""Overrides: what an operator has set while the proxy runs, as frozen values, and how routes look under them. Pure.

They are kept by names, a route's and an upstream's, and not by what bears them now: so they outlive a container
that is recreated, and a route that is away for a moment. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from dockerproxy.routing.route import Route, Upstream
from dockerproxy.settings.options import Strict

HEAVIEST = 100  # as for a weight in the settings
LONGEST_MESSAGE = 500  # characters
# What serves an operator stays as it is, else nobody could end the maintenance.
_ADMIN_HANDLERS = "dockerproxy.web."

# What a calendar can show; anything else in a file is a slip.
Moment = Annotated[float, Field(ge=0, lt=253402300800.0)]  # seconds since the epoch, before the year 10000
Key = tuple[str, str, str]  # kind, route, upstream or ""


class Drain(Strict):
    """An upstream gets no new requests."""

    kind: Literal["drain"] = "drain"
    route: str
    upstream: str
    since: Moment


class Weight(Strict):
    """An upstream has this share in the round robin, whatever its source says."""

    kind: Literal["weight"] = "weight"
    route: str
    upstream: str
    weight: int = Field(ge=0, le=HEAVIEST)
    since: Moment


class Maintenance(Strict):
    """A route answers 503 with this message."""

    kind: Literal["maintenance"] = "maintenance"
    route: str
    message: str = Field("", max_length=LONGEST_MESSAGE)
    since: Moment


class Pause(Strict):
    """A route holds its requests."""

    kind: Literal["pause"] = "pause"
    route: str
    until: Moment


Override = Drain | Weight | Maintenance | Pause
_Wanted = TypeVar("_Wanted", bound=Override)
_ADAPTER: TypeAdapter[Override] = TypeAdapter(Annotated[Override, Field(discriminator="kind")])


class Overrides:
    """All that is set; of each kind at most one for a route or an upstream. A frozen value."""

    __slots__ = ("_by_key", "_routes")

    def __init__(self, overrides: Iterable[Override] = ()) -> None:
        self._by_key: dict[Key, Override] = {key_of(override): override for override in overrides}
        self._routes = frozenset(override.route for override in self._by_key.values())

    def __repr__(self) -> str:
        return f"<Overrides: {', '.join(map(words, self)) or 'none'}>"

    def __iter__(self) -> Iterator[Override]:
        return iter(self._by_key.values())

    def __eq__(self, other: object) -> bool:
        return self._by_key == other._by_key if isinstance(other, Overrides) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # nobody looks one up

    @property
    def pauses(self) -> tuple[Pause, ...]:
        return tuple(override for override in self if isinstance(override, Pause))

    def drain(self, route: str, upstream: str) -> Drain | None:
        return self._found(Drain, ("drain", route, upstream))

    def weight(self, route: str, upstream: str) -> Weight | None:
        return self._found(Weight, ("weight", route, upstream))

    def maintenance(self, route: str) -> Maintenance | None:
        return self._found(Maintenance, ("maintenance", route, ""))

    def pause(self, route: str) -> Pause | None:
        return self._found(Pause, ("pause", route, ""))

    def put(self, *overrides: Override) -> Overrides:
        """These too, in place of those that they contradict."""
        return Overrides((*self, *overrides))

    def minus(self, others: Overrides) -> list[Override]:
        """Those that are not, in this very form, among the others."""
        return [override for key, override in self._by_key.items() if others._by_key.get(key) != override]

    def without(self, gone: Iterable[Override]) -> Overrides:
        """All but these."""
        keys = {key_of(override) for override in gone}
        return Overrides(override for key, override in self._by_key.items() if key not in keys)

    def applied(self, routes: tuple[Route, ...]) -> tuple[Route, ...]:
        """The routes as they are under what is set; one that nothing is set of stays the same object."""
        if not self._by_key:
            return routes
        return tuple(self._over(route) if route.name in self._routes else route for route in routes)

    def _over(self, route: Route) -> Route:
        if is_admin(route):
            return route
        upstreams = route.upstreams
        if not route.handler:
            upstreams = tuple(self._over_upstream(route.name, upstream) for upstream in upstreams)
        maintenance = self.maintenance(route.name)
        return replace(
            route,
            upstreams=upstreams,
            maintenance=route.maintenance if maintenance is None else maintenance.message,
            paused=route.paused or self.pause(route.name) is not None,
        )

    def _over_upstream(self, route: str, upstream: Upstream) -> Upstream:
        drain, weight = self.drain(route, upstream.name), self.weight(route, upstream.name)
        if drain is None and weight is None:
            return upstream
        return replace(
            upstream,
            draining=upstream.draining or drain is not None,
            weight=upstream.weight if weight is None else weight.weight,
        )

    def _found(self, kind: type[_Wanted], key: Key) -> _Wanted | None:
        found = self._by_key.get(key)
        return found if isinstance(found, kind) else None


def key_of(override: Override) -> Key:
    """What there is at most one of."""
    upstream = override.upstream if isinstance(override, (Drain, Weight)) else ""
    return override.kind, override.route, upstream


def is_admin(route: Route) -> bool:
    """Whether a handler of ours answers, by which the proxy itself is operated."""
    return route.handler.startswith(_ADMIN_HANDLERS)


def applies(override: Override, route: Route | None) -> bool:
    """Whether what is set has something to act on: the route of its name, and the upstream, are there."""
    if route is None or is_admin(route):
        return False
    if isinstance(override, (Drain, Weight)):
        return not route.handler and any(upstream.name == override.upstream for upstream in route.upstreams)
    return True


def words(override: Override) -> str:
    """In words, for messages: `drain of web-1 on blog`."""
    kind, route, upstream = key_of(override)
    return f"{kind} of {upstream} on {route}" if upstream else f"{kind} of {route}"


def read_override(entry: Any) -> Override:
    """What `as_entry` has written. Raises ValueError."""
    try:
        return _ADAPTER.validate_python(entry)
    except ValidationError as error:
        places = (".".join(map(str, details["loc"])) + f": {details['msg']}" for details in error.errors())
        raise ValueError("; ".join(place.removeprefix(": ") for place in places)) from None


def as_entry(override: Override) -> dict[str, Any]:
    """For a JSON document; reading it gives an equal override."""
    return override.model_dump(mode="json")
