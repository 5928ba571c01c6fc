"""Which routes may be added and removed while the proxy runs. Pure: it refuses, or says nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from dockerproxy.control.admission.constraints import Constraints
from dockerproxy.control.admission.local_upstreams import local_problems
from dockerproxy.control.base.base import place_of
from dockerproxy.control.places import Places
from dockerproxy.did_you_mean import did_you_mean
from dockerproxy.errors import InvalidInput, Problem, RouteExists, RouteNotRemovable, UnknownRoute
from dockerproxy.routing.local_addresses import Network
from dockerproxy.routing.route import Route, Source
from dockerproxy.settings import FILE_OPTIONS, RouteSettings

_BUILTIN = "it is a built-in admin route"
_HANDLER = "it is answered by a handler: edit the settings file, or the program that gives it, and reload"
_STATIC = "it is static: edit the settings file, or the program that gives it, and reload"
_DOCKER = "containers make it: stop its containers, or change their labels"


def refuse_new(
    wanted: RouteSettings,
    route: Route,
    existing: Iterable[Route],
    dynamic: Collection[str],
    constraints: Constraints,
    local: tuple[Network, ...],
) -> None:
    """Raises InvalidInput if it is no proxy route, at the admin handlers' domain or with an upstream at an address of
    this machine or its link that is not in `local`; RouteExists if its name or all of its places are taken."""
    problems = [*_problems(wanted), *local_problems(wanted, local), *_admin_problems(route, constraints)]
    if problems:
        raise InvalidInput("route", problems)
    places = Places()
    for other in existing:
        if other.name == route.name:
            raise RouteExists(f"there is already a route named {route.name!r} ({other.source}); choose another name")
        places.take(other)
    if route.name in dynamic:
        raise RouteExists(f"there is already a dynamic route named {route.name!r}, which is not used; remove it first")
    clashes = places.clashes(route)
    if len(clashes) == len(route.domains or (None,)):
        told = (f"{place_of(route, clash)} is answered by route {clash.owner.name!r} ({clash.owner.source})"
                for clash in clashes)  # fmt: skip
        raise RouteExists(f"route {route.name!r} would never be reached: {'; '.join(told)}")


def refuse_removal(name: str, route: Route | None, builtin: Collection[str], dynamic: Iterable[str]) -> None:
    """Raises UnknownRoute, or RouteNotRemovable with the reason."""
    if route is None:
        raise UnknownRoute(f"there is no route named {name!r}{did_you_mean(name, dynamic)}")
    if route.source is Source.DOCKER:
        reason = _DOCKER
    elif name in builtin:
        reason = _BUILTIN
    else:
        reason = _HANDLER if route.handler else _STATIC
    raise RouteNotRemovable(f"route {name!r} cannot be removed: {reason}")


def _admin_problems(route: Route, constraints: Constraints) -> Iterator[Problem]:
    for domain in route.domains:
        if constraints.is_admin(domain.name):
            yield Problem("host", f"{domain}: {constraints.why_admin}; choose another domain")


def _problems(wanted: RouteSettings) -> Iterator[Problem]:
    if wanted.handler is not None:
        yield Problem("handler", "a handler can only be set in the settings file or in Python; give upstreams")
    elif not wanted.upstreams:
        yield Problem("upstreams", 'expected at least one, for example [{"url": "http://localhost:2368"}]')
    if wanted.proxy_enable is False:
        yield Problem("proxy_enable", "is false, but only proxy routes can be added; leave it out or set it to true")
    for name in sorted(FILE_OPTIONS & wanted.model_fields_set):
        yield Problem(name, "names a file of the proxy's machine, so it can only be set in the settings file")
    if wanted.domain is not None:
        # Else whoever may add a route could have any importable code run.
        for page in ("not_found_handler", "error_handler"):
            if getattr(wanted.domain, page) is not None:
                yield Problem(f"domain.{page}", "can only be set in the settings file")
